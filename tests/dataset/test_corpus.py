import json

import pytest

import datasets
from procqa.chain import verify
from procqa.corpora.sources import is_input
from procqa.dataset.corpus import CorpusRequest, build_corpus
from procqa.dataset.schema import read_rows
from procqa.errors import ArtifactError, ConfigError
from procqa.manifest import load_manifest

FUNCTION = '''
def add_{n}(first, second):
    """Add two numbers of file {n} and return what they make together."""
    return first + second + {n}


def undocumented_{n}():
    return {n}
'''


def source_tree(folder, files=20):
    (folder / "tests").mkdir(parents=True)
    (folder / "LICENSE").write_text("Apache License\nVersion 2.0, January 2004\n")
    for number in range(files):
        text = FUNCTION.format(n=number) + FUNCTION.format(n=100 + number)
        (folder / f"file{number}.py").write_text(text)
    (folder / "tests/test_it.py").write_text(FUNCTION.format(n=999))
    return folder


def rows_csn(folder, partitions=("train", "train", "test")):
    folder.mkdir()
    with (folder / "python_0.jsonl").open("w") as stream:
        for number, partition in enumerate(partitions):
            row = {
                "repo": "ann/tools",
                "path": f"tools/{number}.py",
                "func_name": f"tool{number}",
                "language": "python",
                "code": f"def tool{number}(x):\n    return x * {number} + 1",
                "docstring": f"Apply tool number {number} to x.",
                "url": f"https://example.org/ann/tools/{number}.py",
                "partition": partition,
                "license": "MIT",
            }
            stream.write(json.dumps(row) + "\n")
    return folder


def test_a_folder_of_code_becomes_a_dataset_held_out_by_file(tmp_path):
    source = source_tree(tmp_path / "tools")
    request = CorpusRequest(source=source, out=tmp_path / "out", languages=("python",), skip_folders=("tests",))
    summary = build_corpus(request)
    assert (summary["rows"], summary["kept"], summary["dropped"]) == (80, 40, {"no docstring": 40})
    assert summary["languages"] == {"python": {"train": 32, "validation": 4, "test": 4}}
    files = {}
    for split in ("train", "validation", "test"):
        for row in read_rows(tmp_path / "out", split=split):
            files.setdefault(row["answer_url"].split("#")[0], set()).add(split)
    assert all(len(splits) == 1 for splits in files.values())
    row = next(read_rows(tmp_path / "out"))
    assert row["title"].startswith("add_")
    assert '"""' not in row["answer"]
    assert (row["answer_author"], row["answer_licence"], row["question_created"]) == ("tools", "Apache-2.0", None)


def test_published_rows_keep_their_partition_and_address(tmp_path):
    request = CorpusRequest(source=rows_csn(tmp_path / "csn"), out=tmp_path / "out")
    assert build_corpus(request)["languages"] == {"python": {"train": 2, "validation": 0, "test": 1}}
    (row,) = read_rows(tmp_path / "out", split="test")
    assert row["question"] == "Apply tool number 2 to x."
    assert row["answer_url"] == "https://example.org/ann/tools/2.py"
    assert row["answer_licence"] == "MIT"


def test_a_function_that_comes_twice_is_kept_once(tmp_path):
    source = rows_csn(tmp_path / "csn")
    text = (source / "python_0.jsonl").read_text()
    (source / "python_1.jsonl").write_text(text)
    summary = build_corpus(CorpusRequest(source=source, out=tmp_path / "out"))
    assert (summary["rows"], summary["kept"], summary["dropped"]) == (6, 3, {"repeated": 3})


def test_functions_that_hold_a_benchmark_text_are_dropped_with_proof(tmp_path):
    (tmp_path / "bench.txt").write_text("Apply tool number 1 to x\n")
    request = CorpusRequest(
        source=rows_csn(tmp_path / "csn"), out=tmp_path / "out", benchmarks=(tmp_path / "bench.txt",)
    )
    assert build_corpus(request)["dropped"] == {"contaminated": 1}
    (leak,) = json.loads((tmp_path / "out/leakage.json").read_text())["removed"]
    assert leak["matched"].lower() == "apply tool number 1 to x"


def test_again_is_the_same_even_when_python_left_its_caches(tmp_path):
    source = source_tree(tmp_path / "tools")
    request = CorpusRequest(source=source, out=tmp_path / "out", languages=("python",))
    first = build_corpus(request)
    (source / "__pycache__").mkdir()
    (source / "__pycache__/file0.pyc").write_bytes(b"\0")
    assert build_corpus(request) == first
    (source / "file0.py").write_text("x = 1\n")
    with pytest.raises(ArtifactError, match="--force"):
        build_corpus(request)


def test_more_pairs_than_one_run_holds_give_the_same_dataset(tmp_path, monkeypatch):
    source = source_tree(tmp_path / "tools")
    build_corpus(CorpusRequest(source=source, out=tmp_path / "one"))
    monkeypatch.setattr("procqa.dataset.corpus.RUN_PAIRS", 7)
    build_corpus(CorpusRequest(source=source, out=tmp_path / "many"))
    assert load_manifest(tmp_path / "one").sha256 == load_manifest(tmp_path / "many").sha256
    assert {check.outcome for check in verify(tmp_path / "many") if not check.subject.startswith("input")} == {"ok"}


def test_a_folder_without_functions_is_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="must hold documented functions"):
        build_corpus(CorpusRequest(source=tmp_path / "empty", out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_released_files_keep_the_paper_s_contiguous_cut_and_link_their_pages(tmp_path):
    (tmp_path / "released").mkdir()
    for language in ("python", "c++", "ruby"):
        with (tmp_path / f"released/qa.en.{language}.json").open("w") as stream:
            for number in range(90, 60, -1):
                texts = {name: f"{name} of {number}" for name in ("title", "question", "answer")}
                stream.write(json.dumps({"question_id": number, "answer_id": number + 100, **texts}) + "\n")
    request = CorpusRequest(source=tmp_path / "released", out=tmp_path / "out", languages=("python", "cpp"))
    summary = build_corpus(request)
    assert (summary["rows"], summary["kept"], summary["skipped_files"]) == (60, 60, {"no wanted language": 1})
    assert summary["languages"]["cpp"] == {"train": 24, "validation": 3, "test": 3}
    rows = list(read_rows(tmp_path / "out", language="python", split="test"))
    assert [row["question_id"] for row in rows] == [63, 62, 61]
    assert rows[0]["answer_url"] == "https://stackoverflow.com/a/163"
    assert rows[0]["question_created"] is None
    assert build_corpus(request) == summary
    (tmp_path / "released/notes.txt").write_text("not read")
    assert build_corpus(request) == summary


def labelled(number: int, label: int = 1) -> dict:
    return {
        "idx": f"cosqa-train-{number}",
        "doc": f"python how to apply tool number {number} to a list of things",
        "code": f"def tool{number}(xs):\n    return [x * {number} for x in xs]",
        "code_tokens": "",
        "docstring_tokens": "",
        "label": label,
        "retrieval_idx": number,
    }


def test_published_queries_become_questions_with_their_splits(tmp_path):
    source = tmp_path / "cosqa"
    source.mkdir()
    splits = {"train-19604": range(6), "dev-500": range(10, 12), "test-500": range(20, 23)}
    for name, numbers in splits.items():
        rows = [labelled(number, int(number % 3 != 1)) for number in numbers]
        (source / f"cosqa-retrieval-{name}.json").write_text(json.dumps(rows))
    request = CorpusRequest(source=source, out=tmp_path / "out")
    summary = build_corpus(request)
    assert (summary["kind"], summary["rows"], summary["kept"]) == ("questions", 11, 7)
    assert summary["dropped"] == {"labelled as no match": 4}
    assert summary["languages"] == {"python": {"train": 4, "validation": 1, "test": 2}}
    (row,) = read_rows(tmp_path / "out", split="validation")
    assert (row["title"], row["question"]) == ("python how to apply tool number 11 to a list of things", "")
    assert row["answer_licence"] == "C-UDA (data), MIT (repository)"
    card = (tmp_path / "out/README.md").read_text()
    assert "# Queries with code of cosqa" in card
    assert "A query is kept, or dropped" in card
    (source / "code_idx_map.txt").write_text("{}")
    assert build_corpus(request) == summary
    assert {check.outcome for check in verify(tmp_path / "out", [source], matches=is_input)} == {"ok"}


def test_snippets_of_one_question_are_all_kept_and_one_that_comes_again_is_not(tmp_path):
    rows = [
        {"intent": "Sort it", "rewritten_intent": text, "snippet": code, "question_id": 7}
        for text, code in (("sort `xs`", "xs.sort()"), ("sort `xs`", "sorted(xs)"), ("sort `ys`", "ys.sort()"))
    ]
    (tmp_path / "conala-train.json").write_text(json.dumps([*rows, rows[0]]))
    summary = build_corpus(CorpusRequest(source=tmp_path / "conala-train.json", out=tmp_path / "out"))
    assert (summary["kept"], summary["dropped"]) == (3, {"repeated": 1})
    titles = {row["question_id"]: row["title"] for row in read_rows(tmp_path / "out")}
    assert sorted(titles.values()) == ["sort `xs`", "sort `ys`"]


def test_queries_that_hold_a_benchmark_text_are_dropped_like_all_others(tmp_path):
    (folder := tmp_path / "cosqa").mkdir()
    source, tested = folder / "cosqa-retrieval-train-19604.json", folder / "cosqa-retrieval-test-500.json"
    source.write_text(json.dumps([labelled(1), labelled(2)]))
    tested.write_text(json.dumps([labelled(2)]))
    for number, benchmarks in enumerate((tested, folder)):
        request = CorpusRequest(source=source, out=tmp_path / f"out{number}", benchmarks=(benchmarks,))
        assert build_corpus(request)["dropped"] == {"contaminated": 1}


def test_tokens_are_an_option_of_published_functions_alone(tmp_path):
    rows = [
        {**json.loads(line), "code_tokens": ["def", "f", "(", "x", ")"], "docstring_tokens": ["Apply", "the", "tool"]}
        for line in (rows_csn(tmp_path / "raw") / "python_0.jsonl").read_text().splitlines()
    ]
    (tmp_path / "csn").mkdir()
    (tmp_path / "csn/python_0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    build_corpus(CorpusRequest(source=tmp_path / "csn", out=tmp_path / "out", text="tokens"))
    assert load_manifest(tmp_path / "out").recipe["text"] == "tokens"
    assert {row["answer"] for row in read_rows(tmp_path / "out")} == {"def f ( x )"}
    with pytest.raises(ConfigError, match="text tokens needs CodeSearchNet's rows with docstring_tokens"):
        build_corpus(CorpusRequest(source=source_tree(tmp_path / "code"), out=tmp_path / "none", text="tokens"))


def test_a_corpus_describes_itself_like_a_dataset_of_a_dump(tmp_path):
    source = source_tree(tmp_path / "tools")
    build_corpus(CorpusRequest(source=source, out=tmp_path / "out", languages=("python",), skip_folders=("tests",)))
    card = (tmp_path / "out/README.md").read_text()
    assert "# Documented functions of tools" in card
    assert "| Apache-2.0 | 80 |" in card
    assert "0 in several" in card
    described = json.loads((tmp_path / "out/croissant.json").read_text())
    assert [entry["@id"] for entry in described["recordSet"]] == ["all", "python"]
    for name in ("all", "python"):
        pairs = datasets.load_dataset(str(tmp_path / "out"), name, cache_dir=str(tmp_path / "cache"))
        assert {split: len(rows) for split, rows in pairs.items()} == {"train": 32, "validation": 4, "test": 4}
