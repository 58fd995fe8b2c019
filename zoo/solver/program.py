"""One time step of a model as a list of operations on scalars."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

STRAIN, RATE, DT = "strain", "rate", "dt"
OLD = "old_"  # before the name of a state: its buffer
CONSTANT = "given_"  # before the name of a constant: its buffer
JUMP_S = 1e-9  # in which a step of no duration is taken by a program of increments [s]
SHORTEST_STEP_S = 1e-2  # the same by other programs, if the shortest trained step is not known
MAX_NAME = 50  # letters of an identifier of C and of Fortran, with room for a suffix
_IDENTIFIER = re.compile(f"[A-Za-z][A-Za-z0-9_]{{0,{MAX_NAME - 1}}}")


@dataclass(frozen=True)
class Ref:
    """One scalar of a program: an entry of a buffer.

    Attributes:
        buffer: name of the array.
        offset: index of the entry, from 0.
    """

    buffer: str
    offset: int


Scalar = Ref | float


@dataclass(frozen=True)
class Elementwise:
    """out[i] = op(args[0][i], args[1][i], ...) for every i.

    Attributes:
        op: TensorFlow's name of the operation.
        out: buffer of the results.
        args: scalars of every argument.
    """

    op: str
    out: str
    args: tuple[tuple[Scalar, ...], ...]


@dataclass(frozen=True)
class Product:
    """out[i, j] = Σ_k a[i, k] b[k, j].

    Attributes:
        out: buffer of the results, (rows, columns), row by row.
        a: scalars of the left matrix, (rows, inner), row by row.
        b: scalars of the right matrix, (inner, columns), row by row.
        shape: rows, inner, columns.
    """

    out: str
    a: tuple[Scalar, ...]
    b: tuple[Scalar, ...]
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class Total:
    """out[i] = sum of the scalars in terms[i].

    Attributes:
        out: buffer of the results.
        terms: scalars of every sum.
    """

    out: str
    terms: tuple[tuple[Scalar, ...], ...]


@dataclass
class Program:
    """One time step as operations on scalars.

    Attributes:
        name: of the model.
        states: name -> width, in the order in which they stand in the state vector.
        sizes: buffer -> number of scalars.
        steps: operations, in an order of execution.
        stress: location of the prediction.
        next_states: location of each scalar of the next state vector.
        shortest_step_s: shortest time step of the training [s]; None if it is not known.
        loading: name and unit of what the arguments `strain_old` and `strain` hold.
        response: name and unit of what `stress` holds.
        longest_step_s: the longest one [s]; None if it is not known.
        constants: name -> the numbers that were fitted, where they are arguments of the program;
            buffer `CONSTANT + name`.
        energy: location of the stored energy; None if the model does not know it.
        dissipation: location of what the step dissipates; likewise.
    """

    name: str
    states: dict[str, int]
    sizes: dict[str, int] = field(default_factory=dict)
    steps: list[Elementwise | Product | Total] = field(default_factory=list)
    stress: Scalar = 0.0
    next_states: list[Scalar] = field(default_factory=list)
    shortest_step_s: float | None = None
    loading: tuple[str, str] = ("strain", "-")
    response: tuple[str, str] = ("stress", "")
    longest_step_s: float | None = None
    constants: dict[str, tuple[float, ...]] = field(default_factory=dict)
    energy: Scalar | None = None
    dissipation: Scalar | None = None

    @property
    def is_law(self) -> bool:
        """Whether the rate is read only times Δt, so that steps can be cut."""
        return all(_multiplies_rate_by_dt(step) for step in self.steps if _reads(step, RATE))

    @property
    def instant_s(self) -> float:
        """Time in which a step of no duration is taken [s].

        A program that reads rate times Δt alone has a limit for Δt → 0, an elastic jump. One that
        reads the rate has none; it takes its shortest trained step.
        """
        if self.is_law:
            return JUMP_S
        return self.shortest_step_s or SHORTEST_STEP_S


def _reads(step: Elementwise | Product | Total, buffer: str) -> bool:
    if isinstance(step, Elementwise):
        groups = step.args
    elif isinstance(step, Product):
        groups = (step.a, step.b)
    else:
        groups = step.terms
    return any(isinstance(s, Ref) and s.buffer == buffer for group in groups for s in group)


def _multiplies_rate_by_dt(step: Elementwise | Product | Total) -> bool:
    if not isinstance(step, Elementwise) or step.op != "Mul":
        return False
    pairs = zip(*step.args, strict=True)
    return all({Ref(RATE, 0), Ref(DT, 0)} == set(p) for p in pairs if Ref(RATE, 0) in p)


def require_identifiers(name: str, names: Iterable[str]) -> None:
    """Check that names can stand in C and Fortran, which ignores case.

    Args:
        name: of the program.
        names: of its inputs.

    Raises:
        ValueError: a name of other characters or too long, or two that are one to Fortran.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(
            f"`name` must be of letters, digits and _, a letter first, at most {MAX_NAME}. "
            f"Received: {name!r}."
        )
    known: set[str] = set()
    for each in names:
        if not _IDENTIFIER.fullmatch(each) or each.lower() in known:
            raise ValueError(
                "States must have names of letters, digits and _, each its own whatever the case. "
                f"Received: {each!r}."
            )
        known.add(each.lower())
