"""Names of the columns of a test file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """Which columns of a CSV file hold what; None: the usual names are looked for.

    Attributes:
        time: time [s].
        stretch: stretch or strain [-].
        stress: stress; a unit behind its name, as in stress_pa, is kept.
        group: label of the specimen; None: the file is one specimen.
    """

    time: str | None = None
    stretch: str | None = None
    stress: str | None = None
    group: str | None = None
