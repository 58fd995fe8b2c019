"""A float32 network as plain C99: one function call for each operation of its TFLite graph.

Its memory is one array of fixed size, in which tensors that do not live at the same time share
their place. Loops are written to be read; a chip's own kernels are faster.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from zoo.edge.counting import arena_offsets
from zoo.edge.graph import Graph, Operator
from zoo.firmware import c_math
from zoo.firmware.c_syntax import float_array, float_literal, identifier
from zoo.firmware.plain_kernels import KERNELS

_RANK = 4
_BINARY = {
    **{"ADD": "x + y", "SUB": "x - y", "MUL": "x * y", "DIV": "x / y"},
    **{"MAXIMUM": "x > y ? x : y", "MINIMUM": "x < y ? x : y"},
}
_UNARY = {
    **{"LOGISTIC": "zoo_logistic(x)", "TANH": "zoo_tanh(x)", "EXP": "zoo_exp(x)"},
    **{"LOG": "zoo_log(x)", "SQRT": "zoo_sqrt(x)", "RSQRT": "1.0f / zoo_sqrt(x)"},
    **{"SQUARE": "x * x", "NEG": "-x", "ABS": "x < 0.0f ? -x : x", "RELU": "x > 0.0f ? x : 0.0f"},
    "RELU6": "x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x",
}
_ACTIVATIONS = {0: "0", 1: "1", 3: "2"}  # of the schema: none, RELU, RELU6


class PlainNetwork(NamedTuple):
    """A network in C.

    Attributes:
        declarations: of its function and sizes.
        source: its C file.
        states: name -> size, in the order of the function's arguments.
    """

    declarations: str
    source: str
    states: dict[str, int]


def write_network(name: str, model: Graph, features: str, output: str, header: str) -> PlainNetwork:
    """C of a step: features and states in, output and next states out.

    Args:
        name: of the model, a C identifier.
        model: graph of float32 with the input `features`, states, and `output`.
        features: name of the input.
        output: name of the output.
        header: file that declares its function.

    Raises:
        ValueError: an operation, a type or a shape that is not supported; the text names it.
    """
    return _Writer(name, model, features, output).write(header)


class _Writer:
    def __init__(self, name: str, model: Graph, features: str, output: str) -> None:
        self.name, self.model, self.features, self.output = name, model, features, output
        self.offsets = arena_offsets(model)
        self.inputs = {place: each for each, place in model.inputs.items()}
        self.constants: dict[int, str] = {}
        self.kernels: list[str] = []
        self.math: list[str] = []

    def write(self, header: str) -> PlainNetwork:
        model = self.model
        states = {each: prod(model.tensors[model.inputs[each]].shape) for each in model.states}
        unknown = set(model.inputs) - {self.features, *states}
        if unknown or self.output not in model.outputs:
            raise ValueError(
                f"Expected the input {self.features!r}, states and the output {self.output!r}. "
                f"Received: inputs {', '.join(model.inputs)}, outputs {', '.join(model.outputs)}."
            )
        calls = [self._call(operator) for operator in model.operators]
        lines = [*calls, self._copy_out("probabilities", self.output)]
        lines += [self._copy_out(f"state->{identifier(each)}", f"{each}_next") for each in states]
        size = max(
            (offset // 4 + prod(model.tensors[place].shape))
            for place, offset in self.offsets.items()
        )
        body = "\n".join(lines)
        source = f"""#include <stdint.h>

#include "{header}"

static float arena[{size}];
{c_math.functions(*self.math)}{"".join(self._used_kernels())}
{"".join(f"static {text}" for text in self.constants.values())}
void {self.name}_network({self.name}_states *state, const float *features, float *probabilities)
{{
{"" if states else "  (void)state;"}
{body}
}}
"""
        return PlainNetwork(self._declarations(states, size), source, states)

    def _declarations(self, states: dict[str, int], size: int) -> str:
        fields = "".join(f"  float {identifier(each)}[{n}];\n" for each, n in states.items())
        return f"""/* The network in plain C: {4 * size} bytes of memory besides its states. */
typedef struct {{
{fields or "  char none;"}}} {self.name}_states;
void {self.name}_network({self.name}_states *state, const float *features, float *probabilities);
"""

    def _used_kernels(self) -> list[str]:
        if {"dense", "convolution", "binary"} & set(self.kernels):
            self.kernels.append("activate")
        return [text for key, text in KERNELS.items() if key in self.kernels]

    def _copy_out(self, target: str, name: str) -> str:
        place = self.model.outputs[name]
        return self._block(target, [1] * _RANK, place, 0, None, self._shape(place))

    def _shape(self, place: int) -> list[int]:
        """Shape of rank 4, ones before it.

        Raises:
            ValueError: a tensor of more axes.
        """
        shape = self.model.tensors[place].shape
        if len(shape) > _RANK:
            raise ValueError(f"Expected at most {_RANK} axes. Received: shape {shape}.")
        return [1] * (_RANK - len(shape)) + list(shape)

    def _pointer(self, place: int) -> str:
        """C expression of where a tensor begins.

        Raises:
            ValueError: a tensor that is not of float32.
        """
        tensor = self.model.tensors[place]
        if tensor.type != "FLOAT32":
            raise ValueError(f"Expected float32 in plain C. Received: {tensor.type}.")
        if place in self.inputs:
            name = self.inputs[place]
            return "features" if name == self.features else f"state->{identifier(name)}"
        if tensor.data is not None:
            if place not in self.constants:
                values = tensor.data.view(np.float32)
                self.constants[place] = float_array(f"constant_{place}", values)
            return f"constant_{place}"
        return f"(arena + {self.offsets[place] // 4})"

    def _numbers(self, place: int) -> list[int]:
        """Values of a constant of integers.

        Raises:
            ValueError: a tensor that is computed.
        """
        tensor = self.model.tensors[place]
        if tensor.data is None:
            raise ValueError("Expected shapes, axes and places that are constant.")
        return tensor.data.view(np.int32).tolist()

    def _need(self, *kernels: str, math: Sequence[str] = ()) -> None:
        self.kernels += kernels
        self.math += math

    def _block(
        self,
        target: str,
        target_shape: Sequence[int],
        source: int,
        offset: int,
        steps: Sequence[int] | None,
        count: Sequence[int],
    ) -> str:
        """Copy a block of `count` numbers; `target_shape` of ones: densely."""
        self._need("copy")
        to = _strides(count if list(target_shape) == [1] * _RANK else target_shape)
        strides = _strides(self._shape(source))
        from_ = [a * b for a, b in zip(strides, steps or [1] * _RANK, strict=True)]
        start = f"{self._pointer(source)} + {offset}" if offset else self._pointer(source)
        return f"  copy({target}, {_array(to)}, {start}, {_array(from_)}, {_array(count)});"

    def _call(self, operator: Operator) -> str:
        """C statements of one operation.

        Raises:
            ValueError: an operation that is not supported.
        """
        kind = operator.name
        if kind in _BINARY:
            return self._binary(operator)
        if kind in _UNARY:
            return self._unary(operator)
        method = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            raise ValueError(f"Expected operations with plain C. Received: {kind}.")
        return method(operator)

    def _binary(self, operator: Operator) -> str:
        out = operator.outputs[0]
        shape = self._shape(out)
        a, b = (
            [0 if n == 1 else s for n, s in zip(part, _strides(part), strict=True)]
            for part in (self._shape(place) for place in operator.inputs)
        )
        x, y = (self._pointer(place) for place in operator.inputs)
        self._need("binary")
        loops = _loops(shape)
        index = " + ".join(f"{axis} * {n}" for axis, n in zip("abcd", _strides(shape), strict=True))
        at = [" + ".join(f"{k} * {n}" for k, n in zip("abcd", s, strict=True)) for s in (a, b)]
        value = f"activate({_activation(operator)}, {_BINARY[operator.name]})"
        return f"""{loops}          {{
            const float x = {x}[{at[0]}], y = {y}[{at[1]}];
            {self._pointer(out)}[{index}] = {value};
          }}"""

    def _unary(self, operator: Operator) -> str:
        formula = _UNARY[operator.name]
        self._need(math=[each for each in c_math.NAMES if f"zoo_{each}(" in formula])
        source, out = operator.inputs[0], operator.outputs[0]
        return f"""  for (int i = 0; i < {prod(self._shape(out))}; i++) {{
    const float x = {self._pointer(source)}[i];
    {self._pointer(out)}[i] = {formula};
  }}"""

    def _reshape(self, operator: Operator) -> str:
        out = self._pointer(operator.outputs[0])
        source = operator.inputs[0]
        return self._block(out, [1] * _RANK, source, 0, None, self._shape(source))

    _squeeze = _expand_dims = _reshape

    def _concatenation(self, operator: Operator) -> str:
        out = operator.outputs[0]
        shape = self._shape(out)
        rank = len(self.model.tensors[out].shape)
        axis = operator.options.axis % rank + _RANK - rank
        calls, place = [], 0
        for each in operator.inputs:
            count = self._shape(each)
            target = f"{self._pointer(out)} + {place * _strides(shape)[axis]}"
            calls.append(self._block(target, shape, each, 0, None, count))
            place += count[axis]
        return "\n".join(calls)

    def _strided_slice(self, operator: Operator) -> str:
        source, options = operator.inputs[0], operator.options
        begin, end, step = (self._numbers(place) for place in operator.inputs[1:])
        shape = self.model.tensors[source].shape
        if options.ellipsisMask or options.newAxisMask or min(step) < 1:
            raise ValueError("Expected slices of forward steps and without new axes for plain C.")
        first, steps, count = [0] * _RANK, [1] * _RANK, self._shape(source)
        for k, size in enumerate(shape):
            axis, bit = k + _RANK - len(shape), 1 << k
            start = 0 if options.beginMask & bit else begin[k]
            stop = size if options.endMask & bit else end[k]
            start, stop, _ = slice(start, stop).indices(size)
            if options.shrinkAxisMask & bit:
                stop = start + 1
            first[axis], steps[axis] = start, step[k]
            count[axis] = -(-(stop - start) // step[k])
        strides = _strides(self._shape(source))
        offset = sum(a * b for a, b in zip(first, strides, strict=True))
        out = self._pointer(operator.outputs[0])
        return self._block(out, [1] * _RANK, source, offset, steps, count)

    def _split(self, operator: Operator) -> str:
        source = operator.inputs[1]
        rank = len(self.model.tensors[source].shape)
        axis = self._numbers(operator.inputs[0])[0] % rank + _RANK - rank
        calls, place = [], 0
        for out in operator.outputs:
            count = self._shape(out)
            offset = place * _strides(self._shape(source))[axis]
            target = self._pointer(out)
            calls.append(self._block(target, [1] * _RANK, source, offset, None, count))
            place += count[axis]
        return "\n".join(calls)

    def _pad(self, operator: Operator) -> str:
        source, out = operator.inputs[0], operator.outputs[0]
        shape = self._shape(out)
        before = self._numbers(operator.inputs[1])[::2]
        before = [0] * (_RANK - len(before)) + before
        offset = sum(a * b for a, b in zip(before, _strides(shape), strict=True))
        self._need("zero")
        target = f"{self._pointer(out)} + {offset}"
        block = self._block(target, shape, source, 0, None, self._shape(source))
        return f"  zero({self._pointer(out)}, {prod(shape)});\n{block}"

    def _fully_connected(self, operator: Operator) -> str:
        x, w, *bias = operator.inputs
        out = operator.outputs[0]
        outputs, inputs = self.model.tensors[w].shape
        rows = prod(self._shape(out)) // outputs
        self._need("dense")
        b = self._pointer(bias[0]) if bias and bias[0] >= 0 else "0"
        return (
            f"  dense({self._pointer(out)}, {self._pointer(x)}, {self._pointer(w)}, {b}, {rows}, "
            f"{inputs}, {outputs}, {_activation(operator)});"
        )

    def _conv_2d(self, operator: Operator) -> str:
        _, height, width, depth = self._shape(operator.inputs[1])
        return self._window(operator, height, width, depth)

    def _depthwise_conv_2d(self, operator: Operator) -> str:
        _, height, width, _ = self._shape(operator.inputs[1])
        return self._window(operator, height, width, 0)

    def _window(self, operator: Operator, height: int, width: int, depth: int) -> str:
        x, w, *bias = operator.inputs
        options = operator.options
        one, rows, columns, channels = self._shape(x)
        _, out_rows, out_columns, filters = self._shape(operator.outputs[0])
        if one != 1:
            raise ValueError(f"Expected a batch of one for plain C. Received: {one}.")
        steps = options.strideH, options.strideW
        dilation = options.dilationHFactor, options.dilationWFactor
        above, left = (
            max(0, (out - 1) * step + (size - 1) * spread + 1 - full) // 2
            if options.padding == 0  # SAME
            else 0
            for out, step, size, spread, full in zip(
                (out_rows, out_columns),
                steps,
                (height, width),
                dilation,
                (rows, columns),
                strict=True,
            )
        )
        self._need("convolution")
        b = self._pointer(bias[0]) if bias and bias[0] >= 0 else "0"
        numbers = [rows, columns, channels, out_rows, out_columns, filters, height, width, depth]
        numbers += [*steps, *dilation, above, left, int(_activation(operator))]
        return (
            f"  convolve({self._pointer(operator.outputs[0])}, {self._pointer(x)}, "
            f"{self._pointer(w)}, {b},\n    &(const window_shape){{{_list(numbers)}}});"
        )

    def _mean(self, operator: Operator) -> str:
        return self._over_axes(operator, "mean")

    def _reduce_max(self, operator: Operator) -> str:
        return self._over_axes(operator, "highest")

    def _over_axes(self, operator: Operator, function: str) -> str:
        source, out = operator.inputs[0], operator.outputs[0]
        shape = self.model.tensors[source].shape
        axes = sorted(axis % len(shape) for axis in self._numbers(operator.inputs[1]))
        if axes != list(range(axes[0], axes[-1] + 1)):
            raise ValueError(f"Expected a {function} over neighbouring axes. Received: {axes}.")
        outer, inner = prod(shape[: axes[0]]), prod(shape[axes[-1] + 1 :])
        n = prod(shape[axes[0] : axes[-1] + 1])
        self._need(function)
        return (
            f"  {function}({self._pointer(out)}, {self._pointer(source)}, {outer}, {n}, {inner});"
        )

    def _l2_normalization(self, operator: Operator) -> str:
        out = operator.outputs[0]
        *rows, size = self._shape(out)
        self._need("length_one", math=["sqrt"])
        x = self._pointer(operator.inputs[0])
        return f"  length_one({self._pointer(out)}, {x}, {prod(rows)}, {size});"

    def _softmax(self, operator: Operator) -> str:
        source, out = operator.inputs[0], operator.outputs[0]
        *rows, size = self._shape(out)
        if prod(rows) != 1:
            raise ValueError("Expected a softmax of one row for plain C.")
        self._need("softmax", math=["exp"])
        beta = float_literal(operator.options.beta)
        return f"  softmax({self._pointer(out)}, {self._pointer(source)}, {size}, {beta});"


def _activation(operator: Operator) -> str:
    """Number of the fused activation.

    Raises:
        ValueError: one that is not supported.
    """
    kind: Any = getattr(operator.options, "fusedActivationFunction", 0) or 0
    if kind not in _ACTIVATIONS:
        raise ValueError(
            f"Expected RELU, RELU6 or none fused to {operator.name}. Received: {kind}."
        )
    return _ACTIVATIONS[kind]


def _strides(shape: Sequence[int]) -> list[int]:
    return [prod(shape[k + 1 :]) for k in range(len(shape))]


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _array(numbers: Sequence[int]) -> str:
    return f"(const int[]){{{_list(numbers)}}}"


def _loops(shape: Sequence[int]) -> str:
    return "".join(
        f"{'  ' * (k + 1)}for (int {axis} = 0; {axis} < {n}; {axis}++)\n"
        for k, (axis, n) in enumerate(zip("abcd", shape, strict=True))
    )
