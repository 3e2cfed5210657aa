"""CodeSearchNet's files, with invented functions."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.corpora.codesearchnet import holds_functions, name_in, read_pairs
from procqa.corpora.records import CorpusPair
from procqa.errors import DumpError
from procqa.records import Dropped

REAL = Path(__file__).parents[3] / "shared" / "data" / "corpora" / "codesearchnet-style"

PYTHON = {
    "repo": "ann/sums",
    "path": "sums/core.py",
    "func_name": "Sums.total",
    "original_string": "",
    "language": "python",
    "code": 'def total(self, tax):\n    """Add the tax to the sum."""\n    return self.sum + tax',
    "code_tokens": [],
    "docstring": "Add the tax to the sum.",
    "docstring_tokens": [],
    "sha": "0",
    "url": "https://code.example/ann/sums/blob/0/sums/core.py#L1-L3",
    "partition": "valid",
}


def write(path: Path, rows: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def entries_of(tmp_path: Path, *rows: object, **options: object) -> list[CorpusPair | Dropped]:
    write(tmp_path / "python" / "final" / "jsonl" / "test" / "python_test_0.jsonl.gz", list(rows))
    return list(read_pairs(tmp_path, **options))


def test_a_row_becomes_a_pair_without_the_docstring_in_its_code(tmp_path):
    (entry,) = entries_of(tmp_path, PYTHON)
    assert (entry.group, entry.partition) == ("ann/sums/sums/core.py", "validation")
    pair = entry.pair
    assert pair.title == "Sums.total"
    assert pair.question == "Add the tax to the sum."
    assert pair.answer == "def total(self, tax):\n    return self.sum + tax"
    assert (pair.language, pair.site, pair.tags) == ("python", "code.example", ())
    assert pair.question_author == pair.answer_author == "ann/sums"
    assert pair.question_author_url == pair.answer_author_url == "https://code.example/ann/sums"
    assert pair.question_url == pair.answer_url == PYTHON["url"]
    assert pair.question_licence == pair.answer_licence == "licence of ann/sums"
    assert pair.question_id == pair.answer_id > 0
    assert (pair.question_created_ms, pair.answer_created_ms, pair.view_count) == (None, None, None)


def test_a_row_that_is_not_from_the_web_is_local_and_keeps_its_own_licence(tmp_path):
    (entry,) = entries_of(tmp_path, {**PYTHON, "url": "sums/core.py#total", "license": "MIT", "partition": "train"})
    pair = entry.pair
    assert (pair.site, pair.question_url, pair.answer_url, pair.answer_author_url) == ("local", None, None, None)
    assert (pair.question_licence, entry.partition) == ("MIT", "train")


def test_a_row_without_a_partition_has_that_of_its_folder(tmp_path):
    row = {name: value for name, value in PYTHON.items() if name != "partition"}
    assert [entry.partition for entry in entries_of(tmp_path, row)] == ["test"]
    write(tmp_path / "named" / "python_valid_0.jsonl.gz", [row])
    assert [entry.partition for entry in read_pairs(tmp_path / "named")] == ["validation"]
    write(tmp_path / "flat" / "rows.jsonl", [row])
    assert [entry.partition for entry in read_pairs(tmp_path / "flat")] == [None]
    assert [entry.partition for entry in read_pairs(tmp_path / "flat" / "rows.jsonl")] == [None]


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ("{broken", "unreadable row", "python/final/jsonl/test/python_test_0.jsonl.gz, line 1: no JSON"),
        ("[1]", "unreadable row", "python/final/jsonl/test/python_test_0.jsonl.gz, line 1: no JSON object"),
        ({**PYTHON, "repo": None}, "unreadable row", "python/final/jsonl/test/python_test_0.jsonl.gz, line 1: no repo"),
        (
            {**PYTHON, "code": 7},
            "unreadable row",
            "python/final/jsonl/test/python_test_0.jsonl.gz, line 1: code is no text",
        ),
        ({**PYTHON, "language": "cobol"}, "no wanted language", "ann/sums/sums/core.py Sums.total"),
        ({**PYTHON, "docstring": " "}, "no docstring", "ann/sums/sums/core.py Sums.total"),
        ({**PYTHON, "docstring": None}, "no docstring", "ann/sums/sums/core.py Sums.total"),
        ({**PYTHON, "docstring": "Add  it. "}, "docstring too short", "ann/sums/sums/core.py Sums.total"),
        ({**PYTHON, "code": " \n"}, "no code", "ann/sums/sums/core.py Sums.total"),
        ({**PYTHON, "code": "def f():\n    'Only this.'"}, "no code", "ann/sums/sums/core.py Sums.total"),
    ],
)
def test_a_row_that_is_no_pair_is_dropped_with_its_reason(tmp_path, row, reason, detail):
    (entry,) = entries_of(tmp_path, row)
    assert isinstance(entry, Dropped)
    assert (entry.reason, entry.detail) == (reason, detail)


def test_only_the_wanted_languages_are_kept_under_their_own_names(tmp_path):
    rows = [{**PYTHON, "language": name, "code": "int f() { return 1; }"} for name in ("C++", "c#", "Go", "js")]
    entries = entries_of(tmp_path, *rows, languages=["cpp", "javascript"])
    assert [entry.pair.language for entry in entries if isinstance(entry, CorpusPair)] == ["cpp", "javascript"]
    assert [(entry.reason, entry.language) for entry in entries if isinstance(entry, Dropped)] == [
        ("no wanted language", None),
        ("no wanted language", None),
    ]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("template <class T>\ninline void Basket::add(T x) {}", "add"),
        ("var Centroid = function (a) {}", "Centroid"),
        ("    touch: function (a) {}", "touch"),
        ("export function getText(node) {}", "getText"),
        ("const f = async (x) => g(x)", "f"),
        ("A &operator+=(int n) {}", "operator+="),
        ("x", ""),
    ],
)
def test_a_name_is_read_from_the_code(code, name):
    assert name_in(code) == name


def test_a_row_without_a_name_is_titled_by_its_code_or_its_file(tmp_path):
    rows = [
        {**PYTHON, "language": "cpp", "func_name": None, "code": code} for code in ("int twice(int n) {}", "{ x; }")
    ]
    assert [entry.pair.title for entry in entries_of(tmp_path, *rows)] == ["twice", "core"]


TOKENS = {
    **PYTHON,
    "code_tokens": ["def", "total", "(", "self", ",", "tax", ")", ":", "return", "self", ".", "sum", "+", "tax"],
    "docstring_tokens": ["Add", "the", "tax", "to", "the", "sum", "."],
}


def test_tokens_are_joined_by_blanks_under_the_same_id_and_name(tmp_path):
    (raw,) = entries_of(tmp_path, TOKENS)
    (entry,) = entries_of(tmp_path, TOKENS, text="tokens")
    assert entry.pair.question == "Add the tax to the sum ."
    assert entry.pair.answer == "def total ( self , tax ) : return self . sum + tax"
    assert (entry.pair.question_id, entry.pair.title) == (raw.pair.question_id, "Sums.total")
    (joined,) = entries_of(tmp_path, {**TOKENS, "code_tokens": "def total ( self )"}, text="tokens")
    assert joined.pair.answer == "def total ( self )"


@pytest.mark.parametrize("tokens", [[], None, [1], {"a": 1}, "  "])
def test_a_row_without_tokens_is_dropped_where_they_are_asked_for(tmp_path, tokens):
    for name in ("code_tokens", "docstring_tokens"):
        (entry,) = entries_of(tmp_path, {**TOKENS, name: tokens}, text="tokens")
        assert entry.reason == "no tokens"


def test_the_filtered_layout_gives_its_three_splits_and_no_candidate(tmp_path):
    row = {name: value for name, value in PYTHON.items() if name != "partition"}
    rows = [{**row, "func_name": name} for name in "abcd"]
    for name, of_split in (("train", rows[:1]), ("valid", rows[1:2]), ("test", rows[2:3]), ("codebase", rows[1:])):
        write(tmp_path / "python" / f"{name}.jsonl", of_split)
    skipped = []
    entries = list(read_pairs(tmp_path, on_skip=skipped.append))
    assert {entry.pair.title: entry.partition for entry in entries} == {"a": "train", "b": "validation", "c": "test"}
    assert [(file.path, file.reason) for file in skipped] == [
        ("python/codebase.jsonl", "candidates to search in, no pairs")
    ]
    assert len(list(read_pairs(tmp_path / "python" / "codebase.jsonl"))) == 3


def test_ids_do_not_depend_on_order_or_files(tmp_path):
    rows = [{**PYTHON, "func_name": name} for name in "abc"]
    write(tmp_path / "one" / "x.jsonl", rows)
    write(tmp_path / "two" / "y.jsonl.gz", rows[:0:-1])
    write(tmp_path / "two" / "a" / "z.jsonl", rows[:1])
    one, two = ({e.pair.title: e.pair.answer_id for e in read_pairs(tmp_path / name)} for name in ("one", "two"))
    assert one == two
    assert len(set(one.values())) == 3


def test_a_folder_without_rows_is_one_sentence(tmp_path):
    with pytest.raises(DumpError, match=r"must hold \*\.jsonl or \*\.jsonl\.gz files of functions, but holds none"):
        read_pairs(tmp_path)
    with pytest.raises(DumpError, match="is not there"):
        read_pairs(tmp_path / "absent")


def test_a_truncated_file_is_an_error_with_its_name(tmp_path):
    write(tmp_path / "a.jsonl.gz", [PYTHON] * 10)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DumpError, match=r"a\.jsonl\.gz must be readable to its end"):
        list(read_pairs(tmp_path))


def test_a_folder_of_functions_is_told_from_any_other(tmp_path):
    assert not holds_functions(tmp_path)
    write(tmp_path / "logs" / "a.jsonl", [{"step": 1}])
    assert not holds_functions(tmp_path)
    write(tmp_path / "go" / "a.jsonl.gz", [PYTHON])
    assert holds_functions(tmp_path)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"repo": st.text(max_size=3), "path": st.just("p"), "language": st.sampled_from(["python", "go", "x"])},
            optional={"code": st.none() | st.text() | st.integers(), "docstring": st.none() | st.text()},
        )
    )
)
def test_every_row_is_a_pair_or_dropped(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    write(path, rows)
    entries = list(read_pairs(path))
    assert len(entries) == len(rows)
    for entry in entries:
        if isinstance(entry, CorpusPair):
            assert entry.pair.answer.encode()
            assert len(entry.pair.question) >= 10


@pytest.mark.skipif(not REAL.is_dir(), reason="the code corpora are not on this machine")
def test_the_lisp_corpus_gives_every_row():
    entries = list(read_pairs(REAL / "lisp"))
    assert Counter(type(entry) for entry in entries) == {CorpusPair: 2_315}
    assert len({entry.pair.answer_id for entry in entries}) == 2_315
    assert {entry.partition for entry in entries} == {"train"}
    assert {entry.pair.answer_licence for entry in entries} == {
        "BSD/MIT/PD-like (see Debian copyright)",
        "public domain/BSD",
    }
