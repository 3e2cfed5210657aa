"""The module that the trainer calls: features → loss, at flat memory for any batch, over all ranks.

Vectors are computed first without gradients, a few rows at a time; the loss of the whole batch gives the gradient
of each vector, and a second pass over the same rows hands it on to the weights (gradient caching). Similarities are
computed some rows at a time, too. Negatives are gathered from every rank. Imports torch: load it lazily.
Source: ours, docs/decisions/0015.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn

from procqa.encoder.losses import LOSSES, FalseNegatives, Form
from procqa.encoder.ranks import current
from procqa.encoder.towers import ROUTES, Towers, join_parts

Features = dict[str, Tensor]

SIMILARITIES = 1 << 17
"""Similarities in memory at a time, where gradients are cached: .5 MB a matrix. Source: ours, docs/decisions/0015."""


class Objective(nn.Module):
    """The contrastive loss of a sentence-transformers model on a batch of queries and documents.

    Args:
        model: gives ``sentence_embedding`` (B, D) for a dictionary of features.
        temperature: τ > 0, dimensionless.
        form: which loss.
        margin: see ``FalseNegatives``.
        dimensions: sizes to which vectors are cut as well, each with the same loss (Matryoshka); the whole
            vector always counts.
        rows_at_once: texts that are encoded at a time; None encodes a side at once and keeps its activations.
        towers: what the model has; with ``modality`` the features are those of prose and code in turn.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        temperature: float,
        form: Form = "one-way",
        margin: float | None = None,
        dimensions: Sequence[int] = (),
        rows_at_once: int | None = None,
        towers: Towers = "shared",
    ) -> None:
        super().__init__()
        self._towers: Towers = towers
        self.model = model
        self.temperature = temperature
        self.form: Form = form
        self.margin = margin
        self.dimensions = tuple(dimensions)
        self.rows_at_once = rows_at_once
        self.masked = 0
        self._rows = 0  # of a side of the last batch

    def take_masked(self) -> int:
        """Documents that did not count as negatives of a query, since this was asked last."""
        masked, self.masked = self.masked, 0
        return masked

    def take_fewer_rows(self) -> bool:
        """Encode half as many texts at a time from now on; False where it is one at a time already."""
        rows = min(self._rows, self.rows_at_once or self._rows)
        if rows <= 1:
            return False
        self.rows_at_once = rows // 2
        return True

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """The loss in nats; similarities are computed in float32 whatever the precision of the encoder.

        Args:
            sentence_features: those of the queries, of the documents, and of further documents that answer none.
            labels: (B, k) int64, what no two pairs of a batch may share to be negatives of each other; or (N, k), the
                keys of further documents behind those of the pairs. Of several ranks each gives as many rows; those
                whose keys are all zeros only fill up its part and count for nothing.
        """
        parts = [
            _Part(self.model, features, self._route(place), self.rows_at_once)
            for place, features in enumerate(sentence_features)
        ]
        is_there = [part.is_there for part in parts]
        self._rows = max(map(len, is_there))
        if self.rows_at_once is None or all(len(part.chunks) == 1 for part in parts):
            with current().agreeing():
                vectors = [part.encode() for part in parts]
            return self._loss(vectors, is_there, labels)
        with current().agreeing(), torch.no_grad():
            vectors = [part.encode_first() for part in parts]
        for of_part in vectors:
            of_part.requires_grad_()
        with torch.enable_grad():
            loss = self._loss(vectors, is_there, labels, similarities=SIMILARITIES)
        gradients = torch.autograd.grad(loss, vectors)
        # A leaf whose own gradient starts the second pass.
        handle = loss.detach().requires_grad_()
        precision = _Precision.of_now(loss.device.type)

        def pass_on(scale: Tensor) -> None:
            for part, gradient in zip(parts, gradients, strict=True):
                part.pass_on(gradient * scale, precision)

        handle.register_hook(pass_on)  # type: ignore[no-untyped-call]  # torch has no type for it
        return handle

    def _route(self, place: int) -> str | None:
        """The tower of a part: the first features are those of the queries, or of their prose."""
        if self._towers == "query-document":
            return "query" if place == 0 else "document"
        return ROUTES["modality"][place % 2] if self._towers == "modality" else None

    def _sides(self, vectors: Sequence[Tensor], is_there: Sequence[Tensor]) -> list[Tensor]:
        """The vectors of queries, documents and further documents, whose parts are joined where they have any."""
        if self._towers != "modality":
            return [side.float() for side in vectors]
        pairs = range(0, len(vectors), 2)
        return [join_parts(list(vectors[at : at + 2]), list(is_there[at : at + 2])) for at in pairs]

    def _loss(
        self,
        vectors: Sequence[Tensor],
        is_there: Sequence[Tensor],
        labels: Tensor | None,
        *,
        similarities: int | None = None,
    ) -> Tensor:
        with torch.autocast(vectors[0].device.type, enabled=False):
            queries, *documents = map(gather, self._sides(vectors, is_there))
            keys = None if labels is None else _keys(labels, documents)
            everything = torch.cat(documents)
            if keys is not None and current().count > 1:
                counts = (keys != 0).any(dim=1)
                queries, everything, keys = queries[counts[: len(queries)]], everything[counts], keys[counts]
            loss_of = partial(
                LOSSES[self.form],
                temperature=self.temperature,
                false_negatives=FalseNegatives(keys, self.margin),
                rows_at_once=None if similarities is None else max(1, similarities // len(everything)),
            )
            losses = []
            for size in (None, *self.dimensions):
                sides = [nn.functional.normalize(side[:, :size], dim=1) for side in (queries, everything)]
                loss, masked = loss_of(*sides)
                losses.append(loss)
                self.masked += masked if size is None else 0
            mean = torch.stack(losses).mean()
        # Ranks average their gradients, and each holds only its own part of it.
        return mean + (current().count - 1) * (mean - mean.detach())


def _keys(labels: Tensor, documents: Sequence[Tensor]) -> Tensor:
    """(N, k): the keys of all documents; a further one has its own, behind those of the pairs, or shares nothing."""
    sizes = [len(side) // current().count for side in documents]
    has_keys = sizes if len(labels) == sum(sizes) else sizes[:1]
    # Each side is gathered as its documents are, so that keys stand in their order on several ranks too.
    parts = [gather(part) for part in torch.split(labels, has_keys)]
    missing = sum(map(len, documents)) - sum(map(len, parts))
    # Hashes that no text has: what stands in the last places of the numbers is different for each.
    alone = torch.arange(missing, device=labels.device)[:, None] + torch.iinfo(torch.int64).min
    return torch.cat([*parts, alone.expand(missing, labels.shape[1])])


def gather(rows: Tensor) -> Tensor:
    """The rows of all ranks, in their order; gradients flow to this rank's own alone.

    Args:
        rows: (B, D) of this rank, as many on every rank.
    """
    if current().count == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(current().count)]
    torch.distributed.all_gather(parts, rows.detach().contiguous())
    parts[torch.distributed.get_rank()] = rows
    return torch.cat(parts)


@dataclass(frozen=True, slots=True)
class _Precision:
    """What the forward pass computes in: the second pass, outside of it, computes in the same."""

    device: str
    dtype: torch.dtype
    is_enabled: bool

    @classmethod
    def of_now(cls, device: str) -> "_Precision":
        return cls(device, torch.get_autocast_dtype(device), torch.is_autocast_enabled(device))


@dataclass(frozen=True, slots=True)
class RandomState:
    """The states of the random generators: what makes a second pass drop out the same."""

    cpu: Tensor
    cuda: Tensor | None

    @classmethod
    def of_now(cls) -> "RandomState":
        """The states as they are, those of the present device among them."""
        is_there = torch.cuda.is_available()
        return cls(torch.random.get_rng_state(), torch.cuda.random.get_rng_state() if is_there else None)

    def restore(self) -> None:
        """Draw again what was drawn since."""
        torch.random.set_rng_state(self.cpu)
        if self.cuda is not None:
            torch.cuda.random.set_rng_state(self.cuda)


class _Part:
    """The queries or the documents of a batch, or their prose or code, in chunks of texts of much the same length."""

    def __init__(self, model: nn.Module, features: Features, route: str | None, rows_at_once: int | None) -> None:
        self._model, self._features, self._route = model, features, route
        sizes = _sizes(features)
        self.is_there = features.get("is_there", sizes > 0)
        rows_at_once = rows_at_once or len(sizes)
        order = torch.argsort(sizes, descending=True, stable=True) if rows_at_once < len(sizes) else None
        every = torch.arange(len(sizes)) if order is None else order.cpu()
        self.chunks = torch.split(every, rows_at_once)
        self._seeds: list[int] = []

    def encode(self) -> Tensor:
        """(B, D) vectors of all rows, which are one chunk, with their activations."""
        (rows,) = self.chunks
        return self._encode(rows)

    def encode_first(self) -> Tensor:
        """(B, D) vectors of all rows, in their order; each chunk has a seed of its own, kept for ``pass_on``."""
        self._seeds = torch.randint(1 << 62, (len(self.chunks),)).tolist()
        now = RandomState.of_now()
        together: Tensor | None = None
        for chunk, seed in zip(self.chunks, self._seeds, strict=True):
            torch.manual_seed(seed)
            vectors = self._encode(chunk)
            if together is None:
                # One matrix, and no tensor for each chunk: what lies between activations keeps freed memory in pieces.
                together = vectors.new_empty((len(self.is_there), vectors.shape[1]))
            together[chunk.to(vectors.device)] = vectors
        now.restore()
        assert together is not None
        return together

    def pass_on(self, gradient: Tensor, precision: _Precision) -> None:
        """Encode each chunk once more, with its activations, and add to the gradients of the weights."""
        now = RandomState.of_now()
        with torch.enable_grad(), torch.autocast(precision.device, precision.dtype, enabled=precision.is_enabled):
            for chunk, seed in zip(self.chunks, self._seeds, strict=True):
                torch.manual_seed(seed)
                vectors = self._encode(chunk)
                torch.autograd.backward((vectors.float() * gradient[chunk.to(gradient.device)]).sum())
        now.restore()

    def _encode(self, rows: Tensor) -> Tensor:
        features: dict[str, Any] = dict(self._features if len(self.chunks) == 1 else select(self._features, rows))
        features.pop("is_there", None)
        if self._route is not None:
            features["task"] = self._route
        vectors: Tensor = self._model(features)["sentence_embedding"]
        return vectors


def _sizes(features: Features) -> Tensor:
    """(B,) tokens of each text."""
    if "offsets" in features:
        ends = torch.cat([features["offsets"][1:], features["offsets"].new_tensor([len(features["input_ids"])])])
        return ends - features["offsets"]
    return features["attention_mask"].sum(dim=1)


def select(features: Features, rows: Tensor) -> Features:
    """The features of some rows, without the padding that only longer texts need.

    Args:
        features: of a transformer, (B, L) each, or of a static encoder, token numbers in a row and ``offsets``.
        rows: (b,) which.
    """
    sizes = _sizes(features)
    rows = rows.to(sizes.device)
    if "offsets" in features:
        starts, lengths = features["offsets"][rows], sizes[rows]
        begins = torch.cumsum(lengths, dim=0) - lengths
        places = torch.repeat_interleave(starts - begins, lengths) + torch.arange(
            int(lengths.sum()), device=starts.device
        )
        return {"input_ids": features["input_ids"][places], "offsets": begins}
    mask = features["attention_mask"][rows]
    longest = int(sizes[rows].max())
    tokens = slice(0, longest) if bool(mask[:, 0].all()) else slice(mask.shape[1] - longest, None)  # padded on the left
    return {
        name: value[rows][:, tokens] if value.ndim == 2 and value.shape[1] == mask.shape[1] else value[rows]
        for name, value in features.items()
    }
