"""``procqa completion``: what a shell needs to complete the commands and options of procqa."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion of SHELL; put eval "$(procqa completion bash)" in its start-up file."""
    from procqa.cli import main

    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(main, {}, "procqa", "_PROCQA_COMPLETE").source())
