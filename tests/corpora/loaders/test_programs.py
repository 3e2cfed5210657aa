"""POJ-104 and CodeNet in their published layouts, with invented content."""

from pathlib import Path

import pytest

from procqa.corpora.benchmarks import list_parts, load_collection
from procqa.errors import BenchmarkError, ConfigError
from tests.corpora.published import write_lines

POJ = [
    {"label": "81", "index": "40000", "code": "int main() { return 1; }"},
    {"label": "81", "index": "40001", "code": "main() { return 1; }"},
    {"label": "82", "index": "40002", "code": "int a;"},
    {"label": "81", "index": "40003", "code": "int b;"},
]
RUBY = [
    {"index": "s1", "label": 7, "func": "puts 1 # one\n"},
    {"index": "s2", "label": 7, "func": "p 1"},
    {"index": "s3", "label": 8, "func": "p 2"},
]
PYTHON = [{"index": "s4", "label": 7, "func": "print(1)  # one\nprint( 2 )"}, {"index": "s5", "label": 9, "func": "x"}]
JAVA = [{"index": "s6", "label": 7, "func": "class A { // one\n }"}]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_lines(tmp_path / "poj104" / "test.jsonl", POJ)
    for language, rows in (("ruby", RUBY), ("python", PYTHON), ("java", JAVA)):
        write_lines(tmp_path / "codenet" / f"{language}_with_func.jsonl", rows)
    return tmp_path


def test_poj104_asks_with_every_program_for_the_others_of_its_problem(root):
    poj = load_collection("poj104", [root])
    assert poj.queries == {"40000": POJ[0]["code"], "40001": POJ[1]["code"], "40003": "int b;"}
    assert list(poj.documents) == ["40000", "40001", "40002", "40003"]
    assert poj.qrels["40000"] == {"40001": 1, "40003": 1}
    assert poj.groups == {"40000": "81", "40001": "81", "40003": "81"}
    assert (poj.excludes_itself, poj.measure, poj.language) == (True, "map@r", None)


def test_codenet_asks_across_languages_without_comments_and_on_one_line(root):
    codenet = load_collection("codenet:ruby-python", [root])
    assert codenet.queries == {"7/s1": "puts 1 # one", "7/s2": "p 1"}
    assert codenet.documents == {"7/s4": "print(1) print( 2 )", "9/s5": "x"}
    assert codenet.qrels == {"7/s1": {"7/s4": 1}, "7/s2": {"7/s4": 1}}
    assert (codenet.excludes_itself, codenet.measure, codenet.language) == (False, "map", "python")
    assert load_collection("codenet-raw:ruby-java", [root]).documents == {"7/s6": "class A { // one\n }"}


def test_codenet_in_one_language_leaves_the_query_out_of_its_own_ranking(root):
    codenet = load_collection("codenet:ruby-ruby", [root])
    assert codenet.excludes_itself
    assert codenet.qrels == {"7/s1": {"7/s2": 1}, "7/s2": {"7/s1": 1}}


def test_codenet_alone_means_all_nine_pairs(root):
    pairs = [name.partition(":")[2] for name in list_parts("codenet", [root])]
    assert pairs == [
        "ruby-ruby",
        "ruby-python",
        "ruby-java",
        "python-ruby",
        "python-python",
        "python-java",
        "java-ruby",
        "java-python",
        "java-java",
    ]


def test_the_data_of_a_pair_is_that_of_its_files(root):
    across, within = (load_collection(f"codenet:{pair}", [root]) for pair in ("ruby-python", "ruby-ruby"))
    assert across.digest != within.digest
    assert across.digest == load_collection("codenet:python-ruby", [root]).digest


@pytest.mark.parametrize("task", ["codenet:ruby", "codenet:ruby-", "codenet:ruby-go", "poj104:c", "codenet:"])
def test_a_part_that_is_no_pair_of_its_languages_is_wrong_use(root, task):
    with pytest.raises(ConfigError, match="got"):
        load_collection(task, [root])


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("poj104", r"poj104 needs poj104/test\.jsonl below .*: put the published file there"),
        ("codenet:ruby-java", r"codenet needs codenet/ruby_with_func\.jsonl below"),
        ("codenet", r"codenet needs codenet/LANG_with_func\.jsonl below"),
    ],
)
def test_absent_data_is_one_sentence_that_says_which_file_to_put_where(tmp_path, task, sentence):
    with pytest.raises(BenchmarkError, match=sentence):
        [load_collection(name, [tmp_path]) for name in list_parts(task, [tmp_path])]


def test_a_test_file_of_another_benchmark_is_not_taken_for_poj104(root):
    write_lines(root / "other" / "test.jsonl", [{"id": 1, "language": "c", "title": "t", "answer": "a"}])
    with pytest.raises(BenchmarkError, match="poj104 needs"):
        load_collection("poj104", [root / "other"])


@pytest.mark.parametrize(
    ("file", "content", "task", "sentence"),
    [
        ("poj104/test.jsonl", '{"index": "1", "code": "a"}', "poj104", r"line 1 must have an id 'label'"),
        ("poj104/test.jsonl", '{"label": "1", "index": "1", "code": "a"}', "poj104", r"must hold a query with a right"),
        (
            "poj104/test.jsonl",
            '{"label": "1", "index": "1", "code": "a"}\n' * 2,
            "poj104",
            r"must hold every id once, but holds 1 twice",
        ),
        (
            "codenet/ruby_with_func.jsonl",
            '{"index": "s1", "label": 7, "func": ""}',
            "codenet:ruby-java",
            r"line 1 must have the program as 'func', but it is empty, .*: fill it in .* with its preprocess\.py",
        ),
    ],
)
def test_a_broken_file_is_one_sentence_with_file_and_line(root, file, content, task, sentence):
    (root / file).write_text(content)
    with pytest.raises(BenchmarkError, match=sentence):
        load_collection(task, [root])
