"""CoSQA, CoNaLa, PACS, CODE-NN and the paper's released files: a question asks for the code or text that answers it."""

from collections.abc import Sequence
from pathlib import Path

from procqa.config import LANGUAGES
from procqa.corpora import release
from procqa.corpora.collection import Collection, Texts, Wanted, by_id, ids_of_equal, is_of, present, require_held
from procqa.corpora.layouts import questions
from procqa.corpora.layouts.released import read_released
from procqa.corpora.layouts.rows import Reader, Row
from procqa.errors import BenchmarkError


def load_cosqa(wanted: Wanted) -> Collection:
    """CoSQA: a query whose label is 0 has no right answer and is left out. Source: docs/paper.md#suite."""
    file, codes = wanted.find(*wanted.family.files)
    documents = by_id(((row.id, row.document) for row in questions.read_cosqa_codes(codes)), codes)
    rows = [row for row in questions.read_cosqa_queries(file) if row.label == 1]
    for row in rows:
        if row.document_id not in documents:
            raise BenchmarkError(f"{file} must name codes of {codes.name}, but {row.id} names {row.document_id}")
    queries = by_id(((row.id, row.query) for row in rows), file)
    texts = Texts(queries, documents, {row.id: {str(row.document_id): 1} for row in rows})
    return wanted.collect([file, codes], texts, language="python")


def load_conala(wanted: Wanted) -> Collection:
    """CoNaLa's test file: equal intents share their snippets. Source: docs/paper.md#suite (several positives)."""
    (file,) = wanted.find(*wanted.family.files)
    texts = pair_up(list(questions.read_conala(file)), file, equal_queries_share=True)
    return wanted.collect([file], texts, language="python")


def load_pacs(wanted: Wanted) -> Collection:
    """A collection of PACS: equal queries are one, which every snippet of theirs answers.

    The variants named ``concat`` search description and code, with a blank between them, as the paper's authors do.

    Source: nokia/codesearch: codesearch/data.py; authors' code: eval_codesearch_so-ds_concat.py and its like.
    """
    asked, searched = wanted.find(*wanted.family.files)
    snippets = list(questions.read_snippets(searched))
    with_description = wanted.family.name.endswith("-concat")
    documents = by_id(((row.id, _described(row) if with_description else row.document) for row in snippets), searched)
    relevant: dict[str, dict[str, int]] = {}
    for row in questions.read_queries(asked):
        unknown = [name for name in row.relevant if name not in documents]
        if unknown or not row.relevant:
            raise BenchmarkError(
                f"{asked} must name snippets of {searched.name} as 'relevant_ids' of each query, but query {row.id} "
                f"names {unknown[0] if unknown else 'none'}"
            )
        relevant.setdefault(row.query or "", {}).update(dict.fromkeys(row.relevant, 1))
    queries = {str(number): query for number, query in enumerate(relevant, start=1)}
    texts = Texts(queries, documents, {name: relevant[query] for name, query in queries.items()})
    return wanted.collect([asked, searched], texts, language="python")


def _described(row: Row) -> str:
    return " ".join([*(text for kind, text in row.others if kind == "description"), row.document or ""])


def load_codenn(wanted: Wanted) -> Collection:
    """CODE-NN's test titles and code of one language, from JSON lines or from its own files."""
    lines = _codenn_lines(wanted)
    if lines is not None:
        return load_language(wanted, lines, questions.read_codenn)
    own = _codenn_own(wanted.part)
    folder = wanted.folder(own, is_right=questions.is_raw_codenn)
    if folder is None:
        raise wanted.absent(*wanted.family.files, own)
    (file,) = wanted.find(own, is_right=questions.is_raw_codenn)
    texts = pair_up(list(questions.read_raw_codenn(file)), file)
    return wanted.collect([file], texts, language=wanted.part)


def codenn_parts(wanted: Wanted) -> list[str]:
    """The languages that CODE-NN is at hand for."""
    lines = _codenn_lines(wanted)
    if lines is not None:
        return languages_in(lines, questions.read_codenn)
    found = [
        language
        for language in CODENN_LANGUAGES
        if wanted.folder(_codenn_own(language), is_right=questions.is_raw_codenn) is not None
    ]
    if not found:
        raise wanted.absent(*wanted.family.files, _codenn_own("LANG"))
    return found


CODENN_LANGUAGES = ("csharp", "python", "sql")
"""Source: sriniiyer/codenn: data/stackoverflow."""


def _codenn_lines(wanted: Wanted) -> Path | None:
    name = wanted.family.files[0]
    folder = wanted.folder(name, is_right=is_of("codenn"))
    return None if folder is None else present(folder, name)


def _codenn_own(language: str) -> str:
    return f"{language}/test.txt"


def load_language(wanted: Wanted, file: Path, read: Reader) -> Collection:
    """The rows of one language of a file that holds several, each with its query and its document."""
    rows = [row for row in read(file) if row.language in LANGUAGES]
    require_held(wanted.part, (row.language or "" for row in rows), file)
    texts = pair_up([row for row in rows if row.language == wanted.part], file)
    return wanted.collect([file], texts, language=wanted.part)


def languages_in(file: Path, read: Reader) -> list[str]:
    """Which of our languages a file has rows of."""
    held = {row.language for row in read(file)}
    return [language for language in LANGUAGES if language in held]


def pair_up(rows: Sequence[Row], file: Path, *, equal_queries_share: bool = False) -> Texts:
    """The texts of rows that each hold a query and its document; both have the id of the row.

    Documents of the very same text are all relevant where one is: no ranking can tell them apart. Where equal
    queries share, all their documents are relevant too (CoNaLa; docs/paper.md#suite: several positives).
    """
    queries = by_id(((row.id, row.query) for row in rows), file)
    documents = by_id(((row.id, row.document) for row in rows), file)
    same_document, same_query = ids_of_equal(documents), ids_of_equal(queries)
    qrels = {}
    for query_id, query in queries.items():
        owners = same_query[query] if equal_queries_share else [query_id]
        qrels[query_id] = {twin: 1 for owner in owners for twin in same_document[documents[owner]]}
    return Texts(queries, documents, qrels)


def load_released(wanted: Wanted) -> Collection:
    """A file of the paper's release: questions of its last tenth, over the answers of all its lines.

    Source: docs/paper.md#benchmark-protocol; the authors' dummy document, which nothing asks for, is left out.
    """
    (file,) = wanted.find(release.release_name(wanted.part))
    with_body = wanted.family.name != "procqa-title"
    documents: dict[str, str] = {}
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    for released in read_released(file):
        pair = released.pair
        documents.setdefault(str(pair.answer_id), pair.answer)
        if released.partition == "test":
            queries[str(pair.question_id)] = f"{pair.title}\n{pair.question}" if with_body else pair.title
            qrels[str(pair.question_id)] = {str(pair.answer_id): 1}
    files = release.release_inputs(file, [wanted.part])
    texts = Texts(queries, documents, qrels)
    return wanted.collect(files, texts, language=wanted.part, source=RELEASED, licence=release.UNKNOWN_LICENCE)


def released_parts(wanted: Wanted) -> list[str]:
    """The languages whose released file is at hand; none where there is none."""
    return [language for language in LANGUAGES if wanted.folder(release.release_name(language)) is not None]


RELEASED = "the paper's released file, split by the position of the line"
"""Source: docs/paper.md#split."""
