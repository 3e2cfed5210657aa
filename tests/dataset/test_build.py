import io
import json
import os
import sys
from dataclasses import replace

import pytest

import datasets
from procqa import __version__
from procqa.chain import verify
from procqa.config import BuildConfig, RunConfig
from procqa.corpora.sources import is_input
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest, no_report
from procqa.dataset.schema import SCHEMA, read_rows
from procqa.errors import ArtifactError, ConfigError, DumpError
from procqa.manifest import load_manifest
from tests.dataset.builds import LITTLE, ONE, build, promised
from tests.dumps import answer, links_table, padded, question, shuffled, threads, write_dump


def test_a_small_dump_becomes_the_rows_one_expects(tmp_path):
    write_dump(tmp_path / "dump.xml", [question(1, accepted=2, tags="<python><list>"), answer(2, 1)])
    summary = build(tmp_path / "dump.xml", tmp_path / "out")
    assert {name: summary[name] for name in ("rows", "questions", "answers", "kept", "dropped", "languages")} == {
        "rows": 2,
        "questions": 1,
        "answers": 1,
        "kept": 1,
        "dropped": {},
        "languages": {"python": {"train": 1, "validation": 0, "test": 0}},
    }
    (row,) = read_rows(tmp_path / "out")
    assert row["question_created"].isoformat() == "2010-01-01T00:00:01+00:00"
    del row["question_created"], row["answer_created"]
    assert row == {
        "question_id": 1,
        "answer_id": 2,
        "language": "python",
        "title": "How do I do thing 1?",
        "question": "I tried this 1:\n\n```\nthing(1)\n```",
        "answer": "Use `other(2)` instead.",
        "tags": ["python", "list"],
        "question_score": 1,
        "answer_score": 2,
        "view_count": 10,
        "question_author": "user 5",
        "question_author_url": "https://stackoverflow.com/users/5",
        "answer_author": "Ann",
        "answer_author_url": None,
        "question_licence": "CC BY-SA 2.5",
        "answer_licence": "CC BY-SA 2.5",
        "question_url": "https://stackoverflow.com/questions/1",
        "answer_url": "https://stackoverflow.com/a/2",
        "question_code_chars": row["question_code_chars"],
        "question_text_chars": row["question_text_chars"],
        "answer_code_chars": row["answer_code_chars"],
        "answer_text_chars": row["answer_text_chars"],
        "duplicate_cluster": None,
        "site": "stackoverflow.com",
    }


def test_every_question_is_kept_or_dropped_for_the_first_reason_of_the_funnel(tmp_path):
    rows = [
        question(1, accepted=2),
        answer(2, 1),
        question(11),
        question(12, tags="<haskell>"),
        question(13, accepted=999),
        question(14, accepted=2),
        question(15, accepted=1),
        question(16, accepted=17, tags="<haskell>"),
        answer(17, 16),
        question(18, accepted=19, Title="Why?", Body="<p>Eh</p>"),
        answer(19, 18),
        question(20, accepted=21),
        answer(21, 20, Body="<p>No.</p>"),
        question(22, accepted=23, Body=f"<p>{'x' * 30_001}</p>"),
        answer(23, 22),
        question(24, accepted=25),
        answer(25, 24, Body=f"<p>{'x' * 30_001}</p>"),
        answer(30, 31),
        {"Id": 40, "PostTypeId": 5, "Body": "wiki", "CreationDate": "2010-01-01T00:00:00.000"},
    ]
    write_dump(tmp_path / "dump.xml", rows)
    summary = build(tmp_path / "dump.xml", tmp_path / "out", rejects=tmp_path / "rejects.jsonl")
    assert summary["dropped"] == {
        "accepted answer belongs to another question": 1,
        "accepted answer not in the dump": 1,
        "accepted id is a question": 1,
        "answer too long": 1,
        "answer too short": 1,
        "no accepted answer": 2,
        "no wanted language": 1,
        "question too long": 1,
        "question too short": 1,
    }
    assert (summary["rows"], summary["questions"], summary["answers"], summary["other"]) == (19, 11, 7, 1)
    assert (summary["pairs_read"], summary["kept"]) == (6, 1)
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert sorted(reject["question_id"] for reject in rejects) == [11, 12, 13, 14, 15, 16, 18, 20, 22, 24]
    funnel = json.loads((tmp_path / "out/funnel.json").read_text())
    assert funnel["dropped"]["no accepted answer"] == {"none": 1, "python": 1}


def test_of_a_repeated_id_the_latest_activity_wins(tmp_path):
    repeated = answer(2, 1, Body="<p>A later and better answer.</p>", LastActivityDate="2011-01-01T00:00:00.000")
    for number, rows in enumerate(([answer(2, 1), repeated], [repeated, answer(2, 1)])):
        write_dump(tmp_path / "dump.xml", [question(1, accepted=2), *rows])
        summary = build(tmp_path / "dump.xml", tmp_path / f"{number}")
        assert (summary["rows"], summary["repeated"], summary["kept"]) == (3, 1, 1)
        assert [row["answer"] for row in read_rows(tmp_path / f"{number}")] == ["A later and better answer."]


def test_an_answer_that_moved_to_another_question_follows_its_latest_activity(tmp_path):
    rows = [
        question(1, accepted=5),
        question(2, accepted=5),
        answer(5, 1, LastActivityDate="2010-02-01T00:00:00.000"),
        answer(5, 2, LastActivityDate="2010-03-01T00:00:00.000"),
    ]
    for seed in range(3):
        write_dump(tmp_path / "dump.xml", shuffled(rows, seed))
        summary = build(tmp_path / "dump.xml", tmp_path / f"out{seed}")
        assert summary["repeated"] == 1
        assert summary["dropped"] == {"accepted answer belongs to another question": 1}
        assert [row["question_id"] for row in read_rows(tmp_path / f"out{seed}")] == [2]


def test_standard_input_gives_the_bytes_of_the_file(tmp_path, monkeypatch):
    rows = [*threads(120), question(501, accepted=999), answer(502, 777)]
    plain = write_dump(tmp_path / "dump.xml", rows)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(plain.read_bytes())))
    build("-", tmp_path / "stdin")
    build(plain, tmp_path / "plain")
    assert promised(tmp_path / "stdin") == promised(tmp_path / "plain")
    (given,) = load_manifest(tmp_path / "stdin").inputs
    (file,) = load_manifest(tmp_path / "plain").inputs
    assert (given.name, given.size, given.sha256) == ("-", file.size, file.sha256)


def test_splits_are_contiguous_in_time_and_a_tenth_each(tmp_path):
    write_dump(tmp_path / "dump.xml", shuffled(threads(75), 3))
    summary = build(tmp_path / "dump.xml", tmp_path / "out")
    assert summary["languages"] == {
        name: {"train": 21, "validation": 2, "test": 2} for name in ("csharp", "go", "python")
    }
    keys = [
        [
            (row["question_created"], row["question_id"])
            for row in read_rows(tmp_path / "out", language="go", split=split)
        ]
        for split in ("train", "validation", "test")
    ]
    in_order = [key for of_split in keys for key in of_split]
    assert in_order == sorted(in_order)


def test_the_dataset_opens_offline_with_the_datasets_library(tmp_path, socket_disabled):
    write_dump(tmp_path / "dump.xml", threads(60))
    build(tmp_path / "dump.xml", tmp_path / "out")
    cache = str(tmp_path / "cache")
    whole = datasets.load_dataset(str(tmp_path / "out"), cache_dir=cache)
    assert {split: rows.num_rows for split, rows in whole.items()} == {"train": 48, "validation": 6, "test": 6}
    python = datasets.load_dataset(str(tmp_path / "out"), "python", split="test", cache_dir=cache)
    assert set(python["language"]) == {"python"}
    assert python.column_names == SCHEMA.names


def test_a_small_language_has_no_file_for_an_empty_split(tmp_path):
    write_dump(tmp_path / "dump.xml", threads(3))
    build(tmp_path / "dump.xml", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out/data/go").iterdir()) == ["train-00000-of-00001.parquet"]
    assert "split: test" not in (tmp_path / "out/README.md").read_text()


def test_again_is_the_same_and_nothing_is_redone(tmp_path):
    write_dump(tmp_path / "dump.xml", threads(10))
    first = build(tmp_path / "dump.xml", tmp_path / "out")
    stamp = (tmp_path / "out/manifest.json").stat().st_mtime_ns
    assert build(tmp_path / "dump.xml", tmp_path / "out") == first
    assert (tmp_path / "out/manifest.json").stat().st_mtime_ns == stamp
    with pytest.raises(ArtifactError, match="--force"):
        build(tmp_path / "dump.xml", tmp_path / "out", config=BuildConfig(min_answer_chars=11))


def test_verify_passes_down_to_the_dump_and_fails_when_it_changed(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(10))
    build(dump, tmp_path / "out")
    assert {check.outcome for check in verify(tmp_path / "out", [dump])} == {"ok"}
    write_dump(dump, threads(11))
    assert [check.subject for check in verify(tmp_path / "out", [dump]) if check.outcome == "failed"] == [
        "input dump.xml"
    ]


def test_pairs_that_hold_a_benchmark_text_are_dropped_with_proof(tmp_path):
    rows = [
        *threads(10),
        question(101, accepted=102, Title="How to Reverse a Linked List in place, quickly?"),
        answer(102, 101),
    ]
    write_dump(tmp_path / "dump.xml", rows)
    (tmp_path / "bench.txt").write_text("reverse a linked list in place\nlist\n")
    summary = build(tmp_path / "dump.xml", tmp_path / "out", benchmarks=(tmp_path / "bench.txt",))
    assert summary["dropped"] == {"contaminated": 1}
    leakage = json.loads((tmp_path / "out/leakage.json").read_text())
    (leak,) = leakage["removed"]
    assert (leak["question_id"], leak["rule"], leak["matched"]) == (101, "substring", "reverse a linked list in place")


def test_two_sites_do_not_mix_their_ids(tmp_path):
    rows = [question(1, accepted=2), answer(2, 1)]
    for site in ("superuser.com", "askubuntu.com"):
        (tmp_path / site).mkdir()
        write_dump(tmp_path / site / "Posts.xml", rows)
    dumps = tuple(str(tmp_path / site) for site in ("superuser.com", "askubuntu.com"))
    build(dumps, tmp_path / "out")
    assert [row["question_url"] for row in read_rows(tmp_path / "out")] == [
        "https://askubuntu.com/questions/1",
        "https://superuser.com/questions/1",
    ]


@pytest.mark.parametrize("rows", [[], [answer(1, 2)], [question(1, accepted=2, tags="<sql>"), answer(2, 1)]])
def test_a_dump_without_a_wanted_pair_is_one_sentence_and_leaves_nothing(tmp_path, rows):
    write_dump(tmp_path / "dump.xml", rows)
    with pytest.raises(DumpError, match="a dump must hold"):
        build(tmp_path / "dump.xml", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump.xml"]


def test_a_missing_dump_and_an_unknown_language_fail_at_once(tmp_path):
    with pytest.raises(ArtifactError, match="must be a readable file"):
        build(tmp_path / "absent.xml", tmp_path / "out")
    write_dump(tmp_path / "dump.xml", threads(3))
    with pytest.raises(ConfigError, match="fortran"):
        build(tmp_path / "dump.xml", tmp_path / "out", config=BuildConfig(languages=("fortran",)))


def test_a_build_that_was_interrupted_goes_on_with_what_is_done(tmp_path):
    write_dump(tmp_path / "dump.xml", threads(30))
    whole = build(tmp_path / "dump.xml", tmp_path / "whole")

    def interrupt(stage, done):
        if stage == "write":
            raise KeyboardInterrupt

    request = BuildRequest(dumps=(str(tmp_path / "dump.xml"),), out=tmp_path / "out", run=ONE)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(request, interrupt)
    runs = list((tmp_path / ".out.partial/scratch/pairs").glob("*.arrow"))
    stamps = {path.name: path.stat().st_mtime_ns for path in runs}
    seen = {}

    def look(stage, done):
        seen.update({path.name: path.stat().st_mtime_ns for path in runs if path.exists()})

    assert build_dataset(request, look)["sha256"] == whole["sha256"]
    assert seen == stamps
    assert not (tmp_path / ".out.partial").exists()


def test_what_a_kill_left_is_removed_though_the_dump_was_touched(tmp_path):
    dump = tmp_path / "d.xml"
    write_dump(dump, threads(12))
    build(dump, tmp_path / "out")
    partial = tmp_path / ".out.partial"

    def leave(recipe):
        (partial / "scratch").mkdir(parents=True)
        manifest = json.loads((tmp_path / "out/manifest.json").read_text())
        stamp = [{**entry, "sha256": "1-2-3"} for entry in manifest["inputs"]]
        origin = {"kind": "dataset", "recipe": recipe or manifest["recipe"], "inputs": stamp, "procqa": __version__}
        (partial / "scratch/origin.json").write_text(json.dumps(origin))

    leave(None)
    os.utime(dump, (1, 1))
    build(dump, tmp_path / "out")
    assert not partial.exists()
    leave({"preset": "another"})
    build(dump, tmp_path / "out")
    assert partial.exists()


def test_a_resumed_build_does_not_trust_what_another_standard_input_left(tmp_path, monkeypatch):
    def from_stdin(rows, report):
        text = write_dump(tmp_path / "dump.xml", rows).read_bytes()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        return build_dataset(BuildRequest(dumps=("-",), out=tmp_path / "out", run=ONE), report)

    def interrupt(stage, done):
        if stage == "write":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        from_stdin(threads(30), interrupt)
    # As many rows with the same ids, so that all files of the work have the same names.
    other = [{**row, "Title": f"Another title, {row['Title']}"} if "Title" in row else row for row in threads(30)]
    resumed = from_stdin(other, no_report)
    write_dump(tmp_path / "dump.xml", other)
    assert resumed["sha256"] == build(tmp_path / "dump.xml", tmp_path / "whole")["sha256"]


def test_an_interrupted_build_goes_on_in_other_blocks_and_still_leaves_out_benchmarks_and_duplicates(tmp_path):
    rows = [*threads(10), question(101, accepted=102, Title="Reverse a linked list in place?"), answer(102, 101)]
    (tmp_path / "dump").mkdir()
    write_dump(tmp_path / "dump/Posts.xml", padded(rows, 9))
    (tmp_path / "dump/PostLinks.xml").write_bytes(links_table([(11, 1, 3)]))
    (tmp_path / "bench.txt").write_text("reverse a linked list in place\n")

    def interrupt(stage, done):
        if stage == "write":
            raise KeyboardInterrupt

    request = BuildRequest(
        dumps=(str(tmp_path / "dump"),), out=tmp_path / "out", run=ONE, benchmarks=(tmp_path / "bench.txt",)
    )
    with pytest.raises(KeyboardInterrupt):
        build_dataset(request, interrupt)
    resumed = build_dataset(replace(request, run=RunConfig(jobs=1, memory=LITTLE[1])))
    assert resumed["dropped"] == {"contaminated": 1, "marked as a duplicate": 1}
    whole = build(tmp_path / "dump", tmp_path / "whole", benchmarks=request.benchmarks)
    assert (resumed["sha256"], promised(tmp_path / "out")) == (whole["sha256"], promised(tmp_path / "whole"))


def test_an_interrupted_build_without_rejects_can_go_on_with_them(tmp_path):
    write_dump(tmp_path / "dump.xml", [*threads(3), question(101)])

    def interrupt(stage, done):
        if stage == "write":
            raise KeyboardInterrupt

    request = BuildRequest(dumps=(str(tmp_path / "dump.xml"),), out=tmp_path / "out", run=ONE)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(request, interrupt)
    build(tmp_path / "dump.xml", tmp_path / "out", rejects=tmp_path / "rejects.jsonl")
    assert len((tmp_path / "rejects.jsonl").read_text().splitlines()) == 1


def test_a_rejects_file_that_could_not_be_written_is_refused_at_once(tmp_path):
    write_dump(tmp_path / "dump.xml", threads(3))
    for rejects in (tmp_path / "absent/rejects", tmp_path / "out/rejects", tmp_path):
        with pytest.raises(ArtifactError, match="must be a file in a folder that exists"):
            build(tmp_path / "dump.xml", tmp_path / "out", rejects=rejects)


def test_an_out_that_overlaps_its_input_is_refused(tmp_path):
    (tmp_path / "dumps").mkdir()
    (tmp_path / "benchmarks").mkdir()
    write_dump(tmp_path / "dumps/Posts.xml", threads(3))
    for out in (tmp_path, tmp_path / "dumps", tmp_path / "dumps/out"):
        with pytest.raises(ArtifactError, match="must lie apart from its inputs"):
            build(tmp_path / "dumps", out, force=True)
    with pytest.raises(ArtifactError, match="must lie apart from its inputs"):
        build(tmp_path / "dumps", tmp_path / "benchmarks/out", benchmarks=(tmp_path / "benchmarks",))


def test_verify_knows_dump_folders_and_benchmark_folders_again(tmp_path):
    for name in ("dumps", "benchmarks"):
        (tmp_path / name).mkdir()
    write_dump(tmp_path / "dumps/Posts.xml", threads(3))
    (tmp_path / "benchmarks/texts.txt").write_text("a benchmark text that stands nowhere\n")
    benchmarks = tmp_path / "benchmarks/texts.txt"
    build(tmp_path / "dumps", tmp_path / "out", benchmarks=(benchmarks,))
    checks = verify(tmp_path / "out", [tmp_path / "dumps", benchmarks], matches=is_input)
    assert {check.outcome for check in checks} == {"ok"}
