"""Rows of the corpus → what a model reads: token numbers as tensors.

A transformer's texts are tokenized batch by batch. A static encoder would spend most of its time on that,
so its token numbers are computed once and kept in a memory-mapped file.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.streams import Texts
from procqa.encoder.towers import first_modules

if TYPE_CHECKING:
    from torch import Tensor


class Features(Protocol):
    """Gives the input of a model for some rows of the corpus."""

    def take(self, rows: NDArray[np.int32], views: NDArray[np.int64]) -> dict[str, "Tensor"]:
        """A view (B,) of each of some rows (B,), as the model reads them."""
        ...


def count_tokens(features: Mapping[str, "Tensor"]) -> int:
    """The tokens that a model reads of some texts: those that mark beginning and end count, those that pad do not."""
    read = features.get("attention_mask")
    return len(features["input_ids"]) if read is None else int(read.sum())


TEXTS_AT_ONCE = 128
"""Texts that are tokenized at a time: a tokenizer holds about 100 bytes for each token of them, cut ones too.
Source: ours, docs/decisions/0015."""


class TextFeatures:
    """Tokenizes the texts of a batch when it is drawn, some at a time.

    Args:
        first: the module of a sentence-transformers model that reads texts.
        texts: of the corpus.
    """

    def __init__(self, first: Any, texts: Texts) -> None:
        self._first = first
        self._texts = texts

    def take(self, rows: NDArray[np.int32], views: NDArray[np.int64]) -> dict[str, "Tensor"]:
        """Padded token numbers (B, L), their mask, and which texts (B,) are not blank."""
        import torch

        is_there = torch.empty(len(rows), dtype=torch.bool)
        parts = []
        for start in range(0, len(rows), TEXTS_AT_ONCE):
            some = slice(start, start + TEXTS_AT_ONCE)
            texts = self._texts.take(rows[some], views[some])
            is_there[some] = torch.tensor([bool(text.strip()) for text in texts])
            parts.append(self._read(texts))
        return {**self._join(parts), "is_there": is_there}

    def _read(self, texts: list[str]) -> dict[str, "Tensor"]:
        from torch import Tensor

        features: dict[str, object] = self._first.preprocess(texts)
        return {name: value for name, value in features.items() if isinstance(value, Tensor)}

    def _join(self, parts: list[dict[str, "Tensor"]]) -> dict[str, "Tensor"]:
        """The features of all texts, padded to the longest as the tokenizer pads."""
        import torch
        from torch.nn.functional import pad

        tokenizer = self._first.tokenizer
        fillers = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id}
        longest = max(part["input_ids"].shape[1] for part in parts)

        def widen(name: str, value: "Tensor") -> "Tensor":
            missing = longest - value.shape[1]
            ends = (missing, 0) if tokenizer.padding_side == "left" else (0, missing)
            return pad(value, ends, value=fillers.get(name, 0))

        return {name: torch.cat([widen(name, part[name]) for part in parts]) for name in parts[0]}


class TokenFeatures:
    """Holds the token numbers of all texts in a memory-mapped file. Memory: 12 bytes a text.

    Args:
        tokenizer: a ``tokenizers.Tokenizer`` that truncates.
        texts: of the corpus.
        path: where the token numbers go, or are already; beside them, written last, where each text begins. Another
            process may write the same: whoever is last puts the same bytes in their place.
    """

    def __init__(self, tokenizer: Any, texts: Texts, path: Path) -> None:
        places = path.with_suffix(".npz")
        if not places.is_file():
            self._write(tokenizer, texts, path, places)
        self._lengths, self._starts = _read_places(places)
        if path.stat().st_size != 4 * int(self._lengths.sum(dtype=np.int64)):  # not what was written there
            self._write(tokenizer, texts, path, places)
            self._lengths, self._starts = _read_places(places)
        size = path.stat().st_size
        self._ids = np.memmap(path, dtype=np.int32, mode="r") if size else np.empty(0, dtype=np.int32)

    @staticmethod
    def _write(tokenizer: Any, texts: Texts, path: Path, places: Path) -> None:
        lengths: list[NDArray[np.int32]] = []
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        with unfinished.open("wb") as stream:
            for batch in texts.read():
                ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False)]
                lengths.append(np.array([len(tokens) for tokens in ids], dtype=np.int32))
                np.fromiter((token for tokens in ids for token in tokens), dtype=np.int32).tofile(stream)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
        # The file holds one view of one record batch after the other.
        flat = np.concatenate([np.empty(0, dtype=np.int32), *lengths])
        starts = np.cumsum(flat, dtype=np.int64) - flat
        parts = np.cumsum([len(part) for part in lengths], dtype=np.int64)[:-1]
        new = places.with_name(f".{places.name}.{os.getpid()}")
        with new.open("wb") as stream:
            np.savez(
                stream,
                lengths=_by_view(np.split(flat, parts), len(texts.columns)),
                starts=_by_view(np.split(starts, parts), len(texts.columns)),
            )
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(places)

    def take(self, rows: NDArray[np.int32], views: NDArray[np.int64]) -> dict[str, "Tensor"]:
        """Token numbers of all texts in a row, where each text (B,) begins, and which have any."""
        import torch

        lengths, starts = self._lengths[views, rows], self._starts[views, rows]
        offsets = np.cumsum(lengths, dtype=np.int64) - lengths
        places = np.repeat(starts - offsets, lengths) + np.arange(lengths.sum())
        ids = self._ids[places].astype(np.int64)
        there = torch.from_numpy(lengths > 0)
        return {"input_ids": torch.from_numpy(ids), "offsets": torch.from_numpy(offsets), "is_there": there}


def _read_places(path: Path) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(views, rows) each: the lengths of texts in tokens, and where each begins."""
    with np.load(path) as found:
        return found["lengths"], found["starts"]


def _by_view(parts: list[NDArray[Any]], n_views: int) -> NDArray[Any]:
    """(views, rows) from parts that take turns."""
    return np.stack([np.concatenate(parts[view::n_views]) for view in range(n_views)])


def open_features(model: Any, texts: Texts, scratch: Path, cache: Path | None = None) -> Features:
    """What suits the model: token numbers computed once for a static one, else text by text.

    Args:
        scratch: keeps token numbers for this run.
        cache: keeps them for other runs that read the same texts with the same tokenizer; None keeps none.
    """
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    first = first_modules(model)[0]  # towers are made alike
    if isinstance(first, StaticEmbedding):
        folder = scratch if cache is None else cache / "tokens" / _digest(first.tokenizer, texts)
        folder.mkdir(parents=True, exist_ok=True)
        return TokenFeatures(first.tokenizer, texts, folder / "tokens.bin")
    return TextFeatures(first, texts)


def _digest(tokenizer: Any, texts: Texts) -> str:
    """What token numbers follow from: the tokenizer, where it truncates, and the texts."""
    with texts.path.open("rb") as stream:
        of_texts = hashlib.file_digest(stream, "sha256")
    return hashlib.sha256(f"{of_texts.hexdigest()} {tokenizer.to_str()}".encode()).hexdigest()[:32]
