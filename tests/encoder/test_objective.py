import copy

import pytest
import torch
import torch.multiprocessing
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from procqa.encoder.losses import LOSSES
from procqa.encoder.objective import SIMILARITIES, Objective, gather, select


class Tiny(nn.Module):
    """A model of padded token numbers: the mean of their embeddings, with dropout."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.embeddings = nn.Parameter(torch.randn(50, 16, generator=generator))
        self.dropout = nn.Dropout(dropout)
        self.longest: list[int] = []

    def forward(self, features):
        self.longest.append(features["input_ids"].shape[1])
        mask = features["attention_mask"][..., None].float()
        tokens = self.dropout(self.embeddings[features["input_ids"]]) * mask
        return {"sentence_embedding": tokens.sum(dim=1) / mask.sum(dim=1)}


def features(rows: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, 50, (rows, 9), generator=generator)
    mask = (torch.arange(9) < torch.randint(2, 10, (rows, 1), generator=generator)).long()
    return {"input_ids": ids * mask, "attention_mask": mask}


def step(model, sides, labels=None, **options):
    """The loss of a batch and the gradients of the weights."""
    model.zero_grad()
    torch.manual_seed(5)
    objective = Objective(model, temperature=0.05, **options)
    loss = objective([dict(side) for side in sides], labels)
    loss.backward()
    return loss.detach(), model.embeddings.grad.clone(), objective.take_masked()


@pytest.mark.parametrize("form", LOSSES)
@pytest.mark.parametrize("rows_at_once", [1, 3, 7, 64])
def test_a_few_rows_at_a_time_give_the_loss_and_gradients_of_all_at_once(form, rows_at_once):
    model, sides = Tiny(), [features(14, 1), features(14, 2)]
    whole, gradient, _ = step(model, sides, form=form)
    cached, of_chunks, _ = step(model, sides, form=form, rows_at_once=rows_at_once)
    torch.testing.assert_close(cached, whole, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(of_chunks, gradient, atol=1e-6, rtol=1e-5)


class LargestResult(TorchDispatchMode):
    """Remembers how many numbers the largest tensor has that torch makes meanwhile."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for made in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(made, torch.Tensor):
                self.numbers = max(self.numbers, made.numel())
        return result


@pytest.mark.parametrize(("form", "blocks"), [("one-way", 1), ("symmetric", 1), ("four-way", 4)])
def test_similarities_of_a_large_batch_are_never_all_in_memory(form, blocks):
    model, sides = Tiny(), [features(1024, 1), features(1024, 2)]
    results = []
    for rows_at_once, largest in ((None, 1024 * 1024), (256, SIMILARITIES)):
        with LargestResult() as made:
            results.append(step(model, sides, form=form, rows_at_once=rows_at_once))
        assert made.numbers == blocks * largest
    (whole, gradient, _), (cached, of_blocks, _) = results
    torch.testing.assert_close(cached, whole, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(of_blocks, gradient, atol=1e-6, rtol=1e-5)


def test_the_second_pass_drops_out_what_the_first_did_and_leaves_the_generator_where_it_was():
    model, sides = Tiny(dropout=0.5), [features(14, 1), features(14, 2)]
    one = step(model, sides, rows_at_once=4)
    after = torch.rand(1)
    assert all(torch.equal(*both) for both in zip(one[:2], step(model, sides, rows_at_once=4)[:2], strict=True))
    assert torch.equal(after, torch.rand(1))
    # With one chunk's noise for all, a finite difference along the gradient would not fit.
    loss, gradient, _ = one
    moved = copy.deepcopy(model)
    with torch.no_grad():
        moved.embeddings -= 1e-3 * gradient
    fall = loss - step(moved, sides, rows_at_once=4)[0]
    assert fall.item() == pytest.approx(1e-3 * gradient.square().sum().item(), rel=0.05)


def test_short_texts_are_not_padded_to_the_longest_of_the_batch():
    model, sides = Tiny(), [features(14, 1), features(14, 2)]
    step(model, sides, rows_at_once=4)
    assert min(model.longest) < 9


def test_loss_in_the_precision_of_the_pass_is_handed_on_in_it():
    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(16, 16, bias=False)
            self.kinds = []

        def forward(self, features):
            out = self.layer(features["values"])
            self.kinds.append(out.dtype)
            return {"sentence_embedding": out}

    model = Linear()
    sides = [{"values": torch.randn(6, 16), "attention_mask": torch.ones(6, 2)} for _ in range(2)]
    with torch.autocast("cpu", torch.bfloat16):
        loss = Objective(model, temperature=0.05, rows_at_once=2)(sides)
    loss.backward()
    assert loss.dtype == torch.float32
    assert set(model.kinds) == {torch.bfloat16}
    assert len(model.kinds) == 12


def test_vectors_may_be_cut_where_the_loss_of_each_size_counts():
    model, sides = Tiny(), [features(14, 1), features(14, 2)]
    loss, _, _ = step(model, sides, dimensions=(8, 4))
    vectors = [model(dict(side))["sentence_embedding"] for side in sides]
    expected = [
        LOSSES["one-way"](*(nn.functional.normalize(side[:, :size], dim=1) for side in vectors), temperature=0.05)[0]
        for size in (16, 8, 4)
    ]
    torch.testing.assert_close(loss, sum(expected) / 3)


def test_masked_documents_are_counted():
    model, sides = Tiny(), [features(4, 1), features(4, 2)]
    labels = torch.tensor([[1, 5], [2, 6], [1, 7], [3, 8]])
    assert step(model, sides, labels)[2] == 2
    assert step(model, sides, labels, rows_at_once=2)[2] == 2
    assert step(model, sides, None)[2] == 0
    assert step(model, sides, None, margin=-2)[2] == 12


def test_further_documents_are_negatives_of_all_but_of_pairs_that_they_share_a_key_with():
    model, sides = Tiny(), [features(4, 1), features(4, 2), features(4, 3)]
    of_pairs = torch.arange(8).reshape(4, 2)
    loss, gradient, masked = step(model, sides, of_pairs)
    assert masked == 0
    queries, documents, further = (model(dict(side))["sentence_embedding"] for side in sides)
    rows = [nn.functional.normalize(side, dim=1) for side in (queries, torch.cat([documents, further]))]
    torch.testing.assert_close(loss, LOSSES["one-way"](*rows, temperature=0.05)[0].detach())
    # The further document beside the first pair is the answer of the second.
    of_all = torch.cat([of_pairs, torch.tensor([[2, 90], [91, 92], [93, 94], [95, 96]])])
    assert step(model, sides, of_all)[2] == 1
    cached = step(model, sides, of_pairs, rows_at_once=3)
    torch.testing.assert_close(cached[0], loss)
    torch.testing.assert_close(cached[1], gradient, atol=1e-6, rtol=1e-5)


def test_rows_of_a_static_encoder_are_selected_with_their_tokens():
    flat = {"input_ids": torch.tensor([1, 2, 3, 4, 5, 6]), "offsets": torch.tensor([0, 2, 2, 5])}
    chosen = select(flat, torch.tensor([3, 0, 1]))
    assert (chosen["input_ids"].tolist(), chosen["offsets"].tolist()) == ([6, 1, 2], [0, 1, 3])


def test_padding_on_the_left_is_cut_on_the_left():
    features = {
        "input_ids": torch.tensor([[0, 0, 7], [0, 8, 9], [1, 2, 3]]),
        "attention_mask": torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 1]]),
    }
    assert select(features, torch.tensor([1, 0]))["input_ids"].tolist() == [[8, 9], [0, 7]]


def _further_rank(rank, meeting, out):
    """The second half of the pairs and of their further documents, two a pair, in another process."""
    torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=2)
    try:
        pairs, further = slice(rank * 3, (rank + 1) * 3), slice(rank * 6, (rank + 1) * 6)
        sides = [
            {name: value[chosen] for name, value in features(rows, seed).items()}
            for rows, seed, chosen in ((6, 1, pairs), (6, 2, pairs), (12, 3, further))
        ]
        of_all = further_labels()
        labels = torch.cat([of_all[:6][pairs], of_all[6:][further]])
        loss, gradient, masked = step(Tiny(), sides, labels)
        torch.distributed.all_reduce(gradient)
        out.put((loss.item(), (gradient / 2).tolist(), masked))
    finally:
        torch.distributed.destroy_process_group()


def further_labels():
    """(18, 1) keys of 6 pairs and their 12 further documents, of which the last but one answers the first pair."""
    labels = torch.arange(1, 19)[:, None]  # zeros mark what only fills up the part of a rank
    labels[16] = 1
    return labels


def test_further_documents_of_two_ranks_have_their_own_keys(tmp_path):
    sides = [features(6, 1), features(6, 2), features(12, 3)]
    loss, gradient, masked = step(Tiny(), sides, further_labels())
    assert masked == 1
    context = torch.multiprocessing.get_context("spawn")
    out = context.Queue()
    processes = [context.Process(target=_further_rank, args=(rank, tmp_path / "meeting", out)) for rank in range(2)]
    for process in processes:
        process.start()
    results = [out.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    for of_rank, averaged, of_rank_masked in results:
        assert of_rank == pytest.approx(loss.item(), abs=1e-6)
        torch.testing.assert_close(torch.tensor(averaged), gradient, atol=1e-6, rtol=1e-5)
        assert of_rank_masked == 1


def _rank(rank, ranks, meeting, rows_at_once, out):
    torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=ranks)
    try:
        sides = [
            {name: value[rank * 7 : (rank + 1) * 7] for name, value in features(14, seed).items()} for seed in (1, 2)
        ]
        labels = 1 + torch.arange(14)[rank * 7 : (rank + 1) * 7, None] // 2 * 2
        loss, gradient, _ = step(Tiny(), sides, labels, rows_at_once=rows_at_once)
        torch.distributed.all_reduce(gradient)
        rows = gather(torch.full((1, 1), float(rank)))
        out.put((rank, loss.item(), (gradient / ranks).tolist(), rows.flatten().tolist()))
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize("rows_at_once", [None, 3])
def test_two_ranks_have_the_loss_and_the_gradients_of_one(rows_at_once, tmp_path):
    labels = 1 + torch.arange(14)[:, None] // 2 * 2
    loss, gradient, masked = step(Tiny(), [features(14, 1), features(14, 2)], labels)
    assert masked == 14
    context = torch.multiprocessing.get_context("spawn")
    out = context.Queue()
    ranks = [
        context.Process(target=_rank, args=(rank, 2, tmp_path / "meeting", rows_at_once, out)) for rank in range(2)
    ]
    for process in ranks:
        process.start()
    results = [out.get(timeout=120) for _ in ranks]
    for process in ranks:
        process.join(timeout=60)
        assert process.exitcode == 0
    for _, of_rank, averaged, rows in results:
        assert of_rank == pytest.approx(loss.item(), abs=1e-6)
        torch.testing.assert_close(torch.tensor(averaged), gradient, atol=1e-6, rtol=1e-5)
        assert rows == [0.0, 1.0]
