import shutil
from pathlib import Path

import pytest

from procqa.artifact import workspace
from procqa.encoder.bases import INITIAL_STD, Base, find_base, load_base
from procqa.encoder.model import MINILM_SHA256
from tests.encoder.small import tiny_config


def texts():
    return iter([["sort a list", "open a socket"] * 20])


def test_a_base_is_known_by_its_name_and_the_sha256_of_its_weights():
    base = find_base("minilm")
    assert (base.label, base.sha256) == ("minilm", MINILM_SHA256)


def test_the_base_of_a_folder_is_named_without_its_path(static_folder: Path):
    base = find_base(str(static_folder))
    assert (base.label, base.folder) == ("encoder", static_folder)


def test_a_base_that_was_trained_here_knows_what_it_was_trained_from(tmp_path: Path):
    folder = tmp_path / "encoder"
    recipe = {"base_sha256": "b", "base_lineage": ["a"]}
    with workspace(folder, kind="encoder", recipe=recipe, inputs=[]) as work:
        (work.path / "config.json").write_text("{}")
        (work.path / "model.safetensors").write_bytes(b"weights")
        work.finish({})
    assert find_base(str(folder)).lineage == ("b", "a")


def test_a_base_from_elsewhere_or_from_scratch_has_no_lineage(static_folder: Path):
    assert [find_base(name).lineage for name in ("minilm", "static", str(static_folder))] == [(), (), ()]


def test_a_manifest_that_is_not_ours_is_no_lineage(static_folder: Path, tmp_path: Path):
    shutil.copytree(static_folder, tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").write_text('{"name": "an extension of a browser"}')
    assert find_base(str(tmp_path / "copy")).lineage == ()


def test_a_static_base_starts_from_the_seed_alone(tmp_path: Path):
    one, two, other = (
        load_base(Base("static", None, None), tiny_config(seed=seed), texts, tmp_path / str(number))[0]
        for number, seed in enumerate((1, 1, 2))
        if (tmp_path / str(number)).mkdir() is None
    )
    assert one.embedding.weight.equal(two.embedding.weight)
    assert not one.embedding.weight.equal(other.embedding.weight)
    assert one.embedding.weight.std().item() == pytest.approx(INITIAL_STD, rel=0.05)


def test_every_base_gets_mean_pooling_and_unit_vectors(static_folder: Path, tmp_path: Path):
    bases = [find_base("minilm"), find_base("static"), find_base(str(static_folder))]
    models = [load_base(base, tiny_config(), texts, tmp_path) for base in bases]
    assert [[type(module).__name__ for module in model] for model in models] == [
        ["Transformer", "Pooling", "Normalize"],
        ["StaticEmbedding", "Normalize"],
        ["StaticEmbedding", "Normalize"],
    ]
    assert models[0][1].pooling_mode == "mean"
