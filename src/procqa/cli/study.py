"""``procqa study``: one of the project's studies → results, plots and a page."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from procqa.cli.common import force_option, json_option, print_json, progress, table_console

if TYPE_CHECKING:
    from procqa.studies.results import Found

CHOICES = ("e1", "e2", "e3", "q1", "q2", "q3", "c1", "c2", "c3", "recipe")


@click.command()
@click.argument("name", type=click.Choice(CHOICES))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="the folder of results, plots and page")
@click.option(
    "--scale",
    type=click.Choice(["smoke", "cpu", "gpu"]),
    default="cpu",
    help="smoke shows that it runs, cpu fits two cores, gpu has the paper's numbers [default: cpu]",
)
@click.option(
    "--programming",
    type=click.Path(path_type=Path),
    help="questions in text with answers in text and code: a dump or a dataset [default at scale smoke: the sample]",
)
@click.option(
    "--mixed",
    type=click.Path(path_type=Path),
    help="questions that hold text and code, likewise [default at scale smoke: the sample]",
)
@click.option(
    "--functions",
    type=click.Path(path_type=Path),
    help="functions with their documentation: CodeSearchNet's layout, or a dataset",
)
@click.option("--benchmarks", type=click.Path(path_type=Path), help="a folder with a folder for each benchmark")
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    help="keep datasets, encoders and scores here, for this study and others [default: OUT.work]",
)
@click.option(
    "--base",
    "bases",
    multiple=True,
    help="train and measure on this base alone, and stop before the results; may be repeated",
)
@force_option
@json_option
def command(
    name: str,
    out: Path,
    scale: Literal["smoke", "cpu", "gpu"],
    programming: Path | None,
    mixed: Path | None,
    functions: Path | None,
    benchmarks: Path | None,
    work: Path | None,
    bases: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Run a study: its arms on every base and seed, compared as its statement says before there is a number.

    q1 and c1 are answered by e2.

    A run that was interrupted goes on where it stopped; what is there of datasets, encoders and scores is kept.
    """
    from procqa.studies import NAMES, STUDIES
    from procqa.studies.materials import Sources
    from procqa.studies.study import StudyRequest, run_study

    request = StudyRequest(
        study=STUDIES[NAMES[name]],
        scale=scale,
        sources=Sources(programming=programming, mixed=mixed, functions=functions, benchmarks=benchmarks),
        out=out,
        work=work,
        bases=bases,
        force=force,
    )
    with progress() as report:
        found = run_study(request, report)
    if as_json:
        verdicts = [] if found is None else [_verdict(one) for one in found.verdicts]
        print_json({"study": NAMES[name], "scale": scale, "verdicts": verdicts, "out": str(out) if found else None})
    elif found is None:
        console = table_console()
        console.print(f"the runs of {', '.join(bases)} are made; the results need all bases: leave out --base for them")
    else:
        _print(found, out)


def _verdict(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("claim", "sentence", "verdict")}


def _print(found: "Found", out: Path) -> None:
    """Print each claim with its verdict, and what it rests on."""
    from rich.markup import escape
    from rich.table import Table

    from procqa.studies.report.words import p_value

    table = Table("claim", "verdict", title=escape(f"{found.study['title']} ({found.study['scale']}) in {out}"))
    for verdict in found.verdicts:
        table.add_row(verdict["sentence"], verdict["verdict"])
    console = table_console()
    console.print(table)
    rests = Table("difference", "base", "mean", "95 % interval", "p (Holm)", "shown in 4 of 5", "outcome")
    for one in found.contrasts:
        low, high = (f"{end:+.3f}" if end is not None else "?" for end in one["ci95"])
        smallest = "?" if one["smallest"] is None else f"{one['smallest']:.3f}"
        name = one["contrast"] if one["decides"] else f"({one['contrast']})"
        rests.add_row(
            name,
            one["base"],
            f"{one['delta']:+.3f}",
            f"{low} to {high}",
            p_value(one["p_holm"]),
            smallest,
            one["outcome"],
        )
    console.print(rests)
    console.print(f"{found.cpu_hours:.1f} hours of processor time; in brackets what no verdict rests on", style="dim")
