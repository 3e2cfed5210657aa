import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from procqa.config import RunConfig
from procqa.errors import ConfigError, DumpError, ProcqaError
from procqa.workers import open_workers

ROOT = Path(__file__).resolve().parent.parent


def square(number: int) -> int:
    return number * number


def fail(number: int) -> int:
    raise DumpError(f"item {number} is broken", path="dump.xml", offset=number)


def die(number: int) -> int:
    os._exit(1)


@pytest.mark.parametrize("config", [RunConfig(jobs=1), RunConfig(jobs=2), RunConfig(jobs=2, executor="inline")])
def test_results_come_in_the_order_of_the_items(config):
    with open_workers(config) as workers:
        assert list(workers.run(square, range(20))) == [number * number for number in range(20)]
        assert workers.peak_memory_bytes > 1 << 20


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_task_arrives_whole(jobs):
    with pytest.raises(DumpError, match="item 3 is broken") as caught, open_workers(RunConfig(jobs=jobs)) as workers:
        list(workers.run(fail, [3]))
    assert (caught.value.path, caught.value.offset) == ("dump.xml", 3)


def test_a_dead_worker_is_one_sentence():
    with pytest.raises(ProcqaError, match="a worker process died"), open_workers(RunConfig(jobs=2)) as workers:
        list(workers.run(die, [1]))


def die_once(marker):
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return marker.name


def test_what_a_worker_that_died_had_not_finished_is_done_again(tmp_path):
    with open_workers(RunConfig(jobs=2)) as workers:
        assert list(workers.run(die_once, [tmp_path / "a"])) == ["a"]
    assert (tmp_path / "a").exists()


def is_loaded(name: str) -> bool:
    return name in sys.modules


def test_what_is_started_early_has_loaded_a_module_for_every_worker():
    # In a process of its own, for a server that forks workers runs on.
    code = (
        "from procqa.config import RunConfig\n"
        "from procqa.workers import open_workers, start_early\n"
        "from tests.test_workers import is_loaded\n"
        "run = RunConfig(jobs=2)\n"
        "start_early(run, 'wave')\n"
        "start_early(RunConfig(jobs=1), 'sndhdr')\n"
        "with open_workers(run) as workers:\n"
        "    print(list(workers.run(is_loaded, ['wave', 'sndhdr'])))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[True, False]\n"


def test_a_prepared_process_reuses_the_memory_of_freed_arrays():
    code = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from procqa.workers import prepare_process\n"
        "if sys.argv[1] == 'prepared':\n"
        "    prepare_process()\n"
        "for _ in range(100):\n"
        "    some, one = [np.ones(1 << 18) for _ in range(8)], np.ones(1 << 20)\n"
        "    del some, one\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
    )

    def faults(which: str) -> int:
        command = [sys.executable, "-c", code, which]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("the C library has no mallopt")
    assert faults("prepared") * 10 < faults("as it is")


def busy(_: int) -> float:
    started = time.process_time()
    while time.process_time() - started < 0.2:
        pass
    return time.process_time()


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_processor_time_of_every_worker_is_counted_once(jobs):
    before = time.process_time()
    with open_workers(RunConfig(jobs=jobs)) as workers:
        last = list(workers.run(busy, range(4)))
        spent = workers.cpu_seconds
    assert spent - before >= 0.8
    assert spent <= time.process_time() + (sum(last) if jobs > 1 else 0)


def test_only_a_few_items_are_in_flight():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    with open_workers(RunConfig(jobs=1)) as workers:
        results = workers.run(square, items())
        next(results)
        assert len(taken) <= 2


@pytest.mark.parametrize(
    "options",
    [{"jobs": 0}, {"memory": "1MB"}, {"memory": "lots"}, {"jobs": 1, "memory": "199MB"}],
)
def test_impossible_settings_are_refused(options):
    with pytest.raises(ConfigError):
        RunConfig(**options)


def test_without_a_wish_the_jobs_fit_into_the_memory():
    assert RunConfig(memory="480MB").n_jobs == 1


KILLED = """
import os, sys
from procqa.config import RunConfig
from procqa.workers import open_workers
from tests.test_workers import own_pid

with open_workers(RunConfig(jobs=2)) as workers:
    for pid in workers.run(own_pid, range(4)):
        print(pid, flush=True)
    sys.stdin.read()
"""


def own_pid(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def test_a_killed_parent_leaves_no_worker_behind():
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    workers = {int(process.stdout.readline()) for _ in range(4)}
    process.kill()
    process.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while any(psutil.pid_exists(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if psutil.pid_exists(pid)]
