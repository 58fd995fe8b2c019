"""Measured tests from a CSV file: stretch and stress over time, as a split."""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data.columns import Columns
from zoo.data.hysteresis import INPUTS
from zoo.data.split import Quantity, Split

MIN_ROWS = 20  # of a specimen; fewer do not show a history
MAX_CYCLES = 1000  # of start-up
MAX_VALUE = 1e15  # of any number, rate, and inverse of a time step: its square fits into float32
# Usual names of the columns; a unit may stand behind the name, as in `stress_mpa`.
NAMES = {
    "time": ("time", "t"),
    "stretch": ("stretch", "strain", "lambda", "eps", "epsilon", "gamma", "λ", "ε", "γ"),
    "stress": ("stress", "sigma", "tau", "σ", "τ"),
}
UNITS = {"pa": "Pa", "kpa": "kPa", "mpa": "MPa", "gpa": "GPa", "psi": "psi", "mPa": "mPa"}
# Units other than s and a pure number, which are refused.
FOREIGN = {
    "time": ("ns", "us", "µs", "μs", "ms", "min", "minutes", "h", "hours"),
    "stretch": ("%", "percent", "pct"),
}


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
    columns: Columns | None = None,
    *,
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
        columns: names of the columns; None: those of `NAMES`, with or without a unit behind them,
            and a single specimen. A stress model reads the rate of the stretch only.
        cycles: start-up cycles, 0 to 1000.
        min_rows: rows that a specimen must have, 2 or more.

    Returns:
        Split of inputs (stretch, rate, dt) and target stress, shorter specimens padded at the end
        with weight 0.

    Raises:
        ValueError: one line that names file, line and cure.
    """
    path = Path(path)
    if not 0 <= cycles <= MAX_CYCLES:
        raise ValueError(f"`cycles` must lie between 0 and {MAX_CYCLES}. Received: {cycles}.")
    if min_rows < 2:
        raise ValueError(f"`min_rows` must be 2 or more. Received: {min_rows}.")
    rows = _rows(path)
    line, header = next(rows, (1, []))
    if not header:
        raise ValueError(f"{path}, line 1: the file is empty. Expected a header line and data.")
    where = f"{path}, line {line}"
    places = _places(where, header, columns or Columns())
    specimens = [
        _startup(specimen, cycles, f"{path}, line {first}")
        for specimen, first in _specimens(path, rows, places, len(header), min_rows)
    ]
    return _split(specimens, unit=_unit(header[places["stress"]]))


def has_stress(path: str | Path) -> bool:
    """Whether a file has a column that is recognised as stress.

    Raises:
        ValueError: a file that cannot be read.
    """
    _, header = next(_rows(Path(path)), (1, []))
    return any((_words(title) or [""])[0] in NAMES["stress"] for title in header)


def split_by_group(
    data: Split, shares: Sequence[float] = (0.8, 0.2), seed: int = 0
) -> tuple[Split, ...]:
    """Split by specimen, into parts of about these shares, at least one specimen each.

    Args:
        data: any split.
        shares: of the specimens, adding up to 1.
        seed: of the choice of specimens.

    Raises:
        ValueError: shares that are no shares, or fewer specimens than parts.
    """
    if not all(share > 0 for share in shares) or not math.isclose(sum(shares), 1):
        raise ValueError(
            f"`shares` must be positive and add up to 1. Received: shares={tuple(shares)}."
        )
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

    Args:
        data: any split.
        share: of the rows that count, between 0 and 1.

    Raises:
        ValueError: another share.
    """
    if not 0 < share < 1:
        raise ValueError(f"`share` must lie between 0 and 1. Received: share={share}.")
    counted = np.ones(data.x.shape[:2]) if data.weight is None else data.weight
    done = np.cumsum(counted, axis=1) / counted.sum(axis=1, keepdims=True)
    first = np.where(done <= share, counted, 0).astype(np.float32)
    rest = (counted - first).astype(np.float32)
    return replace(data, weight=first), replace(data, weight=rest)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank."""
    text = _text(path)
    head = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, [cell.strip() for cell in cells]
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {start}: {error}. Check the quotes from that line on."
        ) from None


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"{path}: not a file. Expected a CSV file with a header line.")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file. Expected a CSV file with a header line.") from None
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be read, {error.strerror}. Expected a CSV file with a header line."
        ) from None
    broken = raw.find(b"\0")  # text of another encoding, if not garbage
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        broken = error.start
    if broken >= 0:
        line = len(re.findall(rb"\r\n|\r|\n", raw[:broken])) + 1
        raise ValueError(
            f"{path}, line {line}: not UTF-8 text. Save the table as CSV with UTF-8 encoding."
        )
    return text


def _places(where: str, header: list[str], columns: Columns) -> dict[str, int]:
    """Index of the column of each role."""
    names = {"time": columns.time, "stretch": columns.stretch, "stress": columns.stress}
    places = {role: _column(where, header, role, name) for role, name in names.items()}
    if columns.group is not None:
        places["group"] = _column(where, header, "group", columns.group)
    if len(set(places.values())) < len(places):
        raise ValueError(
            f"{where}: one column serves as two of {', '.join(places)}. "
            "Name another by --time, --stretch, --stress or --group COLUMN."
        )
    return places


def _column(where: str, header: list[str], role: str, name: str | None) -> int:
    """Index of the column for a role: by the name given, or by what is usual."""
    if name is not None:
        places = [k for k, title in enumerate(header) if title == name.strip()]
        sought = f"called {_brief(name)}"
    else:
        places = [k for k, title in enumerate(header) if (_words(title) or [""])[0] in NAMES[role]]
        sought = f"looks like {role}"
    if len(places) != 1:
        count = "no column" if not places else "more than one column"
        titles = ", ".join(_brief(title) for title in header[:20])
        raise ValueError(
            f"{where}: {count} {sought}. Name it by --{role} COLUMN; the file has: {titles}."
        )
    unit = next((u for u in FOREIGN.get(role, ()) if u in _words(header[places[0]])[1:]), None)
    if unit:
        raise ValueError(
            f"{where}: {role} is in {unit}, expected {'s' if role == 'time' else 'no unit'}. "
            "Convert the column and rename it."
        )
    return places[0]


def _words(title: str) -> list[str]:
    """`Stress (MPa)`, `stress_MPa` -> stress, mpa."""
    return re.findall(r"[^\W_]+|%", title.lower())


def _unit(title: str) -> str:
    """The unit behind a column's name, `stress_mpa` or `stress [MPa]`; "-" if none is known."""
    words = re.findall(r"[^\W_]+", title)[1:]
    known = (UNITS.get(word) or UNITS.get(word.lower()) for word in words)
    return next((unit for unit in known if unit), "-")


def _brief(text: str) -> str:
    """As a literal, so that it stays on one line, and short."""
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}..."


def _specimens(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    columns: Mapping[str, int],
    width: int,
    min_rows: int,
) -> list[tuple[Specimen, int]]:
    """Every specimen and the line that it begins on."""
    values: dict[str, list[tuple[float, ...]]] = {}
    lines: dict[str, list[int]] = {}
    line = 1
    for line, cells in rows:
        where = f"{path}, line {line}"
        if len(cells) <= max(columns.values()) or any(cells[width:]):
            raise ValueError(
                f"{where}: {len(cells)} cells, expected {width} as in the header. "
                "Complete or remove the line; write decimals with a point."
            )
        label = cells[columns["group"]] if "group" in columns else ""
        if not label and "group" in columns:
            raise ValueError(f"{where}: group is nothing, expected a label. Complete the line.")
        numbers = tuple(_number(where, role, cells[columns[role]]) for role in NAMES)
        series = values.setdefault(label, [])
        if series:
            _check_step(where, label, series[-1], numbers)
        series.append(numbers)
        lines.setdefault(label, []).append(line)
    if not values:
        raise ValueError(f"{path}, line {line}: no data below the header. Add rows.")
    for label, series in values.items():
        of = f"specimen {_brief(label)} has" if label else "the file has"
        if len(series) < min_rows:
            raise ValueError(
                f"{path}, line {lines[label][-1]}: {of} {len(series)} rows, expected at least "
                f"{min_rows}. Add rows or leave it out."
            )
        for place, role in ((1, "stretch"), (2, "stress")):
            if len({np.float32(numbers[place]) for numbers in series}) == 1:
                raise ValueError(
                    f"{path}, line {lines[label][0]}: {of} a constant {role}: nothing can be "
                    f"learnt from it. Check the column, or name another by --{role} COLUMN."
                )
    return [
        (Specimen(label, *np.asarray(series, dtype=np.float64).T), lines[label][0])
        for label, series in values.items()
    ]


def _check_step(where: str, label: str, before: Sequence[float], now: Sequence[float]) -> None:
    """Time increases, by steps whose length and rate float32 can hold."""
    of = f" of specimen {_brief(label)}" if label else ""
    dt, change = now[0] - before[0], now[1] - before[1]
    if dt <= 0:
        raise ValueError(
            f"{where}: time{of} does not increase, {now[0]:g} s after {before[0]:g} s. "
            "Sort the rows; name the column of the specimen by --group COLUMN."
        )
    if dt < 1 / MAX_VALUE or abs(change) > MAX_VALUE * dt:
        raise ValueError(
            f"{where}: time{of} grows by {dt:g} s while stretch changes by {change:g}, expected "
            f"steps of at least {1 / MAX_VALUE:g} s and rates up to {MAX_VALUE:g} /s. "
            "Correct or remove the line."
        )


def _number(where: str, role: str, text: str) -> float:
    try:
        if not text.isascii() or "_" in text:  # Python takes 1_000 for a number
            raise ValueError
        value = float(text)
    except ValueError:
        cure = "Correct or remove the line."
        if text.count(",") == 1 and text.replace(",", "").lstrip("+-").isdigit():
            cure = "Write decimals with a point."
        shown = _brief(text) if text else "nothing"
        raise ValueError(f"{where}: {role} is {shown}, expected a number. {cure}") from None
    if not abs(value) <= MAX_VALUE:  # NaN compares with nothing
        raise ValueError(
            f"{where}: {role} is {_brief(text)}, expected a finite number up to {MAX_VALUE:g} in "
            "size. Correct or remove the line."
        )
    return value


def _startup(specimen: Specimen, cycles: int, where: str) -> tuple[Specimen, int]:
    """The specimen behind `cycles` repeats of its first full cycle, and how many rows they take."""
    if cycles == 0:
        return specimen, 0
    stretch = specimen.stretch
    rising = next(value for value in stretch if value != stretch[0]) > stretch[0]
    side = (stretch >= stretch[0]) if rising else (stretch <= stretch[0])
    # The loop closes where the stretch comes back through its first value, in the same direction.
    back = np.flatnonzero(side[1:] & ~side[:-1]) + 1
    if not len(back):
        raise ValueError(
            f"{where}: the stretch never returns to its first value in the same direction, "
            "so there is no cycle to repeat. Leave out --cycles."
        )
    rows = int(back[0])
    before, after = stretch[rows - 1], stretch[rows]
    share = (stretch[0] - before) / (after - before)
    time = specimen.time_s
    period = time[rows - 1] + share * (time[rows] - time[rows - 1]) - time[0]
    if share < 0.5:
        rows -= 1  # a sample on the seam would be followed by a step of no length
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
