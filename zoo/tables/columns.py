"""Which columns of a test file hold what, and what the file does not state about them."""

import math
from dataclasses import dataclass

from zoo.tables.units import UNITS, find_unit, unit_names


@dataclass(frozen=True)
class Columns:
    """Which columns of a CSV file hold what; None: recognised by name and unit.

    Attributes:
        time: title of the column of time.
        stretch: of stretch or strain.
        stress: of stress.
        group: of the label of the specimen; None: one called specimen, else a single specimen.
        time_unit: such as "ms" or "min"; None: the unit in the title, else s.
        stretch_unit: such as "%" or "1"; "stretch" for a stretch λ, which is 1 at rest.
        stress_unit: such as "MPa" or "psi".
        gauge_length_mm: where the column is an elongation [mm] and not a strain.
        area_mm2: cross-section, where the column is a force and not a stress [mm²].
        time_step_s: from row to row, for a file without a column of time [s].
        covariates: titles of columns that are constant over a specimen, such as a temperature.
    """

    time: str | None = None
    stretch: str | None = None
    stress: str | None = None
    group: str | None = None
    time_unit: str | None = None
    stretch_unit: str | None = None
    stress_unit: str | None = None
    gauge_length_mm: float | None = None
    area_mm2: float | None = None
    time_step_s: float | None = None
    covariates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("gauge_length_mm", "area_mm2", "time_step_s"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"`{name}` must be a number above 0. Received: {value}.")
        for role in UNITS:
            text = getattr(self, f"{role}_unit")
            if text is not None and find_unit(role, text) is None:
                known = ", ".join(unit_names(role))
                raise ValueError(
                    f"`{role}_unit` must be a unit of {role}, such as {known}. Received: {text!r}."
                )
