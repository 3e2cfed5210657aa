"""The first stage of a build: a block of a dump is read once and spilled by thread.

A pure task: the same block gives the same spill file, and a finished one is not made again.
"""

import json
import zlib
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from procqa.dataset import shuffle
from procqa.dump.blocks import Block, rows_in
from procqa.dump.rows import RawRow, Unreadable, read_row

_SHOWN_BYTES = 200


@dataclass(frozen=True, slots=True)
class ScanTask:
    """One block to scan.

    Args:
        name: unique for the block's place and bytes; its files in the folder carry it.
        source: the dump's base name, for the rejects.
        site: index of the block's site.
        keep_rejects: whether unreadable rows are written out.
    """

    folder: Path
    name: str
    source: str
    site: int
    block: Block
    keep_rejects: bool


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a block held. ``newest_ms`` is the newest date in any readable row."""

    name: str
    site: int
    rows: int
    other: int
    unreadable: dict[str, int]
    newest_ms: int | None

    def spill(self, folder: Path) -> Path:
        """Where the block's rows lie."""
        return folder / f"{self.name}.spill"

    def rejects(self, folder: Path) -> Path:
        """Where the block's unreadable rows are listed, if they are kept."""
        return folder / f"{self.name}.rejects"


def scan_block(task: ScanTask) -> Scanned:
    """Read every row of a block and spill questions and answers by thread."""
    done = task.folder / f"{task.name}.json"
    if done.exists():
        scanned = Scanned(**json.loads(done.read_text(encoding="utf-8")))
        if not task.keep_rejects or scanned.rejects(task.folder).exists():
            return scanned
    rows: list[list[bytes]] = [[] for _ in range(shuffle.ROW_BUCKETS)]
    keys: list[list[tuple[int, ...]]] = [[] for _ in range(shuffle.KEY_BUCKETS)]
    rejects: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    newest_ms: int | None = None
    for offset, raw in rows_in(task.block):
        counts["rows"] += 1
        row = read_row(raw)
        if isinstance(row, Unreadable):
            unreadable[row.reason] += 1
            if task.keep_rejects:
                rejects.append(_reject(task.source, offset, row.reason, raw))
            continue
        if row.newest_ms is not None and (newest_ms is None or row.newest_ms > newest_ms):
            newest_ms = row.newest_ms
        if row.kind == "other":
            counts["other"] += 1
            continue
        rows[shuffle.bucket_of(row.thread_id, shuffle.ROW_BUCKETS)].append(raw)
        _add_keys(keys, row, raw)
    scanned = Scanned(task.name, task.site, counts["rows"], counts["other"], dict(unreadable), newest_ms)
    if task.keep_rejects:
        lines = "".join(json.dumps(reject, ensure_ascii=False) + "\n" for reject in rejects)
        scanned.rejects(task.folder).write_text(lines, encoding="utf-8")
    shuffle.write_spill(scanned.spill(task.folder), rows, keys)
    new = done.with_suffix(".done")
    new.write_text(json.dumps(asdict(scanned)), encoding="utf-8")
    new.replace(done)
    return scanned


def _add_keys(keys: list[list[tuple[int, ...]]], row: RawRow, raw: bytes) -> None:
    """Note the row's id, and the id that it accepts, each in the bucket of that id."""
    kind = shuffle.QUESTION if row.kind == "question" else shuffle.ANSWER
    key = (kind, row.id, row.thread_id, row.activity_ms, zlib.crc32(raw))
    keys[shuffle.bucket_of(row.id, shuffle.KEY_BUCKETS)].append(key)
    wanted = row.accepted_answer_id
    if wanted is not None:
        keys[shuffle.bucket_of(wanted, shuffle.KEY_BUCKETS)].append((shuffle.WANTED, wanted, row.thread_id, 0, 0))


def _reject(source: str, offset: int, reason: str, raw: bytes) -> dict[str, Any]:
    shown = raw[:_SHOWN_BYTES].decode("utf-8", errors="backslashreplace")
    return {"source": source, "offset": offset, "reason": reason, "row": shown}
