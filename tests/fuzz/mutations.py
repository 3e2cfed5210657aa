"""Bytes that were something real, and were then cut, copied, spliced and salted."""

from collections.abc import Sequence

from hypothesis import strategies as st

POSITIONS = st.floats(0, 1, exclude_max=True)


def mutated(originals: Sequence[bytes], tokens: Sequence[bytes], *, most: int = 4) -> st.SearchStrategy[bytes]:
    """One of the originals after up to ``most`` edits, with tokens that are likely to hurt."""
    one_edit = st.tuples(st.sampled_from(_EDITS), POSITIONS, POSITIONS, st.sampled_from(tokens) | st.binary(max_size=3))
    return st.builds(_edit, one_of(originals), st.lists(one_edit, max_size=most))


def one_of(originals: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of the originals, without all of them in what hypothesis prints."""
    return st.integers(0, len(originals) - 1).map(lambda place: originals[place])


def _edit(data: bytes, edits: Sequence[tuple[str, float, float, bytes]]) -> bytes:
    for kind, first, second, token in edits:
        start, end = sorted((int(first * (len(data) + 1)), int(second * (len(data) + 1))))
        near = min(end, start + 1 + int(second * 12))
        match kind:
            case "insert":
                data = data[:start] + token + data[start:]
            case "replace":
                data = data[:start] + token + data[near:]
            case "delete":
                data = data[:start] + data[near:]
            case "cut":
                data = data[:start] + data[end:]
            case "repeat":
                data = data[:near] + data[start:]
            case "truncate":
                data = data[:end]
            case "flip" if start < len(data):
                data = data[:start] + bytes((data[start] ^ 1 << int(second * 8),)) + data[start + 1 :]
    return data


_EDITS = ("insert", "insert", "replace", "replace", "delete", "delete", "cut", "repeat", "truncate", "flip")
