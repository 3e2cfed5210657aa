"""The Markdown of an older dataset, parted by bucket, so that a build can take it where nothing changed.

A task a part of the older dataset spills its rows by thread; a task of the new build reads its buckets
from all of them. Source: ours, docs/decisions/0014.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from procqa.dataset import shuffle
from procqa.dataset.spill import ROW_BUCKETS
from procqa.dataset.state import redactions_of, require_bytes
from procqa.files import loaded_once
from procqa.manifest import Manifest

_ROW = np.dtype([("site", "<i2"), ("thread", "<i8"), ("sizes", "<i4", (2,))])


@dataclass(frozen=True, slots=True)
class ReuseTask:
    """A part of an older dataset, its digest, and where its rows go, but for those of sites that are gone."""

    part: Path
    sha256: str
    spill: Path
    sites: tuple[str, ...]


def spill_texts(task: ReuseTask) -> Path:
    """Spill the Markdown of a part by thread.

    Raises:
        ArtifactError: the part is not as it was made.
    """
    if task.spill.exists():
        return task.spill
    require_bytes(task.part, task.sha256)
    table = pq.read_table(task.part, columns=["site", "question_id", "question", "answer"])
    place = {site: number for number, site in enumerate(task.sites)}
    rows = [row for row in table.to_pylist() if row["site"] in place]
    buckets = shuffle.bucket_of(np.array([row["question_id"] for row in rows], dtype=np.int64), ROW_BUCKETS)
    order = np.argsort(buckets, kind="stable")
    records = np.zeros(len(rows), dtype=_ROW)
    texts: list[bytes] = []
    for number, row in enumerate(rows[at] for at in order.tolist()):
        both = row["question"].encode(), row["answer"].encode()
        records[number] = place[row["site"]], row["question_id"], tuple(map(len, both))
        texts += both
    joined = np.frombuffer(b"".join(texts), dtype=np.uint8)
    shuffle.write_rows(task.spill, records, joined, buckets[order])
    return task.spill


@dataclass(frozen=True, slots=True)
class OldTexts:
    """What an older dataset says of its pairs.

    Args:
        spills: as ``spill_texts`` wrote them.
        notes: a JSON file of the leaks and redactions by site and question, as ``write_notes`` writes it.
    """

    spills: tuple[Path, ...]
    notes: Path

    def read(self, share: shuffle.Share) -> dict[tuple[int, int], tuple[str, str]]:
        """Question and answer by site and question id, for a share of the row buckets."""
        records = shuffle.read_records(self.spills, share, _ROW)
        texts: dict[tuple[int, int], tuple[str, str]] = {}
        every = np.arange(len(records.rows))
        for row, both in zip(records.rows, records.texts(every), strict=True):
            size = int(row["sizes"][0])
            texts[int(row["site"]), int(row["thread"])] = both[:size].decode(), both[size:].decode()
        return texts

    def leak(self, key: tuple[int, int]) -> dict[str, Any] | None:
        """The leak of a contaminated question."""
        return _read_notes(self.notes)[0].get(key)

    def redactions(self, key: tuple[int, int]) -> tuple[dict[str, Any], ...]:
        """What was redacted in a question."""
        return tuple(_read_notes(self.notes)[1].get(key, ()))


def write_notes(path: Path, dataset: Path, manifest: Manifest, sites: tuple[str, ...]) -> None:
    """Keep the leaks and redactions of an older dataset for the tasks of a build.

    Raises:
        ArtifactError: its leakage.json is not as it was made.
    """
    leakage, redactions = dataset / "leakage.json", redactions_of(dataset)
    require_bytes(leakage, manifest.files[leakage.name]["sha256"])
    leaks = json.loads(leakage.read_text(encoding="utf-8"))["removed"]
    lines = redactions.read_text(encoding="utf-8").splitlines() if redactions.exists() else []
    kept = [[row for row in rows if row["site"] in sites] for rows in (leaks, map(json.loads, lines))]
    path.write_text(json.dumps({"sites": sites, "leaks": kept[0], "redactions": kept[1]}), encoding="utf-8")


_Notes = tuple[Mapping[tuple[int, int], dict[str, Any]], Mapping[tuple[int, int], list[dict[str, Any]]]]


@loaded_once()
def _read_notes(path: Path) -> _Notes:
    notes = json.loads(path.read_text(encoding="utf-8"))
    place = {site: number for number, site in enumerate(notes["sites"])}
    leaks: dict[tuple[int, int], dict[str, Any]] = {}
    redactions: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for leak in notes["leaks"]:
        key = place[leak.pop("site")], leak.pop("question_id")
        leak.pop("language")
        leaks[key] = leak
    for redaction in notes["redactions"]:
        redactions.setdefault((place[redaction["site"]], redaction["question_id"]), []).append(redaction)
    return leaks, redactions
