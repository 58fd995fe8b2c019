"""Stretch histories from CSV files, as the input of a stress model, step by step."""

import csv
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

TIME_COLUMNS, STRETCH_COLUMNS = ("time", "time_s", "t"), ("stretch", "strain", "lambda")
FEATURES = ["stretch", "rate", "dt"]


class StretchHistory(NamedTuple):
    """Loading over time.

    Attributes:
        time_s: (steps,) [s].
        x: (steps, 3): stretch [-], stretch rate [1/s], length of the step [s].
    """

    time_s: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]


def unit_of(manifest: Mapping[str, Any], input_name: str, output_name: str) -> str:
    """Unit of the output of a stress model, after checking that it is one.

    Raises:
        ValueError: not a model of `FEATURES`; the text names its inputs.
    """
    try:
        signature = manifest["signatures"]["step"]
        entry, unit = signature["inputs"][input_name], signature["outputs"][output_name]["unit"]
        features = [each["name"] for each in entry.get("features", [])]
    except (KeyError, TypeError, AttributeError):
        raise ValueError(
            f"The manifest does not describe `{input_name}` and `{output_name}`. Export it again."
        ) from None
    if features != FEATURES:
        raise ValueError(
            f"Expected a model of {', '.join(FEATURES)} for a CSV file; this one "
            f"takes `{input_name}`: {', '.join(map(str, features)) or entry.get('meaning')}."
        )
    return str(unit)


def read_csv(lines: Iterable[str], name: str) -> StretchHistory:
    """Read columns of time and stretch; the material is at rest before the first row.

    Args:
        lines: of the file, its header first: a column of `TIME_COLUMNS`, one of
            `STRETCH_COLUMNS`.
        name: of the file, for messages.

    Raises:
        ValueError: naming the line that is wrong.
    """
    reader = csv.reader(lines)
    rows: list[tuple[float, float]] = []
    no_cells: list[str] = []
    try:
        header = [cell.strip().lower() for cell in next(reader, no_cells)]
        places = [_column_index(header, names, name) for names in (TIME_COLUMNS, STRETCH_COLUMNS)]
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            values = _parse_row(row, places)
            if not all(map(math.isfinite, values)) or (rows and values[0] <= rows[-1][0]):
                raise ValueError(
                    f"{name}, line {reader.line_num}: expected numbers, and time that increases."
                )
            rows.append(values)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: cannot be read as CSV: {error}.") from None
    if len(rows) < 2:
        raise ValueError(f"{name}: {len(rows)} rows of data, expected at least 2.")
    time_s, stretch = np.array(rows).T
    # the first step is as long as the second
    dt = np.diff(time_s, prepend=2 * time_s[0] - time_s[1])
    rate = np.diff(stretch, prepend=stretch[0]) / dt
    return StretchHistory(time_s, np.stack([stretch, rate, dt], axis=-1))


def _column_index(header: list[str], names: tuple[str, ...], name: str) -> int:
    for place, title in enumerate(header):
        if title in names:
            return place
    raise ValueError(
        f"{name}, line 1: no column {' or '.join(names)}. There are: {', '.join(header)}."
    )


def _parse_row(row: list[str], places: list[int]) -> tuple[float, float]:
    try:
        time_s, stretch = (float(row[place]) for place in places)
    except (ValueError, IndexError):
        return math.nan, math.nan
    return time_s, stretch
