"""``procqa mcp``: an index for an agent, over standard input and output."""

import sys
from pathlib import Path

import click

from procqa.cli.common import json_option, print_json
from procqa.errors import MissingExtra


@click.command()
@click.argument("index", type=click.Path(path_type=Path))
@json_option
def command(index: Path, as_json: bool) -> None:
    """Answer an agent about INDEX over standard input and output (MCP), until it hangs up.

    With --json the entry for the agent's configuration is printed instead.
    """
    try:
        from procqa.search.mcp import serve_stdio
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("procqa"):
            raise
        raise MissingExtra("mcp", "procqa mcp") from error
    from procqa.search.logs import write_logs
    from procqa.search.searcher import Searcher

    if as_json:
        Searcher.open(index).close()
        arguments = ["-m", "procqa", "mcp", str(index.absolute())]
        print_json({"mcpServers": {"procqa": {"command": sys.executable, "args": arguments}}})
        return
    write_logs("json")
    serve_stdio(index)
