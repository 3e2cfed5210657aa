"""Small datasets and recipes for the tests of the encoder."""

import shutil
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from procqa.artifact import workspace
from procqa.config import TrainConfig
from procqa.dataset.schema import SCHEMA, part_path

Row = tuple[str | None, str | None, str | None]

WORDS = ("list", "file", "string", "thread", "socket", "regex", "integer", "table", "window", "class", "loop", "cache")
WORDS += ("lock", "queue", "stream", "token")


def make_dataset(
    folder: Path,
    languages: dict[str, Iterable[Row]],
    *,
    split: str = "train",
    kind: str = "questions",
    clusters: dict[str, list[int | None]] | None = None,
    others: dict[str, dict[str, list[Row]]] | None = None,
) -> Path:
    """A dataset folder with rows of (title, question, answer) in one split of each language.

    Args:
        others: rows of further splits, by split and language.
    """
    splits = {split: languages, **(others or {})}
    numbers = count(1)
    with workspace(folder, kind="dataset", recipe={}, inputs=[]) as work:
        counts: dict[str, dict[str, int]] = {}
        for of_split, parts in splits.items():
            for language, rows in parts.items():
                titles, questions, answers = zip(*rows, strict=True)
                columns = {name: [None] * len(titles) for name in SCHEMA.names}
                columns |= {"language": [language] * len(titles), "site": ["local"] * len(titles)}
                columns |= {"title": list(titles), "question": list(questions), "answer": list(answers)}
                columns["question_id"] = [next(numbers) for _ in titles]
                columns["answer_id"] = [next(numbers) for _ in titles]
                if of_split == split and clusters and language in clusters:
                    columns["duplicate_cluster"] = clusters[language]
                path = work.path / part_path(language, of_split, 0, 1)
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(pa.table(columns, schema=SCHEMA), path)
                counts.setdefault(language, {"train": 0, "validation": 0, "test": 0})[of_split] = len(titles)
        work.finish({"languages": counts, "kind": kind})
    return folder


def questions_about(words: Iterable[str], language: str) -> list[Row]:
    """Rows that differ from each other in two words."""
    pairs = [(one, other) for one in words for other in WORDS if one != other]
    return [
        (
            f"{language} {one} to {other}",
            f"How do I turn a {one} into a {other}?",
            f"Call `{one}_to_{other}(x)` in {language}",
        )
        for one, other in pairs
    ]


def small_dataset(folder: Path) -> Path:
    """Two languages, 120 and 45 rows."""
    return make_dataset(
        folder, {"python": questions_about(WORDS[:8], "python"), "go": questions_about(WORDS[8:11], "go")}
    )


def tiny_config(**changes: object) -> TrainConfig:
    """A static encoder that trains in a second."""
    fields = {
        "base": "static",
        "steps": 20,
        "batch_size": 16,
        "learning_rate": 0.02,
        "temperature": 0.05,
        "dimensions": 16,
        "vocabulary": 400,
    }
    return TrainConfig(**{**fields, **changes})  # type: ignore[arg-type]  # the fields of the config


def write_cross_encoder(folder: Path, *, n_labels: int = 1) -> Path:
    """A cross-encoder of one layer with random weights, which knows the words alpha, beta and gamma."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "alpha", "beta", "gamma")
    plain = folder / "plain"
    plain.mkdir(parents=True)
    (plain / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=n_labels,
        initializer_range=1.0,
    )
    BertForSequenceClassification(config).save_pretrained(plain)
    BertTokenizerFast(str(plain / "vocab.txt")).save_pretrained(plain)
    CrossEncoder(str(plain), local_files_only=True).save_pretrained(str(folder))
    shutil.rmtree(plain)
    return folder
