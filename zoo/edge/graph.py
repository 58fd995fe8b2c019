"""What is inside a TFLite file: tensors, operations, signature. Nothing of it is run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
TYPES = {code: name for name, code in vars(schema.TensorType).items() if name.isupper()}
BYTES = {
    **{"FLOAT32": 4, "INT32": 4, "UINT32": 4, "FLOAT16": 2, "INT16": 2, "INT8": 1, "UINT8": 1},
    **{"BOOL": 1, "INT64": 8, "FLOAT64": 8, "COMPLEX64": 8, "COMPLEX128": 16, "INT4": 0.5},
}


@dataclass(frozen=True)
class Tensor:
    """A tensor of the main graph.

    Attributes:
        name: as the converter chose it.
        shape: a batch or length that is not fixed counts as 1.
        type: such as "FLOAT32" or "INT8".
        size: bytes.
        scale: of its integers, value = scale (integer - zero_point); None: not quantised, or with
            a scale for each channel.
        zero_point: of its integers.
        data: bytes of a constant; None: computed when the model runs.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    size: int
    scale: float | None
    zero_point: int | None
    data: np.ndarray | None


@dataclass(frozen=True)
class Operator:
    """An operation: its name, such as "CONV_2D", and the places of its tensors; -1: none."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True)
class Graph:
    """The main graph of a TFLite file.

    Attributes:
        tensors: all, by place.
        operators: in the order in which they run.
        inputs: name in the signature -> place of the tensor, in the order of the graph.
        outputs: likewise.
        kinds: names of the operations of all graphs, those of loops and branches included.
        weights: bytes of all constants, each buffer once.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: dict[str, int]
    outputs: dict[str, int]
    kinds: tuple[str, ...]
    weights: int

    @property
    def states(self) -> dict[str, str]:
        """Inputs that are fed back -> the outputs that follow them."""
        return {name: f"{name}_next" for name in self.inputs if f"{name}_next" in self.outputs}

    @property
    def main_input(self) -> str:
        """The first input that is not a state."""
        return next(name for name in self.inputs if name not in self.states)


def read(content: bytes, name: str) -> Graph:
    """Read the bytes of a TFLite file.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        ValueError: not a TFLite file, or a damaged one.
    """
    if content[4:8] != b"TFL3":
        raise ValueError(f"{name}: not a TFLite file. Expected one that an export wrote.")
    try:
        return _graph(schema.ModelT.InitFromPackedBuf(content, 0))
    except Exception as error:  # what a reader of damaged offsets runs into cannot be listed
        raise ValueError(f"{name}: a damaged TFLite file ({error}).") from None


def _graph(model: schema.ModelT) -> Graph:
    kinds = [_kind(code) for code in model.operatorCodes]
    main = model.subgraphs[0]
    tensors = tuple(_tensor(each, model.buffers) for each in main.tensors)
    operators = tuple(
        Operator(
            kinds[each.opcodeIndex],
            tuple(int(i) for i in each.inputs),
            tuple(int(i) for i in each.outputs),
            each.builtinOptions,
        )
        for each in main.operators
    )
    inputs = {tensors[i].name: int(i) for i in main.inputs}
    outputs = {tensors[i].name: int(i) for i in main.outputs}
    signature = next(iter(model.signatureDefs or ()), None)
    if signature is not None:
        inputs = _names(signature.inputs, list(main.inputs))
        outputs = _names(signature.outputs, list(main.outputs))
    used = sorted({kinds[op.opcodeIndex] for graph in model.subgraphs for op in graph.operators})
    notes = {each.buffer for each in model.metadata or ()}  # of the converter, about itself
    weights = sum(
        len(each.data)
        for place, each in enumerate(model.buffers)
        if each.data is not None and place not in notes
    )
    return Graph(tensors, operators, inputs, outputs, tuple(used), weights)


def _kind(code: schema.OperatorCodeT) -> str:
    """Name of an operation; of a custom one, the name that it was given."""
    name = NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
    return code.customCode.decode() if name == "CUSTOM" else name


def _tensor(tensor: schema.TensorT, buffers: Sequence[schema.BufferT]) -> Tensor:
    shape = () if tensor.shape is None else tuple(max(1, int(n)) for n in tensor.shape)
    kind = TYPES[tensor.type]
    scales = zeros = ()
    if tensor.quantization is not None and tensor.quantization.scale is not None:
        scales, zeros = tensor.quantization.scale, tensor.quantization.zeroPoint
    one = len(scales) == 1
    return Tensor(
        tensor.name.decode(),
        shape,
        kind,
        int(np.ceil(np.prod(shape, dtype=np.float64) * BYTES[kind])),
        float(scales[0]) if one else None,
        int(zeros[0]) if one else None,
        buffers[tensor.buffer].data,
    )


def _names(entries: Sequence[schema.TensorMapT], order: list[int]) -> dict[str, int]:
    """Name -> place of a tensor, in the order of the graph, which is not the signature's."""
    names = {each.name.decode(): int(each.tensorIndex) for each in entries}
    return dict(sorted(names.items(), key=lambda item: order.index(item[1])))
