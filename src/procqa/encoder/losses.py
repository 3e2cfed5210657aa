"""The contrastive losses: pure functions of two matrices. Imports torch: load it lazily.

The paper prints InfoNCE, query → document. The authors' code takes the similarities of documents to queries, of
queries to each other and of documents to each other into the same sum. Source: docs/paper.md#loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Form = Literal["one-way", "symmetric", "four-way"]


@dataclass(frozen=True, slots=True)
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

    def mask(self, scores: Tensor, positives: Tensor) -> Tensor:
        """(B, N) bool, True for the places that do not count; the diagonal, where the positive stands, never is.

        Args:
            scores: (B, N) cosines.
            positives: (B,) that of each row's positive.
        """
        mask = torch.zeros_like(scores, dtype=torch.bool)
        if self.keys is not None:
            own, others = self.keys[: len(scores)], self.keys[: scores.shape[1]]
            for column in range(self.keys.shape[1]):
                mask |= own[:, column, None] == others[None, :, column]
        if self.margin is not None:
            mask |= scores > positives[:, None] + self.margin
        return mask.fill_diagonal_(False)


NOTHING_MASKED = FalseNegatives()


def info_nce(
    queries: Tensor, documents: Tensor, *, temperature: float, false_negatives: FalseNegatives = NOTHING_MASKED
) -> tuple[Tensor, int]:
    """Mean cross-entropy of each query against every document of the batch, and how many documents were masked.

    Args:
        queries: (B, D) float, unit rows.
        documents: (N, D) float, unit rows, N ≥ B: documents[i] answers queries[i], further ones answer none.
        temperature: τ > 0, dimensionless.

    Returns:
        () float: nats; and the masked places of (B, N).

    Raises:
        ValueError: fewer than 2 documents (no negatives), or fewer documents than queries.

    Source: docs/paper.md#loss (the authors' code adds three terms: ``four_way``).
    """
    _check(queries, documents)
    scores = queries @ documents.T  # (B, N)
    positives = scores.diagonal()
    mask = false_negatives.mask(scores.detach(), positives.detach())
    logits = scores.masked_fill(mask, -torch.inf) / temperature
    loss = (torch.logsumexp(logits, dim=1) - positives / temperature).mean()
    return loss, int(mask.sum())


def symmetric_info_nce(
    queries: Tensor, documents: Tensor, *, temperature: float, false_negatives: FalseNegatives = NOTHING_MASKED
) -> tuple[Tensor, int]:
    """The mean of ``info_nce`` from queries to documents and from documents, but for further ones, to queries.

    Source: the usual symmetric form; ours, docs/decisions/0015.
    """
    forth, n_forth = info_nce(queries, documents, temperature=temperature, false_negatives=false_negatives)
    answers = documents[: len(queries)]
    back, n_back = info_nce(answers, queries, temperature=temperature, false_negatives=false_negatives)
    return (forth + back) / 2, n_forth + n_back


def four_way(
    queries: Tensor, documents: Tensor, *, temperature: float, false_negatives: FalseNegatives = NOTHING_MASKED
) -> tuple[Tensor, int]:
    """The authors' loss: one cross-entropy over documents, and the other queries and documents as negatives too.

    Of row i the sum runs over s(q_i, d_j), and for j ≠ i over s(d_i, q_j), s(q_i, q_j) and s(d_i, d_j).

    Args, Returns, Raises: as ``info_nce``; the masked places are those of all four blocks.

    Source: docs/paper.md#loss (authors' code: utils.full_contrastive_scores_and_labels).
    """
    _check(queries, documents)
    answers = documents[: len(queries)]
    positives = (queries * answers).sum(dim=1)
    blocks, n_masked = [], 0
    for place, (left, right) in enumerate(
        ((queries, documents), (answers, queries), (queries, queries), (answers, documents))
    ):
        scores = left @ right.T
        mask = false_negatives.mask(scores.detach(), positives.detach())
        n_masked += int(mask.sum())
        if place > 0:
            mask = mask | torch.eye(*scores.shape, dtype=torch.bool, device=scores.device)
        blocks.append(scores.masked_fill(mask, -torch.inf))
    logits = torch.cat(blocks, dim=1) / temperature  # (B, N + B + B + N)
    return (torch.logsumexp(logits, dim=1) - positives / temperature).mean(), n_masked


Loss = Callable[..., tuple[Tensor, int]]

LOSSES: dict[Form, Loss] = {"one-way": info_nce, "symmetric": symmetric_info_nce, "four-way": four_way}
"""Every loss by the name of its form."""


def _check(queries: Tensor, documents: Tensor) -> None:
    if queries.shape[1] != documents.shape[1] or len(queries) > len(documents):
        raise ValueError(
            "there must be a document of the same size for each query, got"
            f" {tuple(queries.shape)} queries and {tuple(documents.shape)} documents"
        )
    if len(documents) < 2:
        raise ValueError(f"a batch must hold at least 2 pairs, or a query has no negative, got {len(documents)}")
