"""``procqa train``: datasets → encoder."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import config_options, force_option, json_option, print_json, to_config
from procqa.config import TRAIN_PRESETS, TrainConfig, train_config

if TYPE_CHECKING:
    from rich.table import Table

    from procqa.encoder.log import Progress
    from procqa.encoder.summary import TrainSummary
    from procqa.encoder.validation import Validation

LANGUAGES_SHOWN = 3
"""Languages named on a line of progress; the others share a number."""


@click.command()
@click.argument("datasets", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATASET...")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="the encoder's folder")
@click.option(
    "--preset",
    type=click.Choice(list(TRAIN_PRESETS)),
    default="macp",
    help="the recipe; static, tiny and minilm are macp on that base, with numbers of their own [default: macp]",
)
@click.option(
    "--validate",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DATASET",
    help="also validate on the validation split of this dataset; may be repeated",
)
@config_options(TrainConfig, leave_out=("preset",))
@force_option
@json_option
def command(
    datasets: tuple[Path, ...],
    out: Path,
    preset: str,
    validate: tuple[Path, ...],
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train an encoder on the train splits of datasets; a run that was interrupted goes on where it stopped."""
    config = to_config(TrainConfig, options, partial(train_config, preset))
    from procqa.encoder.ranks import is_first
    from procqa.encoder.training import train
    from procqa.evaluation.validate import open_scorer

    if not is_first():  # another process of the run shows and prints the same
        train(datasets, out, config, force=force)
        return
    with _progress(config.rows_at_once) as report:
        scorer = open_scorer(datasets, seed=config.seed, languages=config.languages, also=validate)
        summary = train(datasets, out, config, force=force, scorer=scorer, report=report)
    if as_json:
        print_json(dataclasses.asdict(summary))
    else:
        _print(summary)


@contextmanager
def _progress(rows_at_once: int | None) -> "Iterator[Callable[[Progress], None]]":
    """A function that shows each logged step on standard error: one line rewritten, or one line a tenth.

    Args:
        rows_at_once: what was asked for; where memory is too small for it, a line says what came of it.
    """
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("reading the datasets") as status:
        tenth = 0

        def report(progress: "Progress") -> None:
            nonlocal tenth, rows_at_once
            if progress.rows_at_once != rows_at_once:
                rows_at_once = progress.rows_at_once
                console.print(
                    f"memory is short: {rows_at_once:,} texts are encoded at a time from here on, with the same loss",
                    highlight=False,
                )
            text = (
                f"step {progress.step:,}/{progress.steps:,}  loss {progress.loss:.3f}  "
                f"{progress.pairs_per_s:,.0f} pairs/s  {top_shares(progress.languages)}  "
                f"{_duration(progress.seconds_left)} left"
            )
            status.update(text)
            reached = 10 * progress.step // progress.steps
            if not console.is_terminal and reached > tenth:
                tenth = reached
                console.print(text, highlight=False)

        yield report


def top_shares(shares: dict[str, float]) -> str:
    """The largest shares, and those of all others together: ``python 41 %, go 22 %, others 37 %``."""
    shown = dict(list(shares.items())[:LANGUAGES_SHOWN])
    if len(shares) > len(shown):
        shown["others"] = sum(shares.values()) - sum(shown.values())
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shown.items())


def _duration(seconds: float) -> str:
    """Seconds as people read them: ``1 h 02 min``, ``3 min 20 s``, ``7 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _print(summary: "TrainSummary") -> None:
    """Print what the run saw, by stream."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        "stream", "pairs", "batches", "pairs seen", title=escape(f"{summary.preset} on {summary.base} in {summary.out}")
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for name, stream in summary.streams.items():
        table.add_row(name, *(f"{stream[key]:,}" for key in ("pairs", "batches", "pairs_seen")))
    console = Console()
    console.print(table)
    for pair_type, reasons in summary.left_out.items():
        for reason, count in reasons.items():
            if count:
                console.print(f"  left out of {pair_type}: {count:,} ({reason})", highlight=False)
    if summary.validation is not None:
        console.print(_validation_table(summary.validation))
    loss = "" if summary.loss is None else f"loss {summary.loss:.3f}, "
    console.print(
        f"{summary.steps:,} steps, {summary.pairs_seen:,} pairs and {summary.tokens_seen:,} tokens seen, {loss}"
        f"{_duration(summary.seconds)}, sha256 {summary.sha256[:12]}",
        highlight=False,
        style="dim",
    )


def _validation_table(validation: "Validation") -> "Table":
    """The scores on held-out pairs."""
    from rich.table import Table

    weight = validation["fusion_weight"]
    table = Table("MRR on validation", "queries", "documents", "bm25", "encoder", f"both ({weight:g})")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, scores in validation["sets"].items():
        counts = (f"{scores['queries']:,}", f"{scores['documents']:,}")
        table.add_row(name, *counts, *(f"{scores[part]:.3f}" for part in ("bm25", "dense", "hybrid")))
    return table
