"""``--since``: a build that goes on from an older dataset gives the bytes of a build from scratch."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.errors import ArtifactError
from tests.dataset.builds import RECIPES, build, promised
from tests.dumps import (
    BENCHMARK_TEXT,
    answer,
    edited,
    links_table,
    odd_threads,
    question,
    shuffled,
    threads,
    users_table,
    write_dump,
)

BESIDE = (".state", ".redactions.jsonl")


def write_folder(folder, rows, seed=None):
    """A dump as a folder; with a seed, a Users and a PostLinks table beside the posts."""
    folder.mkdir()
    write_dump(folder / "Posts.xml", rows)
    if seed is not None:
        (folder / "Users.xml").write_bytes(
            users_table({number: f"Name {number + seed % 2}" for number in range(1, 20)})
        )
        (folder / "PostLinks.xml").write_bytes(links_table([(10 * (seed % 7 + n), 10, 3) for n in range(1, 9, 3)]))
    return folder


def changes(out):
    return [json.loads(line) for line in out.with_name(f"{out.name}.changes.jsonl").read_text().splitlines()]


def beside(out):
    """The bytes of what stands beside a dataset and must be the same too, but for the changes."""
    files = {}
    for ending in BESIDE:
        path = out.with_name(out.name + ending)
        if path.is_file():
            files[ending] = path.read_bytes()
        elif path.is_dir():
            files |= {f"{ending}/{file.name}": file.read_bytes() for file in path.iterdir() if file.suffix == ".npy"}
    return files


@settings(max_examples=10)
@given(
    st.integers(0, 1_000),
    st.integers(2, 50),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.sampled_from(sorted(RECIPES)),
    st.booleans(),
    st.booleans(),
)
def test_since_an_older_dump_gives_the_bytes_of_a_build_from_scratch(
    tmp_path_factory, seed, count, share, recipe, has_tables, has_benchmarks
):
    folder, config = tmp_path_factory.mktemp("since"), RECIPES[recipe]
    rows = odd_threads(seed, count)
    old = write_folder(folder / "old", rows, seed if has_tables else None)
    new = write_folder(folder / "new", edited(rows, seed, share), seed + 1 if has_tables else None)
    (folder / "bench.txt").write_text(BENCHMARK_TEXT + "\n")
    options = {"config": config, "benchmarks": (folder / "bench.txt",) if has_benchmarks else ()}
    build(old, folder / "a", **options)
    summary = build(new, folder / "b", since=folder / "a", **options)
    scratch = build(new, folder / "c", **options)
    assert promised(folder / "b") == promised(folder / "c")
    assert beside(folder / "b") == beside(folder / "c")
    assert summary.get("warnings") == scratch.get("warnings")
    counted = summary["incremental"]
    assert counted["threads"] == scratch["questions"]
    assert counted["converted"] + counted["reused"] <= scratch["pairs_read"]
    assert {change["question_id"]: change["change"] for change in changes(folder / "b")} == differences(
        remembered(folder / "a"), remembered(folder / "c")
    )


def remembered(out):
    """The digest and the outcome of each thread, as a build from scratch remembers them."""
    states = np.load(out.with_name(f"{out.name}.state") / "threads.npy")
    return {int(state["thread"]): (int(state["digest"]), int(state["outcome"])) for state in states}


def differences(old, new):
    """How each thread differs between two builds."""
    changed = {number: "changed" for number in old.keys() & new.keys() if old[number] != new[number]}
    return changed | dict.fromkeys(new.keys() - old.keys(), "added") | dict.fromkeys(old.keys() - new.keys(), "deleted")


def test_at_one_thread_in_twenty_changed_at_most_six_percent_are_converted(tmp_path):
    rows = [
        row
        for number in range(10, 4_010, 10)
        for row in (question(number, accepted=number + 1), answer(number + 1, number))
    ]
    write_dump(tmp_path / "old.xml", rows)
    touched = set(range(200, 4_010, 200))  # 20 of 400
    newer = [
        row | {"Body": f"<p>Another text of {row['Id']} that says it better.</p>"} if row["Id"] - 1 in touched else row
        for row in rows
    ]
    write_dump(tmp_path / "new.xml", shuffled(newer, 1))
    for name in ("paper", "strict"):
        build(tmp_path / "old.xml", tmp_path / f"old-{name}", config=RECIPES[name])
        since = tmp_path / f"old-{name}"
        counted = build(tmp_path / "new.xml", tmp_path / f"new-{name}", since=since, config=RECIPES[name])[
            "incremental"
        ]
        assert (counted["threads"], counted["converted"], counted["reused"]) == (400, 20, 380)
        assert counted["converted"] <= 0.06 * counted["threads"]
        assert counted["cpu_seconds"] > 0
        assert counted["since_cpu_seconds"] > 0
        assert {change["question_id"] for change in changes(tmp_path / f"new-{name}")} == touched


def test_changes_name_exactly_what_was_added_changed_and_deleted(tmp_path):
    def thread(number, **more):
        return [question(number, accepted=number + 1), answer(number + 1, number, **more)]

    def row_of(number, **more):
        return [question(number, **more)]

    old = [*thread(10), *thread(20), *thread(30), *row_of(40), *thread(50), *thread(60), *row_of(70, tags="<sql>")]
    new = [
        *thread(10),
        *thread(20, Body="<p>no</p>"),  # edited, and now too short
        *thread(40),  # has an accepted answer now
        *thread(50, Score=99),  # a new score
        *thread(60),
        answer(69, 60),  # a second answer
        *row_of(70, tags="<sql>", ViewCount=11),
        *thread(80),
        *row_of(90),
    ]
    write_dump(tmp_path / "old.xml", old)
    write_dump(tmp_path / "new.xml", new)
    build(tmp_path / "old.xml", tmp_path / "old")
    counted = build(tmp_path / "new.xml", tmp_path / "new", since=tmp_path / "old")["incremental"]
    assert sorted((c["question_id"], c["change"], c["was"], c["now"]) for c in changes(tmp_path / "new")) == [
        (20, "changed", "kept", "answer too short"),
        (30, "deleted", "kept", None),
        (40, "changed", "no accepted answer", "kept"),
        (50, "changed", "kept", "kept"),
        (60, "changed", "kept", "kept"),
        (70, "changed", "no accepted answer", "no accepted answer"),
        (80, "added", None, "kept"),
        (90, "added", None, "no accepted answer"),
    ]
    assert {c["site"] for c in changes(tmp_path / "new")} == {"stackoverflow.com"}
    assert (counted["converted"], counted["reused"]) == (3, 3)  # 20, 40, 80; 10, 50, 60


def test_a_chain_of_three_gives_the_bytes_of_a_build_from_scratch(tmp_path):
    rows, since = odd_threads(11, 60), None
    for step in range(4):
        write_dump(tmp_path / "dump.xml", rows)
        build(tmp_path / "dump.xml", tmp_path / f"{step}", since=since, config=RECIPES["redact-clusters"])
        since, rows = tmp_path / f"{step}", edited(rows, step, 0.2)
    build(tmp_path / "dump.xml", tmp_path / "scratch", config=RECIPES["redact-clusters"])
    assert promised(tmp_path / "3") == promised(tmp_path / "scratch")
    assert beside(tmp_path / "3") == beside(tmp_path / "scratch")


def test_a_dump_can_come_and_go_between_two_builds(tmp_path):
    rows = {name: odd_threads(seed, 15) for seed, name in enumerate(("superuser.com", "askubuntu.com"))}
    dumps = [write_dump(tmp_path / f"{name}.xml", of_site) for name, of_site in rows.items()]
    build(dumps[0], tmp_path / "one")
    build(tuple(dumps), tmp_path / "both", since=tmp_path / "one")
    build(dumps[1], tmp_path / "other", since=tmp_path / "both")
    build(tuple(dumps), tmp_path / "both-scratch")
    build(dumps[1], tmp_path / "other-scratch")
    assert promised(tmp_path / "both") == promised(tmp_path / "both-scratch")
    assert promised(tmp_path / "other") == promised(tmp_path / "other-scratch")
    assert {(c["site"], c["change"]) for c in changes(tmp_path / "both")} == {("askubuntu.com", "added")}
    assert {(c["site"], c["change"]) for c in changes(tmp_path / "other")} == {("superuser.com", "deleted")}


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    write_dump(folder / "dump.xml", odd_threads(1, 30))
    (folder / "bench.txt").write_text(BENCHMARK_TEXT + "\n")
    build(folder / "dump.xml", folder / "out", config=RECIPES["redact-clusters"], benchmarks=(folder / "bench.txt",))
    return folder


def copied(old, tmp_path):
    """A copy of the older dataset to spoil."""
    shutil.copytree(old, tmp_path / "old")
    return tmp_path / "old" / "out"


def refused(old, tmp_path, since, *, config=RECIPES["redact-clusters"], benchmarks=None):
    given = (old / "bench.txt",) if benchmarks is None else benchmarks
    with pytest.raises(ArtifactError) as caught:
        build(old / "dump.xml", tmp_path / "out", since=since, config=config, benchmarks=given)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / ".out.partial").exists()
    return str(caught.value)


def test_a_dataset_of_another_recipe_is_refused(old, tmp_path):
    assert "must be of the same recipe" in refused(old, tmp_path, old / "out", config=RECIPES["paper"])


def test_a_dataset_that_was_checked_against_other_benchmarks_is_refused(old, tmp_path):
    (tmp_path / "other.txt").write_text("another text that must not stand in the dataset\n")
    for benchmarks in ((), (tmp_path / "other.txt",), (old / "bench.txt", tmp_path / "other.txt")):
        assert "same benchmarks" in refused(old, tmp_path, old / "out", benchmarks=benchmarks)


@pytest.mark.parametrize(
    "name",
    [
        "out.state",
        "out.state/state.json",
        "out.state/threads.npy",
        "out.state/signatures.npy",
        "out.redactions.jsonl",
    ],
)
def test_a_dataset_without_all_of_its_state_is_refused(old, tmp_path, name):
    since = copied(old, tmp_path)
    missing = since.parent / name
    shutil.rmtree(missing) if missing.is_dir() else missing.unlink()
    assert "build without --since" in refused(old, tmp_path, since)


@pytest.mark.parametrize("name", ["state.json", "threads.npy", "signatures.npy"])
def test_a_state_that_was_edited_is_refused(old, tmp_path, name):
    since = copied(old, tmp_path)
    path = since.with_name("out.state") / name
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    assert "build without --since" in refused(old, tmp_path, since)


def test_a_redaction_map_or_a_part_that_was_edited_is_refused(old, tmp_path):
    for number, pattern in enumerate(["out.redactions.jsonl", "out/data/python/train-*.parquet", "out/leakage.json"]):
        (tmp_path / f"{number}").mkdir()
        since = copied(old, tmp_path / f"{number}")
        path = next(since.parent.glob(pattern))
        path.write_bytes(path.read_bytes().replace(b"e", b"f"))
        assert "build without --since" in refused(old, tmp_path, since)


def test_the_state_of_another_dataset_is_refused(old, tmp_path):
    write_dump(tmp_path / "dump.xml", threads(5))
    build(tmp_path / "dump.xml", tmp_path / "another", config=RECIPES["redact-clusters"])
    since = copied(old, tmp_path)
    shutil.rmtree(since.with_name("out.state"))
    shutil.copytree(tmp_path / "another.state", since.with_name("out.state"))
    assert "must belong to" in refused(old, tmp_path, since)


def test_an_interrupted_build_since_an_older_one_can_go_on_without_it(tmp_path):
    from procqa.dataset.build import build_dataset
    from procqa.dataset.request import BuildRequest
    from tests.dataset.builds import ONE

    rows = odd_threads(1, 30)
    write_dump(tmp_path / "old.xml", rows)
    write_dump(tmp_path / "new.xml", edited(rows, 1, 0.3))
    build(tmp_path / "old.xml", tmp_path / "old")

    def interrupt(stage, done):
        if stage == "write":
            raise KeyboardInterrupt

    dumps = (str(tmp_path / "new.xml"),)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(BuildRequest(dumps=dumps, out=tmp_path / "out", run=ONE, since=tmp_path / "old"), interrupt)
    summary = build(tmp_path / "new.xml", tmp_path / "out")
    assert "incremental" not in summary
    assert not (tmp_path / "out.changes.jsonl").exists()
    build(tmp_path / "new.xml", tmp_path / "scratch")
    assert promised(tmp_path / "out") == promised(tmp_path / "scratch")
