"""``procqa serve``: an index over HTTP, with a page."""

from pathlib import Path
from typing import Any

import click

from procqa.cli.common import config_options, json_option, print_json, to_config
from procqa.config import ServeConfig
from procqa.errors import MissingExtra


@click.command()
@click.argument("index", type=click.Path(path_type=Path))
@config_options(ServeConfig)
@json_option
def command(index: Path, as_json: bool, **options: Any) -> None:
    """Serve INDEX over HTTP until it is stopped: a page at /, JSON at /api/search, the rest at /docs.

    With --json the address is printed as one object once connections are taken.
    """
    try:
        from procqa.search.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("procqa"):
            raise
        raise MissingExtra("serve", "procqa serve") from error
    from procqa.search.logs import write_logs

    def announce(url: str) -> None:
        if as_json:
            print_json({"url": url, "index": str(index)})

    config = to_config(ServeConfig, options)
    write_logs(config.log)
    serve(index, config, announce=announce)
