"""What a run tells its reader: tables for every place, and one page that holds everything."""

from zoo.report.page import Report
from zoo.report.table import Column, Table

__all__ = ["Column", "Report", "Table"]
