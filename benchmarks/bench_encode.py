"""Texts a second of every way to encode that is installed, in one run, beside a bare loop of sentence-transformers.

All read the same texts, 128 tokens of each at most; each way runs in a process of its own, and they take turns. Only
encoding counts, not opening. The cosine of a text's vector is that to the vector of torch in fp32.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.datasets import dense_dataset
from benchmarks.measure import run_python
from procqa.config import train_config
from procqa.dataset.schema import read_rows
from procqa.encoder.model import open_encoder
from procqa.encoder.tracing import LEAST_COSINE
from procqa.encoder.training import train
from procqa.errors import MissingExtra

REFERENCE, BARE = "torch fp32", "sentence-transformers"
OWED = 1.1
"""How much faster the fastest way may be than the one that auto takes. Source: ours, docs/decisions/0022."""

WAYS = (BARE, REFERENCE, "torch bf16", "openvino fp32", "openvino bf16", "auto")
WARM_TEXTS = 16


def measure_encode(models: dict[str, str], texts: list[str], scratch: Path, *, cores: int, repeats: int) -> Any:
    """Every way on some cores: the best of its texts a second, and its least and mean cosine."""
    (scratch / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    runs: dict[str, list[dict[str, Any]]] = {}
    for _ in range(repeats):
        for way, model in models.items():
            command = ["-m", "benchmarks.bench_encode", "--way", way, "--model", model, "--scratch", str(scratch)]
            runs.setdefault(way, []).append(json.loads(run_python(command, cores=cores).stdout))
    reference = np.load(scratch / f"{REFERENCE}.npy")
    return {way: _summary(way, of_way, reference, scratch) for way, of_way in runs.items() if not of_way[0]["absent"]}


def _summary(way: str, runs: list[dict[str, Any]], reference: Any, scratch: Path) -> dict[str, Any]:
    fastest = min(run["seconds"] for run in runs)
    found = {
        "texts_per_s": round(len(reference) / fastest, 1),
        "texts_per_cpu_s": round(len(reference) / min(run["cpu_seconds"] for run in runs), 1),
        "arithmetic": runs[0]["arithmetic"],
    }
    vectors = np.load(scratch / f"{way}.npy")
    if vectors.shape != reference.shape:  # a static encoder has a space of its own
        return found
    cosines = (vectors * reference).sum(axis=1)
    return {**found, "cosine_mean": round(float(cosines.mean()), 5), "cosine_least": round(float(cosines.min()), 5)}


def ratios(measured: dict[str, dict[str, Any]]) -> dict[str, float]:
    """What is quoted: of CPU-seconds, which other work on the machine changes least."""
    speed = {way: found["texts_per_cpu_s"] for way, found in measured.items()}
    same = {way for way, found in measured.items() if found.get("cosine_least", 0) >= LEAST_COSINE}
    return {
        "fastest of cosine >= .999 / auto": round(max(speed[way] for way in same) / speed["auto"], 2),
        "auto / torch fp32": round(speed["auto"] / speed[REFERENCE], 2),
        "auto / sentence-transformers": round(speed["auto"] / speed[BARE], 2),
    }


def measure_way(way: str, model: str, scratch: Path) -> dict[str, Any]:
    """Encode all texts one way, in this process, and keep the vectors."""
    texts = json.loads((scratch / "texts.json").read_text(encoding="utf-8"))
    try:
        encode, arithmetic = _open(way, model)
    except MissingExtra:
        return {"absent": True}
    encode(texts[:WARM_TEXTS])
    started, cpu_started = time.perf_counter(), time.process_time()
    vectors = encode(texts)
    times = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu_started}
    np.save(scratch / f"{way}.npy", vectors)
    return {"absent": False, "arithmetic": arithmetic, **times}


def _open(way: str, model: str) -> tuple[Callable[[list[str]], Any], str]:
    if way == BARE:
        from sentence_transformers import SentenceTransformer

        from procqa.encoder.model import find_encoder

        library = SentenceTransformer(str(find_encoder(model)), local_files_only=True)
        library.max_seq_length = 128
        return lambda texts: library.encode(texts, normalize_embeddings=True), "torch fp32"
    backend, _, precision = way.partition(" ")
    chosen: dict[str, Any] = {} if way in ("auto", "static") else {"backend": backend, "precision": precision}
    encoder = open_encoder(model, **chosen)
    return encoder.encode_documents, encoder.arithmetic


def sample_texts(dataset: Path, size: int) -> list[str]:
    """Titles, questions and answers in turn, each once."""
    texts: dict[str, None] = {}
    for row in read_rows(dataset, columns=["title", "question", "answer"]):
        texts |= dict.fromkeys(row[name] for name in ("title", "question", "answer"))
        if len(texts) >= size:
            break
    return list(texts)[:size]


@click.command(help=__doc__)
@click.option("--dataset", type=click.Path(path_type=Path), help="encode texts of this [default: a generated one]")
@click.option("--model", default="minilm", show_default=True, help="a transformer")
@click.option("--texts", "size", type=int, default=500, show_default=True)
@click.option("--cores", type=int, multiple=True, default=(1, 2), show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--way", type=click.Choice([*WAYS, "static"]), hidden=True)
@click.option("--scratch", type=click.Path(path_type=Path), hidden=True)
def main(
    dataset: Path | None,
    model: str,
    size: int,
    cores: tuple[int, ...],
    repeats: int,
    seed: int,
    way: str | None,
    scratch: Path | None,
) -> None:
    if way is not None and scratch is not None:
        print(json.dumps(measure_way(way, model, scratch)))
        return
    with tempfile.TemporaryDirectory() as folder:
        dataset = dataset or dense_dataset(Path(folder), documents=max(size, 200), seed=seed)
        static = Path(folder) / "static"
        train([dataset], static, train_config("static", {"steps": 0}))
        models = {**dict.fromkeys(WAYS, model), "static": str(static)}
        texts = sample_texts(dataset, size)
        measured = {
            f"{number} core{'s' if number > 1 else ''}": measure_encode(
                models, texts, Path(folder), cores=number, repeats=repeats
            )
            for number in cores
        }
    told = {f"{name}, {of}": ratio for of, found in measured.items() for name, ratio in ratios(found).items()}
    print(json.dumps({"model": model, "texts": len(texts), "repeats": repeats, "measured": measured, "ratios": told}))


if __name__ == "__main__":
    main()
