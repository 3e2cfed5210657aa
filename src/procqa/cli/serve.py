"""``procqa serve``: an index over HTTP, with a page."""

from pathlib import Path
from typing import Any

import click

from procqa.cli.common import config_options, to_config
from procqa.config import ServeConfig
from procqa.errors import MissingExtra


@click.command()
@click.argument("index", type=click.Path(path_type=Path))
@config_options(ServeConfig)
def command(index: Path, **options: Any) -> None:
    """Serve INDEX over HTTP until it is stopped: a page at /, JSON at /api/search, the rest at /docs."""
    try:
        from procqa.search.web import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("procqa"):
            raise
        raise MissingExtra("serve", "procqa serve") from error

    serve(index, to_config(ServeConfig, options), announce=lambda url: click.echo(f"procqa: serving {url}", err=True))
