"""A history of stretch from a CSV file -> what a stress model takes at every step."""

import csv
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

TIMES, STRETCHES = ("time", "time_s", "t"), ("stretch", "strain", "lambda")
FEATURES = ["stretch", "rate", "dt"]


class Loading(NamedTuple):
    """time_s (steps,) and x (steps, 3): stretch [-], its rate [1/s], length of the step [s]."""

    time_s: np.ndarray
    x: np.ndarray


def check_features(manifest: Mapping[str, Any], name: str) -> None:
    """Refuse a model whose input is not that of a stress model.

    Raises:
        ValueError: naming what it takes.
    """
    entry = manifest["signatures"]["step"]["inputs"].get(name, {})
    features = [each.get("name") for each in entry.get("features", [])]
    if features != FEATURES:
        raise ValueError(
            f"Expected a model of {', '.join(FEATURES)}, to be fed from a CSV file; this one "
            f"takes `{name}`: {', '.join(map(str, features)) or entry.get('meaning', '?')}."
        )


def read_csv(lines: Iterable[str], name: str) -> Loading:
    """Columns of time and stretch; the material is at rest before the first row.

    Args:
        lines: of the file, its header first: a column of `TIMES`, a column of `STRETCHES`.
        name: of the file, for messages.

    Raises:
        ValueError: naming the line that is wrong.
    """
    reader = csv.reader(lines)
    rows: list[tuple[float, float]] = []
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        places = [_column(header, wanted, name) for wanted in (TIMES, STRETCHES)]
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            now = _numbers(row, places)
            if not all(map(math.isfinite, now)) or (rows and now[0] <= rows[-1][0]):
                raise ValueError(
                    f"{name}, line {reader.line_num}: expected numbers, and time that increases."
                )
            rows.append(now)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: cannot be read as CSV: {error}.") from None
    if len(rows) < 2:
        raise ValueError(f"{name}: {len(rows)} rows of data, expected at least 2.")
    time_s, stretch = np.array(rows).T
    # the first step is as long as the second
    dt = np.diff(time_s, prepend=2 * time_s[0] - time_s[1])
    rate = np.diff(stretch, prepend=stretch[0]) / dt
    return Loading(time_s, np.stack([stretch, rate, dt], axis=-1))


def _column(header: list[str], wanted: tuple[str, ...], name: str) -> int:
    for place, title in enumerate(header):
        if title in wanted:
            return place
    raise ValueError(
        f"{name}, line 1: no column {' or '.join(wanted)}. There are: {', '.join(header)}."
    )


def _numbers(row: list[str], places: list[int]) -> tuple[float, float]:
    try:
        time_s, stretch = (float(row[place]) for place in places)
    except (ValueError, IndexError):
        return math.nan, math.nan
    return time_s, stretch
