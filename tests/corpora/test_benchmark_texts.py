"""All the texts of benchmarks, for decontamination."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from procqa.corpora.benchmarks import BenchmarkText, read_benchmark_texts
from procqa.errors import BenchmarkError
from tests.corpora.published import cdcs, released

REAL = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"


def texts_of(path: Path) -> list[tuple[str, str, str]]:
    return [(text.benchmark, text.item, text.text) for text in read_benchmark_texts(path)]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    asked = [{"idx": "c-1", "doc": "how a", "code": "def a(): 0", "label": 0, "retrieval_idx": 3}]
    write(tmp_path / "cosqa" / "cosqa-retrieval-dev-500.json", json.dumps(asked))
    write(tmp_path / "cosqa" / "code_idx_map.txt", json.dumps({"def b(): 0": 4}))
    write(tmp_path / "codenn" / "test.jsonl.gz", '{"id": "n 1", "language": "c", "title": "T", "answer": "A"}\n')
    programs = [{"task": "t", "language": language, "file": "f", "code": language} for language in ("c", "racket")]
    write(tmp_path / "rosetta" / "programs.jsonl", "\n".join(map(json.dumps, programs)))
    write(tmp_path / "small" / "corpus.jsonl", '{"_id": "d", "title": "Sum", "text": "up"}')
    write(tmp_path / "small" / "queries.jsonl", '{"_id": "q", "text": "add"}')
    write(tmp_path / "README.md", "not a benchmark")
    write(tmp_path / ".hidden" / "corpus.jsonl", "broken")
    return tmp_path


CODENN = [("codenn", "query/n_1", "T"), ("codenn", "document/n_1", "A")]
COSQA = [("cosqa", "document/4", "def b(): 0"), ("cosqa", "query/c-1", "how a"), ("cosqa", "document/3", "def a(): 0")]
ROSETTA = [("rosetta", "document/t/f", "c")]
BEIR = [("beir:small", "document/d", "Sum up"), ("beir:small", "query/q", "add")]


def test_a_root_gives_the_queries_and_documents_of_every_benchmark_in_it(root):
    assert texts_of(root) == [*CODENN, *COSQA, *ROSETTA, *BEIR]


def test_a_folder_or_a_file_of_one_benchmark_gives_its_texts(root):
    assert texts_of(root / "cosqa") == COSQA
    assert texts_of(root / "codenn" / "test.jsonl.gz") == CODENN
    assert texts_of(root / "small") == BEIR
    assert texts_of(root / "small" / "queries.jsonl") == BEIR[1:]


def test_a_plain_text_file_gives_one_text_a_line(tmp_path):
    for name in ("held out.txt", "heldout", "heldout.txt.gz"):
        path = write(tmp_path / name, "\ufefffirst line\r\n\n  second  \n")
        benchmark = name.removesuffix(".gz")
        assert texts_of(path) == [(benchmark, "line/1", "first line"), (benchmark, "line/3", "second")]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", "{}", "its layout is unknown"),
        ("a.csv", "a,b", "its layout is unknown"),
        ("a.jsonl", '{"x": 1}', "its layout is unknown"),
        ("test.jsonl", '{"x": 1}', "its layout is unknown"),
        ("a.txt", "bin\0ary", r"a\.txt, line 1 must be plain text, but holds a NUL"),
    ],
)
def test_a_file_of_another_layout_is_one_sentence(tmp_path, name, content, sentence):
    with pytest.raises(BenchmarkError, match=sentence):
        texts_of(write(tmp_path / name, content))


def test_bytes_that_are_no_utf_8_are_named_by_line(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"fine\n\xff\n")
    with pytest.raises(BenchmarkError, match=r"a\.txt, line 2 must be text in UTF-8"):
        texts_of(tmp_path / "a.txt")


def test_a_path_without_anything_published_is_one_sentence(tmp_path):
    with pytest.raises(BenchmarkError, match="must hold published files"):
        texts_of(tmp_path)
    with pytest.raises(BenchmarkError, match="is not there"):
        texts_of(tmp_path / "absent")


def test_a_file_of_a_published_name_in_another_layout_is_not_passed_over(root):
    write(root / "codenn" / "test.jsonl.gz", '{"other": 1}')
    with pytest.raises(BenchmarkError, match=r"test\.jsonl\.gz must be a published benchmark file"):
        texts_of(root)


FUNCTION = {"repo": "a/b", "path": "c.py", "func_name": "f", "language": "python", "docstring": "Adds.", "sha": "0"}


@pytest.mark.parametrize(
    ("path", "row", "found"),
    [
        (
            "csn/python/final/jsonl/test/python_test_0.jsonl.gz",
            {**FUNCTION, "code": "def f(): 1", "url": "https://example.org/a b#L1", "partition": "test"},
            [
                ("codesearchnet", "query/https://example.org/a_b#L1", "Adds."),
                ("codesearchnet", "document/https://example.org/a_b#L1", "def f(): 1"),
            ],
        ),
        (
            "csn/codebase.jsonl",
            {**FUNCTION, "code": "def f(): 1", "docstring": "", "url": "u"},
            [("codesearchnet", "document/u", "def f(): 1")],
        ),
        (
            "AdvTest/test.jsonl",
            {**FUNCTION, "function": "def Func(): 1", "idx": 3},
            [("advtest", "query/a/b/c.py/f", "Adds."), ("advtest", "document/a/b/c.py/f", "def Func(): 1")],
        ),
        ("so-ds-feb20-test.jsonl", {"query": "plot a line", "results": []}, [("so-ds", "query/1", "plot a line")]),
        ("staqc-py-test-raw.jsonl.gz", {"query": "plot"}, [("staqc", "query/1", "plot")]),
        (
            "so-ds-feb20.jsonl",
            {"id": "7", "code": "plot()", "description": "a title", "language": "python"},
            None,
        ),
        (
            "poj104/test.jsonl",
            {"label": "81", "index": "40000", "code": "int main() { }"},
            [("poj104", "document/40000", "int main() { }")],
        ),
        (
            "codenet/ruby_with_func.jsonl",
            {"index": "s1", "label": 7, "func": "puts 1 # one"},
            [("codenet", "document/7/s1", "puts 1 # one")],
        ),
        (
            "staqc/staqc-python.jsonl",
            {"question_id": 5, "question": "how to plot", "snippet": "plot()"},
            [("staqc", "query/5", "how to plot"), ("staqc", "document/5", "plot()")],
        ),
    ],
)
def test_published_functions_and_queries_are_read(tmp_path, path, row, found):
    file = write(tmp_path / path, json.dumps(row) + "\n")
    assert texts_of(file) == (found or [("so-ds", "document/7", "plot()"), ("so-ds", "description/7", "a title")])
    if found is not None:
        assert texts_of(tmp_path) == found


def test_the_queries_and_the_code_of_cdcs_are_read(tmp_path):
    write(tmp_path / "cdcs" / "Solidity.txt", cdcs(("Adds two .", "contract c1{ /* Adds two */ }")))
    write(tmp_path / "cdcs" / "train.txt", cdcs(("Trains .", "contract c2{ }")))
    expected = [("cdcs", "query/1", "Adds two ."), ("cdcs", "document/1", "contract c1{ /* Adds two */ }")]
    assert texts_of(tmp_path) == texts_of(tmp_path / "cdcs" / "Solidity.txt") == expected


def test_a_released_file_gives_the_questions_and_answers_of_its_test_split(tmp_path):
    rows = "".join(json.dumps(released(number)) + "\n" for number in range(10))
    write(tmp_path / "qa.en.c#.json", rows)
    expected = [("procqa", "query/9", "title 9\nbody 9"), ("procqa", "document/109", "answer 9")]
    assert texts_of(tmp_path) == texts_of(tmp_path / "qa.en.c#.json") == expected


def test_the_judgements_of_a_beir_folder_hold_no_text(root):
    write(root / "small" / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\nq\td\t1\n")
    assert texts_of(root / "small") == BEIR


def test_the_training_part_of_codesearchnet_is_no_benchmark(tmp_path):
    row = json.dumps({**FUNCTION, "code": "def f(): 1", "url": "u"})
    write(tmp_path / "python" / "final" / "jsonl" / "train" / "python_test_0.jsonl.gz", row)
    with pytest.raises(BenchmarkError, match="must hold published files"):
        texts_of(tmp_path)


def test_the_own_files_of_codenn_are_told_by_their_columns(tmp_path):
    write(tmp_path / "csharp" / "test.txt", "12\t34\tHow to print\tint a;\\nprint(a);\t0\n")
    expected = [("codenn", "query/12-34", "How to print"), ("codenn", "document/12-34", "int a;\nprint(a);")]
    assert texts_of(tmp_path) == texts_of(tmp_path / "csharp" / "test.txt") == expected
    write(tmp_path / "csharp" / "test.txt", "12\t34\tHow\tint a\t0\n1\t2\n")
    with pytest.raises(BenchmarkError, match=r"test\.txt, line 2 must be question id, answer id, title, code, mark"):
        texts_of(tmp_path)


def test_what_a_rewritten_question_and_a_docstring_say_is_looked_for_too(tmp_path):
    rows = [
        {"intent": "How do I sort?", "rewritten_intent": "sort list `a`", "snippet": "a.sort()", "question_id": 7},
        {"intent": "turn it", "rewritten_intent": None, "snippet": "a[::-1]", "question_id": 8},
    ]
    write(tmp_path / "conala-test.json", json.dumps(rows))
    write(tmp_path / "code_idx_map.txt", json.dumps({'def f(a, b="x"):\n  """Adds one.\n  """\n  return 1': 4}))
    found = {item: text for _, item, text in texts_of(tmp_path)}
    assert found["intent/7-0"] == "How do I sort?"
    assert found["query/8-1"] == "turn it"
    assert "intent/8-1" not in found
    assert found["docstring/4"] == "Adds one."


@pytest.mark.skipif(not REAL.is_dir(), reason="the published benchmarks are not on this machine")
def test_the_published_files_give_every_text():
    kinds = Counter((text.benchmark, text.item.partition("/")[0]) for text in read_benchmark_texts(REAL))
    assert kinds == {
        ("cosqa", "query"): 1_000,
        ("cosqa", "document"): 7_267,
        ("cosqa", "docstring"): 6_201,
        ("conala", "query"): 494,
        ("conala", "document"): 494,
        ("conala", "intent"): 494,
        ("codenn", "query"): 9_396,
        ("codenn", "document"): 9_396,
        ("csn-cloze", "query"): 2_615,
        ("csn-cloze", "document"): 2_615,
        ("rosetta", "document"): 9_309,
    }


def test_a_benchmark_text_names_where_it_comes_from():
    text = BenchmarkText(benchmark="cosqa", item="query/1", text="how")
    assert (text.benchmark, text.item, text.text) == ("cosqa", "query/1", "how")
