"""SELECT_V2 in place of SELECT: equal outputs, and a kernel in TensorFlow Lite Micro."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from tests.edge_models import Graph
from zoo.edge import graph
from zoo.export.select_v2 import use_select_v2


def selecting(condition_shape):
    """TFLite file of where(x > 0, x, 10), its condition a constant of this shape."""
    made = Graph()
    x = made.tensor("x", (2, 3))
    chosen = np.resize([True, False], condition_shape)
    condition = made.tensor("condition", condition_shape, np.zeros(condition_shape))
    made.graph.tensors[condition].type = schema.TensorType.BOOL
    made.model.buffers[-1].data = np.frombuffer(chosen.tobytes(), np.uint8)
    other = made.tensor("other", (2, 3), np.full((2, 3), 10.0))
    options = schema.SelectOptionsT()
    out = made.add(schema.BuiltinOperator.SELECT, [condition, x, other], (2, 3), options=options)
    made.graph.operators[-1].builtinOptionsType = schema.BuiltinOptions.SelectOptions
    made.graph.inputs, made.graph.outputs = [x], [out]
    builder = flatbuffers.Builder(0)
    builder.Finish(made.model.Pack(builder), b"TFL3")
    return bytes(builder.Output()), chosen


def run(content, x):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_equal_shapes_are_replaced():
    content, chosen = selecting((2, 3))
    replaced = use_select_v2(content)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(run(replaced, x), np.where(chosen, x, 10))
    assert graph.read(content, "x").operator_names == ("SELECT",)
    assert graph.read(replaced, "x").operator_names == ("SELECT_V2",)
    assert use_select_v2(replaced) is replaced


def test_a_condition_of_rows_stays():
    content, _ = selecting((2,))
    assert use_select_v2(content) is content
