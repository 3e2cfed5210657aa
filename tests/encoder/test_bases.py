import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import RobertaConfig, RobertaModel

from procqa.artifact import workspace
from procqa.encoder.bases import INITIAL_STD, Base, find_base, load_base
from procqa.encoder.model import MINILM_SHA256
from procqa.encoder.torch_encoder import set_token_limit
from tests.encoder.small import tiny_config


class Texts:
    """Forty rows of one text."""

    def __len__(self) -> int:
        return 40

    def read(self) -> Iterator[list[str]]:
        return iter([["sort a list", "open a socket"] * 20])

    def read_rows(self) -> Iterator[list[tuple[str, ...]]]:
        return ([(text,) for text in batch] for batch in self.read())


texts = Texts()


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
    assert [find_base(name).lineage for name in ("minilm", "static", "tiny", str(static_folder))] == [()] * 4


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


def test_a_static_base_may_begin_with_latent_embeddings_which_are_computed_once_a_run(tmp_path: Path):
    config = tiny_config(embeddings="latent")
    one, again = (load_base(Base("static", None, None), config, texts, tmp_path)[0] for _ in range(2))
    vectors = dict(
        zip(("sort", "list", "open"), one.embedding.weight.detach()[ids_of(one, "sort list open")], strict=True)
    )

    assert one.embedding.weight.equal(again.embedding.weight)
    assert cosine(vectors["sort"], vectors["list"]) > 0.99 > abs(cosine(vectors["sort"], vectors["open"]))
    assert [path.name for path in tmp_path.glob("*.safetensors")] == ["latent.safetensors"]


def ids_of(module, text: str) -> list[int]:
    return module.tokenizer.encode(text, add_special_tokens=False).ids


def cosine(one, other) -> float:
    return float(one @ other / one.norm() / other.norm())


def test_every_base_gets_mean_pooling_and_unit_vectors(static_folder: Path, tmp_path: Path):
    bases = [find_base("minilm"), find_base("static"), find_base(str(static_folder))]
    models = [load_base(base, tiny_config(), texts, tmp_path) for base in bases]
    assert [[type(module).__name__ for module in model] for model in models] == [
        ["Transformer", "Pooling", "Normalize"],
        ["StaticEmbedding", "Normalize"],
        ["StaticEmbedding", "Normalize"],
    ]
    assert models[0][1].pooling_mode == "mean"


def tiny_of(folder: Path, seed: int):
    folder.mkdir()
    config = tiny_config(base="tiny", dimensions=64, layers=2, seed=seed, max_tokens=16)
    return load_base(Base("tiny", None, None), config, texts, folder)


def test_a_tiny_base_is_a_small_transformer_that_reads_text_and_code(tmp_path: Path):
    model = tiny_of(tmp_path / "one", 1)
    assert (model.get_embedding_dimension(), model.max_seq_length) == (64, 16)
    config = model[0].model.config
    assert (config.num_hidden_layers, config.num_attention_heads, config.intermediate_size) == (2, 1, 256)
    features = model.preprocess(["open a socket", "openSocket"])
    tokens = [model.tokenizer.convert_ids_to_tokens(row) for row in features["input_ids"].tolist()]
    assert tokens[0][0] == tokens[1][0] == "[CLS]"
    words = ["".join(token for token in row if not token.startswith("[")) for row in tokens]
    assert words == ["openasocket", "opensocket"]
    assert features["attention_mask"].sum(dim=1).tolist() == [sum(token != "[PAD]" for token in row) for row in tokens]


def test_a_tiny_base_starts_from_the_seed_alone(tmp_path: Path):
    one, two, other = (tiny_of(tmp_path / str(number), seed).encode("a list") for number, seed in enumerate((1, 1, 2)))
    assert one == pytest.approx(two, abs=0)
    assert one != pytest.approx(other, abs=1e-3)


def test_a_tiny_base_has_towers_of_other_weights(tmp_path: Path):
    config = tiny_config(base="tiny", dimensions=64, layers=1, max_tokens=16, towers="query-document")
    model = load_base(Base("tiny", None, None), config, texts, tmp_path)
    assert model.encode_query("a list") != pytest.approx(model.encode_document("a list"), abs=1e-3)


def test_a_base_that_was_saved_with_few_tokens_reads_as_many_as_it_has_positions_for(tmp_path: Path):
    tiny_of(tmp_path / "one", 1).save_pretrained(str(tmp_path / "saved"))
    base = find_base(str(tmp_path / "saved"))
    limits = [
        load_base(base, tiny_config(base=base.label, max_tokens=asked), texts, tmp_path).max_seq_length
        for asked in (8, 32, 999)
    ]
    assert limits == [8, 32, 512]


def test_positions_that_begin_after_the_padding_are_not_counted():
    shape = RobertaConfig(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, max_position_embeddings=40
    )
    first = SimpleNamespace(auto_model=RobertaModel(shape), max_seq_length=12)
    set_token_limit([first], 64)
    assert first.max_seq_length == 38
