"""A plain FAISS script: one vector a document by the same encoder, all compared up to a number, else in lists.

It gives positions, where procqa gives whole hits with author and licence; a long document has one vector, of its
beginning.

``python -m benchmarks.peers.faiss_search build|ask SETTINGS.json``
"""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from benchmarks.latency import Asked, ask_peer, read_queries, run_step
from procqa.dataset.schema import read_rows
from procqa.encoder.model import open_encoder

K = 10
BATCH = 4_096
EXACT_ROWS = 250_000
LISTS, PROBES = 4_096, 32
TRAINING_ROWS = 64 * LISTS
RECALL_QUERIES = 200


def build(settings: dict[str, Any]) -> dict[str, Any]:
    encoder = open_encoder(settings["encoder"])
    vectors = np.concatenate([encoder.encode_documents(batch) for batch in read_texts(Path(settings["dataset"]))])
    index = faiss.IndexFlatIP(encoder.dimensions)
    if len(vectors) > EXACT_ROWS:
        index = faiss.IndexIVFFlat(index, encoder.dimensions, LISTS, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors[:: max(1, len(vectors) // TRAINING_ROWS)])
        index.nprobe = PROBES
    for start in range(0, len(vectors), BATCH):
        index.add(vectors[start : start + BATCH])
    faiss.write_index(index, settings["out"])
    return {
        "documents": len(vectors),
        "kind": type(index).__name__,
        "recall@10 of exact": recall(settings, index, vectors),
    }


def read_texts(dataset: Path) -> Iterator[list[str]]:
    """What the encoder reads of each document, a batch at a time."""
    rows = read_rows(dataset, columns=["title", "answer"])
    texts = (f"{row['title']}\n\n{row['answer']}" for row in rows)
    while batch := list(islice(texts, BATCH)):
        yield batch


def recall(settings: dict[str, Any], index: Any, vectors: Any) -> float:
    """Share of the exact first ten that the index finds."""
    texts = [query["text"] for query in read_queries(settings)[:RECALL_QUERIES]]
    queries = open_encoder(settings["encoder"]).encode_queries(texts)
    exact = faiss.IndexFlatIP(vectors.shape[1])
    scores = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(vectors), 50 * BATCH):
        exact.add(vectors[start : start + 50 * BATCH])
        scores = np.concatenate([scores, exact.search(queries, K)[0]], axis=1)
        exact.reset()
    last = -np.sort(-scores, axis=1)[:, K - 1 : K]
    return round(float((index.search(queries, K)[0] >= last - 1e-6).mean()), 4)


def ask(settings: dict[str, Any]) -> dict[str, Any]:
    def use(index: Any) -> Callable[[Asked], object]:  # Any: faiss is untyped
        encoder = open_encoder(settings["encoder"])
        return lambda query: index.search(encoder.encode_queries([query["text"]]), K)

    return ask_peer(settings, lambda: faiss.read_index(settings["out"], faiss.IO_FLAG_MMAP_IFC), use)


if __name__ == "__main__":
    faiss.omp_set_num_threads(1)
    run_step(build=build, ask=ask)
