"""Benchmark texts → arrays that find their candidates in a pair, kept beside the texts and memory-mapped.

Built once a build, in seconds, before the workers start; each of them maps the same files. Memory while it is
built: some 150 bytes a token of the benchmarks. Source: ours, docs/decisions/0009.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from procqa.dataset.leak_kernels import (
    GRAM_TOKENS,
    NO_PLACE,
    Items,
    Table,
    count_telling,
    gram_keys,
    run_key,
    run_keys,
    search,
    tell,
)
from procqa.dataset.leak_rules import LEAST_SIMILAR_TOKENS, TELLING_TOKENS
from procqa.dataset.tokens import FOLDED, IS_WORD, encode, lower, read_tokens

COMMON_GRAM_TEXTS = 10
"""A run of 13 tokens in as many benchmark texts is boilerplate. Source: ours, docs/decisions/0009."""

_BITS_A_KEY = 16
_NEVER = np.iinfo(np.int64).max

Postings = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]
"""Keys, items and places."""


@dataclass(frozen=True, slots=True)
class LeakIndex:
    """The arrays of one file of kept texts.

    Args:
        offsets: (m,) int64, where the line of each item begins.
        sizes: (4,) bool, whether ``anchors`` holds runs of one, two and three tokens.
        items: see ``leak_kernels``, as are ``anchors`` and ``grams``.
    """

    offsets: NDArray[np.int64]
    sizes: NDArray[np.bool_]
    items: Items
    anchors: Table
    grams: Table

    def search(self, pairs: Sequence[tuple[str, str, str]]) -> NDArray[np.int64]:
        """(c, 4) int64: the candidates in pairs of title, question and answer; see ``leak_kernels.search``."""
        fields = [encode(text) for pair in pairs for text in pair]
        lengths = np.array([len(field) for field in fields], np.int64)
        raw = np.frombuffer(b" ".join(fields), np.uint8)
        tables = FOLDED, IS_WORD, self.sizes
        found: NDArray[np.int64] = search(raw, tables, lengths, self.items, self.anchors, self.grams)
        return found


class _Read(NamedTuple):
    """The different texts of a file, one after the other."""

    offsets: NDArray[np.int64]  # (m,)
    is_whole: NDArray[np.bool_]  # (m,) compared only as a whole
    bounds: NDArray[np.int64]  # (m + 1,)
    tokens: NDArray[np.uint64]  # (t,)
    is_telling: NDArray[np.bool_]  # (t,)
    edges: NDArray[np.uint8]  # (m, 2) see Items

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(m,) tokens of each text."""
        return np.diff(self.bounds)

    def places_of_runs(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens at which a run of some tokens begins that does not reach into the next text, and their texts."""
        items = np.repeat(np.arange(len(self.lengths)), self.lengths)
        places = np.arange(len(self.tokens))
        inside = places + size <= self.bounds[items + 1]
        return places[inside], items[inside]


def build_index(texts: Path, folder: Path) -> None:
    """Write the arrays of a file of kept texts; of texts that differ in case alone the first counts.

    Args:
        texts: a JSON object a line, with ``text`` and ``whole``.
        folder: made where it is not there.
    """
    folder.mkdir(exist_ok=True)
    read = _read_texts(texts)
    runs = np.stack([np.where(read.is_whole, 0, 1), read.lengths - np.where(read.is_whole, 0, 2)], axis=1)
    places, of_item = read.places_of_runs(3)
    distinct, name = np.unique(run_keys(read.tokens)[places], return_inverse=True)
    near, triples, triple_bounds = _similar(read, distinct, name, of_item)
    frequency = np.full(len(read.tokens), _NEVER)
    frequency[places] = np.bincount(name, minlength=len(distinct))[name]
    anchors = _anchor(read, runs, frequency)
    sizes = np.isin(np.arange(4), np.minimum(runs[:, 1], 3)) | (np.arange(4) == 3)
    np.save(folder / "offsets.npy", read.offsets)
    np.save(folder / "sizes.npy", sizes)
    _save(folder, "items", Items(read.tokens, read.bounds, runs.astype(np.int32), read.edges, triples, triple_bounds))
    keys, named, begins = (np.concatenate(parts) for parts in zip(anchors, near, strict=True))
    _save(folder, "anchors", _to_table(keys.astype(np.uint64), named.astype(np.int64), begins.astype(np.int64)))
    _save(folder, "grams", _to_table(*_telling_grams(read)))


def open_index(folder: Path) -> LeakIndex:
    """The arrays of a folder, memory-mapped."""
    items = Items(*(_map(folder, f"items.{name}") for name in Items._fields))
    anchors = Table(*(_map(folder, f"anchors.{name}") for name in Table._fields))
    grams = Table(*(_map(folder, f"grams.{name}") for name in Table._fields))
    return LeakIndex(_map(folder, "offsets"), _map(folder, "sizes"), items, anchors, grams)


def _read_texts(texts: Path) -> _Read:
    offsets, is_whole, edges = [], [], []
    hashes, telling = [np.empty(0, np.uint64)], [np.empty(0, np.bool_)]
    seen: set[int] = set()
    offset = 0
    with texts.open("rb") as stream:
        for line in stream:
            row = json.loads(line)
            folded = hash(lower(row["text"].strip()))
            if folded not in seen:
                seen.add(folded)
                tokens = read_tokens(row["text"])
                offsets.append(offset)
                is_whole.append(row["whole"])
                hashes.append(tokens.hashes)
                raw = np.frombuffer(tokens.data, np.uint8)
                edges.append(FOLDED[raw[[tokens.ends[0] - 1, tokens.starts[-1]]]])
                telling.append(tell(raw, tokens.starts, tokens.ends))
            offset += len(line)
    bounds = np.cumsum([len(some) for some in hashes])
    return _Read(
        np.array(offsets, np.int64),
        np.array(is_whole, np.bool_),
        bounds,
        np.concatenate(hashes),
        np.concatenate(telling),
        np.array(edges, np.uint8).reshape(-1, 2),
    )


def _similar(
    read: _Read, distinct: NDArray[np.uint64], name: NDArray[np.int64], of_item: NDArray[np.int64]
) -> tuple[Postings, NDArray[np.uint64], NDArray[np.int64]]:
    """The rarest triples of each text that can have near-duplicates, its whole set, and where each set begins.

    A text with a similarity of .8 lacks at most a fifth of the set, so it has one of any fifth and one more.

    Args:
        distinct: (d,) all keys of three tokens, sorted.
        name: (r,) the place in ``distinct`` of each run.
        of_item: (r,) the text of each run.
    """
    long = read.lengths[of_item] >= LEAST_SIMILAR_TOKENS
    pairs = np.unique(of_item[long] * len(distinct) + name[long])
    item, triple = pairs // max(len(distinct), 1), pairs % max(len(distinct), 1)
    bounds = np.searchsorted(item, np.arange(len(read.lengths) + 1))
    common = np.bincount(triple, minlength=len(distinct))
    rarest_first = np.lexsort((triple, common[triple], item))
    rank = np.arange(len(item)) - bounds[item]
    chosen = rarest_first[rank <= np.diff(bounds)[item] // 5]
    no_place = np.full(len(chosen), NO_PLACE)
    return (distinct[triple[chosen]], item[chosen], no_place), distinct[triple], bounds


def _anchor(read: _Read, runs: NDArray[np.int64], frequency: NDArray[np.int64]) -> Postings:
    """The rarest run of three tokens within each text's own run; all of a run that is shorter."""
    keys = np.empty(len(runs), np.uint64)
    places = np.empty(len(runs), np.int64)
    for item, (first, length) in enumerate(runs.tolist()):
        begin = int(read.bounds[item])
        size = min(length, 3)
        places[item] = first
        if size == 3:
            places[item] += frequency[begin + first : begin + first + length - 2].argmin()
        keys[item] = run_key(read.tokens, begin + int(places[item]), size)
    return keys, np.arange(len(runs)), places - runs[:, 0]


def _telling_grams(read: _Read) -> Postings:
    """The runs of 13 tokens that are neither idiom nor boilerplate, each with the first text that has it."""
    places, items = read.places_of_runs(GRAM_TOKENS)
    tells = count_telling(read.tokens, read.is_telling)[places] >= TELLING_TOKENS
    keys, items = gram_keys(read.tokens)[places[tells]], items[tells]
    order = np.lexsort((items, keys))
    keys, items = keys[order], items[order]
    once = np.ones(len(keys), np.bool_)
    once[1:] = (keys[1:] != keys[:-1]) | (items[1:] != items[:-1])
    keys, items = keys[once], items[once]
    distinct, first, n_texts = np.unique(keys, return_index=True, return_counts=True)
    rare = n_texts < COMMON_GRAM_TEXTS
    return distinct[rare], items[first[rare]], np.zeros(int(rare.sum()), np.int64)


def _to_table(keys: NDArray[np.uint64], items: NDArray[np.int64], places: NDArray[np.int64]) -> Table:
    order = np.lexsort((places, items, keys))
    keys = keys[order]
    bits = max(len(keys) - 1, 1).bit_length()
    borders = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    directory = np.append(np.searchsorted(keys, borders), len(keys)).astype(np.int32)
    bitmap = np.zeros(max((_BITS_A_KEY << bits) // 64, 1), np.uint64)
    one, low = np.uint64(1), np.uint64(63)
    two = (one << (keys & low)) | (one << (keys >> np.uint64(6) & low))
    np.bitwise_or.at(bitmap, keys >> np.uint64(12) & np.uint64(len(bitmap) - 1), two)
    shift = np.array([64 - bits], np.uint64)
    return Table(keys, items[order].astype(np.int32), places[order].astype(np.int32), directory, shift, bitmap)


def _save(folder: Path, name: str, arrays: Items | Table) -> None:
    for field, array in arrays._asdict().items():
        np.save(folder / f"{name}.{field}.npy", array)


def _map(folder: Path, name: str) -> NDArray[Any]:
    path = folder / f"{name}.npy"
    # A page or less is read; either way the array is read-only, so that one compiled kernel serves all.
    array = np.asarray(np.load(path, mmap_mode="r" if path.stat().st_size > 4_096 else None))
    array.flags.writeable = False
    return array
