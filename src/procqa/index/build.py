"""Builds an index: a complete new generation beside the live one, then one rename of the manifest.

INDEX/manifest.json names the live INDEX/SHA12/ (the head of its sha256), which holds documents/, filters/,
lexical/, and, where there is an encoder, dense/ and a copy of it. Readers keep the generation that they
opened; the old one goes when the new one stands. Source: ours, docs/decisions/0007.
"""

import json
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from procqa.artifact import (
    MANIFEST,
    Input,
    Manifest,
    as_json,
    describe_files,
    digest_files,
    digest_input,
    is_artifact,
    load_manifest,
    refuse_overlap,
)
from procqa.errors import ArtifactError, ProcqaError
from procqa.files import sync_folder, sync_tree, write_durably
from procqa.index.dense import VectorFile, write_dense
from procqa.index.documents import Documents, Source, document_text, write_documents
from procqa.index.filters import write_columns
from procqa.index.lexical import BOOSTS, write_lexical
from procqa.journal import append_log
from procqa.lock import lock
from procqa.records import Document

TEXT_FORMAT = "title + blank line + answer"
NOT_COPIED = (".*", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack", "*.onnx", "*.ot", "training.jsonl")
"""What an encoder folder may hold and a search never reads; pickles are among it."""

GRAPHS = ("openvino_model.bin", "model.onnx")
"""What looks like it and is an exported encoder's own, in the folder itself."""

GENERATION = re.compile(r"[0-9a-f]{12}")

Report = Callable[[str, int], None]
"""Told of the progress: a stage's name, and how many documents it has done."""


class DocumentEncoder(Protocol):
    """What an index needs of an encoder."""

    @property
    def name(self) -> str:
        """As the user gave it."""
        ...

    @property
    def revision(self) -> str:
        """The sha256 of its weights."""
        ...

    @property
    def dimensions(self) -> int:
        """D, the size of a vector."""
        ...

    @property
    def fusion_weight(self) -> float:
        """In [0, 1], of its cosines beside words."""
        ...

    @property
    def arithmetic(self) -> str:
        """What computes the vectors and in which numbers."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSummary:
    """What an index holds.

    Args:
        repeated: documents whose id came again later, and so are not served.
        skipped: what the sources could not use, by reason.
        encoder: the name of the encoder; None where the index is lexical.
    """

    documents: int
    repeated: int
    skipped: dict[str, int]
    languages: dict[str, int]
    encoder: str | None
    dump_date: str | None
    sha256: str
    out: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be built, and the origin that a manifest compares."""

    sources: tuple[Source, ...]
    inputs: tuple[Input, ...]
    recipe: dict[str, Any]
    encoder: DocumentEncoder | None
    encoder_folder: Path | None


def build_index(
    sources: Sequence[Path],
    out: Path,
    *,
    encoder: DocumentEncoder | None,
    encoder_folder: Path | None = None,
    force: bool = False,
    report: Report = lambda *_: None,
) -> IndexSummary:
    """Make datasets and folders of source code searchable, or update an index to them.

    The same sources and encoder again: nothing is redone. A run that was killed takes its vectors up.
    Memory: a batch of rows and vectors, the ids, and the vectors of the largest language.

    Args:
        encoder: makes the vectors; None makes an index of words only.
        encoder_folder: where its files lie; they are copied into the index, and a search needs them for
            every mode but lexical.
        force: replace a folder of ours that is no index of this format version.

    Raises:
        ArtifactError: a source cannot be read, ``out`` is not ours or of another kind, or the disk refuses.
    """
    refuse_overlap(out, [*sources, *([encoder_folder] if encoder_folder else [])])
    opened = tuple(Source(path) for path in sources)
    inputs = tuple(source.origin for source in opened)
    if encoder_folder is not None and is_artifact(encoder_folder):
        inputs += (digest_input(encoder_folder),)
    plan = _Plan(opened, inputs, _recipe(encoder), encoder, encoder_folder)
    live = _live_manifest(out, force=force)
    if live is not None and live.recipe.get("encoder") and encoder is None and not force:
        kept = live.recipe["encoder"]["name"]
        raise ArtifactError(f"{out} has the vectors of {kept}: name an --encoder again, or --force words alone")
    if live is None or not _is_done(plan, out, live) or _strays(out, live):
        with lock(out):
            # Asked again: another process may have been here first.
            live = _live_manifest(out, force=force)
            if live is None or not _is_done(plan, out, live):
                live = _build(plan, out, in_place=live is not None, report=report)
            _remove_strays(out, live)
    counts = {name: live.counts[name] for name in ("documents", "repeated", "skipped", "languages", "dump_date")}
    name = None if encoder is None else live.recipe["encoder"]["name"]
    return IndexSummary(**counts, encoder=name, sha256=live.sha256, out=str(out))


WORDS_ONLY = "none"
"""The name of no encoder."""


def kept_encoder(out: Path) -> str | None:
    """The name of the encoder whose vectors an index holds, WORDS_ONLY among them; None where there is no index."""
    if not is_artifact(out):
        return None
    encoder = load_manifest(out).recipe.get("encoder")
    return encoder["name"] if encoder else WORDS_ONLY


def _recipe(encoder: DocumentEncoder | None) -> dict[str, Any]:
    described = None
    if encoder is not None:
        name = Path(encoder.name).name if Path(encoder.name).exists() else encoder.name
        described = {
            "name": name,
            "revision": encoder.revision,
            "dimensions": encoder.dimensions,
            "fusion_weight": encoder.fusion_weight,
            "arithmetic": encoder.arithmetic,
        }
    recipe: dict[str, Any] = as_json({"boosts": BOOSTS, "text": TEXT_FORMAT, "encoder": described})
    return recipe


def generation_folder(index: Path, manifest: Manifest) -> Path:
    """The live generation that an index's manifest names."""
    return index / manifest.sha256[:12]


def _live_manifest(out: Path, *, force: bool) -> Manifest | None:
    """The manifest of the index that stands at ``out``; None if there is none, or a forced one to replace.

    Raises:
        ArtifactError: ``out`` is not ours, or ours but no index of this version and not forced.
    """
    if not out.exists() and not out.is_symlink():
        return None
    if not is_artifact(out) and not any(out.glob("*/lexical/meta.json")):
        raise ArtifactError(f"{out} exists and is no procqa folder, so it is left alone: give another --out")
    try:
        return load_manifest(out, kind="index")
    except ArtifactError as error:
        if force:
            return None
        raise ArtifactError(f"{error}; to replace it, give --force") from error


def _is_done(plan: _Plan, out: Path, manifest: Manifest) -> bool:
    """Whether the index is what is asked for, and every file that it names is there with its size."""
    if not manifest.same_origin("index", plan.recipe, plan.inputs):
        return False
    for name, entry in manifest.files.items():
        path = out / name
        if not path.is_file() or path.stat().st_size != entry["size"]:
            return False
    return True


def _build(plan: _Plan, out: Path, *, in_place: bool, report: Report) -> Manifest:
    started = time.time()
    with _partial(out, plan) as partial:
        folder = partial / "generation"
        folder.mkdir()
        counts = _fill(plan, folder, partial, report)
        files = describe_files(folder)
        sha256 = digest_files(files)
        manifest = Manifest(
            kind="index",
            sha256=sha256,
            inputs=plan.inputs,
            recipe=plan.recipe,
            counts=as_json(counts),
            files={f"{sha256[:12]}/{name}": entry for name, entry in files.items()},
        )
        sync_tree(folder)
        if in_place:
            _swap_generation(folder, out, manifest)
        else:
            _place_index(folder, out, manifest)
    append_log(out, {"started_s": started, "seconds": time.time() - started, "path": str(out.resolve())})
    return manifest


@contextmanager
def _partial(out: Path, plan: _Plan) -> Iterator[Path]:
    """The folder to work in: removed at the end and after a reasoned failure, kept after a kill.

    Only the vectors of a killed run of the same origin are taken up; the rest is quick.
    """
    partial = out.parent / f".{out.name}.partial"
    origin = json.dumps(as_json({"recipe": plan.recipe, "inputs": [asdict(entry) for entry in plan.inputs]}))
    try:
        marker = partial / "origin.json"
        if not marker.is_file() or marker.read_bytes() != origin.encode():
            if partial.exists():
                shutil.rmtree(partial)
            partial.mkdir()
            write_durably(marker, origin)
        for name in ("generation", "index", "old"):
            if (partial / name).exists():
                shutil.rmtree(partial / name)
        yield partial
    except ProcqaError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ArtifactError(f"{out} could not be written: {error.strerror or error}") from error
    shutil.rmtree(partial, ignore_errors=True)


def _fill(plan: _Plan, folder: Path, partial: Path, report: Report) -> dict[str, Any]:
    """Write a generation's files; its counts."""
    skipped: Counter[str] = Counter()
    rows = [0] * len(plan.sources)
    repeated = write_documents(_read(plan.sources, rows, skipped, report), folder / "documents")
    documents = Documents(folder / "documents")
    try:
        if len(documents) == 0:
            names = ", ".join(str(source.path) for source in plan.sources)
            raise ArtifactError(f"the sources must hold at least one document, but {names} hold none")
        of_source = [(source.name, given) for source, given in zip(plan.sources, rows, strict=True)]
        write_columns(documents, of_source, folder / "filters")
        languages: Counter[str] = Counter()
        write_lexical(_fields(documents, languages, report), folder / "lexical")
        if plan.encoder is not None:
            _write_vectors(documents, plan.encoder, folder / "dense", partial / "vectors.f32", report)
        if plan.encoder is not None and plan.encoder_folder is not None:
            shutil.copytree(plan.encoder_folder, folder / "encoder", ignore=_not_copied)
        dates = [source.dump_date for source in plan.sources if source.dump_date is not None]
        return {
            "documents": len(documents),
            "repeated": repeated,
            "skipped": dict(sorted(skipped.items())),
            "languages": dict(sorted(languages.items())),
            "dump_date": max(dates, default=None),
        }
    finally:
        documents.close()


def _not_copied(folder: str, names: list[str]) -> set[str]:
    """The files of an encoder folder that are left out of an index."""
    is_graph = "graph.json" in names
    return shutil.ignore_patterns(*NOT_COPIED)(folder, names) - (set(GRAPHS) if is_graph else set())


def _read(sources: Sequence[Source], rows: list[int], skipped: Counter[str], report: Report) -> Iterator[Document]:
    """The documents of all sources; ``rows`` is told how many each has given."""
    done = 0
    for place, source in enumerate(sources):
        for document in source.read(lambda reason: skipped.update((reason,))):
            yield document
            rows[place] += 1
            done += 1
            if done % 1_000 == 0:
                report("documents", done)


def _fields(documents: Documents, languages: Counter[str], report: Report) -> Iterator[tuple[int, str, dict[str, str]]]:
    done = 0
    for positions, columns in documents.scan(["language", *BOOSTS]):
        languages.update(columns["language"])
        for row, position in enumerate(positions.tolist()):
            yield position, columns["language"][row], {name: columns[name][row] for name in BOOSTS}
        done += len(positions)
        report("words", done)


def _write_vectors(documents: Documents, encoder: DocumentEncoder, folder: Path, scratch: Path, report: Report) -> None:
    positions: list[NDArray[np.int64]] = []
    languages: list[str] = []

    def texts() -> Iterator[list[str]]:
        for of_batch, columns in documents.scan(["language", "title", "answer"]):
            yield [document_text(*pair) for pair in zip(columns["title"], columns["answer"], strict=True)]
            positions.append(of_batch)
            languages.extend(map(sys.intern, columns["language"]))
            report("vectors", len(languages))

    vectors = VectorFile(scratch, encoder.dimensions).fill(texts(), encoder.encode_documents)
    write_dense(vectors, np.concatenate(positions), languages, folder)


def _manifest_text(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n"


def _place_index(folder: Path, out: Path, manifest: Manifest) -> None:
    """Put a whole new index in its place; a folder of ours that stands there was forced away."""
    new = folder.parent / "index"
    new.mkdir()
    folder.rename(generation_folder(new, manifest))
    write_durably(new / MANIFEST, _manifest_text(manifest))
    old = folder.parent / "old"
    if out.exists():
        out.rename(old)
    new.rename(out)
    sync_folder(out.parent)


def _swap_generation(folder: Path, out: Path, manifest: Manifest) -> None:
    """Add a generation to an index, and make the manifest name it."""
    folder.rename(generation_folder(out, manifest))
    sync_folder(out)
    write_durably(out / MANIFEST, _manifest_text(manifest))


def _strays(out: Path, manifest: Manifest) -> list[Path]:
    """What a killed run left in an index: other generations, and a manifest that was never renamed."""
    live = generation_folder(out, manifest).name
    others = [path for path in out.iterdir() if GENERATION.fullmatch(path.name) and path.name != live]
    return others + list(out.glob(f".{MANIFEST}.new"))


def _remove_strays(out: Path, manifest: Manifest) -> None:
    for path in _strays(out, manifest):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
