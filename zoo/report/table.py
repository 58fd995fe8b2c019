"""One table, written wherever it is needed: terminal, README, report, spreadsheet."""

import csv
import html
import io
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any


@dataclass(frozen=True)
class Column:
    """Heading of a column and the way its numbers are written.

    Attributes:
        name: heading.
        unit: stands behind the name in brackets, unless empty.
        number: Python's format of a number, for instance '.3g', ',d' or '.1%'.
    """

    name: str
    unit: str = ""
    number: str = ".3g"

    @property
    def heading(self) -> str:
        """Name and unit."""
        return _plain(f"{self.name} [{self.unit}]" if self.unit else self.name)

    def write(self, value: Any) -> str:
        """`value` as this column shows it: numbers in its format, anything else as it is."""
        if value is None:
            return "–"
        if isinstance(value, bool) or not isinstance(value, Real):
            return _plain(str(value))
        if not math.isfinite(value):
            return str(float(value))
        return format(value.item() if hasattr(value, "item") else value, self.number)


class Table:
    """Rows under named columns.

    Args:
        columns: `Column`s, or plain names.
        rows: one value a column; None is a gap. A column of numbers is aligned to the right.
        caption: what the table shows.
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
                    f"Row {number} must have {len(self.columns)} values, one a column. "
                    f"Received: {len(row)}. Use None for a gap."
                )

    def text(self) -> str:
        """Aligned columns for a terminal."""
        cells = [[column.heading for column in self.columns], *self._written()]
        widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
        lines = []
        for row in cells:
            padded = [
                " " * (width - _width(cell)) + cell
                if right
                else cell + " " * (width - _width(cell))
                for cell, width, right in zip(row, widths, self._right(), strict=True)
            ]
            lines.append("  ".join(padded).rstrip())
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(lines) + "\n"

    def markdown(self) -> str:
        """A table for README; inline Markdown in cells (links, code) stays as it is."""
        rule = ["---:" if right else "---" for right in self._right()]
        rows = [[column.heading for column in self.columns], rule, *self._written()]
        escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
        return "".join(f"| {' | '.join(row)} |\n" for row in escaped)

    def html(self) -> str:
        """A `<table>`, everything in it escaped; the first cell of a row is its heading."""
        sides = [' class="number"' if right else "" for right in self._right()]
        head = "".join(
            f'<th scope="col"{side}>{html.escape(column.heading)}</th>'
            for column, side in zip(self.columns, sides, strict=True)
        )
        body = ""
        for row in self._written():
            cells = [html.escape(cell) for cell in row]
            first = f'<th scope="row"{sides[0]}>{cells[0]}</th>' if cells else ""
            others = zip(cells[1:], sides[1:], strict=True)
            body += f"<tr>{first}{''.join(f'<td{s}>{c}</td>' for c, s in others)}</tr>\n"
        caption = f"<caption>{html.escape(_plain(self.caption))}</caption>" if self.caption else ""
        return (
            f"<table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
        )

    def csv(self) -> str:
        """Comma-separated values (RFC 4180), numbers in full precision, gaps empty."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([column.heading for column in self.columns])
        writer.writerows(self.rows)
        return file.getvalue()

    def _written(self) -> list[list[str]]:
        pairs = [zip(self.columns, row, strict=True) for row in self.rows]
        return [[column.write(value) for column, value in row] for row in pairs]

    def _right(self) -> list[bool]:
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        known = [[value for value in column if value is not None] for column in columns]
        return [bool(c) and all(isinstance(value, Real) for value in c) for c in known]


def _plain(text: str) -> str:
    """On one line and without control characters, which could move a terminal's cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def _width(text: str) -> int:
    """Columns that `text` takes in a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
