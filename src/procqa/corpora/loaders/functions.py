"""CodeSearchNet, AdvTest, the cloze test and CDCS: a sentence asks for the function that it describes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from procqa.corpora.codesearchnet import Text
from procqa.corpora.collection import Collection, Texts, Wanted, by_id, is_of
from procqa.corpora.comments import on_one_line, strip_block_comments
from procqa.corpora.docstrings import strip_python_docstring
from procqa.corpora.files import kind_of, plain_name, walk_files
from procqa.corpora.layouts.functions import read_cdcs, read_csn_cloze, read_functions
from procqa.corpora.layouts.rows import Row
from procqa.corpora.loaders.questions import languages_in, load_language
from procqa.errors import BenchmarkError

CDCS_NAMES = {"sql": "SQL.txt", "solidity": "Solidity.txt"}
"""Source: fewshotcdcs/CDCS: dataset/test."""


def load_codesearchnet(wanted: Wanted) -> Collection:
    """GraphCodeBERT's filtered CodeSearchNet: functions of the same url as the query's are right.

    Source: microsoft/CodeBERT: UniXcoder/downstream-tasks/code-search/run.py.
    """
    asked, searched = wanted.find(*(name.format(part=wanted.part) for name in wanted.family.files))
    text = _text_of(wanted)
    documents: dict[str, str] = {}
    of_url: dict[str, dict[str, int]] = {}
    for name, row in _tell_apart(read_functions(searched, text)):
        documents[name] = _document(row, wanted.part, text)
        of_url.setdefault(row.id, {})[name] = 1
    queries, qrels = {}, {}
    for name, row in _tell_apart(read_functions(asked, text)):
        if row.id not in of_url:
            raise BenchmarkError(f"{asked} must ask for functions of {searched.name}, but {row.id} is not among them")
        if row.query is not None:
            queries[name], qrels[name] = row.query, of_url[row.id]
    return wanted.collect([asked, searched], Texts(queries, documents, qrels), language=wanted.part)


def codesearchnet_parts(wanted: Wanted) -> list[str]:
    """The languages whose filtered files are at hand."""
    names = [name for name in wanted.family.parts if wanted.folder(wanted.family.files[0].format(part=name))]
    if not names:
        raise wanted.absent(wanted.family.files[0].format(part="LANG"))
    return names


def load_whole_codesearchnet(wanted: Wanted) -> Collection:
    """CodeSearchNet's own test partition: every function is searched, and asked for where it has a docstring."""
    files = _test_files(wanted, wanted.part)
    if not files:
        raise wanted.absent(f"{_test_folder(wanted.part)}/{wanted.part}_test_0.jsonl.gz")
    text = _text_of(wanted)
    rows = (row for file in files for row in read_functions(file, text))
    return wanted.collect(files, _each_its_own(rows, wanted.part, text), language=wanted.part)


def whole_codesearchnet_parts(wanted: Wanted) -> list[str]:
    """The languages whose test partition is at hand."""
    names = [name for name in wanted.family.parts if _test_files(wanted, name)]
    if not names:
        raise wanted.absent(f"{_test_folder('LANG')}/LANG_test_0.jsonl.gz")
    return names


def _test_folder(language: str) -> str:
    """Source: github/CodeSearchNet: resources/README.md."""
    return f"{language}/final/jsonl/test"


def _test_files(wanted: Wanted, language: str) -> list[Path]:
    """The files of a language's test partition, in the order of their numbers."""
    for root in wanted.roots:
        for place in (root / wanted.family.folder, root):
            folder = place / _test_folder(language)
            found = walk_files(folder, BenchmarkError) if kind_of(folder) == "folder" else []
            files = [path for path in found if plain_name(path).endswith(".jsonl")]
            if files:
                return sorted(files, key=lambda path: (len(plain_name(path)), path.name))
    return []


def load_advtest(wanted: Wanted) -> Collection:
    """AdvTest: every test function is searched and asked for; its own is right.

    Source: microsoft/CodeXGLUE: Text-Code/NL-code-search-Adv/evaluator/evaluator.py.
    """
    (file,) = wanted.find(*wanted.family.files, is_right=is_of("advtest"))
    text = _text_of(wanted)
    return wanted.collect([file], _each_its_own(read_functions(file, text), "python", text), language="python")


def load_csn_cloze(wanted: Wanted) -> Collection:
    """The functions of one language in CodeSearchNet's cloze test."""
    (file,) = wanted.find(*wanted.family.files, is_right=is_of("csn-cloze"))
    return load_language(wanted, file, read_csn_cloze)


def csn_cloze_parts(wanted: Wanted) -> list[str]:
    """The languages of the cloze test."""
    (file,) = wanted.find(*wanted.family.files, is_right=is_of("csn-cloze"))
    return languages_in(file, read_csn_cloze)


def load_cdcs(wanted: Wanted) -> Collection:
    """CDCS's test set of one language: all its code is searched by each query.

    The publisher takes ``/* … */`` and runs of white space out of the code; the variant named ``raw`` does not, as
    the paper's authors, so that a Solidity contract holds the comment that asks for it.

    Source: fewshotcdcs/CDCS: dataset/test/format_test.py; authors' code: eval_codesearch_solidity.py.
    """
    (file,) = wanted.find(CDCS_NAMES[wanted.part])
    rows = list(read_cdcs(file))
    as_published = wanted.family.name.endswith("-raw")
    documents = {
        row.id: code if as_published else on_one_line(strip_block_comments(code))
        for row in rows
        if (code := row.document) is not None
    }
    queries = by_id(((row.id, row.query) for row in rows), file)
    return wanted.collect(
        [file], Texts(queries, documents, {row.id: {row.id: 1} for row in rows}), language=wanted.part
    )


def cdcs_parts(wanted: Wanted) -> list[str]:
    """The languages of CDCS that are at hand."""
    names = [name for name in wanted.family.parts if wanted.folder(CDCS_NAMES[name]) is not None]
    if not names:
        raise wanted.absent(*CDCS_NAMES.values())
    return names


def _text_of(wanted: Wanted) -> Text:
    return "tokens" if wanted.family.name.endswith("-tokens") else "raw"


def _document(row: Row, language: str, text: Text) -> str:
    code = row.document or ""
    return strip_python_docstring(code) if language == "python" and text == "raw" else code


def _each_its_own(rows: Iterable[Row], language: str, text: Text) -> Texts:
    """Rows of which each is searched and, where it has a query, asked for; its own document is right."""
    texts = Texts({}, {}, {})
    for name, row in _tell_apart(rows):
        texts.documents[name] = _document(row, language, text)
        if row.query is not None:
            texts.queries[name] = row.query
            texts.qrels[name] = {name: 1}
    return texts


def _tell_apart(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Rows with an id each: their own, numbered from its second place on, as two functions on one line share a url."""
    seen: dict[str, int] = {}
    for row in rows:
        seen[row.id] = seen.get(row.id, 0) + 1
        yield (row.id if seen[row.id] == 1 else f"{row.id}~{seen[row.id]}"), row
