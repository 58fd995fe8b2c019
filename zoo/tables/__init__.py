"""Tables that test machines and spreadsheets write: text, layout, names and units of columns.

`read_text` decodes a file, `parse_table` finds separator, decimal mark, header and units, and
`read_tests` gives time [s], strain [-] and stress of every specimen, with notes on what was done.
Standard library only: the edge runtime reads the same files.
"""

from zoo.tables.columns import Columns
from zoo.tables.layout import Row, Rows, Table, parse_table
from zoo.tables.series import read_tests
from zoo.tables.specimens import Series, Tests
from zoo.tables.text import decode, read_text
from zoo.tables.titles import has_role

__all__ = [
    "Columns",
    "Row",
    "Rows",
    "Series",
    "Table",
    "Tests",
    "decode",
    "has_role",
    "parse_table",
    "read_tests",
    "read_text",
]
