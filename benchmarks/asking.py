"""Asks an index in a process of its own: latency by mode, or what of the exact first ten its vectors find.

``python -m benchmarks.asking ask|recall SETTINGS.json``
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.latency import Asked, latencies
from procqa.config import SearchConfig
from procqa.encoder.model import open_encoder
from procqa.index.dense import DenseIndex, Part, open_part
from procqa.index.generations import generation_folder
from procqa.manifest import load_manifest
from procqa.search.searcher import Searcher

K = 10
MODES = ("lexical", "dense", "hybrid")
BLOCK_ROWS = 50_000
TOLERANCE = 1e-6


def ask(index: Path, queries: Sequence[Asked], *, repeats: int) -> dict[str, Any]:
    """Latency of each mode."""
    searcher = Searcher.open(index)
    try:
        return {"latency_ms": {mode: latencies(searching(searcher, mode), queries, repeats=repeats) for mode in MODES}}
    finally:
        searcher.close()


def recall(index: Path, queries: Sequence[Asked], *, repeats: int) -> dict[str, Any]:  # noqa: ARG001  # as ``ask``
    """What the vectors find of the exact first ten, over all queries."""
    generation = generation_folder(index, load_manifest(index))
    vectors = open_encoder(str(generation / "encoder")).encode_queries([query["text"] for query in queries])
    return {f"recall@{K} of exact": round(measure_recall(generation / "dense", vectors), 4)}


def searching(searcher: Searcher, mode: str) -> Callable[[Asked], object]:
    """Asks for K hits."""
    config = SearchConfig(k=K, mode=mode)  # type: ignore[arg-type]  # one of MODES
    return lambda query: searcher.search(query["text"], config, is_code=query["kind"] == "code")


def measure_recall(folder: Path, queries: NDArray[np.float32]) -> float:
    """Share of the exact first documents that a search finds; one that scores as the last of them counts as found."""
    queries = queries[queries.any(axis=1)]
    index = DenseIndex(folder)
    exact = exact_scores([open_part(path) for path in sorted(folder.iterdir())], queries)
    found = 0
    for query, scores in zip(queries, exact, strict=True):
        found += sum(score >= scores[-1] - TOLERANCE for _, score in index.search(query, K))
    return found / exact.size


def exact_scores(parts: Sequence[Part], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, K) the products of the first documents of each query, best first, each by the best of its vectors."""
    best = np.full((len(queries), K), -np.inf, np.float32)
    for scores in (scores for part in parts for scores in _document_scores(part, queries)):
        together = np.concatenate([best, scores.T], axis=1)
        best = -np.partition(-together, K - 1, axis=1)[:, :K]
    return -np.sort(-best, axis=1)


def _document_scores(part: Part, queries: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """(documents, n) the best product of each document of a part, a block at a time."""
    _, firsts = np.unique(part.positions, return_index=True)
    for start in range(0, len(firsts), BLOCK_ROWS):
        of_block = firsts[start : start + BLOCK_ROWS]
        end = firsts[start + BLOCK_ROWS] if start + BLOCK_ROWS < len(firsts) else len(part.positions)
        products = part.halves[of_block[0] : end].astype(np.float32) @ queries.T
        yield np.maximum.reduceat(products, of_block - of_block[0], axis=0)


def main(step: str, settings_file: str) -> None:
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    faiss.omp_set_num_threads(1)
    queries = json.loads(Path(settings["queries"]).read_text(encoding="utf-8"))
    steps = {"ask": ask, "recall": recall}
    print(json.dumps(steps[step](Path(settings["index"]), queries, repeats=settings["repeats"])))


if __name__ == "__main__":
    main(*sys.argv[1:])
