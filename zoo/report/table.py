"""Tables that are written as text for a terminal, as Markdown, HTML or CSV."""

import csv
import html
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from zoo.report.markup import to_html


@dataclass(frozen=True)
class Column:
    """Heading and number format of a column.

    Attributes:
        name: heading.
        unit: unit, printed in brackets after the name; empty: none.
        number: Python format specification of its numbers, for instance '.3g', ',d' or '.1%'.
    """

    name: str
    unit: str = ""
    number: str = ".3g"

    @property
    def heading(self) -> str:
        """Name and unit, for instance "time constant [s]"."""
        return _plain(f"{self.name} [{self.unit}]" if self.unit else self.name)

    def write(self, value: Any) -> str:
        """`value` as text: numbers in the column's format, None as "–", anything else by `str`."""
        if value is None:
            return "–"
        if isinstance(value, bool) or not isinstance(value, Real):
            return _plain(str(value))
        if not math.isfinite(value):
            return str(float(value))
        number: Any = value  # NumPy's scalars format as Python's do only after `item()`
        return format(number.item() if hasattr(number, "item") else number, self.number)


class Table:
    """A table of rows under named columns.

    Args:
        columns: `Column`s, or plain names.
        rows: rows with one value per column; None is an empty cell. A column of numbers is aligned
            to the right.
        caption: caption of the table.

    Attributes:
        columns: the columns.
        rows: the rows as given.
        caption: caption of the table.

    Raises:
        ValueError: if a row has another number of values than there are columns.
    """

    def __init__(
        self,
        columns: Iterable[Column | str],
        rows: Iterable[Sequence[Any]],
        caption: str = "",
    ) -> None:
        self.columns = tuple(Column(c) if isinstance(c, str) else c for c in columns)
        self.rows = tuple(tuple(row) for row in rows)
        self.caption = caption
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"Row {number} must have {len(self.columns)} values, one per column. "
                    f"Received: {len(row)}. Use None for an empty cell."
                )

    def text(self) -> str:
        """Plain text with aligned columns, for a terminal."""
        cells = [[column.heading for column in self.columns], *self._formatted()]
        widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
        lines = []
        for row in cells:
            padded = [
                " " * (width - _width(cell)) + cell
                if right
                else cell + " " * (width - _width(cell))
                for cell, width, right in zip(row, widths, self._is_right_aligned(), strict=True)
            ]
            lines.append("  ".join(padded).rstrip())
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """Markdown; inline Markdown in cells (links, code) is kept."""
        rule = ["---:" if right else "---" for right in self._is_right_aligned()]
        rows = [[column.heading for column in self.columns], rule, *self._formatted()]
        escaped = [[escape_markdown(cell, in_cell=True) for cell in row] for row in rows]
        return "".join(f"| {' | '.join(row)} |\n" for row in escaped)

    def html(self) -> str:
        """An HTML `<table>` with escaped text; the first cell of each row is its heading."""
        sides = [' class="number"' if right else "" for right in self._is_right_aligned()]
        head = "".join(
            f'<th scope="col"{side}>{to_html(column.heading)}</th>'
            for column, side in zip(self.columns, sides, strict=True)
        )
        body = ""
        for row in self._formatted():
            cells = [html.escape(cell) for cell in row]
            first = f'<th scope="row"{sides[0]}>{cells[0]}</th>' if cells else ""
            others = zip(cells[1:], sides[1:], strict=True)
            body += f"<tr>{first}{''.join(f'<td{s}>{c}</td>' for c, s in others)}</tr>\n"
        caption = f"<caption>{to_html(_plain(self.caption))}</caption>" if self.caption else ""
        return (
            f"<table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
        )

    def csv(self) -> str:
        """Comma-separated values (RFC 4180), numbers in full precision, None as empty cell.

        Text that a spreadsheet would run as a formula gets an apostrophe in front.
        """
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([escape_csv(column.heading) for column in self.columns])
        writer.writerows([[escape_csv(value) for value in row] for row in self.rows])
        return file.getvalue()

    def _formatted(self) -> list[list[str]]:
        pairs = [zip(self.columns, row, strict=True) for row in self.rows]
        return [[column.write(value) for column, value in row] for row in pairs]

    def _is_right_aligned(self) -> list[bool]:
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        filled = [[value for value in column if value is not None] for column in columns]
        return [bool(c) and all(isinstance(value, Real) for value in c) for c in filled]


def escape_markdown(text: str, *, in_cell: bool = False) -> str:
    """One line of Markdown without HTML of its own; other Markdown (links, code) is kept.

    Args:
        text: from anywhere, such as a manifest.
        in_cell: whether it stands in a table.
    """
    line = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", _plain(text))
    return line.replace("|", r"\|") if in_cell else line


def escape_csv(value: Any) -> Any:
    """A cell of CSV; text that begins as a formula of a spreadsheet gets an apostrophe in front."""
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    try:
        float(value)
    except ValueError:
        return value if value == "-" else f"'{value}"
    return value


def _plain(text: str) -> str:
    """`text` on one line, control characters replaced: they could move a terminal's cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def _width(text: str) -> int:
    """Width of `text` in a terminal [character cells]."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def earlier_rows(path: Path, columns: int, names: Sequence[str]) -> dict[str, list[str]]:
    """Rows of a table in a Markdown file, so that a command can renew some and keep the others.

    Args:
        path: of the file, there or not.
        columns: how many the table has; rows of another table are left out.
        names: what the first cell of a row that counts may be.

    Returns:
        First cell -> cells as text.
    """
    rows: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if line.startswith("|") and len(cells) == columns and cells[0] in names:
            rows[cells[0]] = cells
    return rows
