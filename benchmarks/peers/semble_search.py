"""semble over the same documents as source files, hybrid as it comes, with our static encoder in model2vec's layout.

Its own model is fetched from a hub, so it is not measured here. Run it with a Python of its own, where semble is.

``PYTHON -m benchmarks.peers.semble_search build|ask SETTINGS.json``
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from semble import SembleIndex

from benchmarks.latency import Asked, latencies

K = 10


def build(settings: dict[str, Any]) -> dict[str, Any]:
    index = SembleIndex.from_path(settings["files"], model_path=settings["model"])
    index.save(settings["out"])
    return {"chunks": len(index.chunks)}


def ask(settings: dict[str, Any]) -> dict[str, Any]:
    started = time.perf_counter()
    index = SembleIndex.load_from_disk(settings["out"])
    open_s = time.perf_counter() - started

    def answer(query: Asked) -> object:
        return index.search(query["text"], top_k=K)

    queries = json.loads(Path(settings["queries"]).read_text(encoding="utf-8"))
    latency = latencies(answer, queries, repeats=settings["repeats"])
    return {"open_s": round(open_s, 4), "latency_ms": latency}


def main(step: str, settings_file: str) -> None:
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    print(json.dumps({"build": build, "ask": ask}[step](settings)))


if __name__ == "__main__":
    main(*sys.argv[1:])
