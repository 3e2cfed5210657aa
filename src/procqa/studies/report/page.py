"""The page of one study or of several."""

from collections.abc import Sequence
from pathlib import Path

from procqa.studies.results import Found


def write_page(studies: Sequence[tuple[Path, Found]], path: Path) -> None:
    """Write the page."""
