"""bm25s over the same documents and tokens: its index made, saved, and asked mapped, as its own page shows.

It gives positions, where procqa gives whole hits with author and licence.

``python -m benchmarks.peers.bm25s_search build|ask SETTINGS.json``
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bm25s
from bm25s.tokenization import Tokenized

from benchmarks.latency import Asked, ask_peer, run_step
from procqa.dataset.schema import read_rows
from procqa.text import lexical_tokens

K = 10


def build(settings: dict[str, Any]) -> dict[str, Any]:
    vocabulary: dict[str, int] = {}
    ids = []
    for row in read_rows(Path(settings["dataset"]), columns=["title", "question", "answer"]):
        tokens = lexical_tokens(f"{row['title']}\n{row['question']}\n{row['answer']}")
        ids.append([vocabulary.setdefault(token, len(vocabulary)) for token in tokens])
    retriever = bm25s.BM25()
    retriever.index(Tokenized(ids, vocabulary), show_progress=False)
    retriever.save(settings["out"])
    return {"documents": len(ids), "vocabulary": len(vocabulary)}


def ask(settings: dict[str, Any]) -> dict[str, Any]:
    def use(retriever: Any) -> Callable[[Asked], object]:  # Any: bm25s is untyped
        return lambda query: retriever.retrieve([lexical_tokens(query["text"])], k=K, show_progress=False)

    return ask_peer(settings, lambda: bm25s.BM25.load(settings["out"], mmap=True), use)


if __name__ == "__main__":
    run_step(build=build, ask=ask)
