"""An evaluation as one page that stands alone: tables, plots, slices, and every miss to browse."""

from procqa.evaluation.report.page import check_report, write_report

__all__ = ["check_report", "write_report"]
