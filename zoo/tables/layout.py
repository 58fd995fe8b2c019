"""Where in a text file the table is: separator, decimal mark, comments, header, row of units."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zoo.tables.numbers import ONLY_THOUSANDS, parse_clock, parse_number
from zoo.tables.titles import NAMES, brief, has_role
from zoo.tables.units import is_unit

SAMPLE_LINES = 400  # from the start, on which separator and decimal mark are chosen
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)
_COMMENT = re.compile(r"\s*\"?(#|//|%(?=\s*[A-Za-z%]))")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blanks"}

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Table:
    """Cells of a table, as text.

    Attributes:
        name: of the file, for messages.
        line: of the header.
        titles: of the columns.
        units: of the row of units below the titles; empty if there is none.
        rows: line number and cells of every row below.
        decimal: mark in front of decimals, "." or ",".
        notes: what was found that a plain CSV file has not.
    """

    name: str
    line: int
    titles: list[str]
    units: list[str]
    rows: list[Row]
    decimal: str
    notes: list[str] = field(default_factory=list)


def parse_table(text: str, name: str, notes: Sequence[str] = ()) -> Table:
    """Find the table in the text of a file.

    Args:
        text: of the file.
        name: of the file, for messages.
        notes: on how the text was decoded.

    Raises:
        ValueError: no table, or bad quotes; one line with file, line and cure.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    notes = list(notes)
    if not any(line.strip(" \t,;|") for line in lines):
        raise ValueError(f"{name}, line 1: the file is empty. Expected a header line and data.")
    first = next(k for k, line in enumerate(lines) if line.strip())
    declared = _SEPARATOR_LINE.fullmatch(lines[first])
    if declared:
        lines[first] = ""
    comments = {k: line for k, line in enumerate(lines) if _COMMENT.match(line)}
    comments = {} if len(comments) > len(lines) / 2 else comments
    for k in comments:
        lines[k] = ""
    separator, decimal = _choose_marks(lines, declared.group(1) if declared else None)
    if comments:
        _restore_header(lines, comments, separator, decimal)
    rows = list(_rows(name, lines, separator))
    if not rows:
        raise ValueError(f"{name}, line 1: the file is empty. Expected a header line and data.")
    if separator not in ",\t" or declared:
        notes.append(f"separated by {_NAMES.get(separator, separator)}")
    if decimal == ",":
        _refuse_thousands(name, rows)
        notes.append("decimal comma")
    if comments:
        notes.append(f"{_count(len(comments), 'comment line')} left out")
    return _table(name, rows, decimal, notes)


def is_value(cell: str, decimal: str) -> bool:
    """Whether a cell is a number or a time of a clock."""
    number = parse_number(cell, decimal)
    return bool(cell) and (number is not None or parse_clock(cell) is not None)


def _table(name: str, rows: list[Row], decimal: str, notes: list[str]) -> Table:
    """Header, row of units and data among the rows."""
    place = _header(rows, decimal)
    line, titles = rows[place]
    if place:
        notes.append(f"{_count(place, 'line')} above the header left out")
    below = place + 1
    units: list[str] = []
    if below < len(rows) and _is_units(rows[below][1], decimal):
        units = rows[below][1]
        notes.append("row of units read")
        below += 1
    data = [row for row in rows[below:] if row[1] != titles]
    if len(data) < len(rows) - below:
        notes.append(f"{_count(len(rows) - below - len(data), 'repeated header line')} left out")
        data = [row for row in data if not units or row[1] != units]
    end = len(data)
    while end > 1 and not any(is_value(cell, decimal) for cell in data[end - 1][1]):
        end -= 1
    if 0 < end < len(data):
        notes.append(f"{_count(len(data) - end, 'line')} of text at the end left out")
        data = data[:end]
    return Table(name, line, titles, units, data, decimal, notes)


def _header(rows: list[Row], decimal: str) -> int:
    """Index of the row with the titles: text above numbers, with usual names if any has them."""
    candidates = []
    for k, (_, cells) in enumerate(rows[:SAMPLE_LINES]):
        texts = [c for c in cells if c and not is_value(c, decimal)]
        if len(texts) < 2 or 2 * len(texts) <= len([c for c in cells if c]):
            continue
        if _is_units(cells, decimal) and candidates:
            continue
        below = k + 1
        if below < len(rows) and _is_units(rows[below][1], decimal):
            below += 1
        if below < len(rows) and _fits(cells, rows[below][1], decimal):
            candidates.append(k)
    named = [k for k in candidates if _roles(rows[k][1]) >= 2]
    if named or candidates:
        return (named or candidates)[0]
    named = [k for k, (_, cells) in enumerate(rows[:SAMPLE_LINES]) if _roles(cells) >= 2]
    return named[0] if named else 0


def _roles(titles: Sequence[str]) -> int:
    return sum(has_role(titles, role) for role in NAMES)


def _fits(titles: list[str], cells: list[str], decimal: str) -> bool:
    """Whether a row below titles holds numbers, in as many columns."""
    values = sum(is_value(cell, decimal) for cell in cells)
    return values >= 2 and len(_trim(cells)) <= len(titles) and len(_trim(titles)) <= len(cells)


def _trim(cells: list[str]) -> list[str]:
    """Without empty cells at the end."""
    end = max((k + 1 for k, cell in enumerate(cells) if cell), default=0)
    return cells[:end]


def _is_units(cells: list[str], decimal: str) -> bool:
    filled = [cell for cell in cells if cell]
    numbers = any(
        parse_number(c, decimal) == parse_number(c, decimal) and is_value(c, decimal)
        for c in filled
        if c != "1"
    )
    return len(filled) >= 2 and not numbers and all(map(is_unit, filled))


def _choose_marks(lines: list[str], declared: str | None) -> tuple[str, str]:
    """Separator and decimal mark with which most cells are numbers."""
    sample = [line for line in lines if line.strip()][:SAMPLE_LINES]
    best, choice = 0.0, (declared or max(",;\t", key="\n".join(sample[:1]).count), ".")
    for separator in (declared,) if declared else _NAMES:
        split = [_split(line, separator) for line in sample]
        for decimal in ".,":
            score = 0.0
            for cells in split:
                values = sum(is_value(cell, decimal) for cell in cells)
                score += values**2 / len(cells) if values > 1 else 0.0
            if score > best * (1 + 1e-9):
                best, choice = score, (separator, decimal)
    return choice


def _split(line: str, separator: str) -> list[str]:
    """Cells of one line."""
    if separator == " ":
        cells = re.findall(r'"[^"]*"|\S+', line)
        merged: list[str] = []
        for cell in cells:  # a unit in brackets belongs to the title before it
            if merged and re.fullmatch(r"[(\[].*[)\]]", cell) and not _is_bracketed(merged[-1]):
                merged[-1] += f" {cell}"
            else:
                merged.append(cell)
        return [cell.strip('"') for cell in merged] or [""]
    try:
        cells = next(csv.reader([line], delimiter=separator), [""])
    except csv.Error:
        cells = line.split(separator)
    return [cell.strip() for cell in cells] or [""]


def _is_bracketed(text: str) -> bool:
    return text[:1] in "([" and text[-1:] in ")]"


def _rows(name: str, lines: list[str], separator: str) -> Iterator[Row]:
    """Line number and cells of every row that is not blank."""
    if separator == " ":
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _split(line, separator)
        return
    text = io.StringIO("\n".join(lines), newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, [cell.strip() for cell in cells]
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{name}, line {start}: {error}. Check the quotes from that line on."
        ) from None


def _restore_header(
    lines: list[str], comments: dict[int, str], separator: str, decimal: str
) -> None:
    """Take the last comment above the data for the header where nothing else names columns."""
    first = next(
        (
            k
            for k, line in enumerate(lines)
            if sum(is_value(c, decimal) for c in _split(line, separator)) > 1
        ),
        0,
    )
    plain = [k for k in range(first) if lines[k].strip()]
    if any(_roles(_split(lines[k], separator)) >= 2 for k in plain):
        return
    for k in sorted((k for k in comments if k < first), reverse=True):
        line = re.sub(r"^\s*\"?(#+|//|%+)", "", comments[k])
        if _roles(_split(line, separator)) >= 2:
            lines[k] = line if separator != " " else line.strip()
            del comments[k]
            return


def _refuse_thousands(name: str, rows: list[Row]) -> None:
    """Refuse commas that may stand before decimals or between thousands."""
    example = None
    for line, cells in rows:
        for cell in cells:
            if "," in cell and is_value(cell, ","):
                if not ONLY_THOUSANDS.fullmatch(cell):
                    return
                example = example or (line, cell)
    if example:
        line, cell = example
        raise ValueError(
            f"{name}, line {line}: {brief(cell)} may be {cell.replace(',', '')} or "
            f"{cell.replace(',', '.')}, and no other number shows which. Write "
            "decimals with a point."
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
