"""The documents of an index: rows of datasets and functions to rows that are read by position.

Documents lie uncompressed in one Arrow file, which is mapped and not loaded, in the order they were
read. Their *positions* are the order of their ids: both indexes speak in positions, so a tie by
position is a tie by id. A document without attribution cannot be made here.
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.records import Attribution, CodePlace, Document, Pair

ROWS_FILE = "rows.arrow"
ORDER_FILE = "order.npy"
DIGESTS_FILE = "digests.npy"
DIGEST = np.dtype("S16")
BATCH_ROWS = 1_024

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("title", pa.string()),
        ("question", pa.string()),
        ("answer", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("score", pa.int64()),
        ("created_ms", pa.int64()),
        ("question_id", pa.int64()),
        ("answer_id", pa.int64()),
        ("origin", pa.string()),
        ("question_author", pa.string()),
        ("question_author_url", pa.string()),
        ("question_licence", pa.string()),
        ("question_url", pa.string()),
        ("answer_author", pa.string()),
        ("answer_author_url", pa.string()),
        ("answer_licence", pa.string()),
        ("answer_url", pa.string()),
        ("path", pa.string()),
        ("line", pa.int64()),
        ("symbol", pa.string()),
    ]
)
"""Columns of the documents, in order. Source: ours, docs/decisions/0007."""

ATTRIBUTION_FIELDS = tuple(SCHEMA.names[10:19])
TEXT_FIELDS = ["title", "question", "answer"]
PLACE_FIELDS = ("path", "line", "symbol")


def pair_document(pair: Pair) -> Document:
    """The document of a pair.

    Raises:
        ArtifactError: an author, a licence or the origin is missing.
    """
    created = {"question_created": pair.question_created_ms, "answer_created": pair.answer_created_ms}
    return _document({**{name: getattr(pair, name) for name in Pair.__slots__}, **created}, f"site {pair.site}")


def row_document(row: dict[str, Any], folder: Path) -> Document:
    """The document of one row of a dataset.

    Raises:
        ArtifactError: an author, a licence or the origin is missing.
    """
    for name in ("question_created", "answer_created"):
        row[name] = None if row[name] is None else round(row[name].timestamp() * 1_000)
    return _document(row, str(folder))


def _document(row: dict[str, Any], where: str) -> Document:
    if re.fullmatch(r"[\w+#-][\w.+#-]*", row["language"] or "") is None:
        raise ArtifactError(f"every row of {where} must name its language in one word, got {row['language']!r}")
    created = row["answer_created"]
    try:
        place = code_place(row)
        return Document(
            id=document_id(row["site"], row["answer_id"]),
            language=row["language"],
            title=row["title"],
            question=row["question"],
            answer=row["answer"],
            tags=tuple(row["tags"]),
            score=row["answer_score"],
            created_ms=row["question_created"] if created is None else created,
            question_id=row["question_id"],
            answer_id=row["answer_id"],
            attribution=_attribution(row, has_links=place is None),
            place=place,
        )
    except (ValueError, AttributeError) as error:
        raise ArtifactError(
            f"every row of {where} must name its authors and licences, and link to its question where it is of a site, "
            f"but answer {row['answer_id']} does not: build the dataset again"
        ) from error


def _attribution(row: dict[str, Any], *, has_links: bool) -> Attribution:
    fields = {name: row[name] for name in ATTRIBUTION_FIELDS if name != "origin"}
    if not has_links:
        fields |= {"question_url": None, "answer_url": None}
    return Attribution(origin=row["site"], **fields)


def document_id(site: str, answer_id: int) -> str:
    """``SITE:ANSWER_ID``, without white space, so that it fits in a line of a TREC run."""
    return f"{'-'.join(site.split())}:{answer_id}"


def code_place(row: dict[str, Any]) -> CodePlace | None:
    """Where a function stands: its url is ``PATH#LLINE`` without a scheme; None for anything else."""
    match = re.fullmatch(r"(?![A-Za-z][A-Za-z0-9+.-]*://)(.+)#L(\d{1,9})", row["answer_url"] or "", re.DOTALL)
    return CodePlace(path=match[1], line=int(match[2]), symbol=row["title"]) if match else None


def embedded_answer(question: str, answer: str, *, is_code: bool) -> str:
    """What of a document stands behind its title where an encoder reads it: of a function its documentation too.

    A question says what somebody wanted, which the title says as well; documentation says what the code does, and often
    nothing else in it does in words. Source: ours, docs/log.md.
    """
    return f"{question}\n\n{answer}" if is_code and question.strip() else answer


def document_text(title: str, answer: str) -> str:
    """What an encoder reads of a document. Source: ours, docs/decisions/0007."""
    return f"{title}\n\n{answer}"


Rows = tuple[pa.RecordBatch, NDArray[np.bytes_]]
"""Some rows of SCHEMA, and the digest of the text of each."""


def to_rows(documents: Iterable[Document]) -> Iterator[Rows]:
    """The rows of documents, some at a time."""
    waiting: list[dict[str, Any]] = []
    for document in documents:
        waiting.append(_columns(document))
        if len(waiting) == BATCH_ROWS:
            yield _rows_of(waiting)
            waiting = []
    if waiting:
        yield _rows_of(waiting)


def _rows_of(rows: list[dict[str, Any]]) -> Rows:
    digests = [
        text_digest(row["title"], row["question"], row["answer"], is_code=is_code(row["question_id"], row["answer_id"]))
        for row in rows
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA), np.array(digests, dtype=DIGEST)


def is_code(question_id: int, answer_id: int) -> bool:
    """Whether a document is a function or the like: it is its own question, and no question of a dump is."""
    return question_id == answer_id


def text_digest(title: str, question: str, answer: str, *, is_code: bool) -> bytes:
    """The 16 bytes by which the text of a document is known: its words and vectors depend on nothing else."""
    text = f"{is_code} {len(title)} {len(question)} {title}{question}{answer}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST.itemsize).digest()


def write_documents(documents: Iterable[Document], folder: Path) -> int:
    """Write documents into a new folder; see ``write_rows``."""
    return write_rows(to_rows(documents), folder)


def write_rows(rows: Iterable[Rows], folder: Path) -> int:
    """Write rows, and their order by id, into a new folder; of a repeated id the last one counts.

    Memory: one batch of rows, and the ids and digests. The bytes do not depend on how the rows were batched.

    Returns:
        How many documents were repeated, and so are not served.
    """
    folder.mkdir()
    ids: list[pa.Array] = []
    digests = [np.empty(0, dtype=DIGEST)]
    with pa.OSFile(str(folder / ROWS_FILE), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for batch, of_batch in _even(rows):
            # Taken, for a slice is written with other bytes than the same rows by themselves.
            writer.write_batch(batch.take(pa.array(range(batch.num_rows))))
            ids.append(batch.column("id"))
            digests.append(of_batch)
    names = pa.chunked_array(ids, pa.string())
    order = pc.sort_indices(names).to_numpy(zero_copy_only=False).astype(np.int64)
    kept = _last_of_each(names, order)
    np.save(folder / ORDER_FILE, order[kept])
    np.save(folder / DIGESTS_FILE, np.concatenate(digests))
    return len(order) - int(kept.sum())


def _even(rows: Iterable[Rows]) -> Iterator[Rows]:
    """The same rows, BATCH_ROWS of them at a time."""
    waiting: list[Rows] = []
    n_waiting = 0
    for some in rows:
        waiting.append(some)
        n_waiting += len(some[1])
        if n_waiting < BATCH_ROWS:
            continue
        batch, digests = _joined(waiting)
        start = 0
        while n_waiting - start >= BATCH_ROWS:
            yield batch.slice(start, BATCH_ROWS), digests[start : start + BATCH_ROWS]
            start += BATCH_ROWS
        waiting, n_waiting = [(batch.slice(start), digests[start:])], n_waiting - start
    if n_waiting:
        yield _joined(waiting)


def _joined(rows: list[Rows]) -> Rows:
    return pa.concat_batches([batch for batch, _ in rows]), np.concatenate([digests for _, digests in rows])


def _columns(document: Document) -> dict[str, Any]:
    row = {name: getattr(document, name) for name in SCHEMA.names[:10]}
    row |= {name: getattr(document.attribution, name) for name in ATTRIBUTION_FIELDS}
    return row | {name: getattr(document.place, name, None) for name in PLACE_FIELDS}


def _last_of_each(names: pa.ChunkedArray, order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which entries of the order are the last of their id; the sort is stable, so that is the last read."""
    kept = np.ones(len(order), dtype=bool)
    if len(order) > 1:
        ordered = names.take(pa.array(order)).combine_chunks()
        kept[:-1] = pc.not_equal(ordered[:-1], ordered[1:]).to_numpy(zero_copy_only=False)
    return kept


class Documents:
    """The documents of an index by position, and by id; rows are mapped, never loaded whole.

    Safe to use from several threads.

    Raises:
        ArtifactError: a file is missing or broken.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        with ExitStack() as stack:
            try:
                self._order: NDArray[np.int64] = np.load(folder / ORDER_FILE, mmap_mode="r", allow_pickle=False)
                self._digests: NDArray[np.bytes_] = np.load(folder / DIGESTS_FILE, mmap_mode="r", allow_pickle=False)
                self._map = stack.enter_context(pa.memory_map(str(folder / ROWS_FILE)))
                self._rows = stack.enter_context(pa.ipc.open_file(self._map))
                if self._rows.schema != SCHEMA:
                    raise ValueError(f"the columns must be {SCHEMA.names}, got {self._rows.schema.names}")
            except (OSError, EOFError, ValueError, pa.ArrowException) as error:
                raise ArtifactError(f"{folder} holds no readable documents: run procqa index again") from error
            self._files = stack.pop_all()

    def close(self) -> None:
        """Let go of the mapped files."""
        self._files.close()

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._order)

    @property
    def order(self) -> NDArray[np.int64]:
        """(n,) the row of the document at each position, in the order of the file."""
        return self._order

    def digests(self, positions: NDArray[np.int64] | None = None) -> NDArray[np.bytes_]:
        """(n,) the digests of the texts of the documents at some positions; None takes all."""
        return np.asarray(self._digests[self._order if positions is None else self._order[positions]])

    def rows(self, start: int, end: int) -> Iterator[Rows]:
        """The rows [start, end) in the order of the file, with those that are not served."""
        while start < end:
            number, offset = divmod(start, BATCH_ROWS)
            batch = self._rows.get_batch(number).slice(offset, end - start)
            yield batch, np.asarray(self._digests[start : start + batch.num_rows])
            start += batch.num_rows

    def __getitem__(self, position: int) -> Document:
        """The document at a position in the order of ids."""
        row = self._row(position, SCHEMA.names)
        try:
            return to_document(row)
        except ValueError as error:
            raise self._broken() from error

    def find(self, id: str) -> Document | None:  # noqa: A002  # the field's word
        """The document of an id, by binary search; None where there is none."""
        low, high = 0, len(self)
        wanted = id.encode("utf-8", "surrogatepass")  # whatever is asked for
        while low < high:
            middle = (low + high) // 2
            if self._row(middle, ["id"])["id"].encode() < wanted:
                low = middle + 1
            else:
                high = middle
        if low == len(self) or self._row(low, ["id"])["id"] != id:
            return None
        return self[low]

    def holding(self, phrase: str, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of some documents hold a phrase in title, question or answer, in any case and however it is broken.

        Args:
            phrase: words and signs; a blank in it stands for any white space.
            positions: (n,) ascending.

        Returns:
            (m,) ascending.
        """
        pattern = r"\s+".join(map(re.escape, phrase.split()))
        rows = self._order[positions]
        found = []
        for batch in np.unique(rows // BATCH_ROWS):
            mine = np.flatnonzero(rows // BATCH_ROWS == batch)
            with self._lock:
                texts = self._rows.get_batch(int(batch)).select(TEXT_FIELDS).take(pa.array(rows[mine] % BATCH_ROWS))
            holds = [
                pc.match_substring_regex(column, pattern, ignore_case=True).to_numpy(zero_copy_only=False)
                for column in texts.columns
            ]
            found.append(positions[mine[np.logical_or.reduce(holds)]])
        return np.sort(np.concatenate(found)) if found else positions[:0]

    def _row(self, position: int, columns: list[str]) -> dict[str, Any]:
        batch, offset = divmod(int(self._order[position]), BATCH_ROWS)
        try:
            with self._lock:
                row = self._rows.get_batch(batch).select(columns).slice(offset, 1)
            # Arrow trusts a file: damaged offsets would lead it out of the map.
            row.validate(full=True)
            return dict(row.to_pylist()[0])
        except (OSError, ValueError, pa.ArrowException) as error:
            raise self._broken() from error

    def _broken(self) -> ArtifactError:
        return ArtifactError(f"{self.folder / ROWS_FILE} is broken: run procqa verify on the index")

    def scan(self, columns: list[str]) -> Iterator[tuple[NDArray[np.int64], dict[str, list[Any]]]]:
        """Columns of every document in the order of the file, a batch at a time, with their positions."""
        position_of = np.full(self._total_rows(), -1, dtype=np.int64)
        position_of[self._order] = np.arange(len(self))
        for index in range(self._rows.num_record_batches):
            positions = position_of[index * BATCH_ROWS : (index + 1) * BATCH_ROWS]
            live = positions >= 0
            batch = self._rows.get_batch(index).select(columns).filter(pa.array(live))
            yield positions[live], batch.to_pydict()

    def _total_rows(self) -> int:
        batches = self._rows.num_record_batches
        return (batches - 1) * BATCH_ROWS + self._rows.get_batch(batches - 1).num_rows if batches else 0


def to_document(row: dict[str, Any]) -> Document:
    """The document of one row of SCHEMA."""
    fields = {name: row[name] for name in SCHEMA.names[:10]}
    place = None if row["path"] is None else CodePlace(**{name: row[name] for name in PLACE_FIELDS})
    attribution = Attribution(**{name: row[name] for name in ATTRIBUTION_FIELDS})
    return Document(**{**fields, "tags": tuple(row["tags"])}, attribution=attribution, place=place)
