"""semble over the same documents as source files, hybrid as it comes, with our static encoder in model2vec's layout.

Its own model is fetched from a hub, so it is not measured here. Run it with a Python of its own, where semble is.

``PYTHON -m benchmarks.peers.semble_search build|ask SETTINGS.json``
"""

from collections.abc import Callable
from typing import Any

from semble import SembleIndex

from benchmarks.latency import Asked, ask_peer, run_step

K = 10


def build(settings: dict[str, Any]) -> dict[str, Any]:
    index = SembleIndex.from_path(settings["files"], model_path=settings["model"])
    index.save(settings["out"])
    return {"chunks": len(index.chunks)}


def ask(settings: dict[str, Any]) -> dict[str, Any]:
    def use(index: Any) -> Callable[[Asked], object]:  # Any: semble is installed elsewhere
        return lambda query: index.search(query["text"], top_k=K)

    return ask_peer(settings, lambda: SembleIndex.load_from_disk(settings["out"]), use)


if __name__ == "__main__":
    run_step(build=build, ask=ask)
