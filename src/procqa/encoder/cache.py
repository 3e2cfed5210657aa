"""Vectors on disk, found by the digest of their text, so that no text is encoded twice.

A folder holds one sub-folder for each encoder, its settings and the side that a text is on, and in it pairs of
files that only grow: ``N.digests``, 16 bytes a text, and ``N.vectors``, its vector. Vectors are made durable before
their digests: what a kill cuts short has no digest, and is cut off by the next process that adds. A process adds to
a pair that no other holds, so any number of them may share a folder. Source: ours, docs/decisions/0020.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.config import Backend
from procqa.encoder.encode import TEXTS_AT_ONCE, Side
from procqa.encoder.model import Encoder, find_encoder, open_encoder
from procqa.encoder.precision import Precision
from procqa.errors import ArtifactError
from procqa.files import write_durably
from procqa.manifest import MANIFEST

DIGEST_BYTES = 16
_DIGEST = np.dtype(f"S{DIGEST_BYTES}")
_VECTOR = np.dtype("<f4")
_SETTINGS_FILES = ("*.json", "*.txt", "*.model")


def text_digest(text: str) -> bytes:
    """The 16 bytes by which a text is known."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True)
class _Pair:
    """The pair of files that this process adds to."""

    path: Path
    digests: FileIO
    vectors: FileIO


class VectorCache:
    """The vectors of one encoder, settings and side; close it.

    Memory: 28 bytes for each text that it holds.

    Args:
        folder: of all encoders.
        key: what a vector depends on besides its text.
        dimensions: D, the size of a vector.

    Raises:
        ArtifactError: the folder cannot be read or written.
    """

    def __init__(self, folder: Path, key: Mapping[str, str | int], *, dimensions: int) -> None:
        described = json.dumps({**key, "dimensions": dimensions}, sort_keys=True)
        self._folder = folder / hashlib.sha256(described.encode()).hexdigest()[:32]
        self._dimensions = dimensions
        self._growing: _Pair | None = None
        self._added: dict[bytes, int] = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not (self._folder / "key.json").is_file():
                write_durably(self._folder / "key.json", described + "\n")
            self._pairs = sorted(self._folder.glob("*.digests"))
            parts = [self._read_digests(path) for path in self._pairs]
        except OSError as error:
            raise self._refusal(error) from error
        held = np.concatenate([np.empty(0, dtype=_DIGEST), *parts])
        self._digests, places = np.unique(held, return_index=True)
        sizes = np.array([len(part) for part in parts], dtype=np.int64)
        starts = np.cumsum(sizes) - sizes
        self._pair_of = (np.searchsorted(starts, places, side="right") - 1).astype(np.int32)
        self._row_of = places - starts[self._pair_of]

    def _read_digests(self, path: Path) -> NDArray[np.bytes_]:
        """(n,) the digests of a pair, as far as their vectors are there too."""
        digests = path.read_bytes()  # first: vectors are written before digests
        vectors = _vectors_of(path)
        size = vectors.stat().st_size if vectors.is_file() else 0
        rows = min(len(digests) // DIGEST_BYTES, size // self._row_bytes)
        return np.frombuffer(digests[: rows * DIGEST_BYTES], dtype=_DIGEST)

    @property
    def _row_bytes(self) -> int:
        return self._dimensions * _VECTOR.itemsize

    def __len__(self) -> int:
        """Texts whose vectors are there."""
        return len(self._digests) + len(self._added)

    def find(self, digests: Sequence[bytes]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The vectors (n, D) of some texts, and which of them (n,) are there; the others are zeros."""
        vectors = np.zeros((len(digests), self._dimensions), dtype=np.float32)
        is_there = np.zeros(len(digests), dtype=np.bool_)
        try:
            if len(self._digests) and digests:
                wanted = np.frombuffer(b"".join(digests), dtype=_DIGEST)
                at = np.minimum(np.searchsorted(self._digests, wanted), len(self._digests) - 1)
                is_there = self._digests[at] == wanted
                for pair in np.unique(self._pair_of[at[is_there]]).tolist():
                    places = np.flatnonzero(is_there & (self._pair_of[at] == pair))
                    vectors[places] = self._read_vectors(self._pairs[pair], self._row_of[at[places]])
            added = [place for place, digest in enumerate(digests) if digest in self._added]
            if added:
                rows = np.array([self._added[digests[place]] for place in added], dtype=np.int64)
                assert self._growing is not None
                vectors[added] = self._read_vectors(self._growing.path, rows)
                is_there[added] = True
        except OSError as error:
            raise self._refusal(error) from error
        return vectors, is_there

    def _read_vectors(self, path: Path, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        vectors = _vectors_of(path)
        whole = vectors.stat().st_size // self._row_bytes  # a kill may have cut the last one short
        held = np.memmap(vectors, dtype=_VECTOR, mode="r", shape=(whole, self._dimensions))
        return np.asarray(held[rows], dtype=np.float32)

    def add(self, digests: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Keep the vectors (n, D) of some texts, durably.

        Raises:
            ArtifactError: the folder takes no more.
        """
        try:
            if self._growing is None:
                self._growing = self._take_pair()
            growing = self._growing
            first = growing.digests.seek(0, os.SEEK_END) // DIGEST_BYTES
            for stream, data in (
                (growing.vectors, np.ascontiguousarray(vectors, dtype=_VECTOR).tobytes()),
                (growing.digests, b"".join(digests)),
            ):
                stream.seek(0, os.SEEK_END)
                left = memoryview(data)
                while left:
                    left = left[stream.write(left) :]
                os.fsync(stream.fileno())
        except OSError as error:
            raise self._refusal(error) from error
        self._added.update(zip(digests, range(first, first + len(digests)), strict=True))

    def _take_pair(self) -> _Pair:
        """A pair that no living process adds to, without what a kill cut short."""
        for number in count():
            path = self._folder / f"{number:04d}.digests"
            digests = _open_unbuffered(path)
            try:
                fcntl.flock(digests, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                digests.close()
                continue
            vectors = _open_unbuffered(_vectors_of(path))
            rows = min(digests.seek(0, os.SEEK_END) // DIGEST_BYTES, vectors.seek(0, os.SEEK_END) // self._row_bytes)
            digests.truncate(rows * DIGEST_BYTES)
            vectors.truncate(rows * self._row_bytes)
            return _Pair(path, digests, vectors)
        raise AssertionError("numbers do not end")

    def _refusal(self, error: OSError) -> ArtifactError:
        return ArtifactError(f"the cache {self._folder} must be readable and writable: {error.strerror or error}")

    def close(self) -> None:
        """Let another process add to the files."""
        if self._growing is not None:
            self._growing.vectors.close()
            self._growing.digests.close()


def _open_unbuffered(path: Path) -> FileIO:
    """A file to read and to add to. What it does not take fails at once, and not again when it is closed."""
    return FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")


def _vectors_of(digests: Path) -> Path:
    return digests.with_suffix(".vectors")


class CachedEncoder:
    """An encoder that keeps its vectors in a folder; close it, or use it in a ``with`` block.

    A text's vector is that of the first time it was encoded. A transformer's depends, in its last bits, on the texts
    that it was padded with then; a static encoder's does not.

    Args:
        encoder: makes the vectors that are not there.
        folder: of the cache.
        settings: what a vector depends on that the encoder does not tell: ``settings_sha256`` as "settings".
    """

    def __init__(self, encoder: Encoder, folder: Path, settings: Mapping[str, str | int]) -> None:
        self._encoder = encoder
        key = {
            **settings,
            "revision": encoder.revision,
            "max_tokens": encoder.max_tokens,
            "arithmetic": encoder.arithmetic,
        }
        sides: tuple[Side, ...] = ("query", "document")
        self._caches = {
            side: VectorCache(folder, {**key, "side": side}, dimensions=encoder.dimensions) for side in sides
        }

    @property
    def name(self) -> str:
        """As the user gave it."""
        return self._encoder.name

    @property
    def revision(self) -> str:
        """The sha256 of the weights."""
        return self._encoder.revision

    @property
    def dimensions(self) -> int:
        """D, the size of a vector."""
        return self._encoder.dimensions

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of each text."""
        return self._encoder.max_tokens

    @property
    def arithmetic(self) -> str:
        """What computes the vectors and in which numbers."""
        return self._encoder.arithmetic

    @property
    def fusion_weight(self) -> float:
        """In [0, 1], of its cosines beside words in a hybrid ranking."""
        return self._encoder.fusion_weight

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        return self._look_up(self._caches["query"], self._encoder.encode_queries, texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        return self._look_up(self._caches["document"], self._encoder.encode_documents, texts)

    def _look_up(
        self, cache: VectorCache, encode: Callable[[Sequence[str]], NDArray[np.float32]], texts: Sequence[str]
    ) -> NDArray[np.float32]:
        digests = [text_digest(text) for text in texts]
        vectors, is_there = cache.find(digests)
        if is_there.all():
            return vectors
        # Each text once, and as many at a time as are made durable together.
        missing = {digests[place]: place for place in np.flatnonzero(~is_there)[::-1].tolist()}
        places = sorted(missing.values())
        for start in range(0, len(places), TEXTS_AT_ONCE):
            block = places[start : start + TEXTS_AT_ONCE]
            cache.add([digests[place] for place in block], encode([texts[place] for place in block]))
        vectors, is_there = cache.find(digests)
        assert is_there.all()
        return vectors

    def __enter__(self) -> "CachedEncoder":
        """The encoder, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the cache."""
        self.close()

    def close(self) -> None:
        """Let another process add to the files."""
        for cache in self._caches.values():
            cache.close()


def open_cached(
    name: str, folder: Path, *, max_tokens: int = 128, precision: Precision = "auto", backend: Backend = "auto"
) -> CachedEncoder:
    """The encoder of a name (see ``open_encoder``) with a cache of its vectors.

    Raises:
        ArtifactError: there is no such encoder, it is broken, or the cache cannot be read or written.
        MissingExtra: the encoder needs a package that is not installed.
    """
    encoder = open_encoder(name, max_tokens=max_tokens, precision=precision, backend=backend)
    return CachedEncoder(encoder, folder, {"settings": settings_sha256(find_encoder(name))})


def settings_sha256(folder: Path) -> str:
    """The sha256 of what an encoder folder holds besides weights: tokenizer, pooling, prompts.

    Raises:
        ArtifactError: a file cannot be read.
    """
    paths = {path for pattern in _SETTINGS_FILES for path in folder.rglob(pattern) if path.name != MANIFEST}
    sha256 = hashlib.sha256()
    try:
        for path in sorted(paths):
            data = path.read_bytes()
            sha256.update(f"{path.relative_to(folder).as_posix()} {len(data)}\n".encode())
            sha256.update(data)
    except OSError as error:
        raise ArtifactError(f"the files of {folder.name} must be readable: {error.strerror}") from error
    return sha256.hexdigest()
