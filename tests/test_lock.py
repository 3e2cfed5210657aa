import multiprocessing

import pytest

from procqa.errors import ArtifactError
from procqa.lock import lock


def _hold(out, ready, leave):
    with lock(out):
        ready.set()
        leave.wait(30)


def test_two_processes_cannot_write_one_folder_and_a_dead_one_does_not_block(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, leave = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path / "out", ready, leave))
    process.start()
    try:
        assert ready.wait(30)
        with pytest.raises(ArtifactError, match="being written by another process"), lock(tmp_path / "out"):
            pass
    finally:
        process.kill()
        process.join()
    with lock(tmp_path / "out"):
        assert [path.name for path in tmp_path.iterdir()] == [".out.lock"]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="must be a folder that can be written"), lock(tmp_path / "file/out"):
        pass
