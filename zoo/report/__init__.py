"""Tables (text, Markdown, HTML, CSV) and self-contained HTML report pages."""

from zoo.report.page import QUICK_NOTICE, Report, Sound
from zoo.report.table import Column, Table, earlier_rows

__all__ = ["QUICK_NOTICE", "Column", "Report", "Sound", "Table", "earlier_rows"]
