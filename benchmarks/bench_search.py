"""Search on one core: index time and size, cold open, latency by mode, recall of dense search, BM25 beside bm25s.

Documents come from a dataset, queries are titles of its questions. The peer ranks the same documents by
the same tokens; it gives positions where procqa gives whole hits with author and licence.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import dense_dataset
from benchmarks.measure import limit_cores, run_python
from procqa.config import SearchConfig, train_config
from procqa.encoder.model import find_encoder, open_encoder
from procqa.encoder.training import train
from procqa.index.build import build_index
from procqa.index.dense import DenseIndex
from procqa.index.documents import Documents, document_text
from procqa.index.generations import generation_folder
from procqa.search.searcher import Searcher
from procqa.text import lexical_tokens
from procqa.topk import top_k

K = 10
MODES = ("lexical", "dense", "hybrid")
WARM_QUERIES = 20
CUTS = (50, 95, 99)
OPEN_PROGRAM = """
import json, sys, time
from pathlib import Path
from procqa.config import SearchConfig
from procqa.search.searcher import Searcher
started = time.perf_counter()
searcher = Searcher.open(Path(sys.argv[1]))
opened = time.perf_counter()
searcher.search(sys.argv[2], SearchConfig())
print(json.dumps({"open_s": opened - started, "first_answer_s": time.perf_counter() - started}))
searcher.close()
"""


def measure_search(dataset: Path, encoder: str, scratch: Path, *, n_queries: int, repeats: int) -> dict[str, Any]:
    """Every measurement of one dataset and one encoder."""
    index = scratch / "index"
    model = open_encoder(encoder)
    started = time.perf_counter()
    summary = build_index([dataset], index, encoder=model, encoder_folder=find_encoder(encoder))
    index_s = time.perf_counter() - started
    searcher = Searcher.open(index)
    try:
        documents = Documents(generation_folder(index, searcher.manifest) / "documents")
        try:
            titles, texts, tokens, positions = read_texts(documents)
        finally:
            documents.close()
        queries = Random(0).choices([title for title in titles if title.strip()], k=n_queries)
        cold = open_cold(index, queries[0], repeats=repeats)
        latency = {mode: latencies(_searching(searcher, mode), queries, repeats=repeats) for mode in MODES}
        dense = DenseIndex(generation_folder(index, searcher.manifest) / "dense")
        recall = dense_recall(dense, model.encode_queries(queries), model.encode_documents(texts), positions)
    finally:
        searcher.close()
    peer = measure_bm25s(tokens, queries, repeats=repeats)
    return {
        "documents": summary.documents,
        "languages": len(summary.languages),
        "encoder": {"name": summary.encoder, "dimensions": model.dimensions},
        "queries": n_queries,
        "repeats": repeats,
        "index_s": round(index_s, 2),
        "index_bytes": sum(path.stat().st_size for path in index.rglob("*") if path.is_file()),
        "cold": cold,
        "latency_ms": latency,
        "recall@10 of exact": round(recall, 4),
        "bm25s": peer,
        "ratios": {
            "lexical p50 / bm25s p50": round(latency["lexical"]["p50"] / peer["latency_ms"]["p50"], 2),
            "lexical p95 / bm25s p95": round(latency["lexical"]["p95"] / peer["latency_ms"]["p95"], 2),
            "hybrid p95 / lexical p95": round(latency["hybrid"]["p95"] / latency["lexical"]["p95"], 2),
        },
    }


def read_texts(documents: Documents) -> tuple[list[str], list[str], list[list[str]], NDArray[np.int64]]:
    """Title, text for the encoder, lexical tokens, and position of every document."""
    titles: list[str] = []
    texts: list[str] = []
    tokens: list[list[str]] = []
    positions: list[NDArray[np.int64]] = []
    for of_batch, columns in documents.scan(["title", "question", "answer"]):
        positions.append(of_batch)
        columns_of_text = (columns["title"], columns["question"], columns["answer"])
        for title, question, answer in zip(*columns_of_text, strict=True):
            titles.append(title)
            texts.append(document_text(title, answer))
            tokens.append(lexical_tokens(f"{title}\n{question}\n{answer}"))
    return titles, texts, tokens, np.concatenate(positions)


def _searching(searcher: Searcher, mode: str) -> Callable[[str], object]:
    config = SearchConfig(k=K, mode=mode)  # type: ignore[arg-type]  # one of MODES
    return lambda query: searcher.search(query, config)


def open_cold(index: Path, query: str, *, repeats: int) -> dict[str, float]:
    """Seconds to open an index, and to its first hybrid answer, in new processes, imports left out.

    Where the system can, the index's files are dropped from its cache before each.
    """
    runs = []
    for _ in range(repeats):
        drop_from_cache(index)
        runs.append(json.loads(run_python(["-c", OPEN_PROGRAM, str(index), query], cores=1).stdout))
    return {name: round(min(run[name] for run in runs), 4) for name in runs[0]}


def drop_from_cache(folder: Path) -> None:
    """Ask the system to forget the files of a folder."""
    if sys.platform != "linux":
        return
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def latencies(answer: Callable[[str], object], queries: Sequence[str], *, repeats: int) -> dict[str, float]:
    """Percentiles in ms over the queries, each from the pass over all of them where it was lowest."""
    for query in queries[:WARM_QUERIES]:
        answer(query)
    seconds = np.zeros((repeats, len(queries)))
    for of_pass in seconds:
        for place, query in enumerate(queries):
            started = time.perf_counter()
            answer(query)
            of_pass[place] = time.perf_counter() - started
    lowest = np.percentile(seconds, CUTS, axis=1).min(axis=1) * 1e3
    return {f"p{cut}": round(float(value), 3) for cut, value in zip(CUTS, lowest, strict=True)}


def dense_recall(
    index: DenseIndex,
    queries: NDArray[np.float32],
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
) -> float:
    """Share of the exact top 10 that the dense index finds; one of equal score counts as found."""
    scores, _ = top_k(queries, vectors, K)
    row_of = {position: row for row, position in enumerate(positions.tolist())}
    found = 0
    for query, exact in zip(queries, scores, strict=True):
        rows = [row_of[position] for position, _ in index.search(query, K)]
        found += int((vectors[rows] @ query >= exact[-1] - 1e-6).sum())
    return found / scores.size


def measure_bm25s(tokens: list[list[str]], queries: Sequence[str], *, repeats: int) -> dict[str, Any]:
    """Index time and latency of bm25s on the same tokens."""
    import bm25s

    started = time.perf_counter()
    retriever = bm25s.BM25()
    retriever.index(tokens, show_progress=False)
    index_s = time.perf_counter() - started
    k = min(K, len(tokens))

    def answer(query: str) -> object:
        return retriever.retrieve([lexical_tokens(query)], k=k, show_progress=False)

    return {"index_s": round(index_s, 2), "latency_ms": latencies(answer, queries, repeats=repeats)}


@click.command(help=__doc__)
@click.option("--dataset", type=click.Path(path_type=Path), help="search in this [default: a generated one]")
@click.option("--encoder", help="a model name or folder [default: a static one, trained for a few steps]")
@click.option("--documents", type=int, default=20_000, show_default=True, help="about so many are generated")
@click.option("--queries", type=int, default=500, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(dataset: Path | None, encoder: str | None, documents: int, queries: int, repeats: int, seed: int) -> None:
    import faiss
    import torch

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        dataset = dataset or dense_dataset(scratch, documents=documents, seed=seed)
        if encoder is None:
            encoder = str(scratch / "encoder")
            train([dataset], scratch / "encoder", train_config("static", {"steps": 20, "batch_size": 256}))
        limit_cores(1)
        faiss.omp_set_num_threads(1)
        torch.set_num_threads(1)
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        print(json.dumps(measure_search(dataset, encoder, scratch, n_queries=queries, repeats=repeats)))


if __name__ == "__main__":
    main()
