import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from procqa.encoder.losses import LOSSES, FalseNegatives, four_way, info_nce, symmetric_info_nce


def sides(pairs: int = 12, dimensions: int = 8, further: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = (pairs, pairs + further)
    rows = [normalize(torch.randn(size, dimensions, generator=generator, dtype=torch.float64), dim=1) for size in sizes]
    return rows[0].requires_grad_(), rows[1].requires_grad_()


def dense_four_way(queries, documents, temperature):
    """The formula of docs/paper.md#loss, term by term."""
    total = 0.0
    for i in range(len(queries)):
        positive = torch.exp(queries[i] @ documents[i] / temperature)
        others = [j for j in range(len(queries)) if j != i]
        z = sum(torch.exp(queries[i] @ documents[j] / temperature) for j in range(len(documents)))
        z = z + sum(torch.exp(documents[i] @ queries[j] / temperature) for j in others)
        z = z + sum(torch.exp(queries[i] @ queries[j] / temperature) for j in others)
        z = z + sum(torch.exp(documents[i] @ documents[j] / temperature) for j in range(len(documents)) if j != i)
        total = total - torch.log(positive / z)
    return total / len(queries)


def references(queries, documents, temperature):
    """Every form by other means: torch's own cross-entropy, and the formula written out."""
    scores = queries @ documents.T / temperature
    targets = torch.arange(len(queries))
    forth = cross_entropy(scores, targets)
    back = cross_entropy(scores[:, : len(queries)].T, targets)
    return {
        "one-way": forth,
        "symmetric": (forth + back) / 2,
        "four-way": dense_four_way(queries, documents, temperature),
    }


@pytest.mark.parametrize("form", LOSSES)
@pytest.mark.parametrize("temperature", [0.01, 0.05, 1.0])
@pytest.mark.parametrize("further", [0, 5])
@pytest.mark.parametrize("rows_at_once", [None, 1, 5])
def test_a_loss_and_its_gradients_are_those_of_the_reference(form, temperature, further, rows_at_once):
    queries, documents = sides(further=further)
    ours, masked = LOSSES[form](queries, documents, temperature=temperature, rows_at_once=rows_at_once)
    theirs = references(queries, documents, temperature)[form]
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)
    assert masked == 0
    mine = torch.autograd.grad(ours, [queries, documents])
    other = torch.autograd.grad(theirs, [queries, documents])
    for gradient, expected in zip(mine, other, strict=True):
        torch.testing.assert_close(gradient, expected, atol=1e-6, rtol=1e-6)


def test_the_usual_forms_equal_those_of_the_library():
    # Its four-way form counts the positive twice, which the authors' code does not.
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    class Nothing(torch.nn.Module):
        pass

    options = {
        "one-way": {},
        "symmetric": {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"},
    }
    queries, documents = sides()
    for form, given in options.items():
        theirs = MultipleNegativesRankingLoss(Nothing(), scale=20.0, **given).compute_loss_from_embeddings(
            [queries, documents], None
        )
        ours, _ = LOSSES[form](queries, documents, temperature=0.05)
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)


def test_info_nce_of_two_pairs_by_hand():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    documents = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    expected = (np.log(1 + np.exp(0.6 - 1.0)) + np.log(1 + np.exp(0.0 - 0.8))) / 2
    assert info_nce(queries, documents, temperature=1.0)[0].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("form", LOSSES)
@pytest.mark.parametrize("rows_at_once", [None, 4])
def test_what_is_masked_might_as_well_not_be_there(form, rows_at_once):
    queries, documents = sides(6)
    # The last two pairs share a text, so neither is a negative of the other.
    keys = torch.tensor([[0, 10], [1, 11], [2, 12], [3, 13], [4, 14], [4, 15]])
    ours, masked = LOSSES[form](
        queries, documents, temperature=0.1, false_negatives=FalseNegatives(keys), rows_at_once=rows_at_once
    )
    assert masked == {"one-way": 2, "symmetric": 4, "four-way": 8}[form]
    total = 0.0
    for i in range(6):
        kept = [i] + [j for j in range(6) if j != i and {i, j} != {4, 5}]
        blocks = {
            "one-way": [queries[i] @ documents[kept].T],
            "symmetric": [queries[i] @ documents[kept].T],
            "four-way": [
                queries[i] @ documents[kept].T,
                documents[i] @ queries[kept[1:]].T,
                queries[i] @ queries[kept[1:]].T,
                documents[i] @ documents[kept[1:]].T,
            ],
        }[form]
        total = total + cross_entropy(torch.cat(blocks)[None] / 0.1, torch.tensor([0]))
        if form == "symmetric":
            total = total + cross_entropy((documents[i] @ queries[kept].T)[None] / 0.1, torch.tensor([0]))
    torch.testing.assert_close(ours, total / (12 if form == "symmetric" else 6), atol=1e-6, rtol=1e-6)


def test_a_negative_much_nearer_than_the_positive_is_masked():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    documents = torch.tensor([[0.6, 0.8], [0.8, 0.6]])
    scores, positives = queries @ documents.T, torch.tensor([0.6, 0.6])
    assert FalseNegatives(margin=0.1).mask(scores, positives).tolist() == [[False, True], [True, False]]
    assert FalseNegatives(margin=0.3).mask(scores, positives).tolist() == [[False, False], [False, False]]
    loss, masked = info_nce(queries, documents, temperature=0.1, false_negatives=FalseNegatives(margin=0.1))
    assert (loss.item(), masked) == (pytest.approx(0.0, abs=1e-6), 2)


@pytest.mark.parametrize("loss", [info_nce, symmetric_info_nce, four_way])
def test_a_batch_of_one_pair_has_no_negative(loss):
    queries, documents = sides(1)
    with pytest.raises(ValueError, match="at least 2 pairs"):
        loss(queries, documents, temperature=0.01)


@pytest.mark.parametrize("loss", [info_nce, four_way])
def test_sides_that_do_not_fit_are_refused(loss):
    queries, documents = sides()
    for answers in (documents[:5], documents[:, :3]):
        with pytest.raises(ValueError, match="a document of the same size for each query"):
            loss(queries, answers, temperature=0.01)
