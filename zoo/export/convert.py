"""SavedModel -> TFLite, as a child process: `python -m zoo.export.convert`."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from zoo.export.own_outputs import separate_outputs
from zoo.export.replay import answer_jobs
from zoo.export.select_v2 import use_select_v2
from zoo.export.shared_vectors import share_vectors
from zoo.export.wide_activations import widen_activations
from zoo.files import write_bytes

# Operations of a step on its states besides matrix products. A state is fed back, so rounding it to
# 8 bits adds up over time: measured on a trained 2 x 32 LSTM, 56 % of the stress instead of 3 %.
STATE_ARITHMETIC = [
    *("ADD", "SUB", "MUL", "DIV", "EXP", "LOG", "LOGISTIC", "TANH", "ABS", "MINIMUM", "MAXIMUM"),
    *("NEG", "SQUARE", "SQRT", "RSQRT", "POW", "LESS", "GREATER", "SELECT", "SELECT_V2"),
    *("SPLIT", "SPLIT_V", "SLICE", "STRIDED_SLICE", "CONCATENATION", "RESHAPE", "SUM", "MEAN"),
]


def convert(job: dict[str, Any]) -> dict[str, Any]:
    """Write one TFLite file.

    Args:
        job: `network`: SavedModel with fixed shapes; `endpoint`: its signature; `weights`: one of
            `WEIGHTS`; `states`: whether outputs are fed back; `samples`: npz of inputs by name to
            calibrate on, or None; `front`: SavedModel that computes the input `features` of the
            network, and its own next states, in float, or None; `out`: file to write.

    Returns:
        `bytes`: the size of the file.
    """
    model = WEIGHTS[job["weights"]](job)
    if job["front"]:
        model = join_models(_float32(job["front"], job["endpoint"]), model, via="features")
    model = share_vectors(separate_outputs(use_select_v2(model)))
    write_bytes(job["out"], model)
    return {"bytes": len(model)}


def _converter(folder: str, endpoint: str) -> Any:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[endpoint])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter


@cache  # the front end of every file of less precision is the same one
def _float32(folder: str, endpoint: str) -> bytes:
    return _converter(folder, endpoint).convert()


def _float16(job: dict[str, Any]) -> bytes:
    """Weights stored in 16 bits, arithmetic in float32."""
    converter = _converter(job["network"], job["endpoint"])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def _dynamic(job: dict[str, Any]) -> bytes:
    """Matrices in 8 bits, what they multiply is rounded to 8 bits on the fly, the rest float."""
    converter = _converter(job["network"], job["endpoint"])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def _int8(job: dict[str, Any]) -> bytes:
    """8 bits for weights and activations with fixed scales; the arithmetic of states is float.

    In a step without a front end, one of stress, activations have 16 bits.
    """
    converter = _converter(job["network"], job["endpoint"])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _samples(job)
    if not job["states"]:
        return converter.convert()
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=STATE_ARITHMETIC)
    try:
        quantiser = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=lambda: _samples(job), debug_options=options
        )
    except ValueError as error:
        if "debug mode" not in str(error):  # its message where there is nothing to quantise
            raise
        raise ValueError(
            "nothing in it can be quantised to 8 bits. It has no matrix products, and the "
            "arithmetic of states stays in float, so it would equal step.tflite."
        ) from None
    model = quantiser.get_nondebug_quantized_model()
    return model if job["front"] else widen_activations(model)


def _int16x8(job: dict[str, Any]) -> bytes:
    """Integers throughout: weights in 8 bits, activations and states in 16."""
    converter = _converter(job["network"], job["endpoint"])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _samples(job)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    return converter.convert()


WEIGHTS = {
    "float32": lambda job: _float32(job["network"], job["endpoint"]),
    "float16": _float16,
    "dynamic": _dynamic,
    "int8": _int8,
    "int16x8": _int16x8,
}


def _samples(job: dict[str, Any]) -> Iterator[dict[str, np.ndarray]]:
    """One step at a time, by input name: a list of inputs would be taken in another order."""
    with np.load(job["samples"]) as file:
        samples = dict(file)
    for k in range(len(next(iter(samples.values())))):
        yield {name: values[k : k + 1] for name, values in samples.items()}


def join_models(front: bytes, network: bytes, via: str) -> bytes:
    """Join two TFLite models: the output `via` of the first becomes an input of the second.

    The converter quantises a whole model or single kinds of operation; this keeps a front end in
    float32 before an integer network, in one file. Tensors get shorter names, which saves 2 % of a
    file of 128 kB.

    Args:
        front: model with one subgraph and one signature.
        network: likewise; its signature keeps its name and its other inputs.
        via: name in both signatures. Other outputs of the front end become outputs of the whole.
    """
    first, second = (schema.ModelT.InitFromPackedBuf(model, 0) for model in (front, network))
    head, body = first.subgraphs[0], second.subgraphs[0]
    tensors, buffers = len(body.tensors), len(second.buffers)
    codes = len(second.operatorCodes)

    def shifted(indices: Iterable[int]) -> list[int]:
        return [index + tensors if index >= 0 else index for index in indices]  # -1: no tensor

    for tensor in head.tensors:
        tensor.buffer += buffers
    for operator in head.operators:
        operator.opcodeIndex += codes
        operator.inputs, operator.outputs = shifted(operator.inputs), shifted(operator.outputs)

    source, sink = first.signatureDefs[0], second.signatureDefs[0]
    entry = next(each for each in sink.inputs if each.name == via.encode())
    for each in source.inputs + source.outputs:
        each.tensorIndex += tensors
    output = next(each for each in source.outputs if each.name == via.encode())
    features = output.tensorIndex
    for operator in body.operators:
        operator.inputs = [features if i == entry.tensorIndex else i for i in operator.inputs]

    sink.inputs = source.inputs + [each for each in sink.inputs if each is not entry]
    sink.outputs += [each for each in source.outputs if each is not output]
    body.inputs = shifted(head.inputs) + [i for i in body.inputs if i != entry.tensorIndex]
    body.outputs = [*body.outputs, *(i for i in shifted(head.outputs) if i != features)]
    body.tensors += head.tensors
    for tensor in body.tensors:
        tensor.name = _short(tensor.name)
    body.operators = head.operators + body.operators
    second.buffers += first.buffers
    second.operatorCodes += first.operatorCodes
    builder = flatbuffers.Builder(len(front) + len(network))
    builder.Finish(second.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _short(name: bytes) -> bytes:
    """The first of the names that an operation was merged from, without the name of its model."""
    return name.split(b";")[0].split(b"/", 1)[-1]


if __name__ == "__main__":
    answer_jobs(convert)
