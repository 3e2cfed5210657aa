"""Making and updating an index on one core: time, memory, size, cold open, and recall of its vectors.

Documents are those of a dataset, or, to have more of them, grown from those. Each build and update runs in a process of
its own. Nothing is compared with a peer: bench_search does that.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.bench_search import BUILD_PROGRAM, describe, open_cold, size_of
from benchmarks.datasets import dense_dataset, grow_dataset, split_rows
from benchmarks.measure import Run, run_python
from procqa.index.generations import generation_folder
from procqa.manifest import load_manifest

EDITED_SHARE = 0.01


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
        rows = split_rows([source], [language] if language else [])
        grown = grow_dataset(rows, scratch / "grown", documents=documents)
        edited = grow_dataset(rows, scratch / "edited", documents=documents, edited_share=EDITED_SHARE)
        print(json.dumps(measure_index(grown, edited, encoder, scratch, exact_vectors=exact_vectors)))


if __name__ == "__main__":
    main()
