"""procqa index, search and serve from a shell's point of view: streams and exit statuses."""

import json
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from procqa.cli import main
from procqa.cli.common import attribution_lines
from procqa.config import SearchConfig
from procqa.records import Attribution
from procqa.search.forms import result_json
from procqa.search.searcher import Searcher
from tests.encoder.small import write_cross_encoder
from tests.index.small import ROWS, to_row, write_dataset, write_encoder

ESCAPES = to_row(
    80,
    "c",
    "\x1b]0;owned\x07 clear\x1b[2J the screen \u202e map",
    '\x1b[31mred\x1b[0m \x9b31m [bold]not markup[/bold]\r over\x08\x7f\n\n```c\nputs("\x1b[2J");\n```',
    answer_author="Mal\x1b[1mlory",
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("cli") / "d", [*ROWS, ESCAPES])


@pytest.fixture(scope="module")
def index(dataset: Path) -> Path:
    run("index", dataset, "--out", dataset.parent / "i", "--encoder", "none")
    return dataset.parent / "i"


def run(*arguments: object, typed: bytes | str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)


def test_index_takes_the_shipped_encoder_where_none_is_named(dataset: Path, tmp_path: Path):
    result = run("index", dataset, "--out", tmp_path / "i", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["encoder"] == "default"
    hits = json.loads(run("search", tmp_path / "i", "sort a list", "--mode", "dense", "--json").stdout)["hits"]
    assert len(hits) == 6


@pytest.mark.parametrize("query", [[], ["-"]])
def test_a_search_without_a_query_needs_an_open_standard_input(index: Path, query: list[str]):
    command = [sys.executable, "-m", "procqa", "search", str(index), *query]
    closed = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.close(0), check=False)
    assert closed.returncode == 2
    assert closed.stderr.startswith("procqa: standard input must be open where no QUERY")


def test_a_line_of_standard_input_that_cannot_be_answered_is_told_in_the_status(index: Path):
    result = run("search", index, "--jsonl", typed="lang:nolang foo\nsort a list\n")
    assert result.exit_code == 2
    assert json.loads(result.stdout.splitlines()[0])["rank"] == 1
    told = result.stderr.splitlines()[-1]
    assert told == "procqa: every line must be a query that can be answered, but 1 could not be; see above"


def test_what_the_encoding_of_a_terminal_lacks_is_escaped_and_json_stays_json(index: Path):
    command = [sys.executable, "-m", "procqa", "search", str(index), "sort → ü"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    for form in (["--json"], ["--jsonl"], []):
        printed = subprocess.run([*command, *form], capture_output=True, env=environment, check=True).stdout
        if form == ["--json"]:
            assert json.loads(printed.decode("latin-1"))["query"] == "sort → ü"
        assert printed


def test_index_of_words_only_has_no_encoder(dataset: Path, tmp_path: Path):
    result = run("index", dataset, "--out", tmp_path / "i", "--encoder", "none", "--json")
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert summary["documents"] == 6
    assert summary["languages"] == {"c": 1, "go": 2, "java": 1, "python": 2}
    assert (summary["encoder"], summary["dump_date"]) == (None, "2020-09-13")
    assert run("index", dataset, "--out", tmp_path / "i", "--encoder", "none", "--json").stdout == result.stdout


def test_an_update_does_not_change_the_encoder_in_silence(dataset: Path, tmp_path: Path):
    model = write_encoder(tmp_path / "model")
    assert run("index", dataset, "--out", tmp_path / "i", "--encoder", model).exit_code == 0
    before = (tmp_path / "i/manifest.json").read_bytes()
    for arguments in ([], ["--encoder", "none"]):
        refused = run("index", dataset, "--out", tmp_path / "i", *arguments)
        assert refused.exit_code == 1
        assert "has the vectors of model: name" in refused.stderr
    assert (tmp_path / "i/manifest.json").read_bytes() == before
    assert run("index", dataset, "--out", tmp_path / "i", "--encoder", "default").exit_code == 0
    assert run("index", dataset, "--out", tmp_path / "i").exit_code == 0


def test_an_update_of_an_index_of_words_stays_one(dataset: Path, tmp_path: Path):
    run("index", dataset, "--out", tmp_path / "i", "--encoder", "none")
    before = (tmp_path / "i/manifest.json").read_bytes()
    again = run("index", dataset, "--out", tmp_path / "i", "--json")
    assert (again.exit_code, json.loads(again.stdout)["encoder"]) == (0, None)
    assert "holds words only and goes on so" in again.stderr
    assert (tmp_path / "i/manifest.json").read_bytes() == before


def test_an_index_whose_vectors_another_arithmetic_made_is_made_anew_and_says_so(dataset: Path, tmp_path: Path):
    arguments = ("index", dataset, "--out", tmp_path / "i", "--encoder", write_encoder(tmp_path / "model"))
    run(*arguments)
    manifest = tmp_path / "i/manifest.json"
    before = manifest.read_text(encoding="utf-8")
    manifest.write_text(before.replace('"numpy fp32"', '"torch bf16"'), encoding="utf-8")

    again = run(*arguments)

    said = f"procqa: {tmp_path / 'i'} has vectors by torch bf16, so all are computed anew by numpy fp32"
    assert again.stderr.splitlines()[0] == said
    assert json.loads(manifest.read_text(encoding="utf-8"))["recipe"] == json.loads(before)["recipe"]
    assert run(*arguments).stderr == ""


def test_index_with_an_encoder_needs_it_no_more_afterwards(dataset: Path, tmp_path: Path):
    model = write_encoder(tmp_path / "model")
    result = run("index", dataset, "--out", tmp_path / "i", "--encoder", model)
    assert result.exit_code == 0
    assert "the vectors of model" in result.stdout
    model.rename(tmp_path / "gone")
    answer = json.loads(run("search", tmp_path / "i", "read a file", "--mode", "dense", "--json").stdout)
    assert (answer["mode"], answer["hits"][0]["id"]) == ("dense", "stackoverflow.com:20")


def test_json_is_one_object_on_one_line_and_that_of_python(index: Path):
    result = run("search", index, "read a file", "-k", 2, "--json")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    answer = json.loads(result.stdout)
    expected = result_json(Searcher.open(index).search("read a file", SearchConfig(k=2)))
    assert {**answer, "seconds": 0} == {**expected, "seconds": 0}


def test_jsonl_is_one_hit_a_line(index: Path):
    lines = run("search", index, "read a file", "--jsonl").stdout.splitlines()
    assert [json.loads(line)["rank"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(json.loads(line)["answer_licence"] == "CC BY-SA 4.0" for line in lines)


def test_a_hit_is_printed_with_its_code_and_its_attribution(index: Path):
    result = run("search", index, "remove duplicates", "--language", "python")
    assert result.exit_code == 0
    assert result.stdout.startswith("1. Remove duplicates from a list  [python, ")
    assert "\n    list(dict.fromkeys(xs))\n" in result.stdout
    assert "answer by Bob, CC BY-SA 4.0, https://stackoverflow.com/users/2\n" in result.stdout
    assert "question by Ann, CC BY-SA 3.0, https://stackoverflow.com/users/1\n" in result.stdout
    assert "stackoverflow.com, https://stackoverflow.com/questions/9 https://stackoverflow.com/a/10\n" in result.stdout
    assert "1 hit in " in result.stderr


def test_a_post_has_no_power_over_the_terminal(index: Path):
    result = run("search", index, "clear the screen")
    assert "[bold]not markup[/bold]" in result.stdout
    assert "␛]0;owned␇ clear␛[2J the screen \ufffd map" in result.stdout
    assert "Mal␛[1mlory" in result.stdout
    assert not set(result.stdout) & {chr(code) for code in [*range(32), *range(127, 160), 0x202E] if code != 10}


def test_show_prints_a_pair_with_its_attribution_and_no_power_over_the_terminal(tmp_path: Path):
    long = "https://stackoverflow.com/a/" + "9" * 100
    folder = write_dataset(tmp_path / "d", [to_row(10, "go", "map", "x " * 600, answer_url=long), ESCAPES])
    result = run("show", folder)
    assert result.exit_code == 0
    assert "[bold]not markup[/bold]" in result.stdout
    assert "answer by Mal␛[1mlory, CC BY-SA 4.0, https://stackoverflow.com/users/2\n" in result.stdout
    assert "question by Ann, CC BY-SA 3.0, https://stackoverflow.com/users/1\n" in result.stdout
    assert "stackoverflow.com, https://stackoverflow.com/questions/79 https://stackoverflow.com/a/80\n" in result.stdout
    assert not set(result.stdout) & {chr(code) for code in [*range(32), *range(127, 160), 0x202E] if code != 10}
    assert f" {long}\n" in run("show", folder, "--language", "go").stdout
    example = json.loads(run("show", folder, "--language", "go", "--json").stdout)["example"]
    assert (len(example["answer"]), example["answer_url"]) == (600, long)


def test_an_author_cannot_write_lines_of_his_own():
    place = {"origin": "local", "question_author_url": None, "answer_author_url": None}
    licences = {"question_licence": "MIT", "answer_licence": "MIT", "question_url": None, "answer_url": None}
    by = Attribution(question_author="Ann\nby Bob", answer_author="Ann\nby Bob", **place, **licences)
    assert list(attribution_lines(by, None)) == ["question and answer by Ann by Bob, MIT"]


@pytest.mark.parametrize("source", ["file", "standard input", "query"])
def test_code_is_a_query_from_a_file_and_from_standard_input(index: Path, tmp_path: Path, source: str):
    code = b"list(dict.fromkeys(xs)) \xff\n"
    (tmp_path / "q.py").write_bytes(code)
    arguments = {"file": ["--code", tmp_path / "q.py"], "standard input": ["--code", "-"], "query": ["-"]}[source]
    result = run("search", index, *arguments, "--json", "-k", 1, typed=code)
    assert json.loads(result.stdout)["hits"][0]["id"] == "stackoverflow.com:10"


def test_nothing_found_is_no_error(index: Path):
    result = run("search", index, "zygote")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no document has what the query asks for" in result.stderr
    assert json.loads(run("search", index, "zygote", "--json").stdout)["hits"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["   "], "not blank"),
        ([""], "not blank"),
        (["x" * 20_001], "at most 20,000 characters"),
        (["x", "-k", "0"], "k must lie between 1 and 1000, got 0"),
        (["x", "-k", "1001"], "k must lie between 1 and 1000, got 1001"),
        (["x", "-k", "many"], "'many' is not a valid integer"),
        (["x", "--mode", "guess"], "'guess' is not one of"),
        (["x", "--mode", "dense"], "holds words only"),
        (["x", "--language", "cobol"], "one of the index (c, go, java, python) or all"),
        (["x", "--code", "y"], "give either QUERY or --code FILE"),
        (["--code", "nowhere.py"], "nowhere.py"),
        (["x", "--json", "--jsonl"], "give one of them"),
        (["x", "--explained"], "No such option"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(index: Path, arguments: list[str], sentence: str):
    result = run("search", index, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr


def test_a_folder_that_is_no_index_is_one_sentence_and_status_1(dataset: Path, tmp_path: Path):
    for folder, sentence in ((tmp_path / "nowhere", "no such folder"), (dataset, "it is a procqa dataset")):
        for command in (["search", folder, "x"], ["serve", folder, "--port", 0]):
            result = run(*command)
            assert (result.exit_code, result.stdout) == (1, "")
            assert sentence in result.stderr
            assert result.stderr.count("\n") == 1


def test_an_index_of_another_format_version_is_one_sentence_and_status_1(dataset: Path, tmp_path: Path):
    run("index", dataset, "--out", tmp_path / "i")
    manifest = json.loads((tmp_path / "i/manifest.json").read_text())
    (tmp_path / "i/manifest.json").write_text(json.dumps({**manifest, "format_version": 9}))
    result = run("search", tmp_path / "i", "x")
    assert result.exit_code == 1
    assert "format version 9" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["nowhere", "--out", "i"], 1, "no such folder"),
        (["d", "--out", "taken"], 1, "left alone"),
        (["d", "--out", "i", "--encoder", "./nowhere"], 1, "no such folder"),
        (["--out", "i"], 2, "Missing argument"),
        (["d"], 2, "Missing option"),
    ],
)
def test_an_index_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, sentence: str
):
    monkeypatch.chdir(tmp_path)
    write_dataset(tmp_path / "d")
    (tmp_path / "taken").mkdir()
    result = run("index", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "i").exists()


def test_a_reader_that_stops_reading_gets_no_traceback(dataset: Path, tmp_path: Path):
    rows = [to_row(2 * number, "c", "map", "map " * 300) for number in range(1, 300)]
    run("index", write_dataset(tmp_path / "many", rows), "--out", tmp_path / "i")
    for form in ([], ["--json"], ["--jsonl"]):
        search = subprocess.Popen(
            [sys.executable, "-m", "procqa", "search", str(tmp_path / "i"), "map", "-k", "300", *form],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Without its buffer Python takes half a write for a whole one.
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
        assert search.stdout is not None
        search.stdout.read(10)
        search.stdout.close()
        assert search.stderr is not None
        complaint = search.stderr.read().decode()
        search.stderr.close()
        assert search.wait(timeout=30) == 1
        assert "Traceback" not in complaint


def test_a_port_that_is_taken_is_one_sentence_and_status_1(index: Path):
    pytest.importorskip("fastapi")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", index, "--port", taken.getsockname()[1])
    assert result.exit_code == 1
    assert "must be free" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--port", "-1"],
        ["--concurrency", "0"],
        ["--timeout", "0"],
        ["--timeout", "inf"],
        ["--timeout", "nan"],
        ["--host", "192.0.2.1"],
    ],
)
def test_a_server_that_cannot_be_is_status_2(index: Path, arguments: list[str]):
    pytest.importorskip("fastapi")
    result = run("serve", index, *arguments)
    assert result.exit_code == 2
    assert "must" in result.stderr


def test_what_is_no_unicode_in_a_line_of_standard_input_is_replaced(index: Path):
    result = run("search", index, "--json", typed=b"caf\xe9 read\r\nread a file")
    assert result.exit_code == 0
    assert [json.loads(line)["query"] for line in result.stdout.splitlines()] == ["caf\ufffd read", "read a file"]


def test_each_line_of_standard_input_is_a_query_where_none_is_given(index: Path):
    result = run("search", index, "--json", typed="read a file\n\nread after:soon\nstart a goroutine lang:go\n")

    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == ["read a file", "start a goroutine lang:go"]
    assert "after: must be followed by a year" in result.stderr
    assert result.exit_code == 2


def test_a_prompt_asks_until_it_is_left(index: Path):
    printed = in_terminal(index, keys=b"start a goroutine\n\x04")

    assert "one query a line; Ctrl-D ends" in printed
    assert "query> " in printed
    assert "Write go before the call." in printed


def test_a_long_answer_goes_through_a_pager_in_a_terminal(index: Path, tmp_path: Path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho PAGED; cat\n")
    pager.chmod(0o755)

    assert "PAGED" in in_terminal(index, "file list go call", pager=pager, lines=5)
    assert "PAGED" not in in_terminal(index, "file list go call", pager=pager, lines=500)
    assert "PAGED" not in in_terminal(index, "file list go call", "--no-pager", pager=pager, lines=5)


def in_terminal(index: Path, *arguments: str, keys: bytes = b"", pager: Path | str = "cat", lines: int = 100) -> str:
    """What a real terminal shows of procqa search."""
    environment = os.environ | {"PAGER": str(pager), "LINES": str(lines), "COLUMNS": "100", "TERM": "xterm"}
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "procqa", "search", str(index), *arguments],
        stdin=follower, stdout=follower, stderr=follower, env=environment, close_fds=True,
    )  # fmt: skip
    os.close(follower)
    printed, sent = b"", not keys
    while True:
        try:
            chunk = os.read(leader, 4_096)
        except OSError:  # so Linux says that nobody writes any more
            break
        if not chunk:
            break
        printed += chunk
        if not sent and b"query> " in printed:
            os.write(leader, keys)
            sent = True
    os.close(leader)
    assert process.wait(timeout=30) == 0
    return printed.decode("utf-8", "replace")


def test_a_hit_says_why_it_stands_where_it_does_if_asked(dataset: Path, tmp_path: Path):
    run("index", dataset, "--out", tmp_path / "i", "--encoder", write_encoder(tmp_path / "model"))

    plain = json.loads(run("search", tmp_path / "i", "sort a map", "--json").stdout)
    told = json.loads(run("search", tmp_path / "i", "sort a map", "--explain", "--json").stdout)
    shown = run("search", tmp_path / "i", "sort a map", "--explain").stdout

    assert "explain" not in plain["hits"][0]
    first = told["hits"][0]["explain"]
    assert (first["words_rank"], first["vectors_rank"]) == (1, 1)
    assert first["matched"] == ["sort", "map"]
    assert 0.9 < first["cosine"] < 1
    by_words = (1 - first["weight"]) * first["words_score"] / first["words_limit"]
    assert told["hits"][0]["score"] == pytest.approx(by_words + first["weight"] * first["cosine"], abs=1e-3)
    assert "words: rank 1, BM25 " in shown
    assert "shared: sort map" in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str):
    result = run("completion", shell)

    assert result.exit_code == 0
    assert "_PROCQA_COMPLETE" in result.stdout
    assert json.loads(run("completion", shell, "--json").stdout) == {"shell": shell, "script": result.stdout[:-1]}


def test_bash_completes_commands_and_options():
    def complete(*words: str) -> list[str]:
        environment = os.environ | {
            "_PROCQA_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1),
        }  # fmt: skip
        command = [str(Path(sys.executable).parent / "procqa")]
        lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
        return [line.partition(",")[2] for line in lines]

    assert complete("procqa", "sea") == ["search"]
    assert "--explain" in complete("procqa", "search", "--ex")


def test_a_cross_encoder_reads_the_hits(index: Path, tmp_path: Path):
    model = write_cross_encoder(tmp_path / "cross")

    answer = json.loads(run("search", index, "read a file", "--rerank", model, "--explain", "--json").stdout)

    scores = [hit["score"] for hit in answer["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert all(1 < score < 2 for score in scores)
    assert all(hit["explain"]["read"] == pytest.approx(hit["score"] - 1) for hit in answer["hits"])
    refused = run("search", index, "read a file", "--rerank", "default")
    assert (refused.exit_code, "must be a cross-encoder" in refused.stderr) == (1, True)


def test_a_search_says_that_its_index_lies_behind_its_sources(tmp_path: Path):
    pytest.importorskip("tree_sitter")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "cart.py").write_text("def add_to_cart(item):\n    return [item]\n")
    run("index", tmp_path / "shop", "--out", tmp_path / "i", "--encoder", "none")
    fresh = run("search", tmp_path / "i", "add to cart")
    (tmp_path / "shop" / "cart.py").write_text("def add_to_basket(item):\n    return [item]\n")

    stale = run("search", tmp_path / "i", "add to cart", "--json")

    assert "lies behind" not in fresh.stderr
    assert json.loads(stale.stdout)["hits"][0]["symbol"] == "add_to_cart"
    assert "the index lies behind its sources: 1 files changed, 0 new, 0 gone" in stale.stderr
