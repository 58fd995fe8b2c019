"""Read a TFLite file without running it: tensors, operators, signature."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema


def _constants(enumeration: Any) -> dict[int, str]:
    """Value -> name of the constants of a generated class."""
    values = cast(dict[str, Any], vars(enumeration))
    return {value: name for name, value in values.items() if name.isupper()}


OPERATOR_NAMES = _constants(schema.BuiltinOperator)
TYPE_NAMES = _constants(schema.TensorType)
TYPE_BYTES = {
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
    data: npt.NDArray[np.uint8] | None


@dataclass(frozen=True)
class Operator:
    """An operation.

    Attributes:
        name: such as "CONV_2D".
        inputs: places of its input tensors; -1: none.
        outputs: places of its output tensors.
        options: of the operation, as the schema has them; None: it has none.
    """

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
        operator_names: of all graphs, those of loops and branches included.
        weights_bytes: of all constants, each buffer once.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: dict[str, int]
    outputs: dict[str, int]
    operator_names: tuple[str, ...]
    weights_bytes: int

    @property
    def states(self) -> dict[str, str]:
        """State inputs -> the outputs that are their values in the next step."""
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
    except Exception as error:  # damaged offsets raise whatever they lead to
        raise ValueError(f"{name}: a damaged TFLite file ({error}).") from None


def _graph(model: Any) -> Graph:
    names: list[str] = [_operator_name(code) for code in model.operatorCodes]
    main: Any = model.subgraphs[0]
    tensors: tuple[Tensor, ...] = tuple(_tensor(each, model.buffers) for each in main.tensors)
    operators = tuple(
        Operator(
            names[int(each.opcodeIndex)],
            tuple(_indices(each.inputs)),
            tuple(_indices(each.outputs)),
            each.builtinOptions,
        )
        for each in main.operators
    )
    input_order, output_order = _indices(main.inputs), _indices(main.outputs)
    inputs = {tensors[i].name: i for i in input_order}
    outputs = {tensors[i].name: i for i in output_order}
    signature = next(iter(model.signatureDefs or ()), None)
    if signature is not None:
        inputs = _places(signature.inputs, input_order)
        outputs = _places(signature.outputs, output_order)
    used: set[str] = {names[op.opcodeIndex] for part in model.subgraphs for op in part.operators}
    metadata = {each.buffer for each in model.metadata or ()}  # of the converter
    weights_bytes = sum(
        len(each.data)
        for place, each in enumerate(model.buffers)
        if each.data is not None and place not in metadata
    )
    return Graph(tensors, operators, inputs, outputs, tuple(sorted(used)), weights_bytes)


def _indices(values: Iterable[Any]) -> list[int]:
    return [int(value) for value in values]


def _operator_name(code: Any) -> str:
    """Name of an operation; of a custom one, its custom code."""
    name = OPERATOR_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
    return code.customCode.decode() if name == "CUSTOM" else name


def _tensor(tensor: Any, buffers: Sequence[Any]) -> Tensor:
    shape: tuple[int, ...] = (
        () if tensor.shape is None else tuple(max(1, int(n)) for n in tensor.shape)
    )
    type_name = TYPE_NAMES[tensor.type]
    scale = zero_point = None
    quantization: Any = tensor.quantization
    if quantization is not None:
        scales: Sequence[float] = () if quantization.scale is None else quantization.scale
        if len(scales) == 1:  # more: one a channel
            scale, zero_point = float(scales[0]), int(quantization.zeroPoint[0])
    return Tensor(
        tensor.name.decode(),
        shape,
        type_name,
        ceil(prod(shape) * TYPE_BYTES[type_name]),
        scale,
        zero_point,
        buffers[tensor.buffer].data,
    )


def _places(entries: Sequence[Any], order: list[int]) -> dict[str, int]:
    """Name -> place of a tensor, in the order of the graph, which is not the signature's."""
    places: dict[str, int] = {each.name.decode(): int(each.tensorIndex) for each in entries}
    return dict(sorted(places.items(), key=lambda item: order.index(item[1])))
