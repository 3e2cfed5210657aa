"""What one task asks, what it searches in and what is right; and where the files of a task are found.

The files lie as published, plain or gzipped, in the benchmark's own folder or in a root that holds it. What
is absent is one sentence that says which file to put where. Nothing is fetched.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from procqa.corpora.families import Family
from procqa.corpora.files import kind_of, plain_name, sha256_content
from procqa.corpora.layouts.recognise import recognise
from procqa.errors import BenchmarkError


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a question besides its text.

    Args:
        tags: in their order.
        year: in which it was asked; None where unknown.
        score: of its votes; None where unknown.
    """

    tags: tuple[str, ...] = ()
    year: int | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What one task asks, what it searches in, and what is right.

    Args:
        name: the task, such as ``codenn:csharp``.
        language: of the documents; None where the data does not say.
        queries: text by id; every query has a relevant document.
        documents: text by id, in the published order. No id holds white space.
        qrels: grade by document id, by query id; above 0 is relevant. Document ids may be outside
            ``documents`` where a publisher judged what it does not ship.
        source: what the data is, with its digest, for the report.
        licence: of the data.
        digest: sha256 of what was read: see ``digest_contents``, or that of the dataset.
        excludes_itself: a query is itself a document, of the same id, and is left out of its own ranking.
        measure: the metric by which its publisher ranks systems, a key of ``Result.metrics``.
        candidates: how many documents a query is ranked among in the publisher's other protocol, its own and those of
            its neighbours in the published order; 0 where there is none.
        groups: what a query shares with others, by query id: the task that programs solve, the problem. Such queries
            are not independent of each other, and intervals draw whole groups. One that is not named stands alone.
        facts: about queries, by id, where the data has them.
        document_languages: by document id, where a collection holds several languages.
    """

    name: str
    language: str | None
    queries: dict[str, str]
    documents: dict[str, str]
    qrels: dict[str, dict[str, int]]
    source: str
    licence: str
    digest: str = ""
    excludes_itself: bool = False
    measure: str = "mrr@1000"
    candidates: int = 0
    groups: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    document_languages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Texts:
    """Queries, documents, judgements, groups of queries and languages of documents; see ``Collection``."""

    queries: dict[str, str]
    documents: dict[str, str]
    qrels: dict[str, dict[str, int]]
    groups: Mapping[str, str] = field(default_factory=dict)
    document_languages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A task that is to be loaded, and where its files may lie.

    Args:
        part: what stands behind the colon of its name; empty where nothing does.
        roots: folders that hold the folders of benchmarks, or such a folder itself, in the order they are tried.
    """

    family: Family
    part: str
    roots: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The name of the task."""
        return f"{self.family.name}:{self.part}" if self.part else self.family.name

    def find(self, *names: str, is_right: Callable[[Path], bool] | None = None) -> list[Path]:
        """The published files of these names, plain or gzipped, all below one folder.

        Raises:
            BenchmarkError: there is no such folder, or it lacks one of the files.
        """
        folder = self.folder(names[0], is_right=is_right)
        if folder is None:
            raise self.absent(names[0])
        return [self._file(folder, name, names[0]) for name in names]

    def folder(self, name: str, *, is_right: Callable[[Path], bool] | None = None) -> Path | None:
        """The first folder that holds a file of this name: the benchmark's own below a root, or a root itself.

        Args:
            is_right: whether a file in a root itself is this benchmark's, where others have files of the same name.
        """
        for root in self.roots:
            if present(root / self.family.folder, name) is not None:
                return root / self.family.folder
            file = present(root, name)
            if file is not None and (is_right is None or is_right(file)):
                return root
        return None

    def absent(self, *names: str) -> BenchmarkError:
        """The sentence that says which file, or which instead of it, must be put where."""
        files = " or ".join(f"{self.family.folder}/{name}" for name in names)
        where = " or ".join(str(root) for root in self.roots) or "a folder named by --data"
        return BenchmarkError(f"{self.family.name} needs {files} below {where}: put the published file there")

    def _file(self, folder: Path, name: str, first: str) -> Path:
        file = present(folder, name)
        if file is None:
            raise BenchmarkError(
                f"{self.family.name} needs {folder / name} beside {Path(first).name}: put the published file there"
            )
        return file

    def collect(
        self,
        files: Sequence[Path],
        texts: Texts,
        *,
        language: str | None,
        excludes_itself: bool = False,
        source: str | None = None,
        licence: str | None = None,
    ) -> Collection:
        """The collection of these texts, with what the family says of its data unless it is said here.

        Raises:
            BenchmarkError: no query has a right document.
        """
        if not texts.queries:
            raise BenchmarkError(f"{files[0]} must hold a query with a right document for {self.name}, but holds none")
        digest = digest_contents(files)
        return Collection(
            name=self.name,
            language=language,
            queries=texts.queries,
            documents=texts.documents,
            qrels=texts.qrels,
            source=f"{source or self.family.source}, sha256 {digest}",
            licence=licence or self.family.licence,
            digest=digest,
            excludes_itself=excludes_itself,
            measure=self.family.measure,
            candidates=self.family.candidates,
            groups=texts.groups,
            document_languages=texts.document_languages,
        )


def present(folder: Path, name: str) -> Path | None:
    """The file of a name, plain or gzipped, in a folder."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if kind_of(path) == "file"), None)


def is_of(benchmark: str) -> Callable[[Path], bool]:
    """A test whether a file is in the layout of a benchmark."""

    def is_right(path: Path) -> bool:
        found = recognise(path)
        return found is not None and found[0] == benchmark

    return is_right


def require_held(part: str, held: Iterable[str], where: Path) -> None:
    """Raise BenchmarkError unless a part is among those that are held."""
    names = sorted(set(held))
    if part not in names:
        raise BenchmarkError(f"{where} must hold {part!r}, but holds {', '.join(names) or 'nothing'}: ask for those")


def by_id(texts: Iterable[tuple[str, str | None]], file: Path) -> dict[str, str]:
    """The texts of a file by id, in order.

    Raises:
        BenchmarkError: an id stands twice.
    """
    found: dict[str, str] = {}
    for name, text in texts:
        if name in found:
            raise BenchmarkError(
                f"{file} must hold every id once, but holds {name} twice: put the published file there"
            )
        found[name] = text or ""
    return found


def ids_of_equal(texts: dict[str, str]) -> dict[str, list[str]]:
    """The ids of each text."""
    found: dict[str, list[str]] = {}
    for name, text in texts.items():
        found.setdefault(text, []).append(name)
    return found


def digest_contents(files: Sequence[Path]) -> str:
    """The sha256 of a file's content; of several, that of their sorted ``name sha256`` lines.

    A gzipped copy counts as what is in it, under its plain name, so that it has the digest of the plain file.
    """
    digests = [sha256_content(file, BenchmarkError) for file in files]
    if len(files) == 1:
        return digests[0]
    lines = sorted(f"{plain_name(file)} {digest}\n" for file, digest in zip(files, digests, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
