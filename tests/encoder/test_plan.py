from pathlib import Path

import pytest

from procqa.encoder.plan import find_steps
from procqa.encoder.training import train
from procqa.errors import ArtifactError
from tests.encoder.small import make_dataset, questions_about, small_dataset, tiny_config


@pytest.mark.parametrize("batches", ["stream", "mixed"])
def test_a_run_of_the_steps_that_are_found_sees_as_many_pairs(tmp_path: Path, batches: str):
    dataset = small_dataset(tmp_path / "Q")
    config = tiny_config(batches=batches)
    steps = find_steps([dataset], config, pairs=100)
    seen = train([dataset], tmp_path / "M", tiny_config(batches=batches, steps=steps)).pairs_seen
    fewer = train([dataset], tmp_path / "N", tiny_config(batches=batches, steps=steps - 1)).pairs_seen
    assert fewer < 100 <= seen


def test_data_without_negatives_are_refused_as_in_training(tmp_path: Path):
    one = make_dataset(tmp_path / "Q", {"python": questions_about(["list"], "python")[:1]})
    with pytest.raises(ArtifactError, match="must hold two pairs to tell apart, but their 1 rows do not"):
        find_steps([one], tiny_config(), pairs=100)
