"""Benchmarks in their published layouts, with invented content; the real ones where they are at hand."""

import gzip
import json
from pathlib import Path

import pytest

from procqa.corpora.benchmarks import list_parts, load_collection
from procqa.errors import BenchmarkError, ConfigError

REAL = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the published benchmarks are not on this machine")


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1))


def write_lines(path: Path, rows: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def write_cosqa(folder: Path) -> None:
    write_json(folder / "code_idx_map.txt", {"def b(): pass": 1, "def a(): pass": 0, "def c(): pass": 2})
    ask = {"code_tokens": "", "docstring_tokens": ""}
    write_json(
        folder / "cosqa-retrieval-test-500.json",
        [
            {"idx": "cosqa-1", "doc": "how b", "code": "def b(): pass", "label": 1, "retrieval_idx": 1, **ask},
            {"idx": "cosqa-2", "doc": "how c", "code": "def c(): pass", "label": 0, "retrieval_idx": 2, **ask},
        ],
    )


def write_conala(path: Path) -> None:
    rows = [
        ("sort", "sort list `a`", "sorted(a)", 7),
        ("reverse a list", None, "a[::-1]", 7),
        ("order", "sort list `a`", "a.sort()", 8),
        ("flip", "turn `a` around", "a[::-1]", 9),
    ]
    names = ("intent", "rewritten_intent", "snippet", "question_id")
    write_json(path, [dict(zip(names, row, strict=True)) for row in rows])


CODENN = [
    {"id": "nn/python/1", "language": "python", "title": "Add two", "answer": "a + b"},
    {"id": "nn/csharp/1", "language": "csharp", "title": "Print it", "answer": "Console.Write(x);"},
    {"id": "nn/python/2", "language": "python", "title": "Plus", "answer": "a + b"},
]
CLOZE = [
    {"id": "csn-go-1", "language": "go", "docstring": "Adds .", "code": "func Add ( )"},
    {"id": "csn-ruby-1", "language": "ruby", "docstring": "Adds .", "code": "def add"},
]


def program(task: str, language: str, file: str) -> dict[str, str]:
    return {"task": task, "language": language, "file": file, "code": f"code of {file}"}


ROSETTA = [
    program("sum", "python", "sum-1.py"),
    program("sum", "python", "sum-2.py"),
    program("sum", "java", "sum-1.java"),
    program("max", "python", "max-1.py"),
    program("min", "java", "min-1.java"),
    program("sum", "scheme", "sum-1.scm"),
]


def write_beir(folder: Path) -> None:
    write_lines(
        folder / "corpus.jsonl",
        [
            {"_id": "d 1", "title": "Sum", "text": "a + b"},
            {"_id": "d2", "title": "", "text": "print"},
            {"_id": "d3", "text": "x"},
        ],
    )
    write_lines(
        folder / "queries.jsonl",
        [{"_id": "q1", "text": "add"}, {"_id": "q2", "text": "unjudged"}, {"_id": "q3", "text": "nothing right"}],
    )
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td 1\t2\nq1\td2\t0\nq3\td3\t0\nq1\tgone\t1\n"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_cosqa(tmp_path / "cosqa")
    write_conala(tmp_path / "conala" / "conala-test.json")
    write_lines(tmp_path / "codenn" / "test.jsonl.gz", CODENN)
    write_lines(tmp_path / "csn-cloze" / "test.jsonl", CLOZE)
    write_lines(tmp_path / "rosetta" / "programs.jsonl.gz", ROSETTA)
    (tmp_path / "small").mkdir()
    write_beir(tmp_path / "small")
    return tmp_path


def test_cosqa_searches_all_codes_and_leaves_out_a_query_with_label_0(root):
    cosqa = load_collection("cosqa", [root])
    assert cosqa.queries == {"cosqa-1": "how b"}
    assert list(cosqa.documents.items()) == [("0", "def a(): pass"), ("1", "def b(): pass"), ("2", "def c(): pass")]
    assert cosqa.qrels == {"cosqa-1": {"1": 1}}
    assert (cosqa.name, cosqa.language, cosqa.excludes_itself) == ("cosqa", "python", False)


def test_conala_asks_with_the_rewritten_intent_and_equal_texts_share_their_answers(root):
    conala = load_collection("conala", [root])
    assert conala.queries == {
        "7-0": "sort list `a`",
        "7-1": "reverse a list",
        "8-2": "sort list `a`",
        "9-3": "turn `a` around",
    }
    assert conala.documents == {"7-0": "sorted(a)", "7-1": "a[::-1]", "8-2": "a.sort()", "9-3": "a[::-1]"}
    assert conala.qrels == {
        "7-0": {"7-0": 1, "8-2": 1},
        "7-1": {"7-1": 1, "9-3": 1},
        "8-2": {"7-0": 1, "8-2": 1},
        "9-3": {"7-1": 1, "9-3": 1},
    }


def test_codenn_asks_titles_of_one_language_and_equal_answers_are_equally_right(root):
    codenn = load_collection("codenn:python", [root])
    assert codenn.queries == {"nn/python/1": "Add two", "nn/python/2": "Plus"}
    assert codenn.documents == {"nn/python/1": "a + b", "nn/python/2": "a + b"}
    assert codenn.qrels["nn/python/1"] == {"nn/python/1": 1, "nn/python/2": 1}


def test_csn_cloze_finds_the_function_of_a_docstring(root):
    cloze = load_collection("csn-cloze:go", [root])
    assert (cloze.queries, cloze.documents) == ({"csn-go-1": "Adds ."}, {"csn-go-1": "func Add ( )"})
    assert cloze.qrels == {"csn-go-1": {"csn-go-1": 1}}


def test_rosetta_finds_programs_of_the_same_task_in_another_language(root):
    rosetta = load_collection("rosetta:python-java", [root])
    assert rosetta.queries == {"sum/sum-1.py": "code of sum-1.py", "sum/sum-2.py": "code of sum-2.py"}
    assert rosetta.documents == {"sum/sum-1.java": "code of sum-1.java", "min/min-1.java": "code of min-1.java"}
    assert rosetta.qrels == {name: {"sum/sum-1.java": 1} for name in rosetta.queries}
    assert (rosetta.language, rosetta.excludes_itself) == ("java", False)


def test_rosetta_in_one_language_leaves_the_query_out_of_its_own_ranking(root):
    rosetta = load_collection("rosetta:python-python", [root])
    assert rosetta.excludes_itself
    assert rosetta.qrels == {"sum/sum-1.py": {"sum/sum-2.py": 1}, "sum/sum-2.py": {"sum/sum-1.py": 1}}
    assert list(rosetta.documents) == ["sum/sum-1.py", "sum/sum-2.py", "max/max-1.py"]


def test_rosetta_among_other_languages_ranks_none_of_its_own(root):
    rosetta = load_collection("rosetta:python-others", [root])
    assert list(rosetta.documents) == ["sum/sum-1.java", "min/min-1.java"]
    assert rosetta.document_languages == {"sum/sum-1.java": "java", "min/min-1.java": "java"}
    assert rosetta.qrels == {name: {"sum/sum-1.java": 1} for name in ("sum/sum-1.py", "sum/sum-2.py")}
    assert not rosetta.excludes_itself


def test_a_beir_folder_keeps_its_judgements_and_its_ids_lose_their_white_space(root):
    for task in (f"beir:{root / 'small'}", "beir:small"):
        beir = load_collection(task, [root])
        assert beir.name == task
        assert beir.queries == {"q1": "add"}
        assert beir.documents == {"d_1": "Sum a + b", "d2": "print", "d3": "x"}
        assert beir.qrels == {"q1": {"d_1": 2, "d2": 0, "gone": 1}}


def test_the_own_folder_of_a_benchmark_is_a_root_too(root):
    for kind, folder in (
        ("cosqa", "cosqa"),
        ("conala", "conala"),
        ("codenn:python", "codenn"),
        ("csn-cloze:go", "csn-cloze"),
    ):
        assert load_collection(kind, [root / folder]) == load_collection(kind, [root])
    with pytest.raises(BenchmarkError, match="csn-cloze needs csn-cloze/test"):
        load_collection("csn-cloze:go", [root / "codenn"])


def test_the_first_root_that_holds_the_data_counts(root, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert load_collection("cosqa", [empty, root]) == load_collection("cosqa", [root])


def test_a_task_without_its_part_means_every_part_the_data_holds(root):
    assert list_parts("cosqa", []) == ["cosqa"]
    assert list_parts("codenn:python", []) == ["codenn:python"]
    assert list_parts("codenn", [root]) == ["codenn:csharp", "codenn:python"]
    assert list_parts("csn-cloze", [root]) == ["csn-cloze:go", "csn-cloze:ruby"]
    assert list_parts("rosetta", [root]) == ["rosetta:java-python", "rosetta:python-java", "rosetta:python-python"]


@pytest.mark.parametrize(
    "task", ["cosqo", "cosqa:python", "codenn", "codenn:", "rosetta:python", "rosetta:python-", "beir", ""]
)
def test_a_task_that_does_not_exist_or_lacks_its_part_is_wrong_use(root, task):
    with pytest.raises(ConfigError, match="task"):
        load_collection(task, [root])


def test_a_part_that_the_data_does_not_hold_is_named_with_those_it_does(root):
    with pytest.raises(BenchmarkError, match=r"must hold 'rust', but holds csharp, python"):
        load_collection("codenn:rust", [root])
    with pytest.raises(BenchmarkError, match=r"must hold 'scheme', but holds java, python"):
        load_collection("rosetta:python-scheme", [root])


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("cosqa", r"cosqa needs cosqa/cosqa-retrieval-test-500\.json below .*: put the published file there"),
        ("conala", r"conala needs conala/conala-test\.json below"),
        ("codenn:python", r"codenn needs codenn/test\.jsonl or codenn/python/test\.txt below"),
        ("csn-cloze:go", r"csn-cloze needs csn-cloze/test\.jsonl below"),
        ("rosetta:c-go", r"rosetta needs rosetta/programs\.jsonl below"),
        ("beir:nowhere", r"a BEIR folder needs nowhere/corpus\.jsonl"),
    ],
)
def test_absent_data_is_one_sentence_that_says_which_file_to_put_where(tmp_path, task, sentence):
    with pytest.raises(BenchmarkError, match=sentence) as caught:
        load_collection(task, [tmp_path])
    assert "\n" not in str(caught.value)


def test_cosqa_without_its_codes_says_where_they_belong(root):
    (root / "cosqa" / "code_idx_map.txt").unlink()
    with pytest.raises(BenchmarkError, match=r"cosqa needs .*code_idx_map\.txt beside cosqa-retrieval-test-500\.json"):
        load_collection("cosqa", [root])


@pytest.mark.parametrize(
    ("file", "content", "task", "sentence"),
    [
        (
            "codenn/test.jsonl.gz",
            '{"id": 1}\n',
            "codenn:python",
            r"test\.jsonl\.gz, line 1 must have a text 'language'",
        ),
        ("codenn/test.jsonl.gz", '\n{"id": ', "codenn:python", r"test\.jsonl\.gz, line 2 must be a JSON object"),
        ("codenn/test.jsonl.gz", "", "codenn:python", r"must hold 'python', but holds nothing"),
        ("conala/conala-test.json", '[\n{"intent": }]', "conala", r"conala-test\.json, line 2 must be JSON"),
        ("conala/conala-test.json", "{}", "conala", r"must begin an array of rows"),
        ("conala/conala-test.json", "[3]", "conala", r"conala-test\.json, row 1 must be an object"),
        ("conala/conala-test.json", "[]", "conala", r"must hold a query with a right document for conala"),
        ("cosqa/code_idx_map.txt", '["a"]', "cosqa", r"code_idx_map\.txt, line 1 must begin an object of code"),
        ("cosqa/code_idx_map.txt", '{"x": 0}', "cosqa", r"cosqa-1 names 1"),
        (
            "small/qrels/test.tsv",
            "q\td\ts\nq1\td2\n",
            "beir:small",
            r"test\.tsv, line 2 must be query-id, corpus-id and",
        ),
        ("small/qrels/test.tsv", "q\td\ts\n q9\td2\t1\n", "beir:small", r"test\.tsv, line 2 must name a query"),
        (
            "small/queries.jsonl",
            '{"_id": " ", "text": "a"}',
            "beir:small",
            r"line 1 must have an id '_id', as published, got ' '",
        ),
        (
            "small/corpus.jsonl",
            '{"_id": 1}\n{"_id": 1}\n',
            "beir:small",
            r"corpus\.jsonl must hold every id once, but holds 1 twice",
        ),
    ],
)
def test_a_broken_file_is_one_sentence_with_file_and_line(root, file, content, task, sentence):
    (root / file).write_text(content)
    with pytest.raises(BenchmarkError, match=sentence):
        load_collection(task, [root])


@needs_real
@pytest.mark.parametrize(
    ("task", "queries", "documents", "judgements"),
    [
        ("cosqa", 500, 6_267, 500),
        ("conala", 494, 494, 564),
        ("codenn:csharp", 6_602, 6_602, 6_618),
        ("codenn:python", 2_794, 2_794, 2_812),
        ("csn-cloze:python", 1_264, 1_264, 1_264),
        ("rosetta:python-java", 1_246, 991, 2_297),
        ("rosetta:java-java", 562, 991, 1_368),
    ],
)
def test_the_published_files_hold_what_was_counted(task, queries, documents, judgements):
    collection = load_collection(task, [REAL])
    assert (len(collection.queries), len(collection.documents)) == (queries, documents)
    assert sum(map(len, collection.qrels.values())) == judgements


@needs_real
def test_the_published_parts_are_all_found():
    assert list_parts("codenn", [REAL]) == ["codenn:csharp", "codenn:python"]
    cloze = [load_collection(task, [REAL]) for task in list_parts("csn-cloze", [REAL])]
    assert [part.name.partition(":")[2] for part in cloze] == ["go", "java", "javascript", "php", "python", "ruby"]
    assert sum(len(part.queries) for part in cloze) == 2_615
    assert len(list_parts("rosetta", [REAL])) == 121
