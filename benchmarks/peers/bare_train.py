"""A static encoder trained by a bare torch loop: the same pairs, model, loss, batch size and optimiser, no trainer.

Token numbers are held in memory, each step draws a language and a pair type with p proportional to √n
and takes random rows; it neither logs, nor saves, nor looks for equal texts in a batch.

``python -m benchmarks.peers.bare_train SETTINGS.json``
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

PAIR_TYPES = (("title", "question"), ("title", "answer"), ("question", "answer"))

Tokens = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]
"""All token numbers of a column, and where each text begins and how long it is."""


def read_columns(dataset: Path, tokenizer: Tokenizer) -> list[dict[str, Tokens]]:
    """The train split as token numbers, a dictionary of columns for each language."""
    return [
        {
            name: to_tokens(pq.read_table(sorted(folder.glob("train-*.parquet")), columns=[name])[name], tokenizer)
            for name in ("title", "question", "answer")
        }
        for folder in sorted((dataset / "data").iterdir())
        if any(folder.glob("train-*.parquet"))
    ]


def to_tokens(texts: Any, tokenizer: Tokenizer) -> Tokens:
    encodings = tokenizer.encode_batch_fast(texts.to_pylist(), add_special_tokens=False)
    lengths = np.array([len(encoding.ids) for encoding in encodings], np.int64)
    ids = np.fromiter((number for encoding in encodings for number in encoding.ids), np.int32)
    return ids, np.cumsum(lengths) - lengths, lengths


def draw(languages: list[dict[str, Tokens]], steps: int, batch_size: int) -> Iterator[tuple[Any, Any]]:
    """Queries and documents of each step as arguments of the embedding bag."""
    generator = np.random.default_rng(42)
    streams = [(columns, *pair) for columns in languages for pair in PAIR_TYPES]
    sizes = np.array([len(columns[query][1]) for columns, query, _ in streams])
    shares = np.sqrt(sizes) / np.sqrt(sizes).sum()
    for number in generator.choice(len(streams), size=steps, p=shares):
        columns, query, document = streams[number]
        rows = generator.choice(sizes[number], size=min(batch_size, sizes[number]), replace=False)
        yield take(columns[query], rows), take(columns[document], rows)


def take(tokens: Tokens, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
    ids, starts, lengths = tokens
    chosen = [ids[start : start + length] for start, length in zip(starts[rows], lengths[rows], strict=True)]
    offsets = np.cumsum(lengths[rows]) - lengths[rows]
    return torch.from_numpy(np.concatenate(chosen).astype(np.int64)), torch.from_numpy(offsets)


def linear_schedule(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    """Up in the first tenth of the steps, then down to nothing."""
    warmup = max(1, steps // 10)
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (steps - step) / max(1, steps - warmup))
    )


def train(languages: list[dict[str, Tokens]], settings: dict[str, Any]) -> dict[str, float]:
    """Pairs and seconds of the training steps, and the mean loss of the last of them."""
    torch.manual_seed(42)
    bag = torch.nn.EmbeddingBag(settings["vocabulary"], settings["dimensions"], mode="mean")
    torch.nn.init.normal_(bag.weight, std=0.1)
    steps = settings["steps"]
    optimizer = torch.optim.AdamW(bag.parameters(), lr=settings["learning_rate"], weight_decay=0.0, fused=True)
    schedule = linear_schedule(optimizer, steps)
    pairs, losses, started = 0, [], time.perf_counter()
    for queries, documents in draw(languages, steps, settings["batch_size"]):
        left = torch.nn.functional.normalize(bag(*queries), dim=1)  # (B, D)
        right = torch.nn.functional.normalize(bag(*documents), dim=1)  # (B, D)
        scores = left @ right.T / settings["temperature"]  # (B, B)
        loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(scores)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(bag.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        pairs += len(scores)
        losses.append(loss.detach())
    seconds = time.perf_counter() - started
    return {"pairs": pairs, "seconds": seconds, "loss": float(torch.stack(losses[-settings["last_steps"] :]).mean())}


def main(settings_file: str) -> None:
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(settings["tokenizer"])
    settings["vocabulary"] = tokenizer.get_vocab_size()
    print(json.dumps(train(read_columns(Path(settings["dataset"]), tokenizer), settings)))


if __name__ == "__main__":
    main(*sys.argv[1:])
