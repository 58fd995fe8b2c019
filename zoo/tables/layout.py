"""Where in a text file the table is: separator, decimal mark, comments, header, row of units."""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from zoo.tables.numbers import ONLY_THOUSANDS, parse_clock, parse_number
from zoo.tables.titles import NAMES, brief, has_role
from zoo.tables.units import is_unit

SAMPLE_LINES = 400  # from the start, on which separator and decimal mark are chosen
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"\s*\"?(#|//|%(?=\s*[A-Za-z%]))")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blanks"}

Row = tuple[int, list[str]]


class Lines:
    """Lines of a text, cut out of it each time they are asked for.

    A list of them would take several times the memory of the text.

    Attributes:
        text: of the file.
        has_comments: whether comment lines are given as empty ones.
        replaced: index of a line -> what is given in its place.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.has_comments = False
        self.replaced: dict[int, str] = {}

    def __iter__(self) -> Iterator[str]:
        for k, line in enumerate(_cut(self.text)):
            if k in self.replaced:
                yield self.replaced[k]
            else:
                yield "" if self.has_comments and _COMMENT.match(line) else line


def _cut(text: str) -> Iterator[str]:
    """Lines of a text; an end of Windows, Unix or old Macs ends each."""
    start = 0
    if "\r" in text:
        for match in _LINE_END.finditer(text):
            yield text[start : match.start()]
            start = match.end()
    else:
        while (end := text.find("\n", start)) >= 0:
            yield text[start:end]
            start = end + 1
    yield text[start:]


class Rows(Protocol):
    """Rows of a table, given one by one as often as they are asked for."""

    @property
    def last(self) -> Row | None:
        """The last row; None: there is none."""
        ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Row]: ...


@dataclass(frozen=True)
class TextRows:
    """Rows below a header, parsed each time they are asked for.

    Attributes:
        name: of the file, for messages.
        lines: of the file.
        separator: of cells.
        skipped: rows above the data.
        repeated: rows that are left out wherever they stand.
        count: of the rows.
        last: the last one; None: there is none.
    """

    name: str
    lines: Lines
    separator: str
    skipped: int
    repeated: tuple[list[str], ...]
    count: int
    last: Row | None

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Row]:
        rows = itertools.islice(_rows(self.name, self.lines, self.separator), self.skipped, None)
        return itertools.islice((row for row in rows if row[1] not in self.repeated), self.count)


@dataclass(frozen=True)
class Table:
    """Where a table stands, and its cells.

    Attributes:
        name: of the file, for messages.
        line: of the header.
        titles: of the columns.
        units: of the row of units below the titles; empty if there is none.
        rows: line number and cells of every row below, as text.
        decimal: mark in front of decimals, "." or ",".
        notes: what was found that a plain CSV file has not.
    """

    name: str
    line: int
    titles: list[str]
    units: list[str]
    rows: Rows
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
    lines, notes = Lines(text), list(notes)
    first, line = _first_line(name, lines)
    declared = _SEPARATOR_LINE.fullmatch(line)
    if declared:
        lines.replaced[first] = ""
    comments = _leave_out_comments(lines)
    separator, decimal = _choose_marks(lines, declared.group(1) if declared else None)
    if comments:
        comments -= _restore_header(lines, separator, decimal)
    head = list(itertools.islice(_rows(name, lines, separator), SAMPLE_LINES + 3))
    if not head:
        raise ValueError(f"{name}, line 1: the file is empty. Expected a header line and data.")
    place = _header(head, decimal)
    _refuse_headless(name, head, place, decimal)
    titles = _with_row_names(head, place, decimal)
    units = _units_below(head, place, decimal)
    above = [] if units else _units_above(head, place, decimal)
    skipped = place + 1 + bool(units)
    rows, repeated, left_out = _survey(
        TextRows(name, lines, separator, skipped, (head[place][1],), 0, None), units, decimal
    )
    if separator not in ",\t" or declared:
        notes.append(f"separated by {_NAMES.get(separator, separator)}")
    if decimal == ",":
        _refuse_thousands(name, _rows(name, lines, separator))
        notes.append("decimal comma")
    if comments:
        notes.append(f"{_count(comments, 'comment line')} left out")
    if above:
        notes.append("row of units read above the titles")
    if lines_above := place - bool(above):
        notes.append(f"{_count(lines_above, 'line')} above the header left out")
    if len(titles) > len(head[place][1]):
        notes.append("rows begin with a name or number that has no title")
    if units:
        notes.append("row of units read")
    if repeated:
        notes.append(f"{_count(repeated, 'repeated header line')} left out")
    if left_out:
        notes.append(f"{_count(left_out, 'line')} of text at the end left out")
    return Table(name, head[place][0], titles, units or above, rows, decimal, notes)


def _with_row_names(head: list[Row], place: int, decimal: str) -> list[str]:
    """Titles, behind an empty one where every row has one cell more, its name, as R writes it."""
    titles, below = head[place][1], [cells for _, cells in head[place + 1 :]]
    has_names = all(titles) and _roles(titles) >= 2 and len(below) > 1
    if has_names and all(len(cells) == len(titles) + 1 and cells[-1] for cells in below):
        return ["", *titles]
    return titles


def _refuse_headless(name: str, head: list[Row], place: int, decimal: str) -> None:
    """Refuse a table of numbers without titles: what stands in which column is not known."""
    line, cells = head[place]
    filled = [cell for cell in cells if cell]
    if place == 0 and len(filled) > 1 and all(is_value(cell, decimal) for cell in filled):
        raise ValueError(
            f"{name}, line {line}: numbers, expected a header line above them. Add one with the "
            "titles of the columns and their units, such as time_s,strain,stress_mpa."
        )


def _first_line(name: str, lines: Lines) -> tuple[int, str]:
    """Index and text of the first line that is not blank."""
    first = None
    for k, line in enumerate(lines):
        if first is None and line.strip():
            first = k, line
        if first is not None and line.strip(" \t,;|"):
            return first
    raise ValueError(f"{name}, line 1: the file is empty. Expected a header line and data.")


def _leave_out_comments(lines: Lines) -> int:
    """How many lines are comments; none where most are, since these are data then."""
    comments = total = 0
    for total, line in enumerate(lines, 1):  # noqa: B007, counted
        comments += bool(_COMMENT.match(line))
    lines.has_comments = 0 < comments <= total / 2
    return comments if lines.has_comments else 0


def is_value(cell: str, decimal: str) -> bool:
    """Whether a cell is a number or a time of a clock."""
    number = parse_number(cell, decimal)
    return bool(cell) and (number is not None or parse_clock(cell) is not None)


def _units_below(head: list[Row], place: int, decimal: str) -> list[str]:
    """Row of units below the titles; empty if there is none."""
    below = head[place + 1][1] if place + 1 < len(head) else []
    return below if _is_units(below, decimal) else []


def _units_above(head: list[Row], place: int, decimal: str) -> list[str]:
    """Row of units right above the titles, of as many cells; empty if there is none."""
    if not place or len(head[place - 1][1]) != len(head[place][1]):
        return []
    above = head[place - 1][1]
    return above if _is_units(above, decimal) else []


def _survey(rows: TextRows, units: list[str], decimal: str) -> tuple[TextRows, int, int]:
    """Rows with their number, without repeated headers and without text at the end.

    Args:
        rows: all below the header.
        units: row of units, left out as well where the header is repeated.
        decimal: mark in front of decimals.

    Returns:
        The rows, how many headers were repeated, how many lines of text stood at the end.
    """
    repeated = count = end = 0
    last = None
    all_rows = _rows(rows.name, rows.lines, rows.separator)
    for row in itertools.islice(all_rows, rows.skipped, None):
        if row[1] in rows.repeated:
            repeated += row[1] == rows.repeated[0]
            continue
        count += 1
        if count == 1 or any(is_value(cell, decimal) for cell in row[1]):
            end, last = count, row
    if repeated and units and len(rows.repeated) == 1:
        return _survey(replace(rows, repeated=(*rows.repeated, units)), units, decimal)
    return replace(rows, count=end, last=last), repeated, count - end


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


def _choose_marks(lines: Lines, declared: str | None) -> tuple[str, str]:
    """Separator and decimal mark with which most cells are numbers."""
    filled = (line for line in lines if line.strip())
    sample = list(itertools.islice(filled, SAMPLE_LINES))
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


def _rows(name: str, lines: Lines, separator: str) -> Iterator[Row]:
    """Line number and cells of every row that is not blank."""
    if separator == " ":
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _split(line, separator)
        return
    reader = csv.reader((line + "\n" for line in lines), delimiter=separator, strict=True)
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


def _restore_header(lines: Lines, separator: str, decimal: str) -> int:
    """Take the last comment above the data for the header where nothing else names columns.

    Returns:
        How many comments became headers, 0 or 1.
    """
    plain: list[str] = []
    comments: list[tuple[int, str]] = []
    for k, (original, line) in enumerate(zip(_cut(lines.text), lines, strict=True)):
        if sum(is_value(cell, decimal) for cell in _split(line, separator)) > 1:
            break
        if line.strip():
            plain.append(line)
        elif k not in lines.replaced and _COMMENT.match(original):
            comments.append((k, original))
    else:
        return 0
    if any(_roles(_split(line, separator)) >= 2 for line in plain):
        return 0
    for k, comment in reversed(comments):
        line = re.sub(r"^\s*\"?(#+|//|%+)", "", comment)
        if _roles(_split(line, separator)) >= 2:
            lines.replaced[k] = line if separator != " " else line.strip()
            return 1
    return 0


def _refuse_thousands(name: str, rows: Iterator[Row]) -> None:
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
