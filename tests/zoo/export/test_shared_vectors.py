"""Vectors of equal content stand once in a TFLite file, whose outputs stay the same."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from zoo import folders
from zoo.export.shared_vectors import share_vectors


def outputs(content, inputs):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    return interpreter.get_signature_runner("serving_default")(**inputs)


def test_zero_points_of_all_channels_are_stored_once():
    content = (folders.find("wheeze-tiny") / "model.tflite").read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    quantised = model.subgraphs[0].tensors[:3]
    for tensor in quantised:  # as the converter writes a convolution of a thousand channels
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.linspace(0.1, 1.0, 1000, dtype=np.float32)
        tensor.quantization.zeroPoint = np.zeros(1000, np.int64)

    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    written = bytes(builder.Output())
    shared = share_vectors(written)
    assert len(written) - len(shared) >= 2 * 8000  # two of three
    again = schema.ModelT.InitFromPackedBuf(shared, 0)
    for tensor, before in zip(again.subgraphs[0].tensors, model.subgraphs[0].tensors, strict=True):
        np.testing.assert_array_equal(tensor.shape, before.shape)
    np.testing.assert_array_equal(
        again.subgraphs[0].tensors[2].quantization.zeroPoint, np.zeros(1000)
    )


def test_a_file_gives_the_same_outputs():
    content = (folders.find("scenes-tiny") / "model_int8.tflite").read_bytes()
    shared = share_vectors(content)
    assert len(shared) <= len(content) and share_vectors(shared) == shared
    x = np.random.default_rng(0).normal(size=(1, 160_032)).astype(np.float32)
    expected = outputs(content, {"waveform": x})["probabilities"]
    np.testing.assert_array_equal(outputs(shared, {"waveform": x})["probabilities"], expected)
