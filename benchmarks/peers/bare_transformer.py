"""A transformer trained by a bare torch loop: the same base, loss, batch size and optimiser, no trainer.

Each step draws a language and a pair type with p proportional to √n, takes random rows, tokenizes them and trains;
it neither logs, nor saves, nor looks for equal texts in a batch.

``python -m benchmarks.peers.bare_transformer SETTINGS.json``
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from sentence_transformers import SentenceTransformer

from benchmarks.peers.bare_train import PAIR_TYPES, linear_schedule


def read_texts(dataset: Path) -> list[dict[str, list[str]]]:
    """The train split, a dictionary of columns for each language."""
    names = ["title", "question", "answer"]
    return [
        pq.read_table(sorted(folder.glob("train-*.parquet")), columns=names).to_pydict()
        for folder in sorted((dataset / "data").iterdir())
        if any(folder.glob("train-*.parquet"))
    ]


def encode(model: SentenceTransformer, texts: list[str]) -> torch.Tensor:
    """(B, D) unit rows."""
    features = model[0].tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")
    return torch.nn.functional.normalize(model(dict(features))["sentence_embedding"], dim=1)


def train(languages: list[dict[str, list[str]]], settings: dict[str, Any]) -> dict[str, float]:
    """Pairs and seconds of the training steps, and the mean loss of the last of them."""
    torch.manual_seed(42)
    model = SentenceTransformer(settings["base"], local_files_only=True)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings["learning_rate"], weight_decay=0.0, fused=True)
    schedule = linear_schedule(optimizer, settings["steps"])
    generator = np.random.default_rng(42)
    streams = [(columns, *pair) for columns in languages for pair in PAIR_TYPES]
    sizes = np.array([len(columns[query]) for columns, query, _ in streams])
    shares = np.sqrt(sizes) / np.sqrt(sizes).sum()
    pairs, losses, started = 0, [], time.perf_counter()
    for number in generator.choice(len(streams), size=settings["steps"], p=shares):
        columns, query, document = streams[number]
        rows = generator.choice(sizes[number], size=min(settings["batch_size"], sizes[number]), replace=False)
        left = encode(model, [columns[query][row] for row in rows])
        right = encode(model, [columns[document][row] for row in rows])
        scores = left @ right.T / settings["temperature"]  # (B, B)
        loss = torch.nn.functional.cross_entropy(scores, torch.arange(len(scores)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        pairs += len(scores)
        losses.append(loss.detach())
    seconds = time.perf_counter() - started
    return {"pairs": pairs, "seconds": seconds, "loss": float(torch.stack(losses[-settings["last_steps"] :]).mean())}


def main(settings_file: str) -> None:
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    print(json.dumps(train(read_texts(Path(settings["dataset"])), settings)))


if __name__ == "__main__":
    main(*sys.argv[1:])
