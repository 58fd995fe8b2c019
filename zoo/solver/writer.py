"""The statements of a program, each value with its derivative with respect to strain."""

from collections.abc import Callable, Iterator, Sequence

from zoo.solver.languages import Language
from zoo.solver.program import DT, RATE, STRAIN, Elementwise, Product, Program, Ref, Scalar, Total


def _truth(sign: str) -> Callable[..., str]:
    return lambda s, a, b: s.select(f"{a} {sign} {b}", s.one, s.zero)


# Value of an operation: (language, arguments) -> text. Truth is 1, falsehood 0.
VALUES: dict[str, Callable[..., str]] = {
    "Copy": lambda s, a: a,
    "StopGradient": lambda s, a: a,
    "Neg": lambda s, a: f"-{a}",
    "Square": lambda s, a: f"{a} * {a}",
    "Reciprocal": lambda s, a: f"{s.one} / {a}",
    "Sqrt": lambda s, a: s.call("sqrt", a),
    "Rsqrt": lambda s, a: f"{s.one} / {s.call('sqrt', a)}",
    "Exp": lambda s, a: s.call("exp", a),
    "Expm1": lambda s, a: s.call("expm1", a),
    "Log": lambda s, a: s.call("log", a),
    "Log1p": lambda s, a: s.call("log1p", a),
    "Abs": lambda s, a: s.call("abs", a),
    "Sign": lambda s, a: (
        f"{s.select(f'{a} > {s.zero}', s.one, s.zero)} - "
        f"{s.select(f'{a} < {s.zero}', s.one, s.zero)}"
    ),
    "Tanh": lambda s, a: s.call("tanh", a),
    "Sin": lambda s, a: s.call("sin", a),
    "Cos": lambda s, a: s.call("cos", a),
    "Sigmoid": lambda s, a: s.call("sigmoid", a),
    "Softplus": lambda s, a: s.call("softplus", a),
    "Relu": lambda s, a: s.select(f"{a} > {s.zero}", a, s.zero),
    "AddV2": lambda s, a, b: f"{a} + {b}",
    "BiasAdd": lambda s, a, b: f"{a} + {b}",
    "Sub": lambda s, a, b: f"{a} - {b}",
    "SquaredDifference": lambda s, a, b: f"({a} - {b}) * ({a} - {b})",
    "Mul": lambda s, a, b: f"{a} * {b}",
    "RealDiv": lambda s, a, b: f"{a} / {b}",
    "Pow": lambda s, a, b: s.power(a, b),
    "Maximum": lambda s, a, b: s.select(f"{a} >= {b}", a, b),
    "Minimum": lambda s, a, b: s.select(f"{a} <= {b}", a, b),
    "Less": _truth("<"),
    "LessEqual": _truth("<="),
    "Greater": _truth(">"),
    "GreaterEqual": _truth(">="),
    "Equal": _truth("=="),
    "LogicalAnd": lambda s, a, b: f"{a} * {b}",
    "LogicalOr": lambda s, a, b: s.select(f"{a} + {b} > {s.half}", s.one, s.zero),
    "LogicalNot": lambda s, a: f"{s.one} - {a}",
    "SelectV2": lambda s, a, b, c: s.select(f"{a} > {s.half}", b, c),
}
# Derivative with respect to each argument: (language, value y, arguments) -> texts, or 1 or -1.
# An operation in neither table below has derivative zero.
PARTIALS: dict[str, Callable[..., Sequence[str | int]]] = {
    "Copy": lambda s, y, a: [1],
    "Neg": lambda s, y, a: [-1],
    "Square": lambda s, y, a: [f"{s.two} * {a}"],
    "Reciprocal": lambda s, y, a: [f"(-{y} * {y})"],
    "Sqrt": lambda s, y, a: [f"{s.half} / {y}"],
    "Rsqrt": lambda s, y, a: [f"(-{s.half} * {y} * {y} * {y})"],
    "Exp": lambda s, y, a: [y],
    "Expm1": lambda s, y, a: [f"({y} + {s.one})"],
    "Log": lambda s, y, a: [f"{s.one} / {a}"],
    "Log1p": lambda s, y, a: [f"{s.one} / ({s.one} + {a})"],
    "Abs": lambda s, y, a: [f"({VALUES['Sign'](s, a)})"],
    "Tanh": lambda s, y, a: [f"({s.one} - {y} * {y})"],
    "Sin": lambda s, y, a: [s.call("cos", a)],
    "Cos": lambda s, y, a: [f"(-{s.call('sin', a)})"],
    "Sigmoid": lambda s, y, a: [f"{y} * ({s.one} - {y})"],
    "Softplus": lambda s, y, a: [s.call("sigmoid", a)],
    "AddV2": lambda s, y, a, b: [1, 1],
    "BiasAdd": lambda s, y, a, b: [1, 1],
    "Sub": lambda s, y, a, b: [1, -1],
    "SquaredDifference": lambda s, y, a, b: [
        f"{s.two} * ({a} - {b})",
        f"{s.two} * ({b} - {a})",
    ],
    "Mul": lambda s, y, a, b: [b, a],
    "RealDiv": lambda s, y, a, b: [f"{s.one} / {b}", f"(-{y} / {b})"],
    "Pow": lambda s, y, a, b: [
        f"{b} * {s.power(a, f'{b} - {s.one}')}",
        f"{y} * {s.call('log', a)}",
    ],
}
# Operations that choose take the derivative of what they chose: a product with 0 would let the
# NaN of the other branch through. At a tie, the choice is TensorFlow's.
CHOICES: dict[str, Callable[..., tuple[str, int, int]]] = {
    "Relu": lambda s, a: (f"{a} > {s.zero}", 0, -1),
    "Maximum": lambda s, a, b: (f"{a} >= {b}", 0, 1),
    "Minimum": lambda s, a, b: (f"{a} <= {b}", 0, 1),
    "SelectV2": lambda s, a, b, c: (f"{a} > {s.half}", 1, 2),
}


class Writer:
    """Declarations, tables and statements of a program in one language.

    Attributes:
        buffers: declarations.
        tables: constants -> name.
        lines: statements, in order.
    """

    def __init__(self, program: Program, language: Language) -> None:
        self.sizes, self.spell = dict(program.sizes), language
        self.active = {STRAIN, RATE}  # buffers that change with the strain
        self.tables: dict[tuple[float, ...], str] = {}
        self.buffers: list[str] = []
        self.lines: list[str] = []
        kinds = {Elementwise: self._elementwise, Product: self._product, Total: self._total}
        for step in program.steps:
            kinds[type(step)](step)

    def value(self, scalar: Scalar, index: str = "") -> str:
        """Text of a scalar; `index`, if any, is added to its place."""
        if not isinstance(scalar, Ref):
            number = self.spell.number(scalar)
            return f"({number})" if number.startswith("-") else number
        if scalar.buffer in (STRAIN, RATE, DT):
            return scalar.buffer
        place = f"{scalar.offset} + {index}" if index and scalar.offset else index
        return self.spell.at(scalar.buffer, place or str(scalar.offset))

    def slope(self, scalar: Scalar, index: str = "") -> str | None:
        """Text of its derivative with respect to strain; None where that is zero."""
        if not isinstance(scalar, Ref) or scalar.buffer not in self.active:
            return None
        if scalar.buffer == STRAIN:
            return self.spell.one
        if scalar.buffer == RATE:
            return f"({self.spell.one} / {DT})"
        return self.value(Ref(f"d{scalar.buffer}", scalar.offset), index)

    def _declare(self, name: str, used: Sequence[Scalar], flat: bool = False) -> None:
        self.buffers.append(self.spell.buffer(name, self.sizes[name]))
        if not flat and any(isinstance(s, Ref) and s.buffer in self.active for s in used):
            self.active.add(name)
            self.buffers.append(self.spell.buffer(f"d{name}", self.sizes[name]))

    def _elementwise(self, step: Elementwise) -> None:
        flat = step.op not in PARTIALS and step.op not in CHOICES
        self._declare(step.out, [scalar for arg in step.args for scalar in arg], flat)
        args = [self._tabled(arg) for arg in step.args]
        for start, count, moving in _pieces(args):
            index = "i" if count > 1 else ""
            out = Ref(step.out, start)
            here = [(arg[start], index if m else "") for arg, m in zip(args, moving, strict=True)]
            texts = [self.value(*each) for each in here]
            y = self.value(out, index)
            body = [self.spell.assign(y, VALUES[step.op](self.spell, *texts))]
            if step.out in self.active:
                slopes = [self.slope(*each) for each in here]
                body.append(
                    self.spell.assign(
                        self.value(Ref(f"d{step.out}", start), index),
                        self._derivative(step.op, y, texts, slopes),
                    )
                )
            self.lines += self.spell.loop("i", count, body) if index else body

    def _derivative(self, op: str, y: str, texts: list[str], slopes: list[str | None]) -> str:
        if op in CHOICES:
            condition, yes, no = CHOICES[op](self.spell, *texts)
            known = [slope or self.spell.zero for slope in (*slopes, None)]
            return self.spell.select(condition, known[yes], known[no])
        partials = PARTIALS[op](self.spell, y, *texts)
        terms = [self._times(p, d) for p, d in zip(partials, slopes, strict=True) if d]
        return " + ".join(terms) or self.spell.zero

    def _times(self, partial: str | int, slope: str) -> str:
        if partial == 1:
            return slope
        if partial == -1:
            return f"(-{slope})"
        return str(partial) if slope == self.spell.one else f"{partial} * {slope}"

    def _product(self, step: Product) -> None:
        rows, inner, columns = step.shape
        a, b = self._in_one_piece(step.a), self._in_one_piece(step.b)
        self._declare(step.out, [a, b])
        for row in range(rows):
            left, at = Ref(a.buffer, a.offset + row * inner), "i"
            across = "i" if columns == 1 else f"j + {columns} * i"
            value = self.value(Ref(step.out, row * columns), "j")
            totals = {value: [f"{self.value(left, at)} * {self.value(b, across)}"]}
            if step.out in self.active:
                pairs = (
                    (self.slope(left, at), self.value(b, across)),
                    (self.value(left, at), self.slope(b, across)),
                )
                slope = self.value(Ref(f"d{step.out}", row * columns), "j")
                totals[slope] = [f"{one} * {two}" for one, two in pairs if one and two]
            body = [self.spell.assign(target, self.spell.zero) for target in totals]
            body += self.spell.loop(
                "i",
                inner,
                [self.spell.assign(t, " + ".join([t, *terms])) for t, terms in totals.items()],
            )
            self.lines += self.spell.loop("j", columns, body)

    def _total(self, step: Total) -> None:
        self._declare(step.out, [scalar for terms in step.terms for scalar in terms])
        for k, terms in enumerate(step.terms):
            text = " + ".join(self.value(scalar) for scalar in terms)
            self.lines.append(self.spell.assign(self.value(Ref(step.out, k)), text))
            if step.out in self.active:
                slopes = [text for text in map(self.slope, terms) if text]
                target = self.value(Ref(f"d{step.out}", k))
                self.lines.append(self.spell.assign(target, " + ".join(slopes) or self.spell.zero))

    def _in_one_piece(self, scalars: tuple[Scalar, ...]) -> Ref:
        """First of the scalars in consecutive entries of a buffer, copied there if need be."""
        scalars = self._tabled(scalars, always=True)
        pieces, first = list(_pieces([scalars])), scalars[0]
        if isinstance(first, Ref) and (
            len(scalars) == 1 or (len(pieces) == 1 and pieces[0][2] == [True])
        ):
            return first
        copy = f"c{len(self.buffers)}"
        self.sizes[copy] = len(scalars)
        self._elementwise(Elementwise("Copy", copy, (scalars,)))
        return Ref(copy, 0)

    def _tabled(self, scalars: tuple[Scalar, ...], always: bool = False) -> tuple[Scalar, ...]:
        """Constants go into a table, unless all are one number."""
        constants = tuple(scalar for scalar in scalars if not isinstance(scalar, Ref))
        if len(constants) < len(scalars) or (len(set(constants)) == 1 and not always):
            return scalars
        name = self.tables.setdefault(constants, f"w{len(self.tables)}")
        return tuple(Ref(name, k) for k in range(len(scalars)))


def _pieces(args: Sequence[Sequence[Scalar]]) -> Iterator[tuple[int, int, list[bool]]]:
    """Split a range into pieces in which each argument advances by one entry, or is constant.

    Yields:
        first index, length, and for each argument whether it advances.
    """
    start, size = 0, len(args[0])
    while start < size:
        count = 1
        moving: list[bool] = [False] * len(args)
        while start + count < size:
            steps = [_step(arg[start + count - 1], arg[start + count]) for arg in args]
            known = [step for step in steps if step is not None]
            if len(known) < len(steps) or (count > 1 and known != moving):
                break
            moving = known
            count += 1
        yield start, count, moving
        start += count


def _step(one: Scalar, other: Scalar) -> bool | None:
    """True: the next entry of a buffer; False: the same scalar; None: neither."""
    if one == other:
        return False
    if isinstance(one, Ref) and other == Ref(one.buffer, one.offset + 1):
        return True
    return None
