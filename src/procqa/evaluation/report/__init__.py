"""An evaluation as one page that stands alone: tables, plots, slices, and every miss to browse."""

from procqa.evaluation.report.page import write_report

__all__ = ["write_report"]
