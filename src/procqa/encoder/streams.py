"""Dataset folders → streams: the training pairs of one language and one pair type.

The views of the train splits that the pair types ask for go once into a memory-mapped Arrow file, each cut to
what can be read of it; a stream is a list of row numbers in it. A pair with an empty side, or of which one side
only repeats the other or its beginning, is left out and counted.
Source: docs/paper.md#sampling (the authors keep one file a language and pair type).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from procqa.dataset.schema import dataset_languages, read_batches
from procqa.encoder.towers import ROUTES, cut_modalities
from procqa.encoder.views import MODALITIES, PAIR_TYPES, PairType, cut
from procqa.errors import ArtifactError
from procqa.manifest import load_manifest
from procqa.text import fold

EMPTY = 0
"""The hash of a text without a character that counts."""

CHARS_A_TOKEN = 16
"""Characters kept of a text for each token that is read: a token of text or code has 3 to 5, and only long runs
of blanks reach this. Source: ours, docs/decisions/0015."""

USABLE, A_SIDE_IS_EMPTY, SIDES_ARE_EQUAL, ONE_BEGINS_THE_OTHER = range(4)
REASONS = {
    A_SIDE_IS_EMPTY: "a side is empty",
    SIDES_ARE_EQUAL: "both sides are equal",
    ONE_BEGINS_THE_OTHER: "one side begins with the other",
}
"""Why a pair is left out of its stream; sides are compared word by word, without case and punctuation."""

NOT_SHARED = "the row lacks a part that other modalities need"

_ROW_FIELDS = ("title", "question", "answer")


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The pairs of one dataset, language and pair type.

    Args:
        name: ``DATASET/LANGUAGE/PAIR-TYPE``.
        query: the view that asks, as its number among those of the corpus.
        document: the view that answers.
        rows: (n,) row numbers of the texts, ascending.
        hashes: (all rows, views) uint64 hashes of the folded texts, shared by all streams.
        groups: (all rows,) uint64, equal for rows of one duplicate cluster, else different; shared too.
        mined: (all rows, m) the rows whose documents are hard negatives of each, -1 for none; shared too. None where
            none were mined.
    """

    name: str
    query: int
    document: int
    rows: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    groups: NDArray[np.uint64]
    mined: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        """Pairs."""
        return len(self.rows)

    @property
    def pair_type(self) -> str:
        """The name of the pair type."""
        return self.name.rpartition("/")[2]

    @property
    def dataset(self) -> str:
        """The name of the dataset."""
        return self.name.rsplit("/", 2)[0]

    def keys(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(len(positions), 3) hashes of the queries and documents of some pairs, and their groups."""
        return self.keys_of(self.rows[positions])

    def keys_of(self, rows: NDArray[np.int32]) -> NDArray[np.uint64]:
        """(…, 3) the same of any rows (…), whether they make a pair or not."""
        return np.stack((self.hashes[rows, self.query], self.hashes[rows, self.document], self.groups[rows]), axis=-1)


class Texts:
    """The texts of all rows in a memory-mapped file; close it, or use it in a ``with`` block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._source = pa.memory_map(str(path))
        reader = pa.ipc.open_file(self._source)
        self.columns: tuple[str, ...] = tuple(reader.schema.names)
        self._batches = [reader.get_batch(index) for index in range(reader.num_record_batches)]
        sizes = np.array([batch.num_rows for batch in self._batches], dtype=np.int64)
        self._starts = np.cumsum(sizes) - sizes

    def __len__(self) -> int:
        """Rows."""
        return sum(batch.num_rows for batch in self._batches)

    def __enter__(self) -> "Texts":
        """The texts, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._batches = []
        self._source.close()

    def take(self, rows: NDArray[np.int32], views: NDArray[np.int64] | int) -> list[str]:
        """A text of each of some rows, in the order of ``rows``.

        Args:
            views: the column of each, or of all of them: its number among ``StreamConfig.columns``.
        """
        batches = np.searchsorted(self._starts, rows, side="right") - 1
        offsets = rows - self._starts[batches]
        columns = np.broadcast_to(np.asarray(views), len(rows))
        return [
            self._batches[batch].column(view)[offset].as_py()
            for batch, view, offset in zip(batches.tolist(), columns.tolist(), offsets.tolist(), strict=True)
        ]

    def read(self) -> Iterator[list[str]]:
        """The texts of one view and record batch at a time, all of them."""
        for batch in self._batches:
            for view in range(len(self.columns)):
                yield batch.column(view).to_pylist()

    def read_rows(self) -> Iterator[list[tuple[str, ...]]]:
        """The texts of all views of each row, a record batch at a time."""
        for batch in self._batches:
            yield list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """Which pairs are made of which rows.

    Args:
        pairs: names of PAIR_TYPES.
        languages: those to read; None reads all.
        shared_rows: take only rows of questions of which every one of MODALITIES makes a pair, so that runs
            which differ in their pair types train on the same rows.
        max_tokens: that are read of a text.
        cuts_modalities: keep the prose and the code of each view apart, for towers of their own.
    """

    pairs: tuple[str, ...]
    languages: tuple[str, ...] | None = None
    shared_rows: bool = False
    max_tokens: int = 128
    cuts_modalities: bool = False

    @property
    def pair_types(self) -> tuple[PairType, ...]:
        """Those that are asked for, and then those that tell whether a row is shared."""
        needed = [name for names in MODALITIES.values() for name in names] if self.shared_rows else []
        return tuple(PAIR_TYPES[name] for name in dict.fromkeys([*self.pairs, *needed]))

    @property
    def views(self) -> tuple[str, ...]:
        """What is kept of a row, each view once."""
        sides = ((pair_type.query, pair_type.document) for pair_type in self.pair_types)
        return tuple(dict.fromkeys(view for both in sides for view in both))

    @property
    def columns(self) -> tuple[str, ...]:
        """What the texts are kept as: each view, or its prose and its code one behind the other."""
        if not self.cuts_modalities:
            return self.views
        return tuple(f"{view} {route}" for view in self.views for route in ROUTES["modality"])


@dataclass(frozen=True, slots=True)
class Corpus:
    """What one run trains on.

    Args:
        streams: those with at least one pair.
        views: what is kept of a row.
        rows: rows read from the train splits.
        left_out: pairs left out, by pair type and reason: the pairs of a type and those left out of it are
            together as many as the rows of its kind.
        starts: the first row of each ``DATASET/LANGUAGE``.
    """

    streams: tuple[Stream, ...]
    views: tuple[str, ...]
    rows: int
    left_out: dict[str, dict[str, int]]
    starts: dict[str, int]


def text_hash(text: str) -> int:
    """The 64-bit hash by which equal texts are known; EMPTY where nothing is left after folding."""
    return _hash(fold(text))


def _hash(folded: str) -> int:
    if not folded:
        return EMPTY
    return int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def judge_pair(query: str, document: str) -> int:
    """USABLE, or which of REASONS leaves out a pair of two folded texts."""
    if not query or not document:
        return A_SIDE_IS_EMPTY
    if query == document:
        return SIDES_ARE_EQUAL
    shorter, longer = sorted((query, document), key=len)
    return ONE_BEGINS_THE_OTHER if longer.startswith(f"{shorter} ") else USABLE


def dataset_names(datasets: Sequence[Path]) -> list[str]:
    """The base name of each folder; one that repeats gets its number."""
    seen: Counter[str] = Counter()
    names = []
    for folder in datasets:
        name = folder.resolve().name
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one dataset and language, one behind the other in the file."""

    name: str
    kind: str
    hashes: NDArray[np.uint64]  # (rows, views)
    groups: NDArray[np.uint64]  # (rows,)
    verdicts: NDArray[np.uint8]  # (rows, pair types)


def write_texts(datasets: Sequence[Path], path: Path, config: StreamConfig) -> Corpus:
    """Copy the texts of the train splits to an Arrow file and say which rows make which stream.

    Memory: 8 bytes a row for each view, 12 for its number and group, and one record batch.

    Raises:
        ArtifactError: a folder is no dataset, one of its parts is corrupt, or none has a language that is asked for.
    """
    schema = pa.schema([(name, pa.string()) for name in config.columns])
    parts: list[_Part] = []
    languages_found: set[str] = set()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for name, folder in zip(dataset_names(datasets), datasets, strict=True):
            kind = load_manifest(folder, kind="dataset").counts.get("kind", "questions")
            for language in sorted(dataset_languages(folder)):
                languages_found.add(language)
                if config.languages is None or language in config.languages:
                    rows = _read_rows(folder, language)
                    parts.append(_write_part(writer, f"{name}/{language}", kind, rows, config))
    missing = sorted(set(config.languages or ()) - languages_found)
    if missing:
        raise ArtifactError(
            f"the datasets must hold the languages that are asked for, but have no {', '.join(missing)}:"
            f" they have {', '.join(sorted(languages_found))}"
        )
    return _to_corpus(parts, config)


def _read_rows(folder: Path, language: str) -> Iterator[pa.RecordBatch]:
    columns = [*_ROW_FIELDS, "duplicate_cluster"]
    return read_batches(folder, columns=columns, language=language, split="train")


def _write_part(
    writer: Any,  # Any: pyarrow has no types
    name: str,
    kind: str,
    batches: Iterable[pa.RecordBatch],
    config: StreamConfig,
) -> _Part:
    """Write the views of some rows; what is to be known of them to make streams."""
    views, pair_types = config.views, config.pair_types
    sides = [(views.index(pair_type.query), views.index(pair_type.document)) for pair_type in pair_types]
    most_chars = CHARS_A_TOKEN * config.max_tokens
    # An array for each batch: lists of numbers would be ten times as large.
    all_hashes, all_groups = [np.empty((0, len(views)), dtype=np.uint64)], [np.empty(0, dtype=np.uint64)]
    all_verdicts = [np.empty((0, len(pair_types)), dtype=np.uint8)]
    n_rows = 0
    for batch in batches:
        texts, hashes, groups, verdicts = list[list[str]](), list[list[int]](), list[int](), list[list[int]]()
        for row in batch.to_pylist():
            whole = cut({field: row[field] or "" for field in _ROW_FIELDS}, views)
            folded = [fold(text) for text in whole]
            parts = [part for text in whole for part in cut_modalities(text)] if config.cuts_modalities else whole
            texts.append([text[:most_chars] for text in parts])
            hashes.append([_hash(text) for text in folded])
            verdicts.append([judge_pair(folded[query], folded[document]) for query, document in sides])
            groups.append(_group(name, row["duplicate_cluster"], n_rows))
            n_rows += 1
        all_hashes.append(np.array(hashes, dtype=np.uint64).reshape(-1, len(views)))
        all_groups.append(np.array(groups, dtype=np.uint64))
        all_verdicts.append(np.array(verdicts, dtype=np.uint8).reshape(-1, len(pair_types)))
        columns = [pa.array(column, type=pa.string()) for column in zip(*texts, strict=True)] if texts else []
        if not columns:
            continue
        writer.write_batch(pa.RecordBatch.from_arrays(columns, names=list(config.columns)))
    return _Part(name, kind, np.concatenate(all_hashes), np.concatenate(all_groups), np.concatenate(all_verdicts))


def _group(part: str, cluster: int | None, row: int) -> int:
    """What a row shares with those of its duplicate cluster, whatever their language, and with no other."""
    name = f"{part.partition('/')[0]}#{cluster}" if cluster is not None else f"{part}/{row}"
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def _to_corpus(parts: Sequence[_Part], config: StreamConfig) -> Corpus:
    """The streams of parts that lie one behind the other in the file."""
    pair_types, views = config.pair_types, config.views
    hashes = np.concatenate([np.empty((0, len(views)), dtype=np.uint64), *(part.hashes for part in parts)])
    groups = np.concatenate([np.empty(0, dtype=np.uint64), *(part.groups for part in parts)])
    left_out = {
        name: dict.fromkeys((*REASONS.values(), *[NOT_SHARED] * config.shared_rows), 0) for name in config.pairs
    }
    streams, starts = [], {}
    start = 0
    for part in parts:
        starts[part.name] = start
        is_shared = _is_shared(part, pair_types) if config.shared_rows else np.ones(len(part.verdicts), dtype=bool)
        for number, pair_type in enumerate(pair_types[: len(config.pairs)]):
            if pair_type.rows != part.kind:
                continue
            verdicts = part.verdicts[:, number]
            for verdict, reason in REASONS.items():
                left_out[pair_type.name][reason] += int((verdicts == verdict).sum())
            usable = verdicts == USABLE
            if config.shared_rows:
                left_out[pair_type.name][NOT_SHARED] += int((usable & ~is_shared).sum())
            rows = (start + np.flatnonzero(usable & is_shared)).astype(np.int32)
            if len(rows):
                query, document = views.index(pair_type.query), views.index(pair_type.document)
                streams.append(Stream(f"{part.name}/{pair_type.name}", query, document, rows, hashes, groups))
        start += len(part.verdicts)
    return Corpus(tuple(streams), views, start, left_out, starts)


def _is_shared(part: _Part, pair_types: Sequence[PairType]) -> NDArray[np.bool_]:
    """(rows,) of which every modality makes a pair; rows of functions are shared by all."""
    if part.kind != "questions":
        return np.ones(len(part.verdicts), dtype=bool)
    place = {pair_type.name: number for number, pair_type in enumerate(pair_types)}
    usable = part.verdicts == USABLE
    makes = [usable[:, [place[name] for name in names]].any(axis=1) for names in MODALITIES.values()]
    return np.asarray(np.all(makes, axis=0))
