"""A static encoder in a quarter of its size: each row of its embeddings as 8-bit numbers and one scale.

The numbers have names of their own in the file, so that a program which does not know them refuses the folder
instead of reading them as something else. Source: ours, docs/decisions/0018.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.artifact import workspace
from procqa.encoder.static import (
    INT8_KEY,
    SCALE_KEY,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    is_static,
    open_static,
)
from procqa.errors import ArtifactError
from procqa.manifest import Manifest, load_manifest

LARGEST = 127
KEPT_FILES = (TOKENIZER_FILE, "modules.json", "config_sentence_transformers.json")


def quantize_rows(embeddings: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows of 8-bit numbers, and the scale of each: row × scale is the old row to half a step.

    Args:
        embeddings: (V, D) float32, finite.

    Returns:
        (V, D) int8 from -127 to 127, and (V,) float32.
    """
    scales = np.abs(embeddings.astype(np.float64)).max(axis=1) / LARGEST
    # A smaller one would lose its digits, or be zero, in 32 bits.
    scales = np.where(scales > 0, np.maximum(scales, np.finfo(np.float32).tiny), 0)
    safe = np.where(scales > 0, scales, 1)
    numbers = np.clip(np.rint(embeddings / safe[:, None]), -LARGEST, LARGEST)
    return numbers.astype(np.int8), scales.astype(np.float32)


def quantized_recipe(source: Manifest) -> dict[str, Any]:
    """The recipe in the manifest of a quantized encoder."""
    return {**source.recipe, "weights": "int8, a scale a row", "quantized_from": source.sha256}


def quantize_encoder(folder: Path, out: Path, *, card: str, about: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Write a static encoder with 8-bit embeddings; its sha256.

    What tells of the training (its log, the hashes of what it saw) stays with the encoder that it is made from.

    Args:
        folder: a static encoder that procqa trained.
        out: the encoder folder to make; another one that stands there is replaced.
        card: its README.md.
        about: what is added to the counts of the manifest.

    Raises:
        ArtifactError: the folder is no static encoder of ours, or ``out`` cannot be written.
    """
    import safetensors.numpy

    manifest = load_manifest(folder, kind="encoder")
    if not is_static(folder):
        raise ArtifactError(f"{folder} must be a static encoder to be quantized: train one with --base static")
    encoder = open_static(folder, name=folder.name, max_tokens=manifest.counts["max_tokens"])
    if not np.isfinite(encoder.embeddings).all():
        raise ArtifactError(f"{folder} must hold numbers alone, but some of its embeddings are none: train it again")
    numbers, scales = quantize_rows(encoder.embeddings)
    with workspace(out, kind="encoder", recipe=quantized_recipe(manifest), inputs=manifest.inputs) as work:
        safetensors.numpy.save_file({INT8_KEY: numbers, SCALE_KEY: scales}, work.path / WEIGHTS_FILE)
        for name in KEPT_FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, work.path / name)
        _compact(work.path / TOKENIZER_FILE)
        (work.path / "README.md").write_text(card, encoding="utf-8")
        for path in work.path.iterdir():
            path.chmod(0o644)
        work.finish({**manifest.counts, **about})
    return load_manifest(out, kind="encoder").sha256


def _compact(path: Path) -> None:
    """Take the blanks out of a JSON file that nobody reads by eye."""
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
