"""Loading histories: from a text table of time and strain, or a built-in cycle."""

import csv
import itertools
import math
import re
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

MAX_CSV_BYTES = 64_000_000
SAMPLE_LINES = 400  # on which separator and decimal mark are chosen
LINE_END = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")  # as str.splitlines
TIMES = ("time", "t", "zeit", "temps", "timestamp")
STRAINS = ("strain", "stretch", "lambda", "eps", "epsilon", "dehnung")
UNITS: tuple[dict[str, float], dict[str, float]] = (
    {
        **dict.fromkeys(("s", "sec", "seconds"), 1.0),
        **dict.fromkeys(("ms", "msec"), 1e-3),
        **dict.fromkeys(("min", "minutes"), 60.0),
        **dict.fromkeys(("h", "hr", "hours"), 3600.0),
    },
    {
        **dict.fromkeys(("-", "mm/mm", "m/m"), 1.0),
        **dict.fromkeys(("%", "percent", "pct"), 0.01),
        **dict.fromkeys(("‰", "mm/m"), 1e-3),
        **dict.fromkeys(("microstrain", "µε", "με", "µm/m"), 1e-6),
    },
)
# Units that a row of units, or a title that must be refused, may hold.
UNIT_WORDS = {
    *UNITS[0],
    *UNITS[1],
    "",
    "mm",
    "cm",
    "in",
    "n",
    "kn",
    "pa",
    "kpa",
    "mpa",
    "gpa",
    "psi",
}
UNIT_WORDS |= {"n/mm²", "n/mm2", "bar", "ksi", "°c", "us", "ns", "µs"}


class Loading(NamedTuple):
    """A loading history; sample j is at the end of step j.

    Attributes:
        time_s: time t [s], (steps,).
        strain: strain ε [-], (steps,).
        rate: strain rate dε/dt in step j [1/s], (steps,).
        dt: length of step j [s], (steps,).
    """

    time_s: np.ndarray
    strain: np.ndarray
    rate: np.ndarray
    dt: np.ndarray


def make_cycle(amplitude: float = 1.5, period_s: float = 4.0, dt_s: float = 0.05) -> Loading:
    """Two triangular cycles of strain from rest."""
    time_s = np.arange(1, round(2 * period_s / dt_s) + 1) * dt_s
    turns = np.arange(9) * period_s / 4
    strain = np.interp(time_s, turns, amplitude * np.array([0, 1, 0, -1] * 2 + [0]))
    return _make_loading(time_s, strain, before=0.0)


def read_csv(path: Path, time_column: str | None, strain_column: str | None) -> Loading:
    """A loading history from a text table: comma, semicolon, tab or blanks between the cells.

    A decimal comma, comments (#), lines above the header, units in the header and a row of units
    below it are understood. The material is at rest before the first row.

    Args:
        path: of the file.
        time_column: title of the column of time; None: one whose first word is in `TIMES`.
        strain_column: title of the column of strain; None: one with a word of `STRAINS`. A
            stretch that begins near 1 becomes the strain λ − 1.

    Raises:
        ValueError: naming the file and the line that is wrong.
    """
    try:
        if path.stat().st_size > MAX_CSV_BYTES:
            raise ValueError(
                f"{path}: expected at most {MAX_CSV_BYTES / 1e6:.0f} MB. Keep every n-th row."
            )
        raw = path.read_bytes()
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as CSV: {error}.") from None
    if "\0" in text:
        raise ValueError(f"{path}: cannot be read as CSV: not text.")
    try:
        time_s, strain, titles, column, factor = _read_rows(path, text, time_column, strain_column)
    except csv.Error as error:
        raise ValueError(f"{path}: cannot be read as CSV: {error}.") from None
    title = titles[column].lower()
    if any(word in title for word in ("stretch", "lambda")) and abs(strain[0] - 1) < 0.3:
        strain = strain - 1
        print(f"{path}: stretch converted to strain, λ − 1", file=sys.stderr)
    elif factor is None and np.abs(strain).max() > 2:
        raise ValueError(
            f"{path}: strain reaches {np.abs(strain).max():.3g} without a unit. Write it into the "
            "title of the column, as in 'strain [-]' or 'strain [%]'."
        )
    return _make_loading(time_s, strain, before=strain[0])


def _read_rows(
    path: Path, text: str, time_column: str | None, strain_column: str | None
) -> tuple[np.ndarray, np.ndarray, list[str], int, float | None]:
    """Time [s], strain, titles, index and unit of the strain's column, row by row."""
    separator, decimal = _choose_marks(text)
    rows = _split_rows(text, separator)
    top = list(itertools.takewhile(lambda row: _values(row[1], decimal) < 2, rows))
    units: list[str] = []
    if len(top) > 1 and all(cell.strip("()[] ").lower() in UNIT_WORDS for cell in top[-1][1]):
        units = top[-1][1]  # a row of units below the titles
    line, titles = top[-2 if units else -1] if top else (1, [])
    columns = [
        _column(path, line, titles, *wanted)
        for wanted in (("time", time_column, TIMES), ("strain", strain_column, STRAINS))
    ]
    factors = [_unit(path, titles, units, *each) for each in zip(columns, UNITS, strict=True)]
    numbers = array("d"), array("d")
    blank = None  # line of the first row without values that others may follow
    for number, cells in itertools.islice(_split_rows(text, separator), len(top), None):
        if all(cell.lower() in ("", "nan") for cell in cells):
            blank = blank or number  # left by a machine that has stopped, if no other row follows
            continue
        try:
            pair = [float(cells[column].replace(decimal, ".")) for column in columns]
        except (ValueError, IndexError):
            pair = [math.nan]
        if blank or not all(abs(value) < 1e30 for value in pair):
            raise ValueError(
                f"{path}, line {blank or number}: expected numbers for time and strain. Correct "
                "the line."
            )
        if numbers[0] and pair[0] <= numbers[0][-1]:
            if pair == [each[-1] for each in numbers]:  # machines repeat rows at reversals
                continue
            raise ValueError(f"{path}, line {number}: time does not increase. Sort the rows.")
        for each, value in zip(numbers, pair, strict=True):
            each.append(value)
    if len(numbers[0]) < 2:
        raise ValueError(f"{path}: {len(numbers[0])} rows of data, expected at least 2.")
    time_s, strain = (
        np.asarray(each) * (factor or 1.0) for each, factor in zip(numbers, factors, strict=True)
    )
    return time_s, strain, titles, columns[1], factors[1]


def _cut_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of every line that is neither blank nor a comment, cut out one by one."""
    start = 0
    ends = itertools.chain(LINE_END.finditer(text), (None,))
    for number, end in enumerate(ends, 1):
        line = text[start : end.start() if end else len(text)]
        start = end.end() if end else len(text)
        is_text = line.strip(" ,;\t") and line.lstrip()[:1] != "#"
        if is_text and not line.lower().lstrip('"').startswith("sep="):
            yield number, line


def _split_rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every line."""
    if separator == " ":
        for number, line in _cut_lines(text):
            yield number, line.split()
        return
    cells = csv.reader((line for _, line in _cut_lines(text)), delimiter=separator)
    for (number, _), row in zip(_cut_lines(text), cells, strict=False):
        yield number, [cell.strip() for cell in row]


def _choose_marks(text: str) -> tuple[str, str]:
    """Separator and decimal mark with which most cells of the first lines are numbers."""
    best, result = -1.0, (",", ".")
    for separator in (",", ";", "\t", " "):
        rows = [row for _, row in itertools.islice(_split_rows(text, separator), SAMPLE_LINES)]
        for decimal in (".", ","):
            counts = [(_values(cells, decimal), len(cells)) for cells in rows]
            score = sum(values**2 / width for values, width in counts if values > 1)
            if score > best:
                best, result = score, (separator, decimal)
    return result


def _values(cells: list[str], decimal: str) -> int:
    """How many cells are numbers."""
    other = "," if decimal == "." else "."
    count = 0
    for cell in cells:
        try:
            float("x" if other in cell else cell.replace(decimal, "."))
        except ValueError:
            continue
        count += 1
    return count


def _column(
    path: Path, line: int, titles: list[str], role: str, name: str | None, usual: tuple[str, ...]
) -> int:
    """Index of a column."""
    places = []
    for k, title in enumerate(titles):
        words = re.findall(r"[^\W\d_]+", title.lower())
        is_usual = words[:1] and any(w in usual for w in words if len(w) > 1 or w == words[0])
        if title == name or (name is None and is_usual and "rate" not in words):
            places.append(k)
    if len(places) == 1:
        return places[0]
    count = "more than one" if places else "no"
    raise ValueError(
        f"{path}, line {line}: {count} column {name or ' or '.join(usual)}. "
        f"Name it by --{role}; there are: {', '.join(titles)}."
    )


def _unit(
    path: Path, titles: list[str], units: list[str], column: int, known: dict[str, float]
) -> float | None:
    """What a number of a column is worth, by the unit in its title or below it; None: no unit."""
    below = units[column].strip("()[] ").lower() if column < len(units) else ""
    words = [
        word.lower() for word in re.split(r"[\s_()\[\]]+|(?<=[a-z])/(?=[%a-z]+$)", titles[column])
    ]
    for word in [*words[1:], below]:
        if word in known:
            return known[word]
        if word in UNIT_WORDS and word not in ("", "-"):
            raise ValueError(
                f"{path}: {titles[column]!r} is in {word}. Convert the column to one of "
                f"{', '.join(filter(None, known))}."
            )
    return None


def _make_loading(time_s: np.ndarray, strain: np.ndarray, before: float) -> Loading:
    """Rates and steps; the first step is as long as the second and comes from rest at `before`."""
    dt = np.diff(time_s, prepend=2 * time_s[0] - time_s[1])
    return Loading(time_s, strain, np.diff(strain, prepend=before) / dt, dt)
