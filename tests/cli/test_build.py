import json
import os
import subprocess
import sys

import py7zr
import pytest
from click.testing import CliRunner

from procqa.cli import main
from tests.dumps import HEADER, threads, write_dump, xml_row


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def procqa(*arguments, **options):
    command = [sys.executable, "-m", "procqa", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def dump(tmp_path):
    return write_dump(tmp_path / "dump.xml", threads(30))


def test_json_is_one_object_with_the_agreed_keys(dump, tmp_path):
    result = run("build", dump, "--out", tmp_path / "out", "--json", "--jobs", 1)
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    assert list(json.loads(line)) == [
        "rows",
        "questions",
        "answers",
        "other",
        "unreadable",
        "repeated",
        "pairs_read",
        "kept",
        "dropped",
        "languages",
        "sha256",
        "dump_date",
        "seconds",
        "peak_memory_bytes",
        "out",
    ]
    again = run("build", dump, "--out", tmp_path / "out", "--json", "--jobs", 1)
    assert (again.exit_code, again.stdout) == (0, result.stdout)


def test_a_person_sees_a_table_and_the_reasons(dump, tmp_path):
    result = run("build", dump, "--out", tmp_path / "out", "--jobs", 1, "--languages", "python,go")
    assert result.exit_code == 0
    assert "20 pairs in" in result.stdout
    assert "dropped 10: no wanted language" in result.stdout


def test_standard_input_is_a_dump(dump, tmp_path):
    with dump.open() as stream:
        result = procqa("build", "-", "--out", tmp_path / "out", "--json", stdin=stream)
    assert (result.returncode, json.loads(result.stdout)["kept"]) == (0, 30)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--jobs", "0"], "jobs must be at least 1, got 0"),
        (["--memory", "1MB"], "memory must be at least"),
        (["--memory", "plenty"], "a memory size must be a number with KB, MB or GB"),
        (["--languages", "fortran"], "a language must be one of"),
        (["--site", "not a host"], "site must be a host name"),
        (["--min-answer-chars", "-1"], "min_answer_chars must lie between 0"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_wrong_use_exits_2_with_one_sentence(dump, tmp_path, options, sentence):
    result = run("build", dump, "--out", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump.xml"]


def truncated_archive(folder):
    with py7zr.SevenZipFile(folder / "whole.7z", "w") as archive:
        archive.writestr(HEADER + "".join(map(xml_row, threads(2_000))) + "</posts>", "Posts.xml")
    whole = (folder / "whole.7z").read_bytes()
    (folder / "whole.7z").unlink()
    (folder / "cut.7z").write_bytes(whole[: len(whole) // 2])
    return folder / "cut.7z"


def cut_xml(folder):
    (folder / "cut.xml").write_text(HEADER + xml_row(threads(1)[0]))
    return folder / "cut.xml"


def no_dump(folder):
    (folder / "notes.txt").write_text("dear diary\n" * 100)
    return folder / "notes.txt"


def empty_dump(folder):
    return write_dump(folder / "empty.xml", [])


@pytest.mark.parametrize("make", [truncated_archive, cut_xml, no_dump, empty_dump, lambda folder: folder / "absent.7z"])
def test_a_dump_that_cannot_be_used_exits_1_with_one_sentence_and_leaves_nothing(tmp_path, make):
    path = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = run("build", path, "--out", tmp_path / "out", "--jobs", 1)
    assert result.exit_code == 1, result.output
    (sentence,) = [line for line in result.stderr.splitlines() if line.startswith("procqa: ")]
    assert path.name in sentence
    assert sorted(tmp_path.iterdir()) == before


def test_an_out_of_another_kind_or_another_owner_is_left_alone(dump, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    for options in ([], ["--force"]):
        result = run("build", dump, "--out", tmp_path / "out", *options)
        assert result.exit_code == 1
        assert "left alone" in result.stderr
    assert (tmp_path / "out/thesis.txt").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_one_sentence(dump, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    result = run("build", dump, "--out", tmp_path / "locked/out")
    assert (result.exit_code, "can be written" in result.stderr) == (1, True)


def test_a_file_in_the_place_of_a_folder_is_one_sentence(dump, tmp_path):
    (tmp_path / "file").write_text("x")
    result = run("build", dump, "--out", tmp_path / "file/out")
    assert result.exit_code == 1
    assert "must be a folder that can be written" in result.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_under_standard_output_is_one_sentence(dump, tmp_path):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "procqa", "build", str(dump), "--out", str(tmp_path / "out"), "--json"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_a_closed_pipe_is_one_sentence(dump, tmp_path):
    procqa("build", dump, "--out", tmp_path / "out")
    command = f"{sys.executable} -m procqa show {tmp_path / 'out'} --json | true; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in result.stderr
    assert result.returncode in (0, 1)


def test_verify_and_show_tell_what_a_folder_is(dump, tmp_path):
    out = tmp_path / "out"
    run("build", dump, "--out", out, "--jobs", 1)
    result = run("verify", out, "--input", dump, "--json")
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True)
    part = next((out / "data/python").iterdir())
    content = bytearray(part.read_bytes())
    content[100] ^= 1
    part.write_bytes(content)
    result = run("verify", out, "--json")
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (1, False)
    assert "checks failed" in result.stderr
    shown = json.loads(run("show", out, "--language", "go", "--json").stdout)
    assert (shown["kind"], shown["example"]["language"]) == ("dataset", "go")


def test_a_corrupt_part_is_one_sentence(dump, tmp_path):
    out = tmp_path / "out"
    run("build", dump, "--out", out, "--jobs", 1)
    for part in (out / "data/go").iterdir():
        part.write_bytes(b"PAR1 no longer")
    result = run("show", out, "--language", "go")
    assert (result.exit_code, "not a readable Parquet part" in result.stderr) == (1, True)
