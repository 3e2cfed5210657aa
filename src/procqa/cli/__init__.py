"""The command line: one file a stage, each a thin skin over a library call.

Data goes to standard output, progress and logs to standard error. This file holds the table of commands
and the one place where an error becomes a sentence and an exit status.
"""

import errno
import importlib
import io
import os
import sys
from typing import Any

import click

from procqa import __version__
from procqa.errors import ConfigError, ProcqaError, QueryError, ToldElsewhere

COMMANDS = {
    "build": "make a dataset from Stack Exchange dumps",
    "corpus": "make a dataset from CodeSearchNet files, source code, or the paper's released files",
    "export": "write a dataset in the paper's layout, BEIR's, or as JSON lines",
    "train": "train an encoder on datasets",
    "mine": "find hard negatives of a dataset, and the rank of each answer",
    "encode": "print the vectors of lines of text",
    "evaluate": "measure rankers on retrieval tasks",
    "index": "make datasets searchable",
    "search": "answer a query from an index",
    "serve": "serve an index over HTTP, with a page",
    "mcp": "answer an agent from an index",
    "study": "run one of the studies: a claim of the paper, or an open question, as an experiment",
    "report": "show what studies found on one page",
    "verify": "check a folder against its manifest, down to the dump",
    "show": "look into any folder procqa made",
    "doctor": "say what is installed and works",
    "demo": "go the whole way on the bundled sample",
    "completion": "print what a shell needs to complete commands",
}
"""Every command with its one-line help; ``procqa.cli.NAME`` holds its ``command``."""


class StageGroup(click.Group):
    """The procqa command: loads a stage only when it is called, and words its errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The commands in the order of the flow."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the one stage that is asked for."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"procqa.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing their stages."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:  # Any: click's own signature
        """Run a command; what is wrong becomes one sentence and an exit status."""
        if sys.stdout is None:
            _say("standard output must be open: point it to a file, or to /dev/null")
            ctx.exit(2)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # as standard error does with what it cannot show
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except ToldElsewhere:
            ctx.exit(1)
        except ProcqaError as error:
            _say(str(error))
            ctx.exit(2 if isinstance(error, (ConfigError, QueryError)) else 1)
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "procqa"
            _say(f"{error.format_message().rstrip('.')}; see {where} --help")
            ctx.exit(2)
        except OSError as error:
            _forget_unwritten_output()
            what = "the reader of standard output closed it" if error.errno == errno.EPIPE else error.strerror
            place = f": {error.filename}" if error.filename else ""
            _say(f"not everything could be written or read: {what or error}{place}")
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("procqa: interrupted; it is safe to give the same command again", err=True)
            ctx.exit(130)


def _say(sentence: str) -> None:
    """Say what is wrong on one line, with no power over the terminal: names in it may be a stranger's."""
    from procqa.text import one_line

    click.echo(f"procqa: {one_line(sentence)}", err=True)


def _forget_unwritten_output() -> None:
    """Where standard output takes no more, point it nowhere: Python flushes once more when it exits."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@click.group(cls=StageGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="procqa")
def main() -> None:
    """Programming questions and answers: dump → dataset → encoder → scores → index → answer."""
