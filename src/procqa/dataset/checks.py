"""What a dataset claims of itself, proven again: its counts, its splits, and that it is clean."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from procqa.chain import Check, is_input
from procqa.dataset.leakage import check_leakage
from procqa.dataset.proof import PROOF, check_splits
from procqa.manifest import Input, Manifest, load_manifest
from procqa.pairs.rules import CONTAMINATED


def check_dataset(folder: Path, inputs: Sequence[Path]) -> list[Check]:
    """Prove what a dataset says of itself again, as far as its benchmarks are at hand.

    Args:
        inputs: paths among which the benchmarks are looked for.

    Raises:
        ArtifactError: the folder is no dataset, or a file of it cannot be read.
        BenchmarkError: a benchmark cannot be read.
    """
    manifest = load_manifest(folder, kind="dataset")
    checks = [*_check_counts(folder, manifest), *check_splits(folder)]
    if "split" in manifest.recipe and not (folder / PROOF).is_file():
        checks.append(Check("splits", "failed", f"{PROOF} must prove the splits, but is missing"))
    try:
        leakage = json.loads((folder / "leakage.json").read_text(encoding="utf-8", errors="surrogatepass"))
        checked = [Input(**entry) for entry in leakage["checked_against"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        return [*checks, Check("leakage", "failed", f"leakage.json must be readable, but is not: {error}")]
    benchmarks = [path for path in inputs if any(is_input(manifest, path, entry) for entry in checked)]
    return [*checks, *check_leakage(folder, benchmarks)]


def _check_counts(folder: Path, manifest: Manifest) -> Iterator[Check]:
    """The counts of the manifest against the rows of data/, funnel.json and leakage.json."""
    try:
        funnel, leakage = (
            json.loads((folder / name).read_text(encoding="utf-8", errors="surrogatepass"))
            for name in ("funnel.json", "leakage.json")
        )
        wrong = sorted(_wrong_counts(folder, manifest, funnel, leakage))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, pa.ArrowException) as error:
        yield Check("counts", "failed", f"funnel.json, leakage.json and data/ must be readable: {error}")
        return
    yield (
        Check("counts", "failed", f"they contradict each other: {', '.join(wrong)}") if wrong else Check("counts", "ok")
    )


def _wrong_counts(folder: Path, manifest: Manifest, funnel: dict[str, Any], leakage: dict[str, Any]) -> Iterator[str]:
    counts = manifest.counts
    rows = sum(pq.read_metadata(folder / path).num_rows for path in manifest.files if path.startswith("data/"))
    kept, dropped = sum(funnel["kept"].values()), sum(sum(by.values()) for by in funnel["dropped"].values())
    if not rows == counts["kept"] == kept == sum(sum(splits.values()) for splits in counts["languages"].values()):
        yield "kept"
    if funnel["questions"] != kept + dropped:
        yield "questions"
    if counts["rows"] != funnel["rows"]:
        yield "rows"
    if counts["dropped"] != {reason: sum(funnel["dropped"][reason].values()) for reason in counts["dropped"]}:
        yield "dropped"
    if counts["dropped"].get(CONTAMINATED, 0) != len(leakage["removed"]):
        yield CONTAMINATED
    if "answers" in counts:
        others = funnel["answers"] + funnel["other"] + sum(funnel["unreadable"].values()) + funnel["repeated"]
        if funnel["rows"] != funnel["questions"] + others:
            yield "rows"
