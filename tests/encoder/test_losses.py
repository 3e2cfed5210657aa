import numpy as np
import pytest
import torch
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch.nn.functional import cross_entropy, normalize

from procqa.encoder.losses import InBatchLoss, info_nce


class Lookup(torch.nn.Module):
    """A model whose features are its embeddings already."""

    def forward(self, features):
        return {"sentence_embedding": features["sentence_embedding"]}


def sides(pairs: int = 12, dimensions: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(normalize(torch.randn(pairs, dimensions, generator=generator), dim=1) for _ in range(2))


@pytest.mark.parametrize("temperature", [0.01, 0.05, 1.0])
def test_info_nce_is_cross_entropy_over_the_batch(temperature: float):
    queries, documents = sides()
    expected = cross_entropy(queries @ documents.T / temperature, torch.arange(12))
    torch.testing.assert_close(info_nce(queries, documents, temperature=temperature), expected, atol=1e-6, rtol=1e-6)


def test_info_nce_of_two_pairs_by_hand():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    documents = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    expected = (np.log(1 + np.exp(0.6 - 1.0)) + np.log(1 + np.exp(0.0 - 0.8))) / 2
    assert info_nce(queries, documents, temperature=1.0).item() == pytest.approx(expected, abs=1e-6)


def test_the_module_equals_the_librarys_loss_and_its_gradients():
    queries, documents = (side.clone().requires_grad_() for side in sides())
    features = [{"sentence_embedding": queries}, {"sentence_embedding": documents}]
    ours = InBatchLoss(Lookup(), 0.01)(features)
    theirs = MultipleNegativesRankingLoss(Lookup(), scale=100.0).compute_loss_from_embeddings(
        [queries, documents], None
    )
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    for mine, other in zip(
        torch.autograd.grad(ours, [queries, documents]), torch.autograd.grad(theirs, [queries, documents]), strict=True
    ):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_a_batch_of_one_pair_has_no_negative():
    queries, documents = sides(1)
    with pytest.raises(ValueError, match="at least 2 pairs"):
        info_nce(queries, documents, temperature=0.01)


def test_sides_of_different_shapes_are_refused():
    queries, documents = sides()
    with pytest.raises(ValueError, match="one shape"):
        info_nce(queries, documents[:5], temperature=0.01)
