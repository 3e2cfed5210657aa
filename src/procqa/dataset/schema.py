"""The dataset row as Arrow columns, and the only reader of a dataset's parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from procqa.errors import ArtifactError
from procqa.manifest import Manifest, load_manifest

SPLITS = ("train", "validation", "test")
TIMESTAMP = pa.timestamp("ms", tz="UTC")

SCHEMA = pa.schema(
    [
        ("question_id", pa.int64()),
        ("answer_id", pa.int64()),
        ("language", pa.string()),
        ("title", pa.string()),
        ("question", pa.string()),
        ("answer", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("question_score", pa.int64()),
        ("answer_score", pa.int64()),
        ("view_count", pa.int64()),
        ("question_created", TIMESTAMP),
        ("answer_created", TIMESTAMP),
        ("question_author", pa.string()),
        ("question_author_url", pa.string()),
        ("answer_author", pa.string()),
        ("answer_author_url", pa.string()),
        ("question_licence", pa.string()),
        ("answer_licence", pa.string()),
        ("question_url", pa.string()),
        ("answer_url", pa.string()),
        ("question_code_chars", pa.int64()),
        ("question_text_chars", pa.int64()),
        ("answer_code_chars", pa.int64()),
        ("answer_text_chars", pa.int64()),
        ("duplicate_cluster", pa.int64()),
        ("site", pa.string()),
    ]
)
"""Columns of a dataset, in order. Source: ours, docs/dataset.md."""


def part_path(language: str, split: str, part: int, parts: int) -> str:
    """Where a part of a dataset lies, relative to its folder."""
    return f"data/{language}/{split}-{part:05d}-of-{parts:05d}.parquet"


def part_files(folder: Path, manifest: Manifest, *, language: str | None, split: str | None) -> list[Path]:
    """The Parquet parts of a dataset in the order of their names.

    Raises:
        ArtifactError: its manifest names a part of another path.
    """
    parts = []
    for name in sorted(path for path in manifest.files if path.startswith("data/")):
        if name.count("/") != 2:
            raise ArtifactError(f"{folder} must hold its parts in data/LANGUAGE, but names {name}: build it again")
        _, of_language, file = name.split("/")
        if (language is None or of_language == language) and (split is None or file.startswith(f"{split}-")):
            parts.append(folder / name)
    return parts


def read_rows(
    folder: Path,
    *,
    columns: list[str] | None = None,
    language: str | None = None,
    split: str | None = None,
    batch_rows: int = 1_024,
) -> Iterator[dict[str, Any]]:
    """The rows of a dataset as dictionaries, lazily, in the order of languages, splits and parts.

    Args:
        columns: names of SCHEMA to read; None reads all.
        split: one of SPLITS; None reads every split.

    Raises:
        ArtifactError: the folder is no dataset, or a part is corrupt.
    """
    for batch in read_batches(folder, columns=columns, language=language, split=split, batch_rows=batch_rows):
        yield from batch.to_pylist()


def read_batches(
    folder: Path,
    *,
    columns: list[str] | None = None,
    language: str | None = None,
    split: str | None = None,
    batch_rows: int = 1_024,
) -> Iterator[pa.RecordBatch]:
    """The rows of a dataset as Arrow batches; see ``read_rows``."""
    manifest = load_manifest(folder, kind="dataset")
    for path in part_files(folder, manifest, language=language, split=split):
        try:
            with pq.ParquetFile(path) as part:
                yield from part.iter_batches(batch_size=batch_rows, columns=columns)
        except (OSError, pa.ArrowException) as error:
            raise ArtifactError(f"{path} is not a readable Parquet part: run procqa verify {folder}") from error


def dataset_languages(folder: Path) -> dict[str, dict[str, int]]:
    """Rows of a dataset by language and split, as its manifest counts them."""
    languages: dict[str, dict[str, int]] = load_manifest(folder, kind="dataset").counts["languages"]
    return languages
