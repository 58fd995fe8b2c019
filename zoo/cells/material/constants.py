"""What the constants of a cell are, for tables of identified values."""

from typing import NamedTuple


class Meaning(NamedTuple):
    """One physical constant of a cell.

    Attributes:
        name: for instance "modulus" or "times_2".
        symbol: for instance "E".
        unit: "-" for a pure number.
        meaning: one clause.
        positive: whether it is above 0, so that its logarithm carries an interval.
        least: what it cannot fall below.
    """

    name: str
    symbol: str
    unit: str
    meaning: str
    positive: bool = True
    least: float = 0.0
