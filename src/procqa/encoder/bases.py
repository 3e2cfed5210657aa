"""The model that training starts from: packaged, from a hub or a folder, or a static one from scratch.

Whatever the base, the result is one shared encoder with mean pooling and unit vectors.
Source: docs/paper.md#macp.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from procqa.config import TrainConfig
from procqa.encoder.model import find_encoder, load_model, weights_sha256
from procqa.encoder.static import WEIGHTS_KEY, is_static, open_static, train_tokenizer
from procqa.encoder.torch_encoder import set_token_limit
from procqa.encoder.towers import build_towers, towers_of
from procqa.errors import ArtifactError
from procqa.files import unfinished_of, write_durably
from procqa.manifest import is_artifact, load_manifest

if TYPE_CHECKING:
    from procqa.encoder.latent import RowTexts

STATIC, TINY = "static", "tiny"
FROM_SCRATCH = (STATIC, TINY)
"""Bases without any weights of others."""

INITIAL_STD = 0.1
"""Standard deviation of new embeddings. Adam moves a number by about the learning rate a step, so the two
belong together. Source: ours, docs/decisions/0010."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a run starts from.

    Args:
        label: the name without the path of this machine.
        sha256: of the weights; None for a model from scratch.
        folder: where the weights are; None for a model from scratch.
        lineage: sha256 of the weights that the base was trained from, and those from, back to the first that
            is known; empty for a model that procqa did not train.
    """

    label: str
    sha256: str | None
    folder: Path | None
    lineage: tuple[str, ...] = ()


def find_base(name: str) -> Base:
    """The base of a name, its weights identified but not loaded.

    Raises:
        ArtifactError: there is no such encoder, or it is broken.
        MissingExtra: the package that brings it is not installed.
    """
    if name in FROM_SCRATCH:
        return Base(name, None, None)
    folder = find_encoder(name)
    return Base(label_of(name, folder), weights_sha256(folder), folder, _lineage(folder))


def label_of(name: str, folder: Path) -> str:
    """The name of an encoder without the path of this machine."""
    return folder.resolve().name if Path(name).expanduser().is_dir() and name not in ("minilm", "default") else name


def _lineage(folder: Path) -> tuple[str, ...]:
    """What an encoder folder of ours says that it was trained from; nothing for a folder from elsewhere."""
    if not is_artifact(folder):
        return ()
    recipe = load_manifest(folder, kind="encoder").recipe
    base = recipe.get("base_sha256")
    return () if base is None else (base, *recipe.get("base_lineage", ()))


def load_base(
    base: Base, config: TrainConfig, texts: "RowTexts", scratch: Path
) -> Any:  # Any: SentenceTransformer, which has no types
    """The model to train, its last module making unit vectors; each tower begins with weights of its own.

    Args:
        texts: the texts a tokenizer from scratch, and latent embeddings, learn from.
        scratch: keeps these for a run that is taken up.

    Raises:
        ArtifactError: the base has towers, of another kind than are asked for.
    """
    import torch

    # What a checkpoint lacks the libraries draw from the global generator; no caller's is moved by it.
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        return _load_base(base, config, texts, scratch)


def _load_base(base: Base, config: TrainConfig, texts: "RowTexts", scratch: Path) -> Any:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize

    if base.folder is not None and not is_static(base.folder):
        model = _load(base.folder, config.max_tokens)
        kind = towers_of(model)
        if kind == config.towers != "shared":
            return model
        if kind != "shared":
            raise ArtifactError(
                f"a base with {kind} towers can be trained on with these alone, got {config.towers}: take another base"
            )
    seeds = count(config.seed)

    def make_tower() -> list[Any]:
        if base.label == STATIC:
            return [_new_static(config, texts, scratch, seed=next(seeds))]
        if base.label == TINY:
            folder = _new_tiny(config, texts, scratch, seed=next(seeds))
            return _tower_of(_load(folder, config.max_tokens)[0])
        assert base.folder is not None
        if is_static(base.folder):
            return [_static_of(base.folder, config.max_tokens)]
        return _tower_of(_load(base.folder, config.max_tokens)[0])

    modules = build_towers(config.towers, make_tower)
    return SentenceTransformer(modules=[*modules, Normalize()], local_files_only=True)


def _load(folder: Path, max_tokens: int) -> Any:
    """The model of a folder, to be trained on texts of so many tokens, however many it was saved to read."""
    model = load_model(folder, max_tokens=max_tokens)
    set_token_limit(model, max_tokens)
    return model


def _tower_of(first: Any) -> list[Any]:
    """The transformer of a model, and mean pooling."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    return [first, Pooling(first.get_embedding_dimension(), pooling_mode="mean")]


def _static_of(folder: Path, max_tokens: int) -> Any:
    """The static embeddings of a folder, whichever way it holds them."""
    import torch
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    encoder = open_static(folder, name=folder.name, max_tokens=max_tokens)
    encoder.tokenizer.enable_truncation(max_tokens)
    return StaticEmbedding(encoder.tokenizer, embedding_weights=torch.from_numpy(encoder.embeddings))


def _new_static(config: TrainConfig, texts: "RowTexts", scratch: Path, *, seed: int) -> Any:
    """Random or latent embeddings for a tokenizer that is trained on the texts."""
    import torch
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_new_tokenizer(config, texts, scratch)))
    if config.embeddings == "latent":
        return StaticEmbedding(tokenizer, embedding_weights=_latent(tokenizer, config, texts, scratch))
    generator = torch.Generator().manual_seed(seed)
    weights = INITIAL_STD * torch.randn(tokenizer.get_vocab_size(), config.dimensions, generator=generator)
    return StaticEmbedding(tokenizer, embedding_weights=weights)


def _latent(tokenizer: Any, config: TrainConfig, texts: "RowTexts", scratch: Path) -> Any:  # Any: (V, D) a tensor
    """The latent embeddings of the texts, computed once a run."""
    import safetensors.torch

    from procqa.encoder.latent import latent_embeddings

    path = scratch / "latent.safetensors"
    if not path.is_file():
        embeddings = latent_embeddings(tokenizer, texts, dimensions=config.dimensions, std=INITIAL_STD)
        new = unfinished_of(path)
        safetensors.torch.save_file({WEIGHTS_KEY: embeddings}, new)
        new.replace(path)
    return safetensors.torch.load_file(path)[WEIGHTS_KEY]


def _new_tokenizer(
    config: TrainConfig,
    texts: "RowTexts",
    scratch: Path,
    special_tokens: Sequence[str] = (),
) -> Path:
    """The file of a tokenizer that is trained on the texts, once a run."""
    path = scratch / "tokenizer.json"
    if not path.is_file():
        trained = train_tokenizer(
            texts.read(), vocabulary=config.vocabulary, max_tokens=config.max_tokens, special_tokens=special_tokens
        )
        write_durably(path, trained.to_str())
    return path


PAD, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
HEAD_SIZE, WIDENING = 64, 4
"""As in BERT: dimensions of an attention head, and how much wider the inner layer is."""


def _new_tiny(config: TrainConfig, texts: "RowTexts", scratch: Path, *, seed: int) -> Path:
    """The folder of a small BERT of random weights, with a tokenizer that is trained on the texts.

    Source: ours, docs/decisions/0017.
    """
    import torch
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    specials = (PAD, UNKNOWN, BEGIN, END)
    tokenizer = Tokenizer.from_file(str(_new_tokenizer(config, texts, scratch, specials)))
    ends = [(token, tokenizer.token_to_id(token)) for token in (BEGIN, END)]
    tokenizer.post_processor = TemplateProcessing(single=f"{BEGIN} $A {END}", special_tokens=ends)
    names = {"pad_token": PAD, "unk_token": UNKNOWN, "cls_token": BEGIN, "sep_token": END}
    shape = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=config.dimensions,
        num_hidden_layers=config.layers,
        num_attention_heads=config.dimensions // HEAD_SIZE,
        intermediate_size=WIDENING * config.dimensions,
        max_position_embeddings=max(512, config.max_tokens),
        pad_token_id=tokenizer.token_to_id(PAD),
    )
    folder = scratch / f"tiny-{seed}"
    torch.manual_seed(seed)
    BertModel(shape).save_pretrained(folder)
    fast: Any = PreTrainedTokenizerFast  # Any: its call is untyped
    fast(tokenizer_object=tokenizer, model_max_length=shape.max_position_embeddings, **names).save_pretrained(folder)
    return folder
