"""bm25s over the same documents and tokens: its index made, saved, and asked mapped, as its own page shows.

It gives positions, where procqa gives whole hits with author and licence.

``python -m benchmarks.peers.bm25s_search build|ask SETTINGS.json``
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import bm25s
from bm25s.tokenization import Tokenized

from benchmarks.latency import Asked, latencies
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
    started = time.perf_counter()
    retriever = bm25s.BM25.load(settings["out"], mmap=True)
    open_s = time.perf_counter() - started

    def answer(query: Asked) -> object:
        return retriever.retrieve([lexical_tokens(query["text"])], k=K, show_progress=False)

    queries = json.loads(Path(settings["queries"]).read_text(encoding="utf-8"))
    latency = latencies(answer, queries, repeats=settings["repeats"])
    return {"open_s": round(open_s, 4), "latency_ms": latency}


def main(step: str, settings_file: str) -> None:
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    print(json.dumps({"build": build, "ask": ask}[step](settings)))


if __name__ == "__main__":
    main(*sys.argv[1:])
