"""Code corpus → dataset: documented functions in the same format as question–answer pairs.

The functions of one file stay in one split, or follow the partition that their publisher gave.
Source: ours, docs/decisions/0008.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from procqa import artifact
from procqa.artifact import Manifest, digest_input
from procqa.config import LANGUAGES
from procqa.corpora import codesearchnet, source_tree
from procqa.corpora.benchmarks import read_benchmark_texts
from procqa.corpora.records import CorpusPair, SkippedFile
from procqa.corpora.sources import digest_source
from procqa.dataset.build import Report, count_languages, no_report, write_json
from procqa.dataset.card import NOTICE, write_card
from procqa.dataset.decontaminate import KeptTexts, Leak, LeakFinder, TextCounts, keep_texts
from procqa.dataset.funnel import Tally
from procqa.dataset.runs import OrderedPair, PartStats, plan_parts, write_part, write_run
from procqa.dataset.split import group_cuts, group_order
from procqa.errors import ArtifactError
from procqa.pairs.languages import parse_languages
from procqa.pairs.rules import CONTAMINATED
from procqa.records import Dropped
from procqa.workers import peak_memory_bytes

RUN_PAIRS = 5_000
"""Functions sorted at once, which bounds memory. Source: ours, docs/decisions/0003."""

REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusRequest:
    """What to read, and where to put the dataset; see ``BuildRequest``.

    Args:
        skip_folders: names of folders of source code to pass over, beside ``SKIPPED_FOLDERS``.
        author: who wrote source code; None means its folder's name.
        licence: the terms of source code; None means what its folder's licence file says.
    """

    source: Path
    out: Path
    languages: tuple[str, ...] = LANGUAGES
    skip_folders: tuple[str, ...] = ()
    author: str | None = None
    licence: str | None = None
    benchmarks: tuple[Path, ...] = ()
    force: bool = False


@dataclass(slots=True)
class _Sifted:
    """What became of the functions of a corpus."""

    tally: Tally = field(default_factory=Tally)
    skipped: Counter[str] = field(default_factory=Counter)
    leaks: list[dict[str, Any]] = field(default_factory=list)


def build_corpus(request: CorpusRequest, report: Report = no_report) -> dict[str, Any]:
    """Make a dataset from CodeSearchNet files or a folder of source code, or find it made already.

    Returns:
        The object of ``procqa corpus --json``.

    Raises:
        ConfigError: an unknown language.
        ArtifactError: the source holds no documented function, or ``out`` is taken or cannot be written.
        MissingExtra: source code needs the extra ``code``.
    """
    parse_languages(request.languages)
    artifact.refuse_overlap(request.out, [request.source])
    recipe = {
        "languages": list(request.languages),
        "skip_folders": list(request.skip_folders),
        "author": request.author,
        "licence": request.licence,
    }
    source = digest_source(request.source, request.languages, request.skip_folders)
    inputs = [source, *map(digest_input, request.benchmarks)]
    complete = artifact.find_complete(request.out, kind="dataset", recipe=recipe, inputs=inputs, force=request.force)
    if complete is not None:
        return _summary(request.out, complete, artifact.last_logged(request.out, "cost"))
    started = time.monotonic()
    with artifact.workspace(request.out, kind="dataset", recipe=recipe, inputs=inputs) as work:
        kept = work.scratch / "benchmarks.jsonl"
        texts = keep_texts(kept, (text for path in request.benchmarks for text in read_benchmark_texts(path)))
        finder = LeakFinder(KeptTexts(kept))
        sifted = _Sifted()
        runs: list[Path] = []
        for pairs in _chunks(_sift(request, finder, sifted)):
            runs.append(work.scratch / f"{len(runs):06d}.arrow")
            write_run(runs[-1], pairs)
            report("functions", sifted.tally.kept.total())
        if not runs:
            raise ArtifactError(
                f"{request.source} must hold documented functions in {', '.join(request.languages)}, but none was kept"
            )
        stats = [write_part(part) for part in plan_parts(work.path, runs, group_cuts)]
        counts = _counts(sifted, stats)
        _describe(work.path, request, sifted, counts, stats)
        checked = [asdict(entry) for entry in inputs[1:]]
        _write_leakage(work.path, texts, sifted, checked)
        work.finish(counts, data_folder="data")
        cost = {"seconds": round(time.monotonic() - started, 3), "peak_memory_bytes": peak_memory_bytes()}
        work.log.append({"cost": cost})
    return _summary(request.out, artifact.load_manifest(request.out, kind="dataset"), cost)


def read_source(request: CorpusRequest, on_skip: Callable[[SkippedFile], object]) -> Iterator[CorpusPair | Dropped]:
    """The functions of a source, in the order of its files."""
    if codesearchnet.holds_functions(request.source):
        return codesearchnet.read_pairs(request.source, request.languages)
    return source_tree.read_pairs(
        request.source,
        request.languages,
        skip_folders=source_tree.SKIPPED_FOLDERS | set(request.skip_folders),
        author=request.author,
        licence=request.licence,
        on_skip=on_skip,
    )


def _sift(request: CorpusRequest, finder: LeakFinder, sifted: _Sifted) -> Iterator[OrderedPair]:
    """The functions that are kept; every other one is counted."""
    seen: set[int] = set()

    def skip(file: SkippedFile) -> None:
        sifted.skipped[file.reason] += 1

    for entry in read_source(request, skip):
        sifted.tally.rows += 1
        sifted.tally.questions += 1
        if isinstance(entry, Dropped):
            sifted.tally.drop(entry.reason, entry.language)
            continue
        pair = entry.pair
        leak = finder.find(pair.title, pair.question, pair.answer)
        if pair.question_id in seen:
            sifted.tally.drop(REPEATED, pair.language)
        elif leak is not None:
            sifted.tally.drop(CONTAMINATED, pair.language)
            sifted.leaks.append(_leak(entry, leak))
        else:
            seen.add(pair.question_id)
            sifted.tally.kept[pair.language] += 1
            yield OrderedPair(pair, group_order(entry.group, entry.partition), 0)


def _leak(entry: CorpusPair, leak: Leak) -> dict[str, Any]:
    pair = entry.pair
    return {"site": pair.site, "question_id": pair.question_id, "language": pair.language, **asdict(leak)}


def _chunks(pairs: Iterator[OrderedPair]) -> Iterator[list[OrderedPair]]:
    chunk: list[OrderedPair] = []
    for pair in pairs:
        chunk.append(pair)
        if len(chunk) == RUN_PAIRS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _counts(sifted: _Sifted, stats: list[PartStats]) -> dict[str, Any]:
    return {
        "rows": sifted.tally.rows,
        "kept": sifted.tally.kept.total(),
        "dropped": sifted.tally.dropped_by_reason,
        "skipped_files": dict(sorted(sifted.skipped.items())),
        "languages": count_languages(stats),
        "dump_date": None,
    }


def _describe(
    folder: Path, request: CorpusRequest, sifted: _Sifted, counts: dict[str, Any], stats: list[PartStats]
) -> None:
    """Write the card, the NOTICE and the funnel."""
    name = request.source.resolve().name
    card = write_card(f"Documented functions of {name}", stats, counts, "Functions with their docstrings.")
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "NOTICE").write_text(NOTICE, encoding="utf-8")
    write_json(folder / "funnel.json", {**sifted.tally.to_dict(), "skipped_files": counts["skipped_files"]})


def _write_leakage(folder: Path, texts: TextCounts, sifted: _Sifted, checked: list[dict[str, Any]]) -> None:
    """Write leakage.json, as a build does."""
    sifted.leaks.sort(key=lambda leak: (leak["site"], leak["question_id"]))
    write_json(
        folder / "leakage.json",
        {
            "checked_against": checked,
            "texts_looked_for": texts.used,
            "texts_too_short": texts.skipped,
            "removed": sifted.leaks,
        },
    )


def _summary(out: Path, manifest: Manifest, cost: dict[str, Any] | None) -> dict[str, Any]:
    return {
        **manifest.counts,
        "sha256": manifest.sha256,
        "seconds": (cost or {}).get("seconds"),
        "peak_memory_bytes": (cost or {}).get("peak_memory_bytes"),
        "out": str(out),
    }
