"""The real command under kill -9, at random moments in every stage: it ends with the bytes of a run nobody disturbed.

What a killed run leaves lies in ``.NAME.partial``: its notes tell which stage each kill fell into, and the
stamps of its files that nothing finished was made again.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.dataset.builds import LITTLE, RECIPES, build, promised
from tests.dumps import odd_threads, padded, users_table, write_dump

STAGES = ("scan", "resolve", "pairs", "clusters", "write", "describe")
KILLS_IN_A_STAGE = 3
KILLS = 20
FINISHED = ("scan/*.json", "pairs/*.json", "clusters/*/links-*.npy", "folder/data/*/*.parquet")
"""What a finished task leaves, and no later run may write again."""

EXECUTORS = {name: ["--jobs", str(jobs), "--memory", LITTLE[jobs]] for name, jobs in (("inline", 1), ("process", 2))}


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """A dump of several blocks, with clusters, names and every oddity."""
    folder = tmp_path_factory.mktemp("killed") / "dump"
    folder.mkdir()
    write_dump(folder / "Posts.xml", padded(odd_threads(7, 1_500), 40))
    (folder / "Users.xml").write_bytes(users_table({number: f"Name {number}" for number in range(1, 20)}))
    return folder


@pytest.fixture(scope="module")
def whole(dump, tmp_path_factory):
    """What a run that nobody disturbed makes of it."""
    out = tmp_path_factory.mktemp("whole") / "out"
    return build(dump, out, config=RECIPES["strict"]) | {"promised": promised(out)}


def start(dump, out, executor):
    command = [sys.executable, "-m", "procqa", "build", str(dump), "--out", str(out), "--preset", "strict", "--json"]
    return subprocess.Popen([*command, *EXECUTORS[executor]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def notes(out):
    """What the runs so far have noted; a line that a kill cut short is none."""
    found = []
    path = out.with_name(f".{out.name}.partial") / "scratch" / "notes.jsonl"
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def stage_of(entries):
    """The stage that has begun and not ended; None between two stages."""
    last = entries[-1] if entries else {"event": "ends"}
    return last["stage"] if last["event"] == "begins" else None


def stamps(out):
    """When everything that is finished was written, and where it lies on the disk."""
    partial = out.with_name(f".{out.name}.partial")
    found = {}
    for pattern in FINISHED:
        for path in partial.glob(pattern if pattern.startswith("folder") else f"scratch/{pattern}"):
            found[path] = (path.stat().st_mtime_ns, path.stat().st_ino)
    return found


def wait_for(process, out, stage, *, known):
    """Wait until a stage has begun in this run; whether it has."""
    while process.poll() is None:
        entries = notes(out)[known:]
        if any(entry["stage"] == stage for entry in entries):
            return True
        time.sleep(0.001)
    return False


def kill_in(dump, out, executor, stage, delay_s):
    """Start the command, kill it so long after a stage has begun, and tell the stage it was in; None if it ended."""
    known = len(notes(out))
    process = start(dump, out, executor)
    try:
        if not wait_for(process, out, stage, known=known):
            return None
        time.sleep(delay_s)
    finally:
        process.kill()
        process.communicate()
    return stage_of(notes(out)) or "between" if process.returncode == -signal.SIGKILL else None


def finish(dump, out, executor):
    """The summary of the command, run to its end."""
    process = start(dump, out, executor)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(output)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_killed_again_and_again_in_every_stage_it_ends_with_the_same_bytes(dump, whole, tmp_path, executor):
    rng, out = random.Random(1), tmp_path / "out"
    killed: Counter[str] = Counter()
    finished: dict[Path, tuple[int, int]] = {}
    longest = dict.fromkeys(STAGES, 0.1) | {"scan": 0.3, "pairs": 0.3, "resolve": 0.01}
    for stage in STAGES:
        for attempt in range(10):
            if killed[stage] >= KILLS_IN_A_STAGE and (stage != STAGES[-1] or killed.total() >= KILLS):
                break
            # After a miss the next attempt kills sooner.
            where = kill_in(dump, out, executor, stage, rng.random() * longest[stage] / (attempt + 1))
            assert where is not None, f"the build ended before it was killed in {stage}: {killed}"
            killed[where] += 1
            now = stamps(out)
            assert {path: now.get(path) for path in finished} == finished, "something finished was made again"
            finished = now
    assert all(killed[stage] >= KILLS_IN_A_STAGE for stage in STAGES), killed
    assert killed.total() >= KILLS
    assert not out.exists()
    summary = finish(dump, out, executor)
    assert {name: summary[name] for name in ("sha256", "kept", "dropped", "rows")} == {
        name: whole[name] for name in ("sha256", "kept", "dropped", "rows")
    }
    assert promised(out) == whole["promised"]
    assert not out.with_name(".out.partial").exists()
    assert_the_log_tells_it(out.with_name("out.log.jsonl"), killed)


def assert_the_log_tells_it(log, killed):
    """The log holds every kill, and no stage did a finished task again."""
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    entries = [entry for entry in entries if "stage" in entry]
    begun = Counter(entry["stage"] for entry in entries if entry["event"] == "begins")
    ended = Counter(entry["stage"] for entry in entries if entry["event"] == "ends")
    assert {stage: begun[stage] - ended[stage] for stage in STAGES} == {stage: killed[stage] for stage in STAGES}
    for stage in ("scan", "pairs", "write"):
        of_runs = [entry for entry in entries if entry["stage"] == stage and entry["event"] == "ends"]
        totals = {entry["tasks"] + entry["done_before"] for entry in of_runs}
        assert len(totals) == 1
        assert [entry["tasks"] for entry in of_runs[1:]] == [0] * (len(of_runs) - 1)
        # Killed in the stage, the runs before had done some: only what was in flight was begun again.
        assert of_runs[0]["tasks"] <= totals.pop()


def test_a_killed_worker_is_a_reasoned_failure_or_nothing_at_all(dump, whole, tmp_path):
    out = tmp_path / "out"
    process = start(dump, out, "process")
    assert wait_for(process, out, "pairs", known=0)
    # The fork server and its resource tracker are children too; the workers are the server's own children.
    workers = [worker for child in psutil.Process(process.pid).children() for worker in child.children()]
    assert workers
    os.kill(workers[0].pid, signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    if process.returncode == 0:
        assert json.loads(output)["sha256"] == whole["sha256"]
    else:
        assert process.returncode == 1
        assert not out.exists()
        assert finish(dump, out, "process")["sha256"] == whole["sha256"]
    assert promised(out) == whole["promised"]


def test_two_kills_while_it_is_published_leave_it_absent_or_complete(dump, whole, tmp_path):
    # After the last stage: the manifest, the folders beside, the rename.
    out = tmp_path / "out"
    rng = random.Random(2)
    for _ in range(2):
        process = start(dump, out, "inline")
        known = len(notes(out))
        ended = {"stage": "describe", "event": "ends"}
        while process.poll() is None and not any(ended.items() <= entry.items() for entry in notes(out)[known:]):
            time.sleep(0.0005)
        time.sleep(rng.random() * 0.02)
        process.kill()
        process.communicate()
        assert not out.exists() or (out / "manifest.json").exists()
    summary = finish(dump, out, "inline")
    assert (summary["sha256"], promised(out)) == (whole["sha256"], whole["promised"])
    assert not out.with_name(".out.partial").exists()
