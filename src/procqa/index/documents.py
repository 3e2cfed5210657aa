"""The documents of an index: from datasets and folders of code to rows that are read by position.

Documents lie uncompressed in one Arrow file, which is mapped and not loaded, in the order they were
read. Their *positions* are the order of their ids: both indexes speak in positions, so a tie by
position is a tie by id. A document without attribution cannot be made here.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from procqa.artifact import MANIFEST, Input, is_artifact, load_manifest
from procqa.corpora.records import SkippedFile
from procqa.corpora.source_tree import read_pairs
from procqa.corpora.sources import digest_source
from procqa.dataset.schema import read_rows
from procqa.errors import ArtifactError
from procqa.records import Attribution, CodePlace, Document, Dropped, Pair

ROWS_FILE = "rows.arrow"
ORDER_FILE = "order.npy"
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


class Source:
    """Something to index: a dataset, or a folder of source code.

    Args:
        path: the folder as the user gave it.

    Raises:
        ArtifactError: the path is no folder, or an artifact of another kind.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise ArtifactError(f"{path} must be a dataset or a folder of source code, but there is no such folder")
        self.path = path
        # A dataset whose manifest is broken must not pass for a folder of source code.
        is_dataset = is_artifact(path) or ((path / MANIFEST).is_file() and (path / "data").is_dir())
        self.manifest = load_manifest(path, kind="dataset") if is_dataset else None

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.resolve().name

    @property
    def origin(self) -> Input:
        """The name, size and digest of the data: what a dataset states, or that of the source files of a tree."""
        return digest_source(self.path)

    @property
    def dump_date(self) -> str | None:
        """The newest date in the dump behind a dataset; None where there is none."""
        return None if self.manifest is None else self.manifest.counts.get("dump_date")

    def read(self, on_skip: Callable[[str], object]) -> Iterator[Document]:
        """The documents in the order of the source, lazily.

        Args:
            on_skip: is told the reason for every function and file that is no document.

        Raises:
            ArtifactError: a row cannot be read, or does not say who wrote it.
        """
        if self.manifest is not None:
            yield from (row_document(row, self.path) for row in read_rows(self.path))
            return

        def skip_file(file: SkippedFile) -> None:
            on_skip(f"file: {file.reason}")

        for item in read_pairs(self.path, on_skip=skip_file):
            if isinstance(item, Dropped):
                on_skip(item.reason)
            else:
                yield pair_document(item.pair)


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
    place = code_place(row)
    try:
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
    match = re.fullmatch(r"(?![A-Za-z][A-Za-z0-9+.-]*://)(.+)#L(\d+)", row["answer_url"] or "", re.DOTALL)
    return CodePlace(path=match[1], line=int(match[2]), symbol=row["title"]) if match else None


def document_text(title: str, answer: str) -> str:
    """What an encoder reads of a document. Source: ours, docs/decisions/0007."""
    return f"{title}\n\n{answer}"


def write_documents(documents: Iterable[Document], folder: Path) -> int:
    """Write documents, and their order by id, into a new folder; of a repeated id the last one counts.

    Memory: one batch of rows, and the ids.

    Returns:
        How many documents were repeated, and so are not served.
    """
    folder.mkdir()
    ids: list[pa.Array] = []
    with pa.OSFile(str(folder / ROWS_FILE), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for rows in _batches(documents):
            batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
            writer.write_batch(batch)
            ids.append(batch.column("id"))
    names = pa.chunked_array(ids, pa.string())
    order = pc.sort_indices(names).to_numpy(zero_copy_only=False).astype(np.int64)
    kept = _last_of_each(names, order)
    np.save(folder / ORDER_FILE, order[kept])
    return len(order) - int(kept.sum())


def _batches(documents: Iterable[Document]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for document in documents:
        rows.append(_columns(document))
        if len(rows) == BATCH_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


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
        while low < high:
            middle = (low + high) // 2
            if self._row(middle, ["id"])["id"].encode() < id.encode():
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
