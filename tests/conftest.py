"""Fixtures that every room shares: the bundled sample, and what the stages make of it."""

from pathlib import Path

import pytest

from procqa.config import BuildConfig, RunConfig

SAMPLE = Path(__file__).parent.parent / "src/procqa/bundled/sample/Posts.xml"


@pytest.fixture(scope="session")
def sample_dump() -> Path:
    """The dump that ships with procqa."""
    return SAMPLE


@pytest.fixture(scope="session")
def sample_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset built from the sample."""
    from procqa.dataset.build import BuildRequest, build_dataset

    out = tmp_path_factory.mktemp("sample") / "dataset"
    build_dataset(
        BuildRequest(dumps=(str(SAMPLE),), out=out, config=BuildConfig(site="local"), run=RunConfig(jobs=1))
    )
    return out


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the checkout; a test that needs it is skipped where it is absent."""
    folder = Path(__file__).parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data) is not on this machine")
    return folder
