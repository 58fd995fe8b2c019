"""Time, strain and stress of one specimen, and what a table holds."""

from __future__ import annotations  # array is generic for type checkers only, on Python 3.11

from array import array
from dataclasses import dataclass, field


@dataclass
class Series:
    """One specimen; arrays of the standard library, eight bytes a number.

    Attributes:
        group: label; empty where a file holds a single one.
        lines: number of the line that each row stands on.
        time_s: time [s], increasing.
        strain: strain ε [-].
        stress: in the unit of the table; empty without `with_stress`.
        covariates: title -> the one number that its column holds in this specimen.
        is_held: whether a strain is held from the first row on, as in a file of relaxation that
            begins after the loading: then the first step loads from rest.
    """

    group: str
    lines: array[int]
    time_s: array[float]
    strain: array[float]
    stress: array[float]
    covariates: dict[str, float] = field(default_factory=dict)
    is_held: bool = False


@dataclass(frozen=True)
class Tests:
    """What a table holds.

    Attributes:
        series: every specimen, in the order of the file.
        stress_unit: "MPa", "Pa" or alike; "-" if it is not known.
        notes: what was found, assumed and converted, a clause each.
        loading: name and unit of what stands in `Series.strain`; such as ("displacement", "mm")
            where no gauge length makes a strain of it.
        response: name of what stands in `Series.stress`.
    """

    series: list[Series]
    stress_unit: str
    notes: list[str]
    loading: tuple[str, str] = ("strain", "-")
    response: str = "stress"

    @property
    def covariates(self) -> tuple[str, ...]:
        """Titles of the covariates."""
        return tuple(self.series[0].covariates) if self.series else ()
