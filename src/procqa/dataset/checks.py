"""What a dataset claims of itself, proven again: that no split holds what belongs to another, and that it is clean."""

import json
from collections.abc import Sequence
from pathlib import Path

from procqa.artifact import Input, load_manifest
from procqa.chain import Check, is_input
from procqa.dataset.leakage import check_leakage
from procqa.dataset.proof import check_splits


def check_dataset(folder: Path, inputs: Sequence[Path]) -> list[Check]:
    """Prove the splits and the decontamination of a dataset again, as far as its benchmarks are at hand.

    Args:
        inputs: paths among which the benchmarks are looked for.

    Raises:
        ArtifactError: the folder is no dataset, or a file of it cannot be read.
        BenchmarkError: a benchmark cannot be read.
    """
    manifest = load_manifest(folder, kind="dataset")
    leakage = json.loads((folder / "leakage.json").read_text(encoding="utf-8"))
    checked = [Input(**entry) for entry in leakage["checked_against"]]
    benchmarks = [path for path in inputs if any(is_input(manifest, path, entry) for entry in checked)]
    return [*check_splits(folder), *check_leakage(folder, benchmarks)]
