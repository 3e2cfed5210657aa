"""Search on one core among documents grown from real text, and what others take for the same documents and queries.

Measured are the making of the index, its size, cold open, latency by mode and kind of query, memory, recall of vectors.

The peers stand in benchmarks/peers: bm25s, a plain FAISS script, and semble where --semble names a Python that has it.
procqa gives whole hits with author and licence; bm25s and FAISS give positions. Each step runs in a process of its own.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.datasets import dense_dataset, grow_dataset, make_queries, split_rows
from benchmarks.measure import Run, run_program, run_python
from benchmarks.results import describe_commit, write_result
from procqa.dataset.schema import read_rows
from procqa.encoder.model import find_encoder
from procqa.encoder.static import open_static
from procqa.index.generations import generation_folder
from procqa.manifest import load_manifest

PEERS = ("bm25s", "faiss", "semble")

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

COMMENTS = {"lisp": ";; ", "php": "# ", "python": "# ", "ruby": "# "}
"""What begins a comment in a source file; // elsewhere."""

ENDINGS = {
    "c": "c", "cpp": "cpp", "csharp": "cs", "go": "go", "java": "java", "javascript": "js", "lisp": "lisp",
    "php": "php", "python": "py", "ruby": "rb", "rust": "rs",
}  # fmt: skip

FILES_A_FOLDER = 1_000


def measure_search(settings: dict[str, Any], scratch: Path, *, peers: dict[str, str]) -> dict[str, Any]:
    """Every measurement of one dataset and one encoder.

    Args:
        settings: the dataset, the queries, the encoder, and how often all are asked.
        peers: names of PEERS, and the Python of each.
    """
    index = scratch / "index"
    arguments = [settings["dataset"], str(index), settings["encoder"], str(settings["exact_vectors"])]
    build = run_python(["-c", BUILD_PROGRAM, *arguments], cores=1)
    queries = json.loads(Path(settings["queries"]).read_text(encoding="utf-8"))
    manifest = load_manifest(index)
    generation = generation_folder(index, manifest)
    measured = {
        "documents": manifest.counts["documents"],
        "vectors": manifest.counts["dense"],
        "encoder": manifest.recipe["encoder"]["name"],
        "queries": len(queries),
        "repeats": settings["repeats"],
        "build": describe(build),
        "bytes": {path.name: size_of(path) for path in sorted(generation.iterdir())},
        "cold": open_cold(index, queries[0]["text"], repeats=settings["repeats"]),
        **run_step("asking", "recall", {**settings, "index": str(index)}, scratch),
        **ask("asking", {**settings, "index": str(index)}, scratch),
    }
    others = {name: measure_peer(name, python, settings, scratch) for name, python in peers.items()}
    return {**measured, "peers": others, "ratios": compare(measured["latency_ms"], others)}


def compare(latency: dict[str, Any], others: dict[str, Any]) -> dict[str, float]:
    """Latencies beside those of whoever answers by the same means."""
    like = {"bm25s": "lexical", "faiss": "dense", "semble": "hybrid"}
    ratios = {"hybrid p95 / lexical p95": round(latency["hybrid"]["p95"] / latency["lexical"]["p95"], 2)}
    for name, other in others.items():
        for cut in ("p50", "p95"):
            ratio = latency[like[name]][cut] / other["latency_ms"][cut]
            ratios[f"{like[name]} {cut} / {name} {cut}"] = round(ratio, 3)
    return ratios


def measure_peer(name: str, python: str, settings: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """How a peer makes its index, how large that is, and how it answers."""
    folder = scratch / name
    folder.mkdir()
    given = {**settings, "out": str(folder / "index")}
    if name == "semble":
        given |= {"files": str(folder / "files"), "model": str(folder / "model")}
        write_files(Path(settings["dataset"]), folder / "files")
        write_model(find_encoder(settings["encoder"]), folder / "model")
    module = f"peers.{name}_search"
    built = run_step(module, "build", given, scratch, python=python)
    measured = {**built, "bytes": size_of(folder / "index"), **ask(module, given, scratch, python=python)}
    shutil.rmtree(folder)
    return measured


def ask(module: str, settings: dict[str, Any], scratch: Path, *, python: str = sys.executable) -> dict[str, Any]:
    """What a module says when it has asked, and the memory that it took."""
    told = run_step(module, "ask", settings, scratch, python=python)
    return {**told, "ask": {"peak_mb": told["ask"]["peak_mb"]}}


def run_step(
    module: str, step: str, settings: dict[str, Any], scratch: Path, *, python: str = sys.executable
) -> dict[str, Any]:
    """What a step of a module of ours prints, in a process of its own on one core, and what it took."""
    file = scratch / "settings.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    run = run_program([python, "-m", f"benchmarks.{module}", step, str(file)], cores=1)
    return {**json.loads(run.stdout), step: describe(run)}


def describe(run: Run) -> dict[str, float]:
    """Wall time and time on a processor, the start of the interpreter included, and peak memory of one run."""
    times = {"seconds": round(run.seconds, 2), "cpu_seconds": round(run.cpu_seconds, 2)}
    return {**times, "peak_mb": round(run.peak_bytes / 1e6)}


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


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


def write_files(dataset: Path, out: Path) -> None:
    """A source file for each document: title and question as comments, then the answer."""
    for number, row in enumerate(read_rows(dataset, columns=["language", "title", "question", "answer"])):
        folder = out / str(number // FILES_A_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        sign = COMMENTS.get(row["language"], "// ")
        comments = "".join(f"{sign}{line}\n" for line in f"{row['title']}\n{row['question']}".splitlines())
        path = folder / f"{number}.{ENDINGS[row['language']]}"
        path.write_text(comments + row["answer"] + "\n", encoding="utf-8")


def write_model(encoder: Path, out: Path) -> None:
    """A static encoder in the layout of model2vec."""
    from safetensors.numpy import save_file

    model = open_static(encoder, name="", max_tokens=512)
    out.mkdir()
    save_file({"embeddings": np.ascontiguousarray(model.embeddings)}, out / "model.safetensors")
    shutil.copy(encoder / "tokenizer.json", out)
    (out / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}), encoding="utf-8")


@click.command(help=__doc__)
@click.option(
    "--source", "sources", multiple=True, type=click.Path(path_type=Path), help="datasets [default: generated]"
)
@click.option("--encoder", default="default", show_default=True, help="a model name or folder")
@click.option("--documents", type=int, default=20_000, show_default=True, help="so many are grown of the sources'")
@click.option("--language", "languages", multiple=True, help="only documents in these languages")
@click.option("--exact-vectors", type=int, default=200_000, show_default=True, help="of a language, above it are lists")
@click.option("--queries", "n_queries", type=int, default=500, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--peer", "peers", multiple=True, type=click.Choice(PEERS[:2]), default=PEERS[:2], show_default=True)
@click.option("--semble", type=click.Path(), help="a Python that has semble, to measure it too")
@click.option("--scratch", "within", type=click.Path(path_type=Path), help="a folder on a disk with room")
@click.option("--seed", type=int, default=1, show_default=True, help="of generated sources")
@click.option("--out", type=click.Path(path_type=Path), help="folder to write the result to, named by the documents")
def main(
    sources: tuple[Path, ...],
    encoder: str,
    documents: int,
    languages: tuple[str, ...],
    exact_vectors: int,
    n_queries: int,
    repeats: int,
    peers: tuple[str, ...],
    semble: str | None,
    within: Path | None,
    seed: int,
    out: Path | None,
) -> None:
    commit = describe_commit()
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "SEMBLE_INDEX_WORKERS": "0"}
    pythons = dict.fromkeys(peers, sys.executable) | ({"semble": semble} if semble else {})
    with tempfile.TemporaryDirectory(dir=within) as folder:
        scratch = Path(folder)
        os.environ["XDG_CACHE_HOME"] = os.environ["HOME"] = folder  # semble keeps its statistics there
        sources = sources or (dense_dataset(scratch, documents=min(documents, 20_000), seed=seed),)
        rows = split_rows(sources, languages)
        queries = scratch / "queries.json"
        queries.write_text(json.dumps(make_queries(rows, n_queries)), encoding="utf-8")
        settings = {
            "dataset": str(grow_dataset(rows, scratch / "grown", documents=documents)),
            "queries": str(queries),
            "encoder": encoder,
            "exact_vectors": exact_vectors,
            "repeats": repeats,
        }
        del rows
        measured = measure_search(settings, scratch, peers=pythons)
    if out is not None:
        measured = write_result(f"bench_search_{documents}", measured, out, commit=commit)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
