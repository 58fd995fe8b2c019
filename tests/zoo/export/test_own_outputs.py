"""Every output has a tensor of its own: what one name returns, another does not lose."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from tests.edge_models import Graph
from zoo import folders
from zoo.export.own_outputs import separate_outputs


def doubling(outputs):
    """TFLite file of y = x + x, whose signature returns y, or x, by these names."""
    made = Graph()
    x = made.tensor("x", (1, 3))
    y = made.add(schema.BuiltinOperator.ADD, [x, x], (1, 3), options=schema.AddOptionsT())
    made.graph.operators[-1].builtinOptionsType = schema.BuiltinOptions.AddOptions
    places = {name: {"x": x, "y": y}[which] for name, which in outputs.items()}
    made.graph.inputs, made.graph.outputs = [x], list(places.values())
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"step", 0
    signature.inputs = [entry("x", x)]
    signature.outputs = [entry(name, place) for name, place in places.items()]
    made.model.signatureDefs = [signature]
    builder = flatbuffers.Builder(0)
    builder.Finish(made.model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def entry(name, place):
    made = schema.TensorMapT()
    made.name, made.tensorIndex = name.encode(), place
    return made


def shared_outputs(content):
    """Output tensors of the signature that an input or another output uses as well."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    places = [each.tensorIndex for each in model.signatureDefs[0].outputs]
    inputs = set(map(int, model.subgraphs[0].inputs))
    return [place for place in places if places.count(place) > 1 or place in inputs]


def test_each_name_gets_its_own_tensor_with_the_same_values():
    content = doubling({"stress": "y", "state_next": "y", "input": "x"})
    assert len(shared_outputs(content)) == 3
    separated = separate_outputs(content)
    assert shared_outputs(separated) == []
    x = np.array([[1.0, -2.0, 0.5]], np.float32)
    outputs = Interpreter(model_content=separated).get_signature_runner("step")(x=x)
    np.testing.assert_array_equal(outputs["stress"], 2 * x)
    np.testing.assert_array_equal(outputs["state_next"], 2 * x)
    np.testing.assert_array_equal(outputs["input"], x)
    assert separate_outputs(separated) is separated


def test_a_file_with_outputs_of_their_own_stays():
    content = doubling({"stress": "y"})
    assert separate_outputs(content) is content


def test_no_shipped_model_shares_an_output():
    files = [path for folder in folders.list_folders() for path in folder.glob("*.tflite")]
    assert len(files) > 20
    assert {path: each for path in files if (each := shared_outputs(path.read_bytes()))} == {}
