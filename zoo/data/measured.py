"""A user's own tests: stress against stretch over time, from a CSV file."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data.hysteresis import INPUTS
from zoo.data.split import Quantity, Split

MIN_ROWS = 20  # of a specimen; fewer do not show a history
# What a column may be called if nobody says; units may stand behind the name, as in `stress_mpa`.
NAMES = {
    "time": ("time", "t"),
    "stretch": ("stretch", "strain", "lambda", "eps", "epsilon", "gamma"),
    "stress": ("stress", "sigma", "tau"),
}
UNITS = {"pa": "Pa", "kpa": "kPa", "mpa": "MPa", "gpa": "GPa", "psi": "psi"}


@dataclass(frozen=True)
class Specimen:
    """One test; arrays of shape (rows,).

    Attributes:
        group: label of the specimen.
        time_s: time [s], increasing.
        stretch: stretch or strain [-].
        stress: stress, in the unit of the file.
    """

    group: str
    time_s: np.ndarray
    stretch: np.ndarray
    stress: np.ndarray


def read_csv(
    path: str | Path,
    *,
    time: str | None = None,
    stretch: str | None = None,
    stress: str | None = None,
    group: str | None = None,
    cycles: int = 0,
    min_rows: int = MIN_ROWS,
) -> Split:
    """Read tests from a file with a header line: one path a specimen.

    A specimen stands at rest, stress-free, before its first row, whose step has rate 0 and the
    length of the next one. Where a test begins in the middle of cyclic loading that is not so:
    `cycles` puts repeats of its first full cycle before the data, with weight 0, so that start-up
    has died out when the data begin.

    Args:
        path: comma, semicolon or tab separated text.
        time: column of the time [s], by default one called time or t, with or without a unit.
        stretch: column of stretch or strain [-]; a law of this zoo sees its rate only.
        stress: column of the stress; a unit behind its name, as in stress_pa, is kept.
        group: column that tells specimens apart; None: the file is one specimen.
        cycles: start-up cycles, 0 or more.
        min_rows: rows that a specimen must have.

    Returns:
        Split of inputs (stretch, rate, dt) and target stress, shorter specimens padded at the end
        with weight 0.

    Raises:
        ValueError: one line that names file, line and cure.
    """
    path = Path(path)
    asked = {"time": time, "stretch": stretch, "stress": stress}
    if cycles < 0:
        raise ValueError(f"`cycles` must be 0 or more. Received: cycles={cycles}.")
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise ValueError(f"{path}: the file is empty. Expected a header line and data.")
    columns = {role: _column(path, header[1], role, name) for role, name in asked.items()}
    if group is not None:
        columns["group"] = _column(path, header[1], "group", group)
    specimens = [
        _startup(path, specimen, cycles) for specimen in _specimens(path, rows, columns, min_rows)
    ]
    return _split(specimens, unit=_unit(header[1][columns["stress"]]))


def split_by_group(
    data: Split, shares: Sequence[float] = (0.8, 0.2), seed: int = 0
) -> tuple[Split, ...]:
    """Deal whole specimens into parts of about these shares, at least one specimen each.

    Args:
        data: any split.
        shares: of the specimens, adding up to 1.
        seed: of the deal.
    """
    groups = np.unique(data.groups)
    if len(groups) < len(shares):
        raise ValueError(
            f"Splitting by specimen needs at least {len(shares)} of them. Received: {len(groups)}."
        )
    order = np.random.default_rng(seed).permutation(groups)
    free = len(groups) - len(shares)  # beyond the one that each part gets
    ends = np.round(np.cumsum(shares) * free).astype(int) + np.arange(1, len(shares) + 1)
    parts = np.split(order, ends[:-1])
    return tuple(data.select(np.flatnonzero(np.isin(data.groups, part))) for part in parts)


def split_by_time(data: Split, share: float = 0.8) -> tuple[Split, Split]:
    """The first `share` of every specimen's rows, and the rest, by weight.

    Both parts keep the whole loading, because the rest of a history depends on its beginning.
    """
    counted = np.ones(data.x.shape[:2]) if data.weight is None else data.weight
    done = np.cumsum(counted, axis=1) / counted.sum(axis=1, keepdims=True)
    first = np.where(done <= share, counted, 0).astype(np.float32)
    rest = (counted - first).astype(np.float32)
    return replace(data, weight=first), replace(data, weight=rest)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank."""
    if not path.exists():
        raise ValueError(f"{path}: no such file. Expected a CSV file with a header line.")
    if not path.is_file():
        raise ValueError(f"{path}: not a file. Expected a CSV file with a header line.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            head = file.readline()
            separator = max(",;\t", key=head.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, strict=True)
            start = 1
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield start, [cell.strip() for cell in cells]
                start = reader.line_num + 1
        except UnicodeDecodeError:
            raise ValueError(
                f"{path}: not UTF-8 text. Save the table as CSV with UTF-8 encoding."
            ) from None
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {reader.line_num}: {error}. Check the quotes on that line."
            ) from None


def _column(path: Path, header: list[str], role: str, name: str | None) -> int:
    """Index of the column for a role: by the name given, or by what is usual."""
    found = ", ".join(header)
    cure = f"Name it by --{role} COLUMN; the file has: {found}"
    if name is not None:
        places = [k for k, title in enumerate(header) if title == name]
        if len(places) != 1:
            count = "no column" if not places else "more than one column"
            raise ValueError(f"{path}, line 1: {count} called {name!r}. {cure}.")
        return places[0]
    places = [k for k, title in enumerate(header) if _stem(title) in NAMES[role]]
    if len(places) != 1:
        count = "no column" if not places else "more than one column"
        raise ValueError(f"{path}, line 1: {count} looks like {role}. {cure}.")
    return places[0]


def _words(title: str) -> list[str]:
    return title.lower().replace("[", " ").replace("]", " ").replace("_", " ").split()


def _stem(title: str) -> str:
    return (_words(title) or [""])[0]


def _unit(title: str) -> str:
    """The unit behind a column's name, `stress_mpa` or `stress [MPa]`; "-" if none is known."""
    return next(
        (UNITS[word.strip("()")] for word in _words(title)[1:] if word.strip("()") in UNITS), "-"
    )


def _specimens(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    columns: Mapping[str, int],
    min_rows: int,
) -> list[Specimen]:
    values: dict[str, list[tuple[float, ...]]] = {}
    width = max(columns.values())
    line = 1
    for line, cells in rows:
        if len(cells) <= width:
            raise ValueError(
                f"{path}, line {line}: {len(cells)} cells, expected at least {width + 1}. "
                "Complete or remove the line."
            )
        numbers = tuple(
            _number(path, line, role, cells[columns[role]])
            for role in ("time", "stretch", "stress")
        )
        label = cells[columns["group"]] if "group" in columns else ""
        series = values.setdefault(label, [])
        if series and numbers[0] <= series[-1][0]:
            of = f" of specimen {label!r}" if label else ""
            raise ValueError(
                f"{path}, line {line}: time{of} does not increase, {numbers[0]:g} s after "
                f"{series[-1][0]:g} s. Sort the rows; tell specimens apart by --group COLUMN."
            )
        series.append(numbers)
    if not values:
        raise ValueError(f"{path}, line {line}: no data below the header. Add rows.")
    for label, series in values.items():
        of = f"specimen {label!r} has" if label else "the file has"
        if len(series) < min_rows:
            raise ValueError(
                f"{path}, line {line}: {of} {len(series)} rows, expected at least {min_rows}. "
                "Add rows or leave it out."
            )
        for place, role in ((1, "stretch"), (2, "stress")):
            if len({numbers[place] for numbers in series}) == 1:
                raise ValueError(
                    f"{path}, line {line}: {of} a constant {role}: nothing can be learnt from it. "
                    f"Check the column, or name another by --{role} COLUMN."
                )
    return [
        Specimen(label, *np.asarray(series, dtype=np.float64).T) for label, series in values.items()
    ]


def _number(path: Path, line: int, role: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        cure = "Correct or remove the line."
        if text.count(",") == 1 and text.replace(",", "").lstrip("+-").isdigit():
            cure = "Write decimals with a point."
        shown = repr(text) if text else "nothing"
        raise ValueError(
            f"{path}, line {line}: {role} is {shown}, expected a number. {cure}"
        ) from None
    if not math.isfinite(value):
        raise ValueError(
            f"{path}, line {line}: {role} is {text}, expected a finite number. "
            "Correct or remove the line."
        )
    return value


def _startup(path: Path, specimen: Specimen, cycles: int) -> tuple[Specimen, int]:
    """The specimen behind `cycles` repeats of its first full cycle, and how many rows they take."""
    if cycles == 0:
        return specimen, 0
    stretch, rising = specimen.stretch, specimen.stretch[1] > specimen.stretch[0]
    side = (stretch >= stretch[0]) if rising else (stretch <= stretch[0])
    # The loop closes where the stretch comes back through its first value, in the same direction.
    back = np.flatnonzero(side[1:] & ~side[:-1]) + 1
    if not len(back):
        raise ValueError(
            f"{path}, line 2: the stretch never returns to its first value in the same direction, "
            "so there is no cycle to repeat. Leave out --cycles."
        )
    rows = int(back[0])
    before, after = stretch[rows - 1], stretch[rows]
    share = (stretch[0] - before) / (after - before)
    time = specimen.time_s
    period = time[rows - 1] + share * (time[rows] - time[rows - 1]) - time[0]
    starts = time[0] - period * np.arange(cycles, 0, -1)
    return (
        Specimen(
            specimen.group,
            np.concatenate([*(start + time[:rows] - time[0] for start in starts), time]),
            np.concatenate([np.tile(stretch[:rows], cycles), stretch]),
            np.concatenate([np.tile(specimen.stress[:rows], cycles), specimen.stress]),
        ),
        cycles * rows,
    )


def _split(specimens: list[tuple[Specimen, int]], unit: str) -> Split:
    steps = max(len(specimen.time_s) for specimen, _ in specimens)
    x = np.zeros((len(specimens), steps, 3))
    y = np.zeros((len(specimens), steps, 1))
    weight = np.zeros((len(specimens), steps), np.float32)
    for path, (specimen, startup) in enumerate(specimens):
        rows = len(specimen.time_s)
        dt = np.diff(specimen.time_s)
        x[path, :rows, 0] = specimen.stretch
        x[path, 1:rows, 1] = np.diff(specimen.stretch) / dt
        x[path, 1:rows, 2] = dt
        x[path, 0, 2] = dt[0]
        x[path, rows:] = (specimen.stretch[-1], 0.0, dt[-1])  # padding: a hold
        y[path, :rows, 0] = specimen.stress
        weight[path, startup:rows] = 1.0
    return Split(
        "measured",
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        inputs=INPUTS,
        targets=(Quantity("stress", unit, "stress at the end of the step"),),
        groups=np.array([specimen.group for specimen, _ in specimens]),
        weight=weight,
    )
