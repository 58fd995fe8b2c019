"""Names of the columns of a test file."""

from zoo.tables.columns import Columns

__all__ = ["Columns"]
