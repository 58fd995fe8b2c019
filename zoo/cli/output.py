"""Results of a subcommand: JSON and tables on standard output, pictures in files."""

import json
import math
import sys
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, Protocol

from zoo import files
from zoo.report import Report, Table

PICTURES = (".png", ".pdf", ".svg")
MAX_WIDTH = 110  # columns of the terminal; a wider table is printed on its side


class Figure(Protocol):
    """What is needed of a matplotlib figure."""

    def savefig(self, fname: Any, *, format: str) -> None:
        """Write the figure to a path."""
        ...


def print_json(value: Any) -> None:
    """Print a result as one JSON document.

    Args:
        value: made of mappings, sequences, dataclasses, arrays, numbers and text. NaN and infinity,
            which JSON lacks, become null.
    """
    print(json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    tolist = getattr(value, "tolist", None)  # of NumPy's arrays and scalars
    if tolist is not None:
        return _plain(tolist())
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def records(table: Table) -> list[dict[str, Any]]:
    """Rows of a table as mappings from headings to values, for `print_json`."""
    headings = [column.heading for column in table.columns]
    return [dict(zip(headings, row, strict=True)) for row in table.rows]


def print_table(table: Table) -> None:
    """Print a table; one that is wide is turned, so that its columns become rows.

    Args:
        table: with at least one column, whose cells are names of rows.
    """
    text = table.text().rstrip()
    if max(map(len, text.splitlines())) > MAX_WIDTH:
        first, *others = table.columns
        head = [first.heading, *(first.write(row[0]) for row in table.rows)]
        cells = [[row[k] for row in table.rows] for k in range(1, len(table.columns))]
        turned = [
            [column.heading, *map(column.write, values)]
            for column, values in zip(others, cells, strict=True)
            if any(value is not None for value in values)
        ]
        text = Table(head, turned).text().rstrip()
    print(text)


def write_csv(table: Table, out: Path | None) -> None:
    """Write a table as CSV, to standard output or to a file.

    Args:
        table: to write.
        out: the file; None: standard output.

    Raises:
        OSError: if the file cannot be written.
    """
    text = table.csv().replace("\r\n", "\n")
    if out is None:
        sys.stdout.write(text)
    else:
        files.write_text(out, text)
        print(f"table: {out}", file=sys.stderr)


def check_picture(path: Path | None, option: str) -> None:
    """Check the suffix of a picture before anything is computed for it.

    Args:
        path: of the picture; None: there is to be none.
        option: that named it.

    Raises:
        ValueError: a suffix that is not among `PICTURES`.
    """
    if path is not None and path.suffix not in PICTURES:
        raise ValueError(f"{option} must end in .png, .pdf or .svg. Received: {path}.")


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure to a file, in the format that the suffix names.

    Raises:
        OSError: if the file cannot be written.
    """
    with files.writing(path) as temporary:
        figure.savefig(temporary, format=path.suffix.removeprefix(".") or "png")
    print(f"picture: {path}", file=sys.stderr)


def write_page(report: Report, path: Path) -> None:
    """Write an HTML page alone, its pictures inside.

    Raises:
        OSError: if the file cannot be written.
    """
    files.write_text(path, report.html())
    print(f"page: {path}", file=sys.stderr)
