"""What an update may take from the live generation, and what it may not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from procqa.errors import ArtifactError
from procqa.index.build import build_index
from procqa.index.documents import DIGEST, text_digest
from procqa.index.generations import generation_folder
from procqa.index.previous import Previous
from procqa.manifest import load_manifest
from tests.index.small import ROWS, WordEncoder, write_dataset


def open_previous(tmp_path: Path, **changes: Any) -> Previous:
    if not (tmp_path / "i").exists():
        build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=WordEncoder())
    manifest = load_manifest(tmp_path / "i")
    return Previous(generation_folder(tmp_path / "i", manifest), manifest, {**manifest.recipe, **changes})


def digests_of(*texts: tuple[str, str, str]) -> np.ndarray:
    return np.array([text_digest(*text, is_code=False) for text in texts], dtype=DIGEST)


def test_words_and_vectors_are_found_by_text(tmp_path: Path):
    previous = open_previous(tmp_path)
    known = (ROWS[4]["title"], ROWS[4]["question"], ROWS[4]["answer"])
    positions = previous.find(digests_of(known, ("no", "such", "text")))
    assert positions[1] == -1
    (words, none) = previous.words(positions)
    assert words == {"title": "sort map", "question": "how is this done", "answer": "sort it entri"}
    assert none is None
    (rows, nothing) = previous.vector_rows(positions)
    assert nothing == []
    assert (
        previous.vectors(rows).tolist()
        == WordEncoder().encode_documents(["Sort a map\n\nSort its entries."]).astype(np.float16).tolist()
    )
    previous.close()


def test_units_are_found_by_key(tmp_path: Path):
    previous = open_previous(tmp_path)
    entry, first = previous.unit(load_manifest(tmp_path / "d").sha256)
    assert (entry.rows, first) == (5, 0)
    assert previous.unit("0" * 64) is None
    assert sum(batch.num_rows for batch, _ in previous.rows(1, 4)) == 3
    previous.close()


@pytest.mark.parametrize(
    ("changes", "has_rows", "has_vectors"),
    [
        ({"reading": 99}, False, True),
        ({"boosts": {}}, False, True),
        ({"text": "title alone"}, True, False),
        ({"encoder": None}, True, False),
    ],
)
def test_what_would_be_made_otherwise_now_is_not_taken(
    tmp_path: Path, changes: dict[str, Any], has_rows: bool, has_vectors: bool
):
    previous = open_previous(tmp_path, **changes)
    assert (previous.unit(load_manifest(tmp_path / "d").sha256) is not None) == has_rows
    assert (previous.words(np.array([0]))[0] is not None) == has_rows
    assert bool(previous.vector_rows(np.array([0]))[0]) == has_vectors
    previous.close()


@pytest.mark.parametrize("changed", ["name", "fusion_weight"])
def test_what_no_vector_depends_on_does_not_matter(tmp_path: Path, changed: str):
    recipe = load_manifest_of(tmp_path)
    previous = open_previous(tmp_path, encoder={**recipe["encoder"], changed: "other"})
    assert previous.vector_rows(np.array([0])) != [[]]
    previous.close()


def load_manifest_of(tmp_path: Path) -> dict[str, Any]:
    open_previous(tmp_path).close()
    return load_manifest(tmp_path / "i").recipe


@pytest.mark.parametrize("name", ["documents/digests.npy", "words.arrow", "dense/go/vectors.npy"])
def test_one_changed_byte_is_refused(tmp_path: Path, name: str):
    open_previous(tmp_path).close()
    (path,) = (tmp_path / "i").glob(f"*/{name}")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match="not as it was made"):
        open_previous(tmp_path)
