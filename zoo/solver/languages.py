"""Syntax of C, Fortran and JavaScript: numbers, arrays, conditions, assignments, loops, tables."""

import base64
import math
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

WIDTH = 96
FUNCTIONS = (
    "sqrt",
    "exp",
    "log",
    "expm1",
    "log1p",
    "tanh",
    "sin",
    "cos",
    "abs",
    "sigmoid",
    "softplus",
)


class Language(ABC):
    """Syntax of one language; arrays are counted from 0 in all."""

    functions: Mapping[str, str] = MappingProxyType({name: name for name in FUNCTIONS})

    def __init__(self) -> None:
        self.zero, self.half, self.one, self.two = map(self.number, (0.0, 0.5, 1.0, 2.0))

    @abstractmethod
    def number(self, value: float) -> str:
        """A literal that is read as the same number."""

    @abstractmethod
    def at(self, buffer: str, index: str) -> str:
        """An entry of a buffer."""

    @abstractmethod
    def select(self, condition: str, yes: str, no: str) -> str:
        """One of two values."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str:
        """A power."""

    @abstractmethod
    def assign(self, target: str, value: str) -> str:
        """A statement."""

    @abstractmethod
    def loop(self, variable: str, count: int, body: Sequence[str]) -> list[str]:
        """The body for variable = 0 ... count - 1."""

    @abstractmethod
    def buffer(self, name: str, size: int) -> str:
        """A declaration."""

    @abstractmethod
    def table(self, name: str, values: Sequence[float]) -> list[str]:
        """Constants."""

    def call(self, function: str, argument: str) -> str:
        """One of `FUNCTIONS` of an argument."""
        return f"{self.functions[function]}({argument})"


class C(Language):
    """C99, double precision."""

    functions = MappingProxyType({name: name for name in FUNCTIONS} | {"abs": "fabs"})

    def number(self, value: float) -> str:
        """Shortest text that is read as the same number."""
        return repr(float(value))

    def at(self, buffer: str, index: str) -> str:
        """b[i]."""
        return f"{buffer}[{index}]"

    def select(self, condition: str, yes: str, no: str) -> str:
        """(c ? y : n)."""
        return f"({condition} ? {yes} : {no})"

    def power(self, base: str, exponent: str) -> str:
        """pow(b, e)."""
        return f"pow({base}, {exponent})"

    def assign(self, target: str, value: str) -> str:
        """Statement with a semicolon."""
        return f"{target} = {value};"

    def loop(self, variable: str, count: int, body: Sequence[str]) -> list[str]:
        """A for loop."""
        head = f"for (int {variable} = 0; {variable} < {count}; {variable}++) {{"
        return [head, *(f"  {line}" for line in body), "}"]

    def buffer(self, name: str, size: int) -> str:
        """Array on the stack."""
        return f"double {name}[{size}];"

    def table(self, name: str, values: Sequence[float]) -> list[str]:
        """Constant array."""
        numbers = textwrap.wrap(", ".join(map(self.number, values)), WIDTH)
        return [f"static const double {name}[{len(values)}] = {{", *numbers, "};"]


class Fortran(Language):
    """Free-form Fortran 2003, double precision."""

    def number(self, value: float) -> str:
        """Shortest text that is read as the same double."""
        mantissa, _, exponent = repr(float(value)).partition("e")
        return f"{mantissa}d{int(exponent or 0)}"

    def at(self, buffer: str, index: str) -> str:
        """b(i)."""
        return f"{buffer}({index})"

    def select(self, condition: str, yes: str, no: str) -> str:
        """merge(y, n, c)."""
        return f"merge({yes}, {no}, {condition})"

    def power(self, base: str, exponent: str) -> str:
        """b**e."""
        return f"({base})**({exponent})"

    def assign(self, target: str, value: str) -> str:
        """Statement, broken where the standard's lines end."""
        parts = textwrap.wrap(
            f"{target} = {value}", WIDTH, break_long_words=False, break_on_hyphens=False
        )
        return " &\n".join(parts)

    def loop(self, variable: str, count: int, body: Sequence[str]) -> list[str]:
        """A do loop."""
        return [f"do {variable} = 0, {count - 1}", *(f"  {line}" for line in body), "end do"]

    def buffer(self, name: str, size: int) -> str:
        """Array counted from 0."""
        return f"real(8) :: {name}(0:{size - 1})"

    def table(self, name: str, values: Sequence[float]) -> list[str]:
        """Constant array; the standard limits a statement's lines, so each sets a part."""
        lines = [f"real(8), save :: {name}(0:{len(values) - 1})"]
        for start in range(0, len(values), 60):
            part = values[start : start + 60]
            numbers = textwrap.wrap(", ".join(map(self.number, part)), WIDTH)
            lines.append(f"data {name}({start}:{start + len(part) - 1}) / &")
            lines += [*(f"{each} &" for each in numbers), "/"]
        return lines


class JavaScript(Language):
    """ECMAScript 2015 and later, whose numbers are doubles."""

    functions = MappingProxyType(
        {name: f"Math.{name}" for name in FUNCTIONS}
        | {"sigmoid": "sigmoid", "softplus": "softplus"}
    )
    packed_size = 16  # of tables of float32 numbers: longer ones are packed, shorter ones written

    def number(self, value: float) -> str:
        """Shortest text that is read as the same number."""
        if math.isfinite(value):
            return repr(float(value))
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"

    def at(self, buffer: str, index: str) -> str:
        """b[i]."""
        return f"{buffer}[{index}]"

    def select(self, condition: str, yes: str, no: str) -> str:
        """(c ? y : n)."""
        return f"({condition} ? {yes} : {no})"

    def power(self, base: str, exponent: str) -> str:
        """Math.pow(b, e)."""
        return f"Math.pow({base}, {exponent})"

    def assign(self, target: str, value: str) -> str:
        """Statement with a semicolon."""
        return f"{target} = {value};"

    def loop(self, variable: str, count: int, body: Sequence[str]) -> list[str]:
        """A for loop."""
        head = f"for (let {variable} = 0; {variable} < {count}; {variable}++) {{"
        return [head, *(f"  {line}" for line in body), "}"]

    def buffer(self, name: str, size: int) -> str:
        """Typed array, zero at first."""
        return f"const {name} = new Float64Array({size});"

    def table(self, name: str, values: Sequence[float]) -> list[str]:
        """Constant array; of many float32 numbers their bytes in base64, by `unpack`."""
        array = np.asarray(values, np.float64)
        if len(values) >= self.packed_size and np.array_equal(array.astype("<f4"), array):
            packed = base64.b64encode(array.astype("<f4").tobytes()).decode()
            return [f'const {name} = unpack("{packed}");']
        numbers = textwrap.wrap(", ".join(map(self.number, values)), WIDTH)
        return [f"const {name} = Float64Array.of(", *numbers, ");"]
