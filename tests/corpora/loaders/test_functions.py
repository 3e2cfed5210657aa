"""CodeSearchNet, AdvTest and CDCS in their published layouts, with invented content."""

from pathlib import Path

import pytest

from procqa.corpora.benchmarks import list_parts, load_collection
from procqa.errors import BenchmarkError, ConfigError
from tests.corpora.published import adversarial, cdcs, function, write_lines, write_text

ADD = 'def add(a, b):\n    """Adds two."""\n    return a + b'
RUN = "def run(): pass"
DOT = "def dot(): pass"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "codesearchnet" / "python"
    write_lines(
        folder / "codebase.jsonl",
        [function("u/1", RUN), function("u/2", ADD), function("u/2", DOT), function("u/3", "def end(): pass")],
    )
    write_lines(folder / "test.jsonl", [function("u/2", ADD, "Adds two."), function("u/3", "def end(): pass", "Ends.")])
    whole = folder / "final" / "jsonl" / "test"
    write_lines(whole / "python_test_10.jsonl.gz", [function("u/9", "def last(): pass", "Is last.")])
    write_lines(whole / "python_test_2.jsonl.gz", [function("u/1", RUN, "Runs."), function("u/1", DOT, "Dots.")])
    write_lines(whole / "python_test_3.jsonl.gz", [function("u/4", "def mute(): pass")])
    write_lines(tmp_path / "advtest" / "test.jsonl", [adversarial(7, ADD, "Adds two."), adversarial(8, RUN, "Runs.")])
    contract = "contract c1{ /** * @dev Adds two */ function add()  public { } }"
    write_text(tmp_path / "cdcs" / "Solidity.txt", cdcs(("Adds two .", contract), ("Ends .", "contract c2{ }")))
    write_text(tmp_path / "cdcs" / "SQL.txt", cdcs(("all names", "SELECT name FROM a;"), ("all", "SELECT * FROM a;")))
    return tmp_path


def test_filtered_codesearchnet_searches_the_codebase_and_every_function_of_the_url_is_right(root):
    csn = load_collection("codesearchnet:python", [root])
    assert csn.queries == {"u/2": "Adds two.", "u/3": "Ends."}
    assert csn.documents == {
        "u/1": RUN,
        "u/2": "def add(a, b):\n    return a + b",
        "u/2~2": DOT,
        "u/3": "def end(): pass",
    }
    assert csn.qrels == {"u/2": {"u/2": 1, "u/2~2": 1}, "u/3": {"u/3": 1}}
    assert (csn.language, csn.measure, csn.candidates, csn.excludes_itself) == ("python", "mrr@1000", 1_000, False)


def test_the_tokens_of_codesearchnet_are_joined_by_blanks(root):
    csn = load_collection("codesearchnet-tokens:python", [root])
    assert csn.queries == {"u/2": "Adds two.", "u/3": "Ends."}
    assert csn.documents["u/2"] == 'def add(a, b): """Adds two.""" return a + b'


def test_whole_codesearchnet_asks_every_docstring_in_the_published_order(root):
    csn = load_collection("codesearchnet-whole:python", [root])
    assert list(csn.queries.items()) == [("u/1", "Runs."), ("u/1~2", "Dots."), ("u/9", "Is last.")]
    assert list(csn.documents) == ["u/1", "u/1~2", "u/4", "u/9"]
    assert csn.qrels == {name: {name: 1} for name in ("u/1", "u/1~2", "u/9")}
    assert csn.candidates == 1_000


def test_advtest_finds_each_function_by_its_docstring_but_not_by_the_docstring_in_it(root):
    adv = load_collection("advtest", [root])
    assert adv.queries == {"https://example.org/7": "Adds two.", "https://example.org/8": "Runs."}
    assert adv.documents["https://example.org/7"] == "def add(a, b):\n    return a + b"
    assert adv.qrels == {name: {name: 1} for name in adv.queries}
    assert load_collection("advtest-tokens", [root]).documents["https://example.org/8"] == "def run(): pass"


def test_cdcs_searches_code_without_the_comments_that_hold_the_query(root):
    solidity = load_collection("cdcs:solidity", [root])
    assert solidity.queries == {"1": "Adds two .", "2": "Ends ."}
    assert solidity.documents == {"1": "contract c1{ function add() public { } }", "2": "contract c2{ }"}
    assert solidity.qrels == {"1": {"1": 1}, "2": {"2": 1}}
    raw = load_collection("cdcs-raw:solidity", [root])
    assert raw.documents["1"] == "contract c1{ /** * @dev Adds two */ function add()  public { } }"
    sql = load_collection("cdcs:sql", [root])
    assert sql.documents == {"1": "SELECT name FROM a;", "2": "SELECT * FROM a;"}


def test_a_family_alone_means_the_languages_that_are_at_hand(root):
    assert list_parts("codesearchnet", [root]) == ["codesearchnet:python"]
    assert list_parts("codesearchnet-whole-tokens", [root]) == ["codesearchnet-whole-tokens:python"]
    assert list_parts("cdcs", [root]) == ["cdcs:solidity", "cdcs:sql"]
    assert list_parts("advtest", []) == ["advtest"]


def test_the_folder_of_a_benchmark_is_a_root_too(root):
    for task, folder in (
        ("codesearchnet:python", "codesearchnet"),
        ("codesearchnet-whole:python", "codesearchnet"),
        ("advtest", "advtest"),
        ("cdcs:sql", "cdcs"),
    ):
        assert load_collection(task, [root / folder]) == load_collection(task, [root])


def test_a_compressed_copy_is_the_same_data(root):
    plain = load_collection("advtest", [root])
    file = root / "advtest" / "test.jsonl"
    write_text(root / "advtest" / "test.jsonl.gz", file.read_text())
    file.unlink()
    assert load_collection("advtest", [root]) == plain


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("codesearchnet", r"needs codesearchnet/LANG/test\.jsonl below .*: put the published file there"),
        ("codesearchnet:go", r"codesearchnet needs codesearchnet/go/test\.jsonl below"),
        ("codesearchnet-whole:go", r"needs codesearchnet/go/final/jsonl/test/go_test_0\.jsonl\.gz below"),
        ("codesearchnet-whole", r"needs codesearchnet/LANG/final/jsonl/test/LANG_test_0\.jsonl\.gz below"),
        ("advtest", r"advtest needs advtest/test\.jsonl below"),
        ("cdcs:sql", r"cdcs needs cdcs/SQL\.txt below"),
        ("cdcs", r"cdcs needs cdcs/SQL\.txt or cdcs/Solidity\.txt below"),
    ],
)
def test_absent_data_is_one_sentence_that_says_which_file_to_put_where(tmp_path, task, sentence):
    with pytest.raises(BenchmarkError, match=sentence):
        [load_collection(name, [tmp_path]) for name in list_parts(task, [tmp_path])]


@pytest.mark.parametrize("task", ["codesearchnet:rust", "cdcs:python", "advtest:python", "codesearchnet-whole:"])
def test_a_part_that_was_never_published_is_wrong_use(root, task):
    with pytest.raises(ConfigError, match="got"):
        load_collection(task, [root])


@pytest.mark.parametrize(
    ("file", "content", "task", "sentence"),
    [
        (
            "codesearchnet/python/test.jsonl",
            '{"url": "u/7", "docstring": "a", "code": "b"}',
            "codesearchnet:python",
            r"test\.jsonl must ask for functions of codebase\.jsonl, but u/7 is not among them",
        ),
        (
            "codesearchnet/python/codebase.jsonl",
            '{"url": "u/2", "docstring": "a"}',
            "codesearchnet:python",
            r"codebase\.jsonl, line 1 must have a text 'code', as published, but has none",
        ),
        (
            "codesearchnet/python/codebase.jsonl",
            '{"url": "u/2", "docstring": "a", "code": "b", "code_tokens": [1]}',
            "codesearchnet-tokens:python",
            r"codebase\.jsonl, line 1 must have a list of tokens 'code_tokens', as published, got \[1\]",
        ),
        ("codesearchnet/python/test.jsonl", "", "codesearchnet:python", r"must hold a query with a right document"),
        ("advtest/test.jsonl", "[1]", "advtest", r"test\.jsonl, line 1 must be a JSON object"),
        (
            "cdcs/SQL.txt",
            "1<CODESPLIT>URL<CODESPLIT>all<CODESPLIT>SELECT",
            "cdcs:sql",
            r"SQL\.txt, line 1 must be label, url, function name, query, code between <CODESPLIT>",
        ),
    ],
)
def test_a_broken_file_is_one_sentence_with_file_and_line(root, file, content, task, sentence):
    (root / file).write_text(content)
    with pytest.raises(BenchmarkError, match=sentence):
        load_collection(task, [root])


def test_a_codebase_that_is_not_there_is_named(root):
    (root / "codesearchnet" / "python" / "codebase.jsonl").unlink()
    with pytest.raises(BenchmarkError, match=r"needs .*codebase\.jsonl beside test\.jsonl"):
        load_collection("codesearchnet:python", [root])
