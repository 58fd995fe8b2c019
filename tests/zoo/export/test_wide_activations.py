"""Products of 16-bit activations by 8-bit weights, and the closed loop over many steps."""

from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from zoo.export import writer
from zoo.export.closed_loop import long_path
from zoo.export.golden import Replayed
from zoo.export.wide_activations import widen_activations

ROOT = Path(__file__).parents[3]
SAVED = ROOT / "saved_models"


def types(content):
    """Types of input, weights and output of every matrix product."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph, found = model.subgraphs[0], []
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode == 9:  # FULLY_CONNECTED
            places = (*operator.inputs[:2], operator.outputs[0])
            found.append(tuple(graph.tensors[place].type for place in places))
    return set(found)


def test_shipped_steps_of_8_bits_multiply_16_bits_and_hold_2_percent():
    int8, int16 = schema.TensorType.INT8, schema.TensorType.INT16
    from zoo.manifest import read_manifest

    files = [
        path
        for path in sorted(SAVED.glob("*/step_int8.tflite"))
        if "front_end" not in read_manifest(path.parent)
    ]
    assert files
    for path in files:
        assert types(path.read_bytes()) == {(int16, int8, int16)}
        loop = read_manifest(path.parent)["formats"][path.name]["closed_loop"]
        assert loop["steps"] == 10_000 and loop["rms_share"] <= 0.02


def quantised(rng):
    """A file of one product, (1, 3) by (2, 3) + bias, with activations of 8 bits; its numbers."""
    tf = pytest.importorskip("tensorflow")
    weights, bias = rng.standard_normal((3, 2)).astype(np.float32), [0.5, -2.0]

    class Product(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 3), tf.float32, name="x")])
        def __call__(self, x):
            return tf.nn.bias_add(tf.matmul(x, weights), np.float32(bias))

    module = Product()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.__call__.get_concrete_function()], module
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    x = rng.uniform(-1.0, 1.0, (200, 1, 3)).astype(np.float32)
    converter.representative_dataset = lambda: ([row] for row in x)
    return converter.convert(), weights, np.array(bias), x


def test_only_the_rounding_of_weights_is_left():
    content, weights, bias, x = quantised(np.random.default_rng(0))
    wide = widen_activations(content)
    assert widen_activations(wide) == wide
    errors = []
    for each in (content, wide):
        interpreter = Interpreter(model_content=each)
        interpreter.allocate_tensors()
        (place,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
        answers = []
        for row in 3.0 * x if each is wide else x:  # three times what was calibrated on
            interpreter.set_tensor(place["index"], row)
            interpreter.invoke()
            answers.append(interpreter.get_tensor(out["index"])[0])
        exact = (3.0 * x if each is wide else x)[:, 0] @ weights + bias
        errors.append(np.sqrt(np.mean((np.array(answers) - exact) ** 2)))
    # Weights are off by at most 1/254 of the largest one of their row.
    bound = 3.0 * np.sqrt(np.mean(x**2) * 3) * np.abs(weights).max() / 254
    assert errors[1] < bound and errors[0] > 2e-3


def test_only_what_reads_16_bits_gets_the_version_that_reads_them():
    """Versions as in TFLite's op_version.cc: products 7, to and from integers 2 and 3."""
    content, *_ = quantised(np.random.default_rng(0))
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for code in (0, 28):  # ADD and TANH, on floats
        operator = schema.OperatorCodeT()
        operator.builtinCode = operator.deprecatedBuiltinCode = code
        operator.version = 1
        model.operatorCodes.append(operator)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    wide = schema.ModelT.InitFromPackedBuf(widen_activations(bytes(builder.Output())), 0)
    versions = {each.builtinCode: each.version for each in wide.operatorCodes}
    assert versions == {0: 1, 6: 3, 9: 7, 28: 1, 114: 2}


def test_other_operations_on_8_bits_are_refused():
    content = (SAVED / "hearing-aid" / "step_int8.tflite").read_bytes()
    with pytest.raises(ValueError, match="no matrix products"):
        widen_activations(content)


def test_a_long_path_is_continuous():
    """Its strain changes by rate times Δt in every step, across the ends of the examples too."""
    rng = np.random.default_rng(1)
    rate, dt = rng.standard_normal((3, 50)), rng.uniform(0.01, 0.1, (3, 50))
    examples = np.stack([np.cumsum(rate * dt, axis=1), rate, dt], axis=-1)
    path = long_path(examples, steps=1000)
    assert path.shape == (1000, 3)
    change = np.diff(path[:, 0], prepend=0.0)
    np.testing.assert_allclose(change, path[:, 1] * path[:, 2], atol=1e-12)


@pytest.mark.parametrize(
    ("size", "why"), [(10, "0.027 of the RMS"), (20, "no smaller than step.tflite")]
)
def test_integers_that_are_of_no_use_are_left_out_and_named_once(tmp_path, monkeypatch, size, why):
    file = "step_int8.tflite"
    (tmp_path / file).write_bytes(bytes(size))
    (tmp_path / "step.tflite").write_bytes(bytes(20))
    replayed = Replayed(
        {file: {"rms_share": 0.03}}, notes=[f"{file} is 3.0% off the trained model: try it."]
    )
    monkeypatch.setattr(writer, "measure_closed_loop", lambda *words: {file: 0.027})
    names = ("x", "prediction")
    writer._leave_out_larger_integers(tmp_path, replayed)
    writer._measure_closed_loop(tmp_path, replayed, np.zeros((10, 3)), names, print)
    assert replayed.entries == {} and replayed.notes == []
    assert why in replayed.dropped[file]
