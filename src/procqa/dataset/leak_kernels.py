"""The compiled inner loops of decontamination: keys of token runs, tables of keys, and the search in a pair.

``search`` names candidates and nothing more: whatever it passes on is checked on the texts themselves, and it
passes on everything that a rule could name. Source: ours, docs/decisions/0009.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from procqa.dataset.tokens import compiled, mix, scan

GRAM_TOKENS = 13
"""Tokens of the long run that two texts share. Source: ours, docs/decisions/0009."""

RUN, GRAM, NEAR = 0, 1, 2
"""What a candidate is: an item's run of tokens stands here, a long run of it does, a field holds most of it."""

NO_PLACE = -1
_P = np.uint64(0x9E3779B97F4A7C15)
_P13 = np.uint64(pow(0x9E3779B97F4A7C15, GRAM_TOKENS, 1 << 64))
_ONE, _TWO = np.uint64(0xA0761D6478BD642F), np.uint64(0xE7037ED1A0B428DB)
_ZERO, _U1, _U6, _U12, _U63 = np.uint64(0), np.uint64(1), np.uint64(6), np.uint64(12), np.uint64(63)


class Table(NamedTuple):
    """Postings by 64-bit key.

    Args:
        keys: (k,) uint64, sorted; a key may stand several times.
        items: (k,) int32.
        places: (k,) int32, the token of the item at which the key's tokens begin; NO_PLACE in a near-duplicate's.
        directory: (2^b + 1,) int32, where the keys of each value of the highest b bits begin.
        shift: (1,) uint64, 64 − b.
        bitmap: (2^w,) uint64, in one word two bits for each key, which say no to nearly all other keys.
    """

    keys: NDArray[np.uint64]
    items: NDArray[np.int32]
    places: NDArray[np.int32]
    directory: NDArray[np.int32]
    shift: NDArray[np.uint64]
    bitmap: NDArray[np.uint64]


class Items(NamedTuple):
    """The benchmark texts as tokens.

    Args:
        tokens: (t,) uint64, the tokens of all items.
        bounds: (m + 1,) int64, where the tokens of each item begin.
        runs: (m, 2) int32, first token and length of the run that is looked for: without the first and last token
            where these may stand in longer words, else all tokens, which must be all of a field or code block.
        edges: (m, 2) uint8, the last byte of the token before the run and the first of that behind it.
        triples: (s,) uint64, the keys of the different runs of three tokens of each item, sorted.
        triple_bounds: (m + 1,) int64, where those of each item begin.
    """

    tokens: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    runs: NDArray[np.int32]
    edges: NDArray[np.uint8]
    triples: NDArray[np.uint64]
    triple_bounds: NDArray[np.int64]


@compiled
def run_key(hashes: Any, i: int, size: int) -> Any:
    """The key of one, two or three tokens."""
    if size == 1:
        return mix(hashes[i] ^ _ONE)
    if size == 2:
        return mix((hashes[i] * _P + hashes[i + 1]) ^ _TWO)
    return mix((hashes[i] * _P + hashes[i + 1]) * _P + hashes[i + 2])


@compiled
def run_keys(hashes: Any) -> Any:
    """(n − 2,) uint64: the keys of all runs of three tokens."""
    keys = np.empty(max(len(hashes) - 2, 0), np.uint64)
    for i in range(len(keys)):
        keys[i] = run_key(hashes, i, 3)
    return keys


@compiled
def gram_keys(hashes: Any) -> Any:
    """(n − 12,) uint64: the keys of all runs of 13 tokens."""
    keys = np.empty(max(len(hashes) - GRAM_TOKENS + 1, 0), np.uint64)
    rolling = _ZERO
    for i in range(len(hashes)):
        rolling = rolling * _P + hashes[i]
        if i >= GRAM_TOKENS:
            rolling -= hashes[i - GRAM_TOKENS] * _P13
        if i >= GRAM_TOKENS - 1:
            keys[i - GRAM_TOKENS + 1] = mix(rolling)
    return keys


@compiled
def count_telling(hashes: Any, telling: Any) -> Any:
    """(n − 12,) int64: the different telling tokens in each run of 13."""
    counts = np.zeros(max(len(hashes) - GRAM_TOKENS + 1, 0), np.int64)
    for i in range(len(counts)):
        for j in range(i, i + GRAM_TOKENS):
            is_new = telling[j]
            for k in range(i, j):
                if hashes[k] == hashes[j]:
                    is_new = False
            counts[i] += is_new
    return counts


@compiled
def tell(raw: Any, starts: Any, ends: Any) -> Any:
    """(n,) bool: whether a token has at least two bytes, one of them no digit."""
    telling = np.zeros(len(starts), np.bool_)
    for i in range(len(starts)):
        if ends[i] - starts[i] > 1:
            for k in range(starts[i], ends[i]):
                if raw[k] < 48 or raw[k] > 57:
                    telling[i] = True
    return telling


@compiled
def may_hold(table: Any, key: Any) -> bool:
    """False where a table does not hold a key, with few exceptions."""
    bits = (_U1 << (key & _U63)) | (_U1 << ((key >> _U6) & _U63))
    word = table.bitmap[(key >> _U12) & np.uint64(len(table.bitmap) - 1)]
    return bool(word & bits == bits)


@compiled
def find_key(table: Any, key: Any) -> Any:
    """The first posting of a key, and the end of its directory entry."""
    bucket = key >> table.shift[0]
    low, high = np.int64(table.directory[bucket]), np.int64(table.directory[bucket + _U1])
    while low < high and table.keys[low] < key:
        low += 1
    return low, high


@compiled
def _may_be_unit(text: Any, start: int, end: int, field_start: int, field_end: int) -> bool:
    """Whether tokens may be all of a field, or of a code block: a line begins and a fence or the field ends there."""
    raw, _, _, starts, ends = text
    if start < field_start or end > field_end:
        return False
    begins, stops = start == field_start, end == field_end
    if not begins:
        for k in range(ends[start - 1], starts[start]):
            begins = begins or raw[k] == 10
    if not stops:
        for k in range(ends[end - 1], starts[end] - 2):
            stops = stops or ((raw[k] == 96 or raw[k] == 126) and raw[k] == raw[k + 1] and raw[k] == raw[k + 2])
    return begins and stops


@compiled
def _stands_at(items: Any, item: int, text: Any, start: int, field_start: int, field_end: int) -> bool:
    """Whether the run of an item begins at a token, and may be a unit where it has to be one."""
    raw, folded, hashes, starts, ends = text
    first, length = items.bounds[item] + items.runs[item, 0], items.runs[item, 1]
    is_inner = items.runs[item, 0]
    if start < is_inner or start + length + is_inner > len(hashes):
        return False
    if not is_inner and not _may_be_unit(text, start, start + length, field_start, field_end):
        return False
    if is_inner:
        before, behind = folded[raw[ends[start - 1] - 1]], folded[raw[starts[start + length]]]
        if before != items.edges[item, 0] or behind != items.edges[item, 1]:
            return False
    same = 0
    while same < length and items.tokens[first + same] == hashes[start + same]:
        same += 1
    return bool(same == length)


@compiled
def _to_set(keys: Any) -> Any:
    """Keys in open addressing; an empty place holds 0."""
    size = 8
    while size < 2 * len(keys):
        size *= 2
    places = np.zeros(size, np.uint64)
    for key in keys:
        place = key & np.uint64(size - 1)
        while places[place] != _ZERO and places[place] != key:
            place = (place + _U1) & np.uint64(size - 1)
        places[place] = key
    return places


@compiled
def _holds_most(items: Any, item: int, places: Any) -> bool:
    """Whether at least four fifths of the triples of an item are in a set."""
    first, end = items.triple_bounds[item], items.triple_bounds[item + 1]
    misses_left = (end - first) // 5
    mask = np.uint64(len(places) - 1)
    for k in range(first, end):
        key = items.triples[k]
        place = key & mask
        while places[place] != _ZERO and places[place] != key:
            place = (place + _U1) & mask
        if places[place] != key:
            misses_left -= 1
            if misses_left < 0:
                return False
    return True


@compiled
def _append(found: Any, count: int, pair: int, kind: int, item: int, place: int) -> Any:
    """``found`` with a row more, moved to a place of twice the size where it is full."""
    if count == len(found):
        grown = np.empty((2 * count, 4), np.int64)
        grown[:count] = found
        found = grown
    found[count, 0], found[count, 1], found[count, 2], found[count, 3] = pair, kind, item, place
    return found


@compiled
def _first_at(starts: Any, offset: int) -> int:
    """The first token that starts at a byte or behind it."""
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if starts[middle] < offset:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _probe(hashes: Any, anchors: Any, sizes: Any) -> Any:
    """The places of runs that stand in a table, four times each and their size added."""
    hits = np.empty(3 * len(hashes), np.int64)
    count = 0
    for i in range(len(hashes)):
        for size in range(1, 4):
            if sizes[size] and i + size <= len(hashes):
                hits[count] = 4 * i + size
                count += may_hold(anchors, run_key(hashes, i, size))
    return hits[:count]


@compiled
def _find_runs(text: Any, borders: Any, items: Any, anchors: Any, sizes: Any, found: Any, count: int, pair: int) -> Any:
    """``found`` with the candidates of the kinds RUN and NEAR, in the order of their places, and how many it holds."""
    field = 0
    hashes, keys, bounds = text[2], anchors.keys, items.triple_bounds
    for hit in _probe(hashes, anchors, sizes):
        i = hit // 4
        while i >= borders[field + 1]:
            field += 1
        key = run_key(hashes, i, hit % 4)
        low, high = find_key(anchors, key)
        while low < high and keys[low] == key:
            item, place = anchors.items[low], anchors.places[low]
            low += 1
            if place == NO_PLACE:
                n_triples = bounds[item + 1] - bounds[item]
                if 5 * (borders[field + 1] - borders[field] - 2) >= 4 * n_triples:
                    found = _append(found, count, pair, NEAR, item, field)
                    count += 1
            elif _stands_at(items, item, text, i - place, borders[field], borders[field + 1]):
                found = _append(found, count, pair, RUN, item, i - place)
                count += 1
    return found, count


@compiled
def _keep_near(hashes: Any, borders: Any, items: Any, found: Any, first: int, count: int) -> int:
    """Leave out the candidates of the kind NEAR, from a row on, whose field does not hold most of the item."""
    kept, of_field = first, -1
    places = np.zeros(8, np.uint64)
    for row in range(first, count):
        if found[row, 1] == NEAR:
            field = found[row, 3]
            if field != of_field:
                places = _to_set(run_keys(hashes[borders[field] : borders[field + 1]]))
                of_field = field
            if not _holds_most(items, found[row, 2], places):
                continue
        found[kept] = found[row]
        kept += 1
    return kept


@compiled
def _find_gram(hashes: Any, borders: Any, grams: Any) -> Any:
    """The lowest item that shares 13 tokens in a row with a field, and the first token where; −1 for none."""
    best, place = -1, 0
    for field in range(len(borders) - 1):
        keys = gram_keys(hashes[borders[field] : borders[field + 1]])
        for i in range(len(keys)):
            if not may_hold(grams, keys[i]):
                continue
            low, high = find_key(grams, keys[i])
            if low < high and grams.keys[low] == keys[i] and (best < 0 or grams.items[low] < best):
                best, place = grams.items[low], borders[field] + i
    return best, place


@compiled
def search(raw: Any, tables: Any, lengths: Any, items: Any, anchors: Any, grams: Any) -> Any:
    """(c, 4) int64: pair, kind, item, and the first token (RUN, GRAM) or the field (NEAR) of each candidate.

    Many pairs in one call: to hand over the arrays takes as long as to search some 300 bytes.

    Args:
        raw: the bytes of title, question and answer of each pair with a blank between all of them (``tokens.encode``).
        tables: ``tokens.FOLDED``, ``tokens.IS_WORD`` and (4,) bool, whether runs of one, two and three tokens
            stand in ``anchors``.
        lengths: (3n,) int64, bytes of title, question and answer of each pair.
        anchors: a rare run of at most three tokens of each item that is looked for as a whole, and as many of
            each longer item that no near-duplicate lacks them all.
        grams: the telling runs of 13 tokens, each with its first item.
    """
    found = np.empty((16, 4), np.int64)
    count, start = 0, 0
    for pair in range(len(lengths) // 3):
        of_title, of_question, of_answer = lengths[3 * pair], lengths[3 * pair + 1], lengths[3 * pair + 2]
        before_answer = of_title + 1 + of_question
        end = start + before_answer + 1 + of_answer
        hashes, starts, token_ends = scan(raw[start:end], tables[0], tables[1])
        borders = np.array([0, _first_at(starts, of_title), _first_at(starts, before_answer), len(hashes)])
        text = (raw[start:end], tables[0], hashes, starts, token_ends)
        first = count
        found, count = _find_runs(text, borders, items, anchors, tables[2], found, count, pair)
        count = _keep_near(hashes, borders, items, found, first, count)
        item, place = _find_gram(hashes, borders, grams)
        if item >= 0:
            found = _append(found, count, pair, GRAM, item, place)
            count += 1
        start = end + 1
    return found[:count].copy()
