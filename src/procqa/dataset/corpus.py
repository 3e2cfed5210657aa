"""Corpus → dataset: functions, queries with code, or the paper's files, in the same format as the pairs of a dump.

The functions of one file stay in one split, or follow the partition that their publisher gave, as queries do; the
lines of a released file follow the paper's contiguous cut. Source: ours, docs/decisions/0008, 0013 and 0021.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from procqa import artifact
from procqa.artifact import Workspace, digest_input
from procqa.config import LANGUAGES, require
from procqa.corpora import codesearchnet, query_pairs, release, source_tree
from procqa.corpora.benchmarks import read_benchmark_texts
from procqa.corpora.records import CorpusPair, SkippedFile
from procqa.corpora.release import REPEATED, ReleasedPair
from procqa.corpora.sources import digest_source
from procqa.dataset.card import CardFacts, draw_pictures, write_card
from procqa.dataset.croissant import CroissantFacts, write_croissant
from procqa.dataset.decontaminate import KeptTexts, Leak, LeakFinder, keep_texts
from procqa.dataset.describe import count_languages, write_json
from procqa.dataset.funnel import Tally
from procqa.dataset.hub import Kind
from procqa.dataset.leakage import certificate, write_leakage
from procqa.dataset.proof import proof_lines, prove_splits, write_proof
from procqa.dataset.request import Report, no_report
from procqa.dataset.runs import LanguageRows, OrderedPair, plan_parts, sort_run, write_part, write_run
from procqa.dataset.schema import SPLITS
from procqa.dataset.split import assign_splits, cut_by, group_cuts, group_order
from procqa.dataset.statistics import PartStats, merge_stats
from procqa.errors import ArtifactError
from procqa.journal import last_logged
from procqa.manifest import Input, Manifest, load_manifest
from procqa.pairs.languages import parse_languages
from procqa.pairs.rules import CONTAMINATED
from procqa.records import Dropped
from procqa.workers import peak_memory_bytes

SEARCHED_AT_ONCE = 64
"""Pairs in which texts of benchmarks are looked for in one call."""

RUN_PAIRS = 5_000
"""Pairs sorted at once, which bounds memory. Source: ours, docs/decisions/0003."""

Entry = TypeVar("Entry")

_LINE_BITS = 40
RELEASED_SOURCES = "Questions with their accepted answers, as the paper released them."
RELEASED_SPLITS = (
    "cut as the paper cuts each file: the first 80 % of its lines, the next 10 %, the last 10 %; an export of procqa"
    " keeps the splits of its dataset"
)
FUNCTION_SOURCES = "Functions with their documentation, from source code."
QUERY_SOURCES = "Queries with the code that answers them, as CoSQA or CoNaLa published them."

SourceKind = Literal["released", "queries", "functions", "code"]
"""What a source is: the paper's files, CoSQA's or CoNaLa's, CodeSearchNet's, or a folder of source code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusRequest:
    """What to read, and where to put the dataset; see ``BuildRequest``.

    Args:
        skip_folders: names of folders of source code to pass over, beside ``SKIPPED_FOLDERS``.
        author: who wrote source code; None means its folder's name.
        licence: the terms of source code; None means what its folder's licence file says.
        text: of CodeSearchNet's rows: the docstring and code as published, or their published tokens joined.
    """

    source: Path
    out: Path
    languages: tuple[str, ...] = LANGUAGES
    skip_folders: tuple[str, ...] = ()
    author: str | None = None
    licence: str | None = None
    text: codesearchnet.Text = "raw"
    benchmarks: tuple[Path, ...] = ()
    force: bool = False


@dataclass(slots=True)
class _Sifted:
    """What became of the pairs of a corpus, and the sites of those kept."""

    tally: Tally = field(default_factory=Tally)
    skipped: Counter[str] = field(default_factory=Counter)
    leaks: list[dict[str, Any]] = field(default_factory=list)
    sites: set[str] = field(default_factory=set)


def build_corpus(request: CorpusRequest, report: Report = no_report) -> dict[str, Any]:
    """Make a dataset of published functions, queries or questions, or of source code, or find it made already.

    Returns:
        The object of ``procqa corpus --json``.

    Raises:
        ConfigError: an unknown language, or tokens are asked of a source that has none.
        DumpError: a file cannot be read.
        BenchmarkError: a file of CoSQA or CoNaLa is not in its published layout.
        ArtifactError: the source holds no pair, or ``out`` is taken or cannot be written.
        MissingExtra: source code needs the extra ``code``.
    """
    parse_languages(request.languages)
    artifact.refuse_overlap(request.out, [request.source, *request.benchmarks])
    require(
        request.text == "raw" or source_kind(request.source) == "functions",
        f"text {request.text} needs CodeSearchNet's rows with docstring_tokens and code_tokens, and"
        f" {request.source} is none of these: leave it out",
    )
    recipe = {
        "languages": list(request.languages),
        "skip_folders": list(request.skip_folders),
        "author": request.author,
        "licence": request.licence,
        "text": request.text,
    }
    source = digest_source(request.source, request.languages, request.skip_folders)
    inputs = [source, *map(digest_input, request.benchmarks)]
    complete = artifact.find_complete(request.out, kind="dataset", recipe=recipe, inputs=inputs, force=request.force)
    if complete is not None:
        return _summary(request.out, complete, last_logged(request.out, "cost"))
    started = time.monotonic()
    with artifact.workspace(request.out, kind="dataset", recipe=recipe, inputs=inputs) as work:
        counts = _construct(request, work, report, inputs[1:], recipe)
        work.finish(counts)
        cost = {"seconds": round(time.monotonic() - started, 3), "peak_memory_bytes": peak_memory_bytes()}
        work.log.append({"cost": cost})
    return _summary(request.out, load_manifest(request.out, kind="dataset"), cost)


def _construct(
    request: CorpusRequest,
    work: Workspace,
    report: Report,
    checked: list[Input],
    recipe: dict[str, Any],
) -> dict[str, Any]:
    """All of the folder but its manifest; returns the counts."""
    kept = work.scratch / "benchmarks.jsonl"
    texts = keep_texts(kept, (text for path in request.benchmarks for text in read_benchmark_texts(path)))
    sifted = _Sifted()
    runs: list[Path] = []
    for pairs in _chunks(_sift(request, LeakFinder(KeptTexts(kept)), sifted), RUN_PAIRS):
        runs.append(work.scratch / f"{len(runs):06d}.arrow")
        write_run(runs[-1], [pairs[place] for place in sort_run(pairs)])
        report("pairs", sifted.tally.kept.total())
    if not runs:
        raise ArtifactError(
            f"{request.source} must hold documented functions, queries with code, or released files of the paper, in"
            f" {', '.join(request.languages)}, but no pair was kept"
        )
    kind = source_kind(request.source)
    assign_splits(runs, _cut_by_line if kind == "released" else cut_by(group_cuts))
    stats = tuple(write_part(part).stats for part in plan_parts(work.path, runs))
    counts = {"kind": "questions" if kind in ("released", "queries") else "functions", **_counts(sifted, stats)}
    write_json(work.path / "funnel.json", {**sifted.tally.to_dict(), "skipped_files": counts["skipped_files"]})
    leakage = write_leakage(work.path / "leakage.json", checked, texts, sifted.leaks)
    _describe(work.path, request, sifted, recipe, stats, tuple(certificate(leakage)))
    return counts


def _describe(
    folder: Path,
    request: CorpusRequest,
    sifted: _Sifted,
    recipe: dict[str, Any],
    stats: tuple[PartStats, ...],
    leakage: tuple[str, ...],
) -> None:
    """Write the card, the proof of the splits, and Croissant."""
    kind = source_kind(request.source)
    what, sources, of_card = _DESCRIBED[kind]
    facts = CardFacts(
        title=f"{what} of {request.source.resolve().name}",
        sources=sources,
        kind=of_card,
        stats=stats,
        tally=sifted.tally,
        recipe=recipe,
        split_proofs=(RELEASED_SPLITS,) if kind == "released" else _prove(folder),
        leakage=leakage,
    )
    draw_pictures(folder, sifted.tally, stats)
    write_card(folder, facts)
    licences = [name for name, _ in merge_stats(stats).licences]
    write_croissant(folder, CroissantFacts(facts.title, sources, licences, tuple(sorted(sifted.sites))))


_DESCRIBED: dict[SourceKind, tuple[str, str, Kind]] = {
    "released": ("Question–answer pairs", RELEASED_SOURCES, "questions"),
    "queries": ("Queries with code", QUERY_SOURCES, "queries"),
    "functions": ("Documented functions", FUNCTION_SOURCES, "functions"),
    "code": ("Documented functions", FUNCTION_SOURCES, "functions"),
}
"""What the card says of a source: its title, where it comes from, and what its rows are."""


def source_kind(source: Path) -> SourceKind:
    """What a source is, by the names of its files and the first row of its first file of JSON lines.

    Raises:
        DumpError: it cannot be read.
    """
    if release.release_files(source):
        return "released"
    if query_pairs.query_files(source):
        return "queries"
    return "functions" if codesearchnet.holds_functions(source) else "code"


def _cut_by_line(rows: LanguageRows) -> NDArray[np.uint8]:
    """The split that stands in the order of each row of a released file."""
    return (rows.keys["order"] >> _LINE_BITS).astype(np.uint8)


def _prove(folder: Path) -> tuple[str, ...]:
    """Write the proof that no function stands in two splits; returns it in sentences."""
    proof = prove_splits(folder, split="file")
    write_proof(folder, proof)
    return proof_lines(proof)


def read_source(
    request: CorpusRequest, on_skip: Callable[[SkippedFile], object]
) -> Iterator[CorpusPair | ReleasedPair | Dropped]:
    """The pairs of a source, in the order of its files; what is no pair, or comes again, with the reason."""
    kind = source_kind(request.source)
    if kind == "released":
        for language, path in release.release_files(request.source).items():
            if language not in request.languages:
                on_skip(SkippedFile(path=path.name, reason=release.OTHER_LANGUAGE))
        return release.read_pairs(request.source, request.languages)
    if kind == "queries":
        return _drop_repeated(query_pairs.read_pairs(request.source, request.languages))
    if kind == "functions":
        return _drop_repeated(
            codesearchnet.read_pairs(request.source, request.languages, text=request.text, on_skip=on_skip)
        )
    functions = source_tree.read_pairs(
        request.source,
        request.languages,
        skip_folders=source_tree.SKIPPED_FOLDERS | set(request.skip_folders),
        author=request.author,
        licence=request.licence,
        on_skip=on_skip,
    )
    return _drop_repeated(functions)


def _drop_repeated(entries: Iterable[CorpusPair | Dropped]) -> Iterator[CorpusPair | Dropped]:
    """Let a pair that comes again, with the same ids, pass once."""
    seen: set[tuple[int, int]] = set()
    for entry in entries:
        if isinstance(entry, CorpusPair) and (entry.pair.question_id, entry.pair.answer_id) in seen:
            pair = entry.pair
            yield Dropped(site=pair.site, question_id=pair.question_id, language=pair.language, reason=REPEATED)
            continue
        if isinstance(entry, CorpusPair):
            seen.add((entry.pair.question_id, entry.pair.answer_id))
        yield entry


def _sift(request: CorpusRequest, finder: LeakFinder, sifted: _Sifted) -> Iterator[OrderedPair]:
    """The pairs that are kept; every other one is counted."""

    def skip(file: SkippedFile) -> None:
        sifted.skipped[file.reason] += 1

    for entries in _chunks(read_source(request, skip), SEARCHED_AT_ONCE):
        pairs = [entry.pair for entry in entries if not isinstance(entry, Dropped)]
        leaks = iter(finder.find_all([(pair.title, pair.question, pair.answer) for pair in pairs]))
        for entry in entries:
            sifted.tally.rows += 1
            sifted.tally.questions += 1
            if isinstance(entry, Dropped):
                sifted.tally.drop(entry.reason, entry.language)
                continue
            pair, leak = entry.pair, next(leaks)
            if leak is not None:
                sifted.tally.drop(CONTAMINATED, pair.language)
                sifted.leaks.append(_leak(entry, leak))
            else:
                sifted.tally.kept[pair.language] += 1
                sifted.sites.add(pair.site)
                yield OrderedPair(pair, _order(entry), 0)


def _order(entry: CorpusPair | ReleasedPair) -> int:
    """What sorts a pair within its language: its split and line, or its file."""
    if isinstance(entry, ReleasedPair):
        return SPLITS.index(entry.partition) << _LINE_BITS | entry.line
    return group_order(entry.group, entry.partition)


def _leak(entry: CorpusPair | ReleasedPair, leak: Leak) -> dict[str, Any]:
    pair = entry.pair
    return {"site": pair.site, "question_id": pair.question_id, "language": pair.language, **asdict(leak)}


def _chunks(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    while chunk := list(islice(entries, size)):
        yield chunk


def _counts(sifted: _Sifted, stats: Sequence[PartStats]) -> dict[str, Any]:
    return {
        "rows": sifted.tally.rows,
        "kept": sifted.tally.kept.total(),
        "dropped": sifted.tally.dropped_by_reason,
        "skipped_files": dict(sorted(sifted.skipped.items())),
        "languages": count_languages(stats),
        "dump_date": None,
    }


def _summary(out: Path, manifest: Manifest, cost: dict[str, Any] | None) -> dict[str, Any]:
    return {
        **manifest.counts,
        "sha256": manifest.sha256,
        "seconds": (cost or {}).get("seconds"),
        "peak_memory_bytes": (cost or {}).get("peak_memory_bytes"),
        "out": str(out),
    }
