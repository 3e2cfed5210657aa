"""An evaluation as one page that stands alone: tables, plots, slices, and every miss to browse."""

from procqa.evaluation.report.page import write_report
from procqa.evaluation.report.rendering import check_report

__all__ = ["check_report", "write_report"]
