"""The whole way on what is at hand: the bundled sample and Python's own library, in a few minutes.

Dataset from the sample, a corpus from the standard library held out by file, a real training run on both,
scores before and after, an index, three questions answered. Every step is the library call that its
command makes, so a second run finds each folder complete and ends in seconds.
"""

import shlex
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from procqa.bundled import sample_dump
from procqa.config import BuildConfig, EvaluateConfig, RunConfig, SearchConfig, TrainConfig, train_config
from procqa.corpora.source_tree import TEST_FOLDERS
from procqa.dataset.build import build_dataset
from procqa.dataset.corpus import CorpusRequest, build_corpus
from procqa.dataset.request import BuildRequest
from procqa.encoder.model import open_encoder
from procqa.encoder.reading import open_reader
from procqa.encoder.training import train
from procqa.evaluation.evaluate import evaluate
from procqa.evaluation.results import Result
from procqa.evaluation.validate import open_scorer
from procqa.index.build import build_index
from procqa.search.searcher import Searcher, SearchResult

QUESTIONS = (
    ("how do I remove duplicates from a list but keep the order", "python"),
    ("error: cannot borrow as mutable because it is also borrowed as immutable", None),
    ("most common elements and their counts", "python"),
)
"""What the demo asks: a question, an error message, and what a function of the library does."""

STEPS = 300
"""Steps of the demo's training run: enough to move the scores, few enough for two cores."""

SKIPPED_IN_LIBRARY = (*sorted(TEST_FOLDERS), "idlelib", "lib2to3", "ensurepip", "turtledemo", "pydoc_data")
"""Folders of the standard library that hold tests, applications or generated text."""

LIBRARY_AUTHOR, LIBRARY_LICENCE = "Python Software Foundation", "PSF-2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A finished step of the demo: the command that does the same, and what came of it."""

    title: str
    command: str
    summary: str = ""
    results: tuple[Result, ...] = ()
    answers: tuple[SearchResult, ...] = ()


Report = Callable[[str, int], None]


def run_demo(folder: Path, report: Report) -> Iterator[Step]:
    """Every step of the demo as it is finished; all results lie below one folder.

    Raises:
        MissingExtra: an extra of ``procqa[all]`` is not installed.
        ArtifactError: the folder cannot be written.
    """
    dataset, library = folder / "dataset", folder / "stdlib"
    before, after, index = folder / "encoder-before", folder / "encoder", folder / "index"
    yield _build(dataset, report)
    yield _corpus(library, report)
    config = train_config("static", {"steps": STEPS})
    yield _train([dataset, library], before, replace(config, steps=0), report)
    yield _train([dataset, library], after, config, report)
    yield _evaluate([dataset, library], before, after, report)
    yield _index([dataset, library], index, after, report)
    yield _search(index)
    yield Step(title="Ask on, in the browser", command=_command("serve", index))


def _command(*words: object) -> str:
    """A command line that a shell takes as it stands."""
    return shlex.join(["procqa", *map(str, words)])


def _each(option: str, values: Iterable[object]) -> Iterator[object]:
    for value in values:
        yield from (option, value)


def _build(out: Path, report: Report) -> Step:
    dump = sample_dump()
    request = BuildRequest(dumps=(str(dump),), out=out, config=BuildConfig(site="local"), run=RunConfig(jobs=1))
    summary = build_dataset(request, report)
    dropped = sum(summary["dropped"].values())
    return Step(
        title="A dataset from the bundled sample dump",
        command=_command("build", dump, "--site", "local", "--out", out),
        summary=f"{summary['rows']} rows: {summary['kept']} pairs in {len(summary['languages'])} languages,"
        f" {dropped} questions dropped and {summary['unreadable']} rows unreadable, each with its reason",
    )


def _corpus(out: Path, report: Report) -> Step:
    source = Path(sysconfig.get_path("stdlib"))
    request = CorpusRequest(
        source=source,
        out=out,
        languages=("python",),
        skip_folders=SKIPPED_IN_LIBRARY,
        author=LIBRARY_AUTHOR,
        licence=LIBRARY_LICENCE,
    )
    summary = build_corpus(request, report)
    splits = summary["languages"]["python"]
    skipped = ",".join(SKIPPED_IN_LIBRARY)
    options = ["--languages", "python", "--skip-folders", skipped, "--author", LIBRARY_AUTHOR]
    options += ["--licence", LIBRARY_LICENCE]
    return Step(
        title="A corpus of documented functions from Python's standard library",
        command=_command("corpus", source, *options, "--out", out),
        summary=f"{summary['kept']:,} functions with docstrings, held out by file: {splits['train']:,} to train on,"
        f" {splits['validation']:,} to validate, {splits['test']:,} to test",
    )


def _train(datasets: list[Path], out: Path, config: TrainConfig, report: Report) -> Step:
    scorer = open_scorer(datasets, seed=config.seed, languages=config.languages)
    summary = train(
        datasets, out, config, scorer=scorer, report=lambda progress: report("training step", progress.step)
    )
    what = "An encoder before training: random vectors" if config.steps == 0 else "The encoder, trained"
    return Step(
        title=f"{what}, on {len(datasets)} datasets" if config.steps else what,
        command=_command("train", *datasets, "--preset", "static", "--steps", config.steps, "--out", out),
        summary=f"{summary.pairs_seen:,} pairs in {summary.seconds:.0f} s",
    )


def _evaluate(datasets: list[Path], before: Path, after: Path, report: Report) -> Step:
    rankers = ["bm25", str(before), str(after), f"hybrid:{after}"]
    tasks = ["procqa:python", "procqa-title:python"]
    results = evaluate(rankers, tasks, datasets, EvaluateConfig(), report=report)
    return Step(
        title="Scores on what training never saw: questions and docstrings against all answers and functions",
        command=_command("evaluate", *rankers, *_each("--task", tasks), *_each("--data", datasets)),
        results=tuple(results),
    )


def _index(datasets: list[Path], out: Path, encoder: Path, report: Report) -> Step:
    opened = open_encoder(str(encoder))
    reader = open_reader(encoder, max_tokens=opened.max_tokens)
    summary = build_index(datasets, out, encoder=opened, encoder_folder=encoder, read_part=reader, report=report)
    return Step(
        title="An index of both",
        command=_command("index", *datasets, "--encoder", encoder, "--out", out),
        summary=f"{summary.documents:,} documents",
    )


def _search(index: Path) -> Step:
    searcher = Searcher.open(index)
    try:
        answers = [searcher.search(query, SearchConfig(k=1, language=language)) for query, language in QUESTIONS]
    finally:
        searcher.close()
    query, language = QUESTIONS[0]
    return Step(
        title="Three questions, answered with author and licence",
        command=_command("search", index, query, "--language", language, "-k", 1),
        answers=tuple(answers),
    )
