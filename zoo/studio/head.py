"""An embedding's file with an open-set head behind it, whose numbers a page may replace.

A page that fits a head has to write a TFLite file for it. It gets one with a head of two classes
and one example, and a table of the places in its bytes where offsets to shapes and constants stand:
what it writes goes to the end of the file, and the offsets are set to it.
"""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

EMBEDDING, PROBABILITIES = "embedding", "probabilities"
SLOPE = 40.0  # as in zoo.convnets.open_set, which imports Keras; a test compares the two
_CLASSES, _EXAMPLES = 2, 1  # of the head in the file

# Tensors that depend on the head: name -> shape, in these letters.
_SHAPES = {
    "weights": "cw",
    "bias": "c",
    "examples": "ew",
    "threshold": "11",
    "scores": "1c",
    "cosines": "1e",
    "all_scores": "1d",
    PROBABILITIES: "1d",
}
_CONSTANTS = ("weights", "bias", "examples", "threshold")
_SHAPE_SLOT, _DATA_SLOT = 4, 4  # of tables Tensor and Buffer in TFLite's schema


def with_head(content: bytes) -> tuple[bytes, dict[str, Any]]:
    """The file with the further output `probabilities`, see `zoo.convnets.open_set`.

    u = e / |e|, z = W u + b, f = max over examples of X u
    probabilities = softmax(z, max(z) + slope (threshold - f))

    Args:
        content: a TFLite file with one graph and one signature, with the output `embedding` (1,
            width) in float32.

    Returns:
        The file, and the table: `width`; `tensors`, name -> `shape`, in letters c (classes), d
        (classes + 1), e (examples), w (width) and 1, `shapeAt` and, of constants, `dataAt`: places
        of offsets in the file [bytes].

    Raises:
        ValueError: a file without such an output.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    outputs = {each.name.decode(): each.tensorIndex for each in model.signatureDefs[0].outputs}
    embedding = outputs.get(EMBEDDING)
    if embedding is None or model.subgraphs[0].tensors[embedding].type != schema.TensorType.FLOAT32:
        raise ValueError(f"Expected a model with the output {EMBEDDING!r} in float32.")
    width = int(model.subgraphs[0].tensors[embedding].shape[1])
    places = _Graph(model).add_head(int(embedding), width)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    packed = bytes(builder.Output())
    return packed, {"width": width, "tensors": _table(packed, places)}


def _table(content: bytes, places: dict[str, int]) -> dict[str, Any]:
    """Where offsets to shapes and constants stand."""
    model: Any = schema.Model.GetRootAs(content, 0)
    table: dict[str, Any] = {}
    for name, shape in _SHAPES.items():
        tensor = model.Subgraphs(0).Tensors(places[name])
        table[name] = {"shape": shape, "shapeAt": _field(tensor, _SHAPE_SLOT)}
        if name in _CONSTANTS:
            table[name]["dataAt"] = _field(model.Buffers(tensor.Buffer()), _DATA_SLOT)
    return table


def _field(table: Any, slot: int) -> int:
    inner = table._tab  # the generated classes have no other way to a place
    return int(inner.Pos + inner.Offset(slot))


class _Graph:
    """Tensors and operators added to the one graph of a model."""

    def __init__(self, model: Any) -> None:
        self.model, self.graph = model, model.subgraphs[0]

    def add_head(self, embedding: int, width: int) -> dict[str, int]:
        """Add the operators of the head; place of each tensor by name."""
        operator, tensor = schema.BuiltinOperator, self.tensor
        sizes = {"c": _CLASSES, "d": _CLASSES + 1, "e": _EXAMPLES, "w": width, "1": 1}
        shapes = {name: tuple(sizes[each] for each in text) for name, text in _SHAPES.items()}
        place = {
            name: tensor(name, shape, np.zeros(shape, np.float32) if name in _CONSTANTS else None)
            for name, shape in shapes.items()
        }
        axis = tensor("head_axis", (1,), np.ones(1, np.int32))
        slope = tensor("head_slope", (1, 1), np.full((1, 1), SLOPE, np.float32))
        unit = tensor("head_unit", (1, width))
        alone = {
            name: tensor(f"head_{name}", (1, 1))
            for name in ("best", "familiarity", "distance", "scaled", "stranger")
        }
        add = self.operator
        add(operator.L2_NORMALIZATION, (embedding,), unit, schema.L2NormOptionsT())
        for kernel, bias, out in (
            ("weights", place["bias"], "scores"),
            ("examples", -1, "cosines"),
        ):
            add(
                *(operator.FULLY_CONNECTED, (unit, place[kernel], bias), place[out]),
                schema.FullyConnectedOptionsT(),
            )
        for values, out in (("scores", "best"), ("cosines", "familiarity")):
            reduce = schema.ReducerOptionsT()
            reduce.keepDims = True
            add(operator.REDUCE_MAX, (place[values], axis), alone[out], reduce)
        pair = place["threshold"], alone["familiarity"]
        add(operator.SUB, pair, alone["distance"], schema.SubOptionsT())
        add(operator.MUL, (alone["distance"], slope), alone["scaled"], schema.MulOptionsT())
        pair = alone["best"], alone["scaled"]
        add(operator.ADD, pair, alone["stranger"], schema.AddOptionsT())
        join = schema.ConcatenationOptionsT()
        join.axis = 1
        pair = place["scores"], alone["stranger"]
        add(operator.CONCATENATION, pair, place["all_scores"], join)
        softmax = schema.SoftmaxOptionsT()
        softmax.beta = 1.0
        add(operator.SOFTMAX, (place["all_scores"],), place[PROBABILITIES], softmax)
        self.output(PROBABILITIES, place[PROBABILITIES])
        return place

    def tensor(self, name: str, shape: tuple[int, ...], value: np.ndarray | None = None) -> int:
        """Add a tensor, a constant with a value; its place."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, np.array(shape, np.int32)
        is_integer = value is not None and value.dtype == np.int32
        tensor.type = schema.TensorType.INT32 if is_integer else schema.TensorType.FLOAT32
        buffer = schema.BufferT()
        if value is not None:
            buffer.data = np.frombuffer(value.tobytes(), np.uint8)
        tensor.buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, kind: int, inputs: tuple[int, ...], output: int, options: Any) -> None:
        """Add an operator with the options of its kind."""
        codes = self.model.operatorCodes
        known = [max(each.builtinCode, each.deprecatedBuiltinCode) for each in codes]
        if kind not in known:
            code = schema.OperatorCodeT()
            code.builtinCode = kind
            code.deprecatedBuiltinCode = min(kind, 127)  # a byte, of before there were more
            code.version = 1
            codes.append(code)
            known.append(kind)
        made = schema.OperatorT()
        made.opcodeIndex = known.index(kind)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        name = type(options).__name__.removesuffix("T")
        made.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        made.builtinOptions = options
        self.graph.operators.append(made)

    def output(self, name: str, place: int) -> None:
        """Make a tensor an output of graph and signature."""
        self.graph.outputs = np.append(self.graph.outputs, place).astype(np.int32)
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, place
        self.model.signatureDefs[0].outputs.append(entry)
