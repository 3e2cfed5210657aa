"""The written proof that no split holds what belongs to another: threads, clusters, askers.

It is read off the rows that were written, not off the plan, and ``procqa verify`` reads it off them again.
Source: ours, docs/decisions/0012.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from procqa.chain import Check
from procqa.dataset.schema import SPLITS

PROOF = "splits.json"

_COLUMNS = ["site", "question_id", "question_author", "question_author_url", "duplicate_cluster"]


def prove_splits(folder: Path, *, split: str) -> dict[str, Any]:
    """What each split holds of threads, clusters and askers, and how many of each stand in several.

    Args:
        folder: a dataset's folder, its data/ complete.
        split: how it was cut; askers are told of where it was by them.

    Returns:
        By kind: the number in each split, ``in_several``, and a digest of who is in each split.
    """
    kinds = ("threads", "clusters", "askers") if split == "author" else ("threads", "clusters")
    of_splits = [_members(folder, kinds, name) for name in SPLITS]
    proof: dict[str, Any] = {"split": split}
    for kind in kinds:
        of_kind = {name: members[kind] for name, members in zip(SPLITS, of_splits, strict=True)}
        together = np.concatenate(list(of_kind.values()))
        proof[kind] = {
            **{name: len(ids) for name, ids in of_kind.items()},
            "in_several": len(together) - len(np.unique(together)),
            "sha256": {name: hashlib.sha256(ids.tobytes()).hexdigest() for name, ids in of_kind.items()},
        }
    return proof


def _members(folder: Path, kinds: Sequence[str], split: str) -> dict[str, NDArray[np.uint64]]:
    """64-bit hashes of the threads, clusters and askers of a split, sorted, each once."""
    found = {kind: [np.empty(0, dtype=np.uint64)] for kind in kinds}
    for path in sorted((folder / "data").glob(f"*/{split}-*.parquet")):
        of_part: dict[str, set[int]] = {kind: set() for kind in kinds}
        for row in _rows(path):
            for kind in kinds:
                if (hashed := _hash(kind, row)) is not None:
                    of_part[kind].add(hashed)
        for kind, hashes in of_part.items():
            found[kind].append(np.array(sorted(hashes), dtype=np.uint64))
    return {kind: np.unique(np.concatenate(arrays)) for kind, arrays in found.items()}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as part:
        for batch in part.iter_batches(batch_size=4_096, columns=_COLUMNS):
            yield from batch.to_pylist()


def _hash(kind: str, row: dict[str, Any]) -> int | None:
    if kind == "clusters":
        cluster: int | None = row["duplicate_cluster"]
        return cluster
    who = row["question_id"] if kind == "threads" else row["question_author_url"] or row["question_author"]
    hashed = hashlib.blake2b(f"{row['site']}\0{who}".encode(), digest_size=8)
    return int.from_bytes(hashed.digest(), "little")


def write_proof(folder: Path, proof: dict[str, Any]) -> None:
    """Write splits.json."""
    (folder / PROOF).write_text(json.dumps(proof, indent=2) + "\n", encoding="utf-8")


def proof_lines(proof: dict[str, Any]) -> tuple[str, ...]:
    """The proof in sentences, for the card."""
    return tuple(
        f"{kind}: {', '.join(f'{of_kind[name]:,} in {name}' for name in SPLITS)}, {of_kind['in_several']:,} in several"
        for kind, of_kind in proof.items()
        if kind != "split"
    )


def check_splits(folder: Path) -> Iterable[Check]:
    """Prove the splits of a dataset again, and compare with what it says of them."""
    path = folder / PROOF
    if not path.exists():
        return
    try:
        claimed = json.loads(path.read_text(encoding="utf-8"))
        proof = prove_splits(folder, split=claimed["split"])
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        yield Check("splits", "failed", f"{PROOF} and data/ must be readable, but are not: {error}")
        return
    for kind in proof.keys() - {"split"}:
        subject = f"splits: {kind}"
        if proof[kind]["in_several"]:
            yield Check(subject, "failed", f"{proof[kind]['in_several']:,} stand in several splits")
        elif claimed.get(kind) != proof[kind]:
            yield Check(subject, "failed", f"{PROOF} does not tell what data/ holds")
        else:
            yield Check(subject, "ok")
