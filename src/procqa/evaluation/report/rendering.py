"""What pages that stand alone share: templates that escape, one style, one script, and a policy that runs no other.

Needs the extra ``eval``.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from procqa import __version__
from procqa.errors import MissingExtra

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
UNKNOWN = "–"
"""Stands for a number that is not there, or not finite."""


def check_report() -> None:
    """See whether a page can be made, before anything is measured.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    _templates(FOLDER)


def render(template: str, values: Mapping[str, Any], *, folder: Path = FOLDER) -> str:
    """A page that needs nothing else and loads nothing.

    Args:
        template: a file that extends ``base.html``.
        folder: where it is; what it extends or imports may be here.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    style, script = ((FOLDER / file).read_text(encoding="utf-8") for file in ("report.css", "report.js"))
    shared = {"version": __version__, "style": style, "script": script, "script_digest": _digest(script)}
    return _templates(folder).get_template(template).render({**values, **shared})


def _digest(text: str) -> str:
    """What the page's own policy lets run: this text and nothing else."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _templates(folder: Path) -> "Environment":
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra("eval", "a report") from error
    templates = Environment(
        loader=FileSystemLoader([folder, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update({name: _formatter(layout) for name, layout in LAYOUTS.items()})
    return templates


LAYOUTS = {"number": "{:,}", "score": "{:.3f}", "signed": "{:+.3f}"}
"""How the filters of the templates write numbers."""


def _formatter(layout: str) -> Any:  # Any: a filter takes any number
    return lambda value: UNKNOWN if value is None else layout.format(value)
