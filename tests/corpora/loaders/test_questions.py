"""PACS, CODE-NN's own files and the paper's released files in their layouts, with invented content."""

from pathlib import Path

import pytest

from procqa.corpora.benchmarks import list_parts, load_collection
from procqa.errors import BenchmarkError, ConfigError
from tests.corpora.published import released, write_lines, write_text

SNIPPETS = [
    {"id": "11-0", "code": "plt.plot(x)", "description": "Plot a line", "language": "python"},
    {"id": "11-1", "code": "ax.plot(x)", "description": "Plot a line", "language": "python"},
    {"id": "12", "code": "sorted(a)", "description": "Sort", "language": "python"},
]
QUERIES = [
    {"query": "draw a curve", "relevant_ids": ["11-0"]},
    {"query": "order", "relevant_ids": ["12"]},
    {"query": "draw a curve", "relevant_ids": ["11-1"]},
]
FILES = {
    "so-ds": ("so-ds-feb20.jsonl", "so-ds-feb20-test.jsonl.gz"),
    "staqc": ("staqc-py-cleaned.jsonl.gz", "staqc-py-test-raw.jsonl"),
    "conala-pacs": ("conala-curated-snippets.jsonl", "conala-test-curated-0.5.jsonl"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for snippets, queries in FILES.values():
        write_lines(tmp_path / "pacs" / snippets, SNIPPETS)
        write_lines(tmp_path / "pacs" / queries, QUERIES)
    write_text(tmp_path / "codenn" / "csharp" / "test.txt", "12\t34\tHow to print\tint a;\\nprint(a);\t0\n")
    write_text(tmp_path / "codenn" / "sql" / "test.txt", "5\t6\tall names\tselect name from a\t0.5\n")
    write_lines(tmp_path / "procqa" / "qa.en.c++.json", [released(number) for number in range(10)])
    write_lines(tmp_path / "procqa" / "qa.en.go.json", [released(number) for number in range(20)])
    return tmp_path


@pytest.mark.parametrize("task", FILES)
def test_a_collection_of_pacs_has_equal_queries_once_with_all_their_snippets(root, task):
    pacs = load_collection(task, [root])
    assert pacs.queries == {"1": "draw a curve", "2": "order"}
    assert pacs.documents == {"11-0": "plt.plot(x)", "11-1": "ax.plot(x)", "12": "sorted(a)"}
    assert pacs.qrels == {"1": {"11-0": 1, "11-1": 1}, "2": {"12": 1}}
    assert (pacs.name, pacs.language, pacs.measure) == (task, "python", "mrr@1000")


@pytest.mark.parametrize("task", FILES)
def test_a_concat_variant_puts_the_description_before_the_code(root, task):
    pacs = load_collection(f"{task}-concat", [root])
    assert pacs.documents["11-0"] == "Plot a line plt.plot(x)"
    assert pacs.qrels == load_collection(task, [root]).qrels


def test_the_own_files_of_codenn_are_one_language_each(root):
    csharp = load_collection("codenn:csharp", [root])
    assert (csharp.queries, csharp.documents) == ({"12-34": "How to print"}, {"12-34": "int a;\nprint(a);"})
    assert (csharp.language, csharp.qrels) == ("csharp", {"12-34": {"12-34": 1}})
    assert list_parts("codenn", [root]) == ["codenn:csharp", "codenn:sql"]
    assert load_collection("codenn:sql", [root / "codenn"]).queries == {"5-6": "all names"}


def test_json_lines_of_codenn_come_before_its_own_files(root):
    write_lines(root / "codenn" / "test.jsonl", [{"id": "1", "language": "python", "title": "t", "answer": "a"}])
    assert list_parts("codenn", [root]) == ["codenn:python"]


def test_a_released_file_asks_its_last_tenth_over_all_its_answers(root):
    cpp = load_collection("procqa:cpp", [root])
    assert cpp.queries == {"9": "title 9\nbody 9"}
    assert next(iter(cpp.documents.items())) == ("100", "answer 0")
    assert len(cpp.documents) == 10
    assert cpp.qrels == {"9": {"109": 1}}
    assert cpp.language == "cpp"
    assert cpp.source == f"the paper's released file, split by the position of the line, sha256 {cpp.digest}"
    assert load_collection("procqa-title:go", [root / "procqa"]).queries == {"18": "title 18", "19": "title 19"}
    assert list_parts("procqa", [root]) == ["procqa:cpp", "procqa:go"]


def test_a_released_question_that_stands_twice_counts_once(root):
    rows = [released(number) for number in range(20)]
    write_lines(root / "procqa" / "qa.en.go.json", [*rows, rows[19]])
    assert load_collection("procqa:go", [root]).queries == {"19": "title 19\nbody 19"}


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("so-ds", r"so-ds needs pacs/so-ds-feb20-test\.jsonl below .*: put the published file there"),
        ("staqc-concat", r"staqc-concat needs pacs/staqc-py-test-raw\.jsonl below"),
        ("codenn", r"codenn needs codenn/test\.jsonl or codenn/LANG/test\.txt below"),
        ("procqa:rust", r"procqa needs procqa/qa\.en\.rust\.json below"),
    ],
)
def test_absent_data_is_one_sentence_that_says_which_file_to_put_where(tmp_path, task, sentence):
    with pytest.raises(BenchmarkError, match=sentence):
        [load_collection(name, [tmp_path]) for name in list_parts(task, [tmp_path])]


def test_a_released_file_has_parts_of_our_names_only(root):
    with pytest.raises(BenchmarkError, match=r"procqa needs procqa/qa\.en\.klingon\.json"):
        load_collection("procqa:klingon", [root])
    with pytest.raises(ConfigError, match="must be named procqa:LANG"):
        load_collection("procqa", [root])


@pytest.mark.parametrize(
    ("file", "content", "task", "sentence"),
    [
        (
            "pacs/staqc-py-test-raw.jsonl",
            '{"query": "a", "relevant_ids": ["99"]}',
            "staqc",
            r"test-raw\.jsonl must name snippets of staqc-py-cleaned\.jsonl\.gz as 'relevant_ids' .* query 1 names 99",
        ),
        ("pacs/staqc-py-test-raw.jsonl", '{"query": "a"}', "staqc", r"query 1 names none"),
        ("pacs/staqc-py-test-raw.jsonl", '{"query": "a", "relevant_ids": "1"}', "staqc", r"must have a list of ids"),
        ("pacs/so-ds-feb20.jsonl", '{"id": "1"}', "so-ds", r"so-ds-feb20\.jsonl, line 1 must have a text 'code'"),
        ("codenn/csharp/test.txt", "12\t34\tHow\tint a\t0\n1\t2\n", "codenn:csharp", r"line 2 must be question id"),
        (
            "procqa/qa.en.go.json",
            '{"question_id": 1}\n',
            "procqa:go",
            r"go\.json, line 1: answer_id is no whole number",
        ),
    ],
)
def test_a_broken_file_is_one_sentence_with_file_and_line(root, file, content, task, sentence):
    (root / file).write_text(content)
    with pytest.raises(BenchmarkError, match=sentence):
        load_collection(task, [root])
