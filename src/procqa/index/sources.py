"""What goes into an index: datasets, and folders of one's own code with their documents.

A source falls into units, the smallest parts that are read as a whole: a dataset, or one file of a folder. A unit
whose key an index already knows need not be read again.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from procqa.artifact import digest_input
from procqa.corpora.files import kind_of, mend
from procqa.corpora.project import Project, ProjectFile, open_project, project_input, read_project_file
from procqa.dataset.schema import read_rows
from procqa.errors import ArtifactError
from procqa.index.documents import pair_document, row_document
from procqa.index.stamps import Stamp, digest_project
from procqa.manifest import MANIFEST, Input, is_artifact, load_manifest
from procqa.records import Document

OnSkip = Callable[[str], object]
"""Is told the reason for each file that gives no document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A part of a source that is read as a whole.

    Args:
        key: digest of everything that its documents depend on.
        place: of a file, its path in its folder; "" is a dataset.
        sha256: of the dataset, or of the file's bytes.
        read: its documents, lazily; raises ArtifactError where a row cannot be read or does not say who wrote it.
    """

    key: str
    place: str
    sha256: str
    read: Callable[[OnSkip], Iterator[Document]]


class Source:
    """Something to index: a dataset, or a folder of source code.

    Args:
        path: the folder as the user gave it.
        known: the stamps of its files when they were last read, by place; a file that still has its own is not read.

    Raises:
        ArtifactError: the path is no folder, an artifact of another kind, or a file in it cannot be read.
        DumpError: a folder in it cannot be listed.
        MissingExtra: it is a folder of source code, and the extra ``code`` is not installed.
    """

    def __init__(self, path: Path, known: Mapping[str, Stamp] | None = None) -> None:
        if kind_of(path) != "folder":
            raise ArtifactError(f"{path} must be a dataset or a folder of source code, but there is no such folder")
        self.path = path
        self.name = mend(path.resolve().name)
        # A dataset whose manifest is broken must not pass for a folder of source code, nor an extension of a browser,
        # which has a manifest.json of its own, for a dataset.
        looks_like_one = kind_of(path / MANIFEST) == "file" and any(path.glob("data/*/*.parquet"))
        is_dataset = looks_like_one or is_artifact(path)
        self.manifest = load_manifest(path, kind="dataset") if is_dataset else None
        self.project = open_project(path) if self.manifest is None else None
        self.stamps = {} if self.project is None else digest_project(path, self.project, known or {})

    @property
    def origin(self) -> Input:
        """The name, size and digest of the data: what a dataset states, or that of the files that are read."""
        if self.project is None:
            return replace(digest_input(self.path), name=self.name)
        return project_input(self.path, {place: (stamp.size, stamp.sha256) for place, stamp in self.stamps.items()})

    @property
    def dump_date(self) -> str | None:
        """The newest date in the dump behind a dataset; None where there is none."""
        return None if self.manifest is None else self.manifest.counts.get("dump_date")

    @property
    def left_out(self) -> tuple[str, ...]:
        """The reason for each file of a folder that is no unit, and for each folder that was not looked into."""
        return () if self.project is None else self.project.left_out

    def units(self) -> Iterator[Unit]:
        """The units in the order in which they are read."""
        if self.manifest is not None:
            sha256 = self.manifest.sha256
            yield Unit(key=sha256, place="", sha256=sha256, read=self._read_dataset)
        elif self.project is not None:
            for file in self.project.files:
                # A file that has no stamp is not read either, and says why.
                stamp = self.stamps.get(file.place)
                yield _file_unit(file, self.project, "" if stamp is None else stamp.sha256)

    def read(self, on_skip: OnSkip) -> Iterator[Document]:
        """The documents of all units, lazily."""
        for unit in self.units():
            yield from unit.read(on_skip)

    def _read_dataset(self, _: OnSkip) -> Iterator[Document]:
        for row in read_rows(self.path):
            yield row_document(row, self.path)


def _file_unit(file: ProjectFile, project: Project, sha256: str) -> Unit:
    origin = project.origin
    fields = (origin.site, origin.author, origin.licence, file.place, sha256)

    def read(on_skip: OnSkip) -> Iterator[Document]:
        return map(pair_document, read_project_file(file, origin, on_skip))

    key = hashlib.sha256("\0".join(fields).encode()).hexdigest()
    return Unit(key=key, place=file.place, sha256=sha256, read=read)
