"""Datasets, an encoder and documents so small that every ranking is known by hand."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.numpy
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from procqa.artifact import workspace
from procqa.dataset.schema import SCHEMA, part_path
from procqa.index.dense_files import DenseRows, PartSummary, write_dense

WORDS = ("list", "file", "map", "sort", "read", "duplicates", "order", "goroutine")
HOST = "https://stackoverflow.com"


def to_row(answer_id: int, language: str, title: str, answer: str, **other: Any) -> dict[str, Any]:
    """A row of a dataset as a dump of Stack Overflow gives it."""
    question_id = answer_id - 1
    return {
        "question_id": question_id,
        "answer_id": answer_id,
        "language": language,
        "title": title,
        "question": "How is this done?",
        "answer": answer,
        "tags": [language],
        "question_score": 3,
        "answer_score": 5,
        "view_count": 7,
        "question_created": 1_600_000_000_000,
        "answer_created": 1_600_000_100_000,
        "question_author": "Ann",
        "question_author_url": f"{HOST}/users/1",
        "answer_author": "Bob",
        "answer_author_url": f"{HOST}/users/2",
        "question_licence": "CC BY-SA 3.0",
        "answer_licence": "CC BY-SA 4.0",
        "question_url": f"{HOST}/questions/{question_id}",
        "answer_url": f"{HOST}/a/{answer_id}",
        "site": "stackoverflow.com",
        **other,
    }


ROWS = (
    to_row(10, "python", "Remove duplicates from a list", "Use a dict.\n\n```python\nlist(dict.fromkeys(xs))\n```"),
    to_row(20, "python", "Read a file", "Open it."),
    to_row(9, "go", "Start a goroutine", "Write go before the call."),
    to_row(30, "go", "Read a file", "Open it."),
    to_row(40, "java", "Sort a map", "Sort its entries."),
)


def write_dataset(folder: Path, rows: Iterable[dict[str, Any]] = ROWS, *, dump_date: str = "2020-09-13") -> Path:
    """A dataset of rows, all in the split train."""
    of_language: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of_language.setdefault(row["language"], []).append(row)
    with workspace(folder, kind="dataset", recipe={}, inputs=[]) as work:
        for language, group in of_language.items():
            path = work.path / part_path(language, "train", 0, 1)
            path.parent.mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(group, SCHEMA), path)
        counts = {language: {"train": len(group)} for language, group in of_language.items()}
        work.finish({"languages": counts, "dump_date": dump_date})
    return folder


class WordEncoder:
    """Counts WORDS; counts its own calls too, so that a test sees what was encoded."""

    name = "words"
    revision = "0" * 64
    dimensions = len(WORDS)
    arithmetic = "whole numbers"
    fusion_weight = 0.5

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, 8) float32 unit rows; they are not counted."""
        return WordEncoder().encode_documents(texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, 8) float32 unit rows; zeros where no word is known."""
        self.encoded += texts
        counts = np.array([[text.lower().split().count(word) for word in WORDS] for text in texts], dtype=np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)


def write_vectors(
    vectors: NDArray[np.floating], positions: Sequence[int], languages: Sequence[str], folder: Path, **options: int
) -> dict[str, PartSummary]:
    """A dense index of vectors; what is asked of it is the first of each document's, a little off."""
    halves = vectors.astype(np.float16)
    places = np.asarray(positions)

    def ask(chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = [int(np.flatnonzero(places == position)[0]) for position in chosen]
        noise = np.random.default_rng(5).standard_normal((len(rows), vectors.shape[1]))
        asked = halves[rows].astype(np.float32) + 0.05 * noise.astype(np.float32)
        return asked / np.linalg.norm(asked, axis=1, keepdims=True)

    rows = DenseRows(halves, places, languages)
    return write_dense(rows, folder, ask=ask, **{"exact_vectors": 200_000, **options})


def write_encoder(folder: Path, *, seed: int = 0) -> Path:
    """A static encoder of WORDS in the layout of sentence-transformers."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, **{word: i for i, word in enumerate(WORDS, 1)}}, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    embeddings = np.eye(len(WORDS) + 1, dtype=np.float32)
    embeddings[0] = 0.01 * np.random.default_rng(seed).random(len(WORDS) + 1, dtype=np.float32)
    safetensors.numpy.save_file({"embedding.weight": embeddings}, folder / "model.safetensors")
    module = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}
    (folder / "modules.json").write_text(json.dumps([module]), encoding="utf-8")
    return folder
