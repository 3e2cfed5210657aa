"""The contrastive loss with in-batch negatives, and the module that the trainer calls.

One way, query → document, as the paper prints it; the authors' code adds three more sets of negatives.
Imports torch: load it lazily.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def info_nce(queries: Tensor, documents: Tensor, *, temperature: float) -> Tensor:
    """Mean cross-entropy of each query against every document in the batch.

    Args:
        queries: (B, D) float, unit rows.
        documents: (B, D) float, unit rows; documents[i] answers queries[i].
        temperature: τ > 0, dimensionless.

    Returns:
        () float: nats.

    Raises:
        ValueError: fewer than 2 rows (no negatives), or shapes differ.

    Source: docs/paper.md#loss (the authors' code adds three terms).
    """
    if queries.shape != documents.shape:
        raise ValueError(f"queries and documents must have one shape, got {queries.shape} and {documents.shape}")
    if len(queries) < 2:
        raise ValueError(f"a batch must hold at least 2 pairs, or a query has no negative, got {len(queries)}")
    scores = queries @ documents.T / temperature  # (B, B)
    loss: Tensor = (torch.logsumexp(scores, dim=1) - scores.diagonal()).mean()
    return loss


class InBatchLoss(nn.Module):
    """``info_nce`` of a sentence-transformers model on a batch of queries and documents.

    Args:
        model: gives ``sentence_embedding`` (B, D) for a dictionary of features.
        temperature: τ > 0, dimensionless.
    """

    def __init__(self, model: nn.Module, temperature: float) -> None:
        super().__init__()
        self.model = model
        self.temperature = temperature

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None) -> Tensor:  # noqa: ARG002  the trainer's signature
        """The loss in nats; similarities are computed in float32 whatever the precision of the encoder."""
        queries, documents = (self.model(features)["sentence_embedding"] for features in sentence_features)
        with torch.autocast(queries.device.type, enabled=False):
            rows = [nn.functional.normalize(side.float(), dim=1) for side in (queries, documents)]
            return info_nce(*rows, temperature=self.temperature)
