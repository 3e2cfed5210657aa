"""A server under load: 64 clients that ask one search after the other, for five minutes.

The queries are titles of the indexed questions. Server and clients share the machine: latencies are upper bounds, and
what counts is that every request is answered and that memory does not grow.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import click
import httpx
import numpy as np
import psutil

from benchmarks.results import RESULTS, describe_commit, write_result
from procqa.index.documents import Documents
from procqa.index.generations import generation_folder
from procqa.search.searcher import Searcher

NAME = "bench_serve"
N_QUERIES = 2_000
CUTS = (50, 95, 99)
SAMPLE_S = 1.0
MODES = ("hybrid", "hybrid", "hybrid", "lexical", "dense")


def measure_server(index: Path, *, clients: int, seconds: float) -> dict[str, Any]:
    """Start a server on an index, ask it for so long, and stop it."""
    queries = read_queries(index)
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", "procqa", "serve", str(index), "--port", "0"]
        with subprocess.Popen(command, stderr=log, text=True) as process:
            try:
                url = wait_for(process, log)
                told = asyncio.run(ask(url, psutil.Process(process.pid), queries, clients=clients, seconds=seconds))
            finally:
                process.terminate()
            status = process.wait(timeout=30)
    return {"documents": told.pop("documents"), "clients": clients, **told, "exit_status": status}


def read_queries(index: Path) -> list[str]:
    """Titles of the documents of an index, the same in every run."""
    searcher = Searcher.open(index)
    documents = Documents(generation_folder(index, searcher.manifest) / "documents")
    try:
        titles = [title for _, columns in documents.scan(["title"]) for title in columns["title"] if title.strip()]
    finally:
        documents.close()
        searcher.close()
    return Random(0).choices(titles, k=N_QUERIES)


def wait_for(process: "subprocess.Popen[str]", log: Any) -> str:  # Any: an open temporary file
    """The address of a server, once it says so."""
    while process.poll() is None:
        log.seek(0)
        line = log.readline()
        if line.endswith("\n"):
            return str(json.loads(line)["url"])
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


async def ask(url: str, server: psutil.Process, queries: list[str], *, clients: int, seconds: float) -> dict[str, Any]:
    """Let so many clients ask for so long, and look at the server's memory meanwhile."""
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    memory: list[int] = []
    end = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
        documents = (await http.get("/readyz")).json()["documents"]

        async def client(number: int) -> None:
            random = Random(number)
            while time.monotonic() < end:
                started = time.perf_counter()
                parameters = {"q": random.choice(queries), "mode": random.choice(MODES)}
                try:
                    status = str((await http.get("/api/search", params=parameters)).status_code)
                except httpx.HTTPError as error:
                    status = type(error).__name__
                statuses[status] += 1
                latencies.append(time.perf_counter() - started)

        async def watch() -> None:
            while time.monotonic() < end:
                memory.append(server.memory_info().rss)
                await asyncio.sleep(SAMPLE_S)

        await asyncio.gather(watch(), *map(client, range(clients)))
    tenth = max(1, len(memory) // 10)
    return {
        "documents": documents,
        "seconds": seconds,
        "requests": len(latencies),
        "per_second": round(len(latencies) / seconds, 1),
        "statuses": dict(statuses),
        "latency_ms": {f"p{cut}": round(1_000 * float(np.percentile(latencies, cut)), 1) for cut in CUTS},
        "memory_bytes": {
            "after a tenth": int(np.median(memory[tenth : 2 * tenth])),
            "at the end": int(np.median(memory[-tenth:])),
            "peak": max(memory),
        },
    }


@click.command(help=__doc__)
@click.argument("index", type=click.Path(path_type=Path))
@click.option("--clients", default=64, show_default=True)
@click.option("--seconds", default=300.0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="folder of the result")
def main(index: Path, clients: int, seconds: float, out: Path) -> None:
    commit = describe_commit()
    measured = measure_server(index, clients=clients, seconds=seconds)
    print(json.dumps(write_result(NAME, measured, out, commit=commit), indent=2))


if __name__ == "__main__":
    main()
