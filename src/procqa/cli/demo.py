"""``procqa demo``: the whole way on the bundled sample, in a few minutes."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from procqa.cli.common import json_option, print_json, progress

if TYPE_CHECKING:
    from procqa.demo import Step


@click.command()
@click.option(
    "--out", default="demo-output", show_default=True, type=click.Path(path_type=Path), help="where all of it goes"
)
@json_option
def command(out: Path, as_json: bool) -> None:
    """Go the whole way: dump → dataset → encoder → scores → index → answers, from what is bundled."""
    from procqa.demo import run_demo
    from procqa.evaluation.results import to_json
    from procqa.search.forms import result_json

    started = time.monotonic()
    steps = []
    with progress() as report:
        for step in run_demo(out, report):
            steps.append(step)
            if not as_json:
                _print_step(len(steps), step, time.monotonic() - started)
    if as_json:
        print_json(
            {
                "out": str(out),
                "seconds": round(time.monotonic() - started, 3),
                "steps": [{"command": step.command, "summary": step.summary} for step in steps],
                "results": [to_json(result) for step in steps for result in step.results],
                "answers": [result_json(answer) for step in steps for answer in step.answers],
            }
        )


def _print_step(number: int, step: "Step", seconds: float) -> None:
    """Print what a step did, the command that does the same, and what came of it."""
    from rich.console import Console
    from rich.text import Text

    from procqa.cli.evaluate import print_results
    from procqa.cli.search import print_result

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"\n{number}. {step.title}", style="bold"), Text(f"({seconds:.0f} s)", style="dim"))
    console.print(Text(f"   $ {step.command}", style="cyan"))
    if step.summary:
        console.print(Text(f"   {step.summary}"))
    if step.results:
        print_results(step.results)
    for answer in step.answers:
        console.print(Text(f"\n   “{answer.query}”", style="bold"))
        print_result(answer)
