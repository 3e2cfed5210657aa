"""Published benchmarks → queries, documents and judgements, or all their texts for decontamination.

The files lie as published, plain or gzipped, in the benchmark's own folder or in a root that holds it. What
is absent is one sentence that says which file to put where. Nothing is fetched, nothing is ranked here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path

from procqa.config import LANGUAGES, require
from procqa.corpora import layouts
from procqa.corpora.benchmark_texts import BenchmarkText, read_benchmark_texts
from procqa.corpora.files import kind_of
from procqa.corpora.layouts import BEIR_FILES, COSQA_CODES, PUBLISHED, Row
from procqa.errors import BenchmarkError

__all__ = ["BenchmarkText", "Collection", "list_parts", "load_collection", "read_benchmark_texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a question besides its text.

    Args:
        tags: in their order.
        year: in which it was asked; None where unknown.
        score: of its votes; None where unknown.
    """

    tags: tuple[str, ...] = ()
    year: int | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What one task asks, what it searches in, and what is right.

    Args:
        name: the task, such as ``codenn:csharp``.
        language: of the documents; None where the data does not say.
        queries: text by id; every query has a relevant document.
        documents: text by id, in the published order. No id holds white space.
        qrels: grade by document id, by query id; above 0 is relevant. Document ids may be outside
            ``documents`` where a publisher judged what it does not ship.
        source: what the data is, for the report.
        licence: of the data.
        excludes_itself: a query is itself a document, of the same id, and is left out of its own ranking.
        measure: the metric by which its publisher ranks systems, a key of ``Result.metrics``.
        candidates: how many documents a query is ranked among in the publisher's other protocol, its own and those of
            its neighbours in the published order; 0 where there is none.
        groups: what a query shares with others, by query id: the task that programs solve, the problem. Such queries
            are not independent of each other, and intervals draw whole groups. One that is not named stands alone.
        facts: about queries, by id, where the data has them.
        document_languages: by document id, where a collection holds several languages.
    """

    name: str
    language: str | None
    queries: dict[str, str]
    documents: dict[str, str]
    qrels: dict[str, dict[str, int]]
    source: str
    licence: str
    excludes_itself: bool = False
    measure: str = "mrr@1000"
    candidates: int = 0
    groups: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    document_languages: Mapping[str, str] = field(default_factory=dict)


TASKS = ("cosqa", "conala", "codenn:LANG", "csn-cloze:LANG", "rosetta:A-B", "beir:PATH")


def load_collection(task: str, roots: Sequence[Path]) -> Collection:
    """The queries, documents and judgements of one task.

    Args:
        task: ``cosqa``, ``conala``, ``codenn:LANG``, ``csn-cloze:LANG``, ``rosetta:A-B`` or ``beir:PATH``, whose
            path is taken as it is or below a root.
        roots: where to look, in order: folders that hold ``cosqa/`` and so on, or such a folder itself.

    Raises:
        ConfigError: there is no such task, or it lacks its part.
        BenchmarkError: the data is absent, broken, or does not hold the part.
    """
    kind, part = _split_task(task)
    if kind == "beir":
        return _load_beir(task, part, roots)
    require(
        kind in ("cosqa", "conala") or part != "", f"task {kind} must name its part, such as {_example(kind)}, got none"
    )
    file = _find(kind, roots)
    if kind == "cosqa":
        collection = _load_cosqa(file)
    elif kind == "conala":
        collection = _to_collection("conala", list(layouts.read_conala(file)), file, equal_queries_share=True)
    else:
        rows = [row for row in _reader(kind)(file) if row.language in LANGUAGES]
        collection = (
            _load_rosetta(task, part, rows, file) if kind == "rosetta" else _load_language(task, part, rows, file)
        )
    if not collection.queries:
        raise BenchmarkError(f"{file} must hold a query with a right document for {task}, but holds none")
    return collection


def list_parts(task: str, roots: Sequence[Path]) -> list[str]:
    """The tasks that a task means: itself, or, where it lacks its part, every part that the data holds.

    ``rosetta`` means every ordered pair of two different languages: 110 with all eleven.

    Raises:
        ConfigError: there is no such task.
        BenchmarkError: the data is absent or broken.
    """
    kind, part = _split_task(task)
    if part or kind in ("cosqa", "conala"):
        return [task]
    held = {row.language for row in _reader(kind)(_find(kind, roots))}
    languages = [language for language in LANGUAGES if language in held]
    if kind == "rosetta":
        return [f"rosetta:{query}-{document}" for query, document in permutations(languages, 2)]
    return [f"{kind}:{language}" for language in languages]


def _split_task(task: str) -> tuple[str, str]:
    kind, colon, part = task.partition(":")
    known = kind in PUBLISHED or kind == "beir"
    require(known, f"a task must be one of {', '.join(TASKS)}, got {task!r}")
    require(not (part and kind in ("cosqa", "conala")), f"task {kind} has no parts, got {task!r}")
    require(bool(part) or not colon, f"task {kind} must name its part after the colon, got {task!r}")
    require(kind != "beir" or bool(part), f"task beir must name its folder, as in beir:PATH, got {task!r}")
    return kind, part


def _example(kind: str) -> str:
    return "rosetta:python-java" if kind == "rosetta" else f"{kind}:python"


def _reader(kind: str) -> Callable[[Path], Iterator[Row]]:
    return {"codenn": layouts.read_codenn, "csn-cloze": layouts.read_csn_cloze, "rosetta": layouts.read_rosetta}[kind]


def _find(kind: str, roots: Sequence[Path]) -> Path:
    """The main file of a benchmark: in its folder below a root, or in a root that is such a folder itself."""
    published = PUBLISHED[kind]
    for root in roots:
        file = _present(root / published.folder, published.file)
        if file is not None:
            return file
        file = _present(root, published.file)
        if file is not None and (layouts.recognise(file) or ("",))[0] == kind:
            return file
    where = " or ".join(str(root) for root in roots) or "a folder named by --data"
    raise BenchmarkError(
        f"{kind} needs {published.folder}/{published.file} below {where}: put the published file there"
    )


def _present(folder: Path, name: str) -> Path | None:
    """The file of a name, plain or gzipped, in a folder."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if kind_of(path) == "file"), None)


def _require_part(part: str, held: set[str], file: Path) -> None:
    if part not in held:
        raise BenchmarkError(
            f"{file} must hold {part!r}, but holds {', '.join(sorted(held)) or 'nothing'}: ask for those"
        )


def _load_language(task: str, part: str, rows: Sequence[Row], file: Path) -> Collection:
    _require_part(part, {row.language or "" for row in rows}, file)
    return _to_collection(task, [row for row in rows if row.language == part], file)


def _to_collection(task: str, rows: Sequence[Row], file: Path, *, equal_queries_share: bool = False) -> Collection:
    """A collection of rows that each hold a query and its document; both have the id of the row.

    Documents of the very same text are all relevant where one is: no ranking can tell them apart. Where equal
    queries share, all their documents are relevant too (CoNaLa; docs/paper.md#suite: several positives).
    """
    queries = _by_id(((row.id, row.query) for row in rows), file)
    documents = _by_id(((row.id, row.document) for row in rows), file)
    same_document, same_query = _same(documents), _same(queries)
    qrels = {}
    for query_id, query in queries.items():
        owners = same_query[query] if equal_queries_share else [query_id]
        qrels[query_id] = {twin: 1 for owner in owners for twin in same_document[documents[owner]]}
    published = PUBLISHED[task.partition(":")[0]]
    return Collection(
        name=task,
        language=rows[0].language if rows else None,
        queries=queries,
        documents=documents,
        qrels=qrels,
        source=published.source,
        licence=published.licence,
    )


def _by_id(texts: Iterable[tuple[str, str | None]], file: Path) -> dict[str, str]:
    """The texts of a file by id, in order.

    Raises:
        BenchmarkError: an id stands twice.
    """
    found: dict[str, str] = {}
    for name, text in texts:
        if name in found:
            raise BenchmarkError(
                f"{file} must hold every id once, but holds {name} twice: put the published file there"
            )
        found[name] = text or ""
    return found


def _same(texts: dict[str, str]) -> dict[str, list[str]]:
    """The ids of each text."""
    found: dict[str, list[str]] = {}
    for name, text in texts.items():
        found.setdefault(text, []).append(name)
    return found


def _load_cosqa(file: Path) -> Collection:
    """CoSQA: a query whose label is 0 has no right answer and is left out. Source: docs/paper.md#suite."""
    codes = _present(file.parent, COSQA_CODES)
    if codes is None:
        raise BenchmarkError(
            f"cosqa needs {file.parent / COSQA_CODES} beside {file.name}: put the published file there"
        )
    documents = _by_id(((row.id, row.document) for row in layouts.read_cosqa_codes(codes)), codes)
    rows = [row for row in layouts.read_cosqa_queries(file) if row.label == 1]
    for row in rows:
        if row.document_id not in documents:
            raise BenchmarkError(f"{file} must name codes of {codes.name}, but {row.id} names {row.document_id}")
    return Collection(
        name="cosqa",
        language="python",
        queries=_by_id(((row.id, row.query) for row in rows), file),
        documents=documents,
        qrels={row.id: {str(row.document_id): 1} for row in rows},
        source=PUBLISHED["cosqa"].source,
        licence=PUBLISHED["cosqa"].licence,
    )


def _load_rosetta(task: str, part: str, rows: Sequence[Row], file: Path) -> Collection:
    """Rosetta: a program asks for the programs of its task in another language, or the others in its own.

    A program whose task nobody else solved there is no query. Source: docs/paper.md#suite (as CodeNet's).
    """
    asking, dash, answering = part.partition("-")
    require(bool(dash and answering), f"task rosetta must name two languages, as in rosetta:python-java, got {task!r}")
    for language in (asking, answering):
        _require_part(language, {row.language or "" for row in rows}, file)
    documents = [row for row in rows if row.language == answering]
    solutions: dict[str | None, list[str]] = {}
    for row in documents:
        solutions.setdefault(row.group, []).append(row.id)
    qrels = {}
    for row in rows:
        relevant = {name: 1 for name in solutions.get(row.group, ()) if name != row.id}
        if row.language == asking and relevant:
            qrels[row.id] = relevant
    return Collection(
        name=task,
        language=answering,
        queries=_by_id(((row.id, row.document) for row in rows if row.language == asking and row.id in qrels), file),
        documents=_by_id(((row.id, row.document) for row in documents), file),
        qrels=qrels,
        source=PUBLISHED["rosetta"].source,
        licence=PUBLISHED["rosetta"].licence,
        excludes_itself=asking == answering,
        measure="map",
        groups={row.id: row.group for row in rows if row.id in qrels and row.group is not None},
    )


def _load_beir(task: str, path: str, roots: Sequence[Path]) -> Collection:
    """A BEIR folder: every judgement counts as published, and queries without one are left out."""
    folder = next(
        (place for place in (Path(path), *(root / path for root in roots)) if kind_of(place) == "folder"), Path(path)
    )
    corpus, asked, judged = (_present_beir(folder, name) for name in BEIR_FILES)
    documents = _by_id(((row.id, row.document) for row in layouts.read_beir_corpus(corpus)), corpus)
    texts = _by_id(((row.id, row.query) for row in layouts.read_beir_queries(asked)), asked)
    qrels: dict[str, dict[str, int]] = {}
    for judgement in layouts.read_beir_qrels(judged):
        if judgement.query_id not in texts:
            raise BenchmarkError(
                f"{judged}, line {judgement.line} must name a query of {asked.name}, got {judgement.query_id}"
            )
        qrels.setdefault(judgement.query_id, {})[judgement.document_id] = judgement.grade
    qrels = {query_id: grades for query_id, grades in qrels.items() if max(grades.values()) > 0}
    return Collection(
        name=task,
        language=None,
        queries={query_id: texts[query_id] for query_id in texts if query_id in qrels},
        documents=documents,
        qrels=qrels,
        source=f"BEIR folder {folder.resolve().name}, split test",
        licence="as its publisher states",
    )


def _present_beir(folder: Path, name: str) -> Path:
    file = _present(folder / Path(name).parent, Path(name).name)
    if file is None:
        raise BenchmarkError(
            f"a BEIR folder needs {folder / name}: put corpus.jsonl, queries.jsonl and qrels/test.tsv there"
        )
    return file
