"""Static encoders: a text's vector is the mean of its tokens' embeddings. Runs without torch.

Reads the sentence-transformers layout of a StaticEmbedding, tokenizer.json and model.safetensors, and the 8-bit
embeddings of ``quantize``. The
tokenizer that this file trains cuts camel case, lower-cases, and keeps words, numbers and operators apart.
Source: ours, docs/decisions/0010.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.beginnings import encode_beginnings
from procqa.encoder.sums import sum_rows
from procqa.encoder.validation import FUSION_WEIGHT
from procqa.errors import ArtifactError
from procqa.files import sha256_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_KEY = "embedding.weight"
INT8_KEY, SCALE_KEY = "embedding.int8", "embedding.scale"
"""The embeddings of a folder that ``quantize`` wrote: (V, D) int8 and (V,) float32."""

CAMEL_CASE = r"(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})"
"""Where an identifier in camel case is cut: ``getHTTPServer`` is ``get``, ``HTTP``, ``Server``."""

PIECES = r"\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+"
"""Words, numbers and operators: the pieces that no token crosses."""

_BATCH_TEXTS = 256


@dataclass(frozen=True, slots=True)
class StaticEncoder:
    """An encoder of numpy arrays.

    Args:
        name: as the user gave it.
        revision: sha256 of the weights.
        tokenizer: without padding, truncating at the tokens that are read.
        embeddings: (V, D) float32.
        max_tokens: tokens that are read of each text, the tokenizer's limit.
        fusion_weight: in [0, 1], of its cosines beside words in a hybrid ranking.
    """

    name: str
    revision: str
    tokenizer: "Tokenizer"
    embeddings: NDArray[np.float32]
    max_tokens: int
    fusion_weight: float = FUSION_WEIGHT

    @property
    def dimensions(self) -> int:
        """D, the size of a vector."""
        return int(self.embeddings.shape[1])

    @property
    def arithmetic(self) -> str:
        """Numpy, in single precision."""
        return "numpy fp32"

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows; a text without a token is a row of zeros."""
        return self._encode(texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows; a text without a token is a row of zeros."""
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # A batch at a time: the tokens of all texts would not fit in memory.
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _BATCH_TEXTS):
            batch = list(texts[start : start + _BATCH_TEXTS])
            encodings = encode_beginnings(
                self.tokenizer, batch, partial(self.tokenizer.encode_batch_fast, add_special_tokens=False)
            )
            vectors[start : start + len(batch)] = self._means([encoding.ids for encoding in encodings])
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = vectors / np.maximum(norms, 1e-12)
        return unit

    def _means(self, ids: list[list[int]]) -> NDArray[np.float32]:
        lengths = np.array([len(tokens) for tokens in ids])
        means = np.zeros((len(ids), self.dimensions), dtype=np.float32)
        full = np.flatnonzero(lengths)
        if len(full):
            flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=lengths.sum())
            means[full] = sum_rows(self.embeddings, flat, lengths[full]) / lengths[full, None]
        return means


def is_static(folder: Path) -> bool:
    """Whether an encoder folder is one that this module can read."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return kinds in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"]) and modules[0].get("path", "") == ""


def open_static(folder: Path, *, name: str, max_tokens: int, fusion_weight: float = FUSION_WEIGHT) -> StaticEncoder:
    """The static encoder of a folder, reading at most ``max_tokens`` tokens of a text.

    Raises:
        ArtifactError: a file is missing or broken.
    """
    import safetensors
    import safetensors.numpy

    weights = folder / WEIGHTS_FILE
    try:
        embeddings = _read_embeddings(safetensors.numpy.load_file(weights))
        text = (folder / TOKENIZER_FILE).read_text(encoding="utf-8")
        revision = sha256_file(weights)
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        raise ArtifactError(f"{folder} must hold {WEIGHTS_FILE} and {TOKENIZER_FILE} of an encoder: {error}") from error
    tokenizer = parse_tokenizer(text, folder / TOKENIZER_FILE)
    if embeddings.ndim != 2 or len(embeddings) < tokenizer.get_vocab_size():
        raise ArtifactError(
            f"{weights} must hold a row for each of {tokenizer.get_vocab_size()} tokens, got {embeddings.shape}"
        )
    tokenizer.no_padding()
    limits = tokenizer.truncation
    read = min(max_tokens, limits["max_length"]) if limits else max_tokens
    tokenizer.enable_truncation(read)
    return StaticEncoder(name, revision, tokenizer, embeddings, read, fusion_weight)


def parse_tokenizer(text: str, path: Path) -> "Tokenizer":
    """The tokenizer that a tokenizer.json describes.

    Args:
        path: where it stands, for the sentence.

    Raises:
        ArtifactError: it describes none.
    """
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # tokenizers raises nothing narrower
        raise ArtifactError(f"{path} is not a readable tokenizer: {error}") from error


def _read_embeddings(tensors: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """(V, D) float32, whichever way a file holds them."""
    if INT8_KEY in tensors:
        return np.asarray(tensors[INT8_KEY] * tensors[SCALE_KEY][:, None], dtype=np.float32)
    return tensors[WEIGHTS_KEY].astype(np.float32)


def train_tokenizer(
    texts: Iterator[list[str]], *, vocabulary: int, max_tokens: int, special_tokens: Sequence[str] = ()
) -> "Tokenizer":
    """A byte-level BPE tokenizer for text and code, which knows every byte.

    Args:
        texts: batches of the texts that it learns from.
        vocabulary: tokens, at most.
        max_tokens: tokens kept of a text.
        special_tokens: the first tokens, which no text has.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(CAMEL_CASE), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24,
        special_tokens=list(special_tokens),
    )
    tokenizer.train_from_iterator(_flatten(texts), trainer)
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _flatten(batches: Iterable[list[str]]) -> Iterator[list[str]]:
    return (batch for batch in batches if batch)
