"""The plots of a study."""

from pathlib import Path

from procqa.studies.results import Found


def write_plots(found: Found, folder: Path) -> None:
    """Write the plots of a study into its folder."""
