"""Scores of rankers on tasks, written to results/quality-SHA12.jsonl, from which the README's table is made.

Each line is what ``procqa evaluate --json`` prints, with the commit and the machine. Without --data the
whole way is gone on Python's own standard library, and the lines go to results/library-SHA12.jsonl: a
corpus of its documented functions held out by file, a static encoder trained on it, and its scores beside
those of words and of both together.
"""

import json
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.results import RESULTS, describe_commit, write_lines
from procqa.config import EvaluateConfig, train_config
from procqa.dataset.corpus import CorpusRequest, build_corpus
from procqa.demo import SKIPPED_IN_LIBRARY
from procqa.encoder.training import train
from procqa.evaluation.evaluate import evaluate
from procqa.evaluation.results import to_json

NAME, LIBRARY = "quality", "library"
LIBRARY_NAME = "Python's library"


def measure_quality(
    rankers: Sequence[str], tasks: Sequence[str], roots: Sequence[Path], config: EvaluateConfig
) -> list[dict[str, Any]]:
    """The results of every ranker on every task as JSON objects."""
    return [to_json(result) for result in evaluate(rankers, tasks, roots, config)]


def measure_library(source: Path, scratch: Path, *, steps: int) -> list[dict[str, Any]]:
    """Words, a static encoder and both together on the documented functions of a folder."""
    dataset, encoder = scratch / "stdlib", scratch / "static"
    request = CorpusRequest(
        source=source, out=dataset, languages=("python",), skip_folders=SKIPPED_IN_LIBRARY, licence="PSF-2.0"
    )
    build_corpus(request)
    train([dataset], encoder, train_config("static", {"steps": steps}))
    rankers = ["bm25", str(encoder), f"hybrid:{encoder}"]
    lines = measure_quality(rankers, ["procqa:python"], [dataset], EvaluateConfig())
    # A folder that is gone afterwards names nothing.
    named = [json.loads(json.dumps(line).replace(str(encoder), encoder.name)) for line in lines]
    return [line | {"task": f"{line['task']} ({LIBRARY_NAME})"} for line in named]


@click.command(help=__doc__)
@click.argument("rankers", nargs=-1, metavar="[RANKER]...")
@click.option("--task", "tasks", multiple=True, help="may be repeated")
@click.option("--data", "roots", multiple=True, type=click.Path(path_type=Path), help="may be repeated")
@click.option("--source", type=click.Path(path_type=Path), help="folder of Python code [default: standard library]")
@click.option("--steps", type=int, default=150, show_default=True, help="training steps, without --data")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="folder of the results")
def main(
    rankers: tuple[str, ...],
    tasks: tuple[str, ...],
    roots: tuple[Path, ...],
    source: Path | None,
    steps: int,
    out: Path,
) -> None:
    if bool(rankers) != bool(roots) or bool(rankers) != bool(tasks):
        raise click.UsageError("rankers, --task and --data go together: give all of them or none")
    commit = describe_commit()
    if roots:
        lines = measure_quality(rankers, tasks, roots, EvaluateConfig())
    else:
        with tempfile.TemporaryDirectory() as folder:
            library = source or Path(sysconfig.get_path("stdlib"))
            lines = measure_library(library, Path(folder), steps=steps)
    print(write_lines(NAME if roots else LIBRARY, lines, out, commit=commit).read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
