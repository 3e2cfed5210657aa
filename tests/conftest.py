"""Fixtures that every room shares: the bundled sample, and what the stages make of it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from procqa.bundled import sample_dump as find_sample_dump
from procqa.config import BuildConfig, RunConfig

# Machines are noisy: a slow example says nothing about the code.
settings.register_profile("procqa", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("procqa")


@pytest.fixture(scope="session")
def sample_dump() -> Path:
    """The dump that ships with procqa."""
    return find_sample_dump()


@pytest.fixture(scope="session")
def sample_dataset(sample_dump: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset built from the sample."""
    from procqa.dataset.build import build_dataset
    from procqa.dataset.request import BuildRequest

    out = tmp_path_factory.mktemp("sample") / "dataset"
    config, run = BuildConfig(site="local"), RunConfig(jobs=1)
    build_dataset(BuildRequest(dumps=(str(sample_dump),), out=out, config=config, run=run))
    return out


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the checkout; a test that needs it is skipped where it is absent."""
    folder = Path(__file__).parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data) is not on this machine")
    return folder
