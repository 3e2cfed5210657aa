"""``procqa completion``: what a shell needs to complete the commands and options of procqa."""

import click
from click.shell_completion import get_completion_class

from procqa.cli.common import json_option, print_json

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
def command(shell: str, as_json: bool) -> None:
    """Print the completion of SHELL; put eval "$(procqa completion bash)" in its start-up file."""
    from procqa.cli import main

    completion = get_completion_class(shell)
    assert completion is not None
    script = completion(main, {}, "procqa", "_PROCQA_COMPLETE").source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
