"""What the tests of the encoder share: one trained static encoder."""

from pathlib import Path

import pytest

from procqa.encoder.training import train
from tests.encoder.small import small_dataset, tiny_config


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two languages, 120 and 45 rows."""
    return small_dataset(tmp_path_factory.mktemp("small") / "Q")


@pytest.fixture(scope="session")
def static_folder(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static encoder, trained for 20 steps without a break."""
    out = tmp_path_factory.mktemp("static") / "encoder"
    train([dataset], out, tiny_config())
    return out


@pytest.fixture(scope="session")
def tiny_folder(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer of one layer, untrained."""
    out = tmp_path_factory.mktemp("tiny") / "encoder"
    train([dataset], out, tiny_config(base="tiny", dimensions=64, layers=1, steps=0, max_tokens=32))
    return out
