"""Results of studies as plots, pages and Markdown."""

from procqa.studies.report.page import write_page
from procqa.studies.report.plots import write_plots

__all__ = ["write_page", "write_plots"]
