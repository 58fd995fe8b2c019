"""Tables (text, Markdown, HTML, CSV) and self-contained HTML report pages."""

from zoo.report.page import Report
from zoo.report.table import Column, Table

__all__ = ["Column", "Report", "Table"]
