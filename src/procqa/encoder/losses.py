"""The contrastive losses: pure functions of two matrices. Imports torch: load it lazily.

The paper prints InfoNCE, query → document. The authors' code takes the similarities of documents to queries, of
queries to each other and of documents to each other into the same sum. Source: docs/paper.md#loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

import torch
from torch import Tensor

Form = Literal["one-way", "symmetric", "four-way"]


@dataclass(frozen=True)
class FalseNegatives:
    """Which documents are not to count as negatives of a query.

    Args:
        keys: (N, k) int64, a row for each document: pairs that have the same key in a column (a text, a thread, a
            cluster of near-duplicates) are no negatives of each other. None masks none for that.
        margin: a negative that is by more than this nearer than the positive, in cosine, is taken for a second
            right answer. None masks none for that.
    """

    keys: Tensor | None = None
    margin: float | None = None

    @cached_property
    def has_common_keys(self) -> bool:
        """Whether any two documents share a key: batches are drawn so that it is rare, and comparing all is slow."""
        return self.keys is not None and any(len(column.unique()) < len(column) for column in self.keys.T)

    def mask(self, scores: Tensor, positives: Tensor, *, first: int = 0) -> Tensor:
        """(b, N) bool, True for the places that do not count; never those of the positives.

        Args:
            scores: (b, N) cosines.
            positives: (b,) that of each row's positive.
            first: which of all rows the first one is: its positive stands in this column.
        """
        mask = torch.zeros_like(scores, dtype=torch.bool)
        if self.keys is not None:
            own, others = self.keys[first : first + len(scores)], self.keys[: scores.shape[1]]
            for column in range(self.keys.shape[1]):
                mask |= own[:, column, None] == others[None, :, column]
        if self.margin is not None:
            mask |= scores > positives[:, None] + self.margin
        mask.diagonal(first).fill_(False)
        return mask

    def hide(self, scores: Tensor, positives: Tensor, *, first: int = 0) -> tuple[Tensor, int]:
        """The scores with -inf in the places that do not count, and how many those are; arguments as of ``mask``."""
        if self.margin is None and not self.has_common_keys:
            return scores, 0
        mask = self.mask(scores.detach(), positives.detach(), first=first)
        return scores.masked_fill(mask, -torch.inf), int(mask.sum())


NOTHING_MASKED = FalseNegatives()


def info_nce(
    queries: Tensor,
    documents: Tensor,
    *,
    temperature: float,
    false_negatives: FalseNegatives = NOTHING_MASKED,
    rows_at_once: int | None = None,
) -> tuple[Tensor, int]:
    """Mean cross-entropy of each query against every document of the batch, and how many documents were masked.

    Args:
        queries: (B, D) float, unit rows.
        documents: (N, D) float, unit rows, N ≥ B: documents[i] answers queries[i], further ones answer none.
        temperature: τ > 0, dimensionless.
        rows_at_once: rows whose similarities are in memory at a time, gradients computed with the loss; None keeps
            those of all. The loss is the same.

    Returns:
        () float: nats; and the masked places of (B, N).

    Raises:
        ValueError: fewer than 2 documents (no negatives), or fewer documents than queries.

    Source: docs/paper.md#loss (the authors' code adds three terms: ``four_way``).
    """
    _check(queries, documents)

    def of_rows(queries: Tensor, documents: Tensor, rows: slice) -> tuple[Tensor, int]:
        scores = queries[rows] @ documents.T  # (b, N)
        positives = scores.diagonal(rows.start)
        counted, n_masked = false_negatives.hide(scores, positives, first=rows.start)
        return torch.logsumexp(counted / temperature, dim=1) - positives / temperature, n_masked

    return _mean(of_rows, queries, documents, rows_at_once)


def symmetric_info_nce(
    queries: Tensor,
    documents: Tensor,
    *,
    temperature: float,
    false_negatives: FalseNegatives = NOTHING_MASKED,
    rows_at_once: int | None = None,
) -> tuple[Tensor, int]:
    """The mean of ``info_nce`` from queries to documents and from documents, but for further ones, to queries.

    Source: the usual symmetric form; ours, docs/decisions/0015.
    """
    one_way = partial(info_nce, temperature=temperature, false_negatives=false_negatives, rows_at_once=rows_at_once)
    forth, n_forth = one_way(queries, documents)
    back, n_back = one_way(documents[: len(queries)], queries)
    return (forth + back) / 2, n_forth + n_back


def four_way(
    queries: Tensor,
    documents: Tensor,
    *,
    temperature: float,
    false_negatives: FalseNegatives = NOTHING_MASKED,
    rows_at_once: int | None = None,
) -> tuple[Tensor, int]:
    """The authors' loss: one cross-entropy over documents, and the other queries and documents as negatives too.

    Of row i the sum runs over s(q_i, d_j), and for j ≠ i over s(d_i, q_j), s(q_i, q_j) and s(d_i, d_j).

    Args, Returns, Raises: as ``info_nce``; the masked places are those of all four blocks.

    Source: docs/paper.md#loss (authors' code: utils.full_contrastive_scores_and_labels).
    """
    _check(queries, documents)

    def of_rows(queries: Tensor, documents: Tensor, rows: slice) -> tuple[Tensor, int]:
        answers = documents[: len(queries)]
        positives = (queries[rows] * answers[rows]).sum(dim=1)
        blocks, n_masked = [], 0
        for place, (left, right) in enumerate(
            ((queries, documents), (answers, queries), (queries, queries), (answers, documents))
        ):
            scores = left[rows] @ right.T
            counted, n_of_block = false_negatives.hide(scores, positives, first=rows.start)
            n_masked += n_of_block
            if place > 0:
                own = torch.zeros_like(scores, dtype=torch.bool)
                own.diagonal(rows.start).fill_(True)
                counted = counted.masked_fill(own, -torch.inf)
            blocks.append(counted)
        logits = torch.cat(blocks, dim=1) / temperature  # (b, N + B + B + N)
        return torch.logsumexp(logits, dim=1) - positives / temperature, n_masked

    return _mean(of_rows, queries, documents, rows_at_once)


Loss = Callable[..., tuple[Tensor, int]]

LOSSES: dict[Form, Loss] = {"one-way": info_nce, "symmetric": symmetric_info_nce, "four-way": four_way}
"""Every loss by the name of its form."""


_OfRows = Callable[[Tensor, Tensor, slice], tuple[Tensor, int]]
"""The losses (b,) of some rows of queries and documents, and their masked places."""


def _mean(of_rows: _OfRows, queries: Tensor, documents: Tensor, rows_at_once: int | None) -> tuple[Tensor, int]:
    """The mean of the losses of all rows, and their masked places."""
    if rows_at_once is None or rows_at_once >= len(queries):
        losses, n_masked = of_rows(queries, documents, slice(0, len(queries)))
        return losses.mean(), n_masked
    loss, masked = _MeanByRows.apply(of_rows, queries, documents, rows_at_once)  # type: ignore[no-untyped-call]
    return loss, masked


class _MeanByRows(torch.autograd.Function):
    """The same, a few rows at a time: the gradients are computed with the losses, so that nothing else is kept."""

    @staticmethod
    def forward(
        ctx: Any, of_rows: _OfRows, queries: Tensor, documents: Tensor, rows_at_once: int
    ) -> tuple[Tensor, int]:
        left, right = sides = queries.detach().requires_grad_(), documents.detach().requires_grad_()
        losses, n_masked = queries.new_empty(len(queries)), 0
        gradients = [torch.zeros_like(side) for side in sides]
        for first in range(0, len(queries), rows_at_once):
            rows = slice(first, min(first + rows_at_once, len(queries)))
            with torch.enable_grad():
                of_these, n_of_these = of_rows(left, right, rows)
                parts = torch.autograd.grad(of_these.sum() / len(queries), sides)
            losses[rows] = of_these.detach()
            n_masked += n_of_these
            for gradient, part in zip(gradients, parts, strict=True):
                gradient += part
        ctx.save_for_backward(*gradients)
        return losses.mean(), n_masked

    @staticmethod
    def backward(ctx: Any, scale: Tensor, _: None) -> tuple[Tensor | None, ...]:
        queries, documents = ctx.saved_tensors
        return None, queries * scale, documents * scale, None


def _check(queries: Tensor, documents: Tensor) -> None:
    if queries.shape[1] != documents.shape[1] or len(queries) > len(documents):
        raise ValueError(
            "there must be a document of the same size for each query, got"
            f" {tuple(queries.shape)} queries and {tuple(documents.shape)} documents"
        )
    if len(documents) < 2:
        raise ValueError(f"a batch must hold at least 2 pairs, or a query has no negative, got {len(documents)}")
