"""An index that changes, vanishes and comes back while it is served."""

import shutil
import threading
from pathlib import Path

import pytest

from procqa.config import SearchConfig
from procqa.errors import ArtifactError
from procqa.index.build import build_index
from procqa.search.live import LiveSearcher
from tests.index.small import ROWS, to_row, write_dataset

MORE = to_row(90, "rust", "Sort a vector", "v.sort()")


def ids(live: LiveSearcher, query: str) -> list[str]:
    return [hit.document.id for hit in live.current().search(query, SearchConfig()).hits]


def mapped(index: Path) -> set[str]:
    """The generations of an index that this process has mapped."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split(f"{index}/")[1].split("/")[0] for line in lines if f"{index}/" in line}


def test_an_update_is_opened_once_however_many_ask(tmp_path: Path):
    build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=None)
    live = LiveSearcher(tmp_path / "i")
    build_index([write_dataset(tmp_path / "e", [*ROWS, MORE])], tmp_path / "i", encoder=None)
    start = threading.Barrier(16)

    def ask() -> None:
        start.wait()
        live.current().search("sort", SearchConfig())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.opened == 2
    assert ids(live, "vector") == ["stackoverflow.com:90"]


def test_the_old_index_is_let_go_after_an_update(tmp_path: Path):
    index = tmp_path / "i"
    build_index([write_dataset(tmp_path / "d")], index, encoder=None)
    live = LiveSearcher(index)
    for number in range(3):
        rows = [*ROWS, to_row(90 + 2 * number, "rust", f"Sort a vector {number}", "v.sort()")]
        build_index([write_dataset(tmp_path / f"e{number}", rows)], index, encoder=None)
        assert ids(live, "vector") == [f"stackoverflow.com:{90 + 2 * number}"]
    assert mapped(index) == {live.latest.sha256[:12]}


def test_an_index_that_is_deleted_goes_on_answering_and_may_come_back(tmp_path: Path):
    index = tmp_path / "i"
    build_index([write_dataset(tmp_path / "d")], index, encoder=None)
    live = LiveSearcher(index)
    shutil.rmtree(index)
    assert ids(live, "duplicates") == ["stackoverflow.com:10"]
    assert (live.is_stale, live.opened) == (True, 1)
    assert ids(live, "duplicates") == ["stackoverflow.com:10"]
    build_index([write_dataset(tmp_path / "e", [*ROWS, MORE])], index, encoder=None)
    assert ids(live, "vector") == ["stackoverflow.com:90"]
    assert (live.is_stale, live.opened) == (False, 2)


def test_a_folder_that_is_no_index_is_not_served(tmp_path: Path):
    with pytest.raises(ArtifactError, match="no such folder"):
        LiveSearcher(tmp_path / "nowhere")
