"""The same bytes on every executor, with any number of jobs, and when a worker or a node of a Ray cluster is killed."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from procqa.config import RunConfig
from tests.dataset.builds import LITTLE, RECIPES, build, promised
from tests.dumps import odd_threads, padded, users_table, write_dump

RECIPE = RECIPES["strict"]
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """A dump of several blocks, with clusters, names and every oddity."""
    folder = tmp_path_factory.mktemp("executors") / "dump"
    folder.mkdir()
    write_dump(folder / "Posts.xml", padded(odd_threads(8, 1_000), 24))
    (folder / "Users.xml").write_bytes(users_table({number: f"Name {number}" for number in range(1, 20)}))
    return folder


@pytest.fixture(scope="module")
def expected(dump, tmp_path_factory):
    """What one process makes of it."""
    out = tmp_path_factory.mktemp("expected") / "out"
    build(dump, out, config=RECIPE)
    return promised(out)


@pytest.mark.parametrize(
    "run",
    [
        RunConfig(jobs=1, executor="process"),
        RunConfig(jobs=2, executor="process", memory=LITTLE[2]),
        RunConfig(jobs=2, executor="inline", memory=LITTLE[2]),
    ],
)
def test_processes_give_the_bytes_of_one(dump, expected, tmp_path, run):
    build(dump, tmp_path / "out", config=RECIPE, run=run)
    assert promised(tmp_path / "out") == expected


def test_a_dump_that_is_an_open_file_loses_no_row_to_workers_who_do_not_have_it_open(dump, tmp_path):
    command = [sys.executable, "-m", "procqa", "build", "--preset", "strict", "--jobs", "2", "--json"]
    with (dump / "Posts.xml").open("rb") as posts:
        way = f"/dev/fd/{posts.fileno()}"
        command += [way, "--out", str(tmp_path / "out")]
        ran = subprocess.run(command, pass_fds=[posts.fileno()], capture_output=True, check=True)
    # There are no Users beside it, so names are other ones.
    plain, told = build(dump, tmp_path / "plain", config=RECIPE), json.loads(ran.stdout)
    assert (told["rows"], told["kept"]) == (plain["rows"], plain["kept"])


def test_processes_go_on_from_an_older_dataset_as_one_does(dump, tmp_path):
    newer = tmp_path / "newer"
    newer.mkdir()
    write_dump(newer / "Posts.xml", odd_threads(8, 1_030))
    run = RunConfig(jobs=2)
    build(dump, tmp_path / "old", config=RECIPE, run=run)
    build(newer, tmp_path / "since", config=RECIPE, run=run, since=tmp_path / "old")
    build(newer, tmp_path / "scratch", config=RECIPE)
    assert promised(tmp_path / "since") == promised(tmp_path / "scratch")


def start(dump, out, *, jobs, address=None):
    """The real command on Ray: on a local cluster that it starts, or on the one at an address."""
    command = ["build", dump, "--out", out, "--preset", "strict", "--executor", "ray", "--jobs", jobs, "--json"]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    if address is not None:
        environment["RAY_ADDRESS"] = address
    return subprocess.Popen(
        [sys.executable, "-m", "procqa", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finish(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output)


def wait_until(condition, process):
    """Wait for something that a running command does."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def name_of(process):
    """What a process calls itself; "" where it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def finished_blocks(out):
    return list(out.with_name(f".{out.name}.partial").glob("scratch/scan/*.json"))


@needs_ray
def test_a_local_ray_cluster_that_the_build_starts_gives_the_same_bytes(dump, expected, tmp_path):
    finish(start(dump, tmp_path / "out", jobs=1))
    assert promised(tmp_path / "out") == expected


@needs_ray
def test_one_of_two_ray_workers_that_is_killed_changes_nothing(dump, expected, tmp_path):
    out = tmp_path / "out"
    process = start(dump, out, jobs=2)

    def at_work():
        children = psutil.Process(process.pid).children(recursive=True)
        return [child.pid for child in children if name_of(child).startswith(("ray::_call", "ray::IDLE"))]

    wait_until(lambda: finished_blocks(out), process)
    workers = at_work()
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    finish(process)
    assert promised(out) == expected


@pytest.fixture
def cluster():
    """The first node of a cluster on this machine."""
    from ray.cluster_utils import Cluster

    quick = {"health_check_initial_delay_ms": 1_000, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": quick}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    cluster.shutdown()


@needs_ray
def test_a_ray_node_that_dies_in_the_middle_changes_nothing(cluster, dump, expected, tmp_path):
    node = cluster.add_node(num_cpus=1)
    out = tmp_path / "out"
    process = start(dump, out, jobs=2, address=cluster.address)
    wait_until(lambda: finished_blocks(out), process)
    cluster.remove_node(node, allow_graceful=False)
    finish(process)
    assert promised(out) == expected
