"""The weight of an encoder beside words, as its folder says."""

from pathlib import Path

import pytest

from procqa.artifact import workspace
from procqa.encoder.model import find_encoder
from procqa.encoder.validation import FUSION_WEIGHT, read_fusion_weight


@pytest.mark.parametrize(
    ("counts", "weight"),
    [({"validation": {"fusion_weight": 0.35}}, 0.35), ({"validation": None}, FUSION_WEIGHT), ({}, FUSION_WEIGHT)],
)
def test_the_weight_is_that_of_the_manifest_where_it_has_one(tmp_path: Path, counts: dict, weight: float):
    with workspace(tmp_path / "model", kind="encoder", recipe={}, inputs=[]) as work:
        (work.path / "model.safetensors").write_bytes(b"weights")
        work.finish(counts)

    assert read_fusion_weight(tmp_path / "model") == weight


def test_an_encoder_from_elsewhere_has_the_usual_weight():
    assert read_fusion_weight(find_encoder("minilm")) == FUSION_WEIGHT
