"""Making and updating an index on one core: time, memory, size, cold open, and recall of its vectors.

Documents are those of a dataset, or, to have more of them, titles and answers of it put together anew within each
language. Each build and update runs in a process of its own. Nothing is compared with a peer: bench_search does that.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench_search import open_cold
from benchmarks.datasets import dense_dataset
from benchmarks.measure import Run, run_python
from procqa.artifact import load_manifest, workspace
from procqa.dataset.schema import SCHEMA, part_path, read_rows
from procqa.index.generations import generation_folder

EDITED_SHARE = 0.01
PART_ROWS = 10_000
FIRST_ID = 10**12
"""Ids of further rows begin at multiples of it, one a language: no dump comes near."""

BUILD_PROGRAM = """
import json, sys
from pathlib import Path
from procqa.config import IndexConfig
from procqa.encoder.model import find_encoder, open_encoder
from procqa.encoder.reading import open_reader
from procqa.index.build import build_index
source, out, name, exact = sys.argv[1:]
encoder, folder = open_encoder(name), find_encoder(name)
build_index([Path(source)], Path(out), encoder=encoder, encoder_folder=folder,
            read_part=open_reader(folder, max_tokens=encoder.max_tokens),
            config=IndexConfig(exact_vectors=int(exact)))
"""


def grow_dataset(source: Path, out: Path, *, documents: int, language: str | None, edited_share: float = 0.0) -> Path:
    """A dataset of so many rows: those of another, then its titles and answers in other pairs.

    Args:
        edited_share: share of the rows whose answer ends with a line of its own.
    """
    of_language: dict[str, list[dict[str, Any]]] = {}
    for row in read_rows(source, language=language):
        of_language.setdefault(row["language"], []).append(row)
    total = sum(map(len, of_language.values()))
    counts = {}
    with workspace(out, kind="dataset", recipe={}, inputs=[]) as work:
        for place, (name, rows) in enumerate(of_language.items(), start=1):
            wanted = max(1, round(documents * len(rows) / total))
            path = work.path / part_path(name, "train", 0, 1)
            path.parent.mkdir(parents=True)
            grown = _grow(rows, wanted, edited_share, place * FIRST_ID)
            with pq.ParquetWriter(path, SCHEMA) as writer:
                while some := list(islice(grown, PART_ROWS)):
                    writer.write_table(pa.Table.from_pylist(some, SCHEMA))
            counts[name] = {"train": wanted}
        work.finish({"languages": counts, "dump_date": None}, data_folder="data")
    return out


def _grow(rows: list[dict[str, Any]], wanted: int, edited_share: float, first_id: int) -> Iterator[dict[str, Any]]:
    dice = Random(first_id)
    titles = [row["title"] for row in rows]
    for number in range(wanted):
        row = rows[number % len(rows)]
        if number >= len(rows):
            row = {**row, "title": dice.choice(titles), "answer_id": first_id + number}
        is_edited = Random(number).random() < edited_share
        yield {**row, "answer": f"{row['answer']}\n\nEdited: {number}."} if is_edited else row


def measure_index(source: Path, edited: Path, encoder: str, scratch: Path, *, exact_vectors: int) -> dict[str, Any]:
    """A first build, the same again, an update of some rows, and what stands there then."""
    index = scratch / "index"

    def build(dataset: Path) -> Run:
        return run_python(["-c", BUILD_PROGRAM, str(dataset), str(index), encoder, str(exact_vectors)], cores=1)

    first, again, update = build(source), build(source), build(edited)
    manifest = load_manifest(index)
    generation = generation_folder(index, manifest)
    return {
        "documents": manifest.counts["documents"],
        "vectors": manifest.counts["dense"],
        "build": describe(first),
        "again": describe(again),
        "update": {"share": EDITED_SHARE, **describe(update)},
        "bytes": {path.name: size_of(path) for path in sorted(generation.iterdir())},
        "cold": open_cold(index, "sort a list of tuples by the second element", repeats=3),
        "ratios": {
            "again / build": round(again.seconds / first.seconds, 4),
            "update / build": round(update.seconds / first.seconds, 4),
        },
    }


def describe(run: Run) -> dict[str, float]:
    """Wall time, the start of the interpreter included, and peak memory of one run."""
    return {"seconds": round(run.seconds, 2), "peak_mb": round(run.peak_bytes / 1e6)}


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


@click.command(help=__doc__)
@click.option("--source", type=click.Path(path_type=Path), help="a dataset [default: a generated one]")
@click.option("--encoder", default="default", show_default=True, help="a model name or folder")
@click.option("--documents", type=int, default=20_000, show_default=True, help="so many, made of the source's")
@click.option("--language", help="only documents in this language")
@click.option("--exact-vectors", type=int, default=200_000, show_default=True, help="of a language, above it are lists")
@click.option("--seed", type=int, default=1, show_default=True)
def main(
    source: Path | None, encoder: str, documents: int, language: str | None, exact_vectors: int, seed: int
) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        source = source or dense_dataset(scratch, documents=min(documents, 20_000), seed=seed)
        wanted: dict[str, Any] = {"documents": documents, "language": language}
        grown = grow_dataset(source, scratch / "grown", **wanted)
        edited = grow_dataset(source, scratch / "edited", edited_share=EDITED_SHARE, **wanted)
        print(json.dumps(measure_index(grown, edited, encoder, scratch, exact_vectors=exact_vectors)))


if __name__ == "__main__":
    main()
