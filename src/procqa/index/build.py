"""Builds an index, or updates it: what did not change is taken from the live generation, the rest is made.

A generation holds documents/, filters/, lexical/ with words.arrow, and, where there is an encoder, dense/ and a copy
of it. Source: ours, docs/decisions/0025.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from procqa.artifact import digest_input, refuse_inside, refuse_overlap, stamp_of
from procqa.config import IndexConfig
from procqa.errors import ArtifactError
from procqa.files import place_of_output
from procqa.index.chunks import Cut, ReadPart, cut_document
from procqa.index.filling import Filling, fill
from procqa.index.generations import (
    Report,
    find_strays,
    generation_folder,
    is_whole,
    live_manifest,
    partial_folder,
    publish,
    remove_strays,
)
from procqa.index.lexical import BOOSTS
from procqa.index.previous import Previous
from procqa.index.sources import Source
from procqa.index.stamps import load_stamps, place_of, write_stamps
from procqa.index.vectors import DocumentEncoder
from procqa.journal import append_log
from procqa.lock import lock
from procqa.manifest import Input, Manifest, as_json, is_artifact, load_manifest

DEFAULTS = IndexConfig()

READING = 2
"""Of what is read of a source and counts as a word; another number makes an update do both anew."""

TEXT_FORMAT = "title + blank line + answer; of code its documentation before it"


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
    cut: Cut


def build_index(
    sources: Sequence[Path],
    out: Path,
    *,
    encoder: DocumentEncoder | None,
    encoder_folder: Path | None = None,
    read_part: ReadPart | None = None,
    config: IndexConfig = DEFAULTS,
    force: bool = False,
    report: Report = lambda *_: None,
) -> IndexSummary:
    """Make datasets and folders of source code searchable, or update an index to them.

    The same sources and encoder again: nothing is redone. After a change only what is new is read, cut into words and
    encoded, and the index is that of a new build. A run that was killed takes its vectors up.
    Memory: a batch of rows and vectors, the ids, and the vectors of the largest language.

    Args:
        encoder: makes the vectors; None makes an index of words only.
        encoder_folder: where its files lie; they are copied into the index, and a search needs them for
            every mode but lexical.
        read_part: which part of a text the encoder reads; a longer document has several vectors. None gives each one.
        force: replace a folder of ours that is no index of this format version.

    Raises:
        ArtifactError: a source cannot be read, ``out`` is not ours or of another kind, or the disk refuses.
        DumpError: a folder in a source cannot be listed.
        MissingExtra: a source is a folder of source code, and the extra ``code`` is not installed.
    """
    out = place_of_output(out)
    refuse_inside(out)
    refuse_overlap(out, [*sources, *([encoder_folder] if encoder_folder else [])])
    stamps = load_stamps(out)
    opened = tuple(Source(path, stamps.get(place_of(path))) for path in sources)
    inputs = tuple(source.origin for source in opened)
    if encoder_folder is not None and is_artifact(encoder_folder):
        inputs += (digest_input(encoder_folder),)
    chunks = 1 if read_part is None or encoder is None else config.chunks
    cut: Cut = partial(cut_document, read_part=read_part or str, most=chunks)
    plan = _Plan(opened, inputs, _recipe(encoder, replace(config, chunks=chunks)), encoder, encoder_folder, cut)
    live = live_manifest(out, force=force)
    if live is not None and live.recipe.get("encoder") and encoder is None and not force:
        kept = live.recipe["encoder"]["name"]
        raise ArtifactError(f"{out} has the vectors of {kept}: name an --encoder again, or --force words alone")
    if live is None or not _is_done(plan, out, live) or find_strays(out, live):
        with lock(out):
            # Asked again: another process may have been here first.
            live = live_manifest(out, force=force)
            if live is None or not _is_done(plan, out, live):
                live = _build(plan, out, live, report)
            remove_strays(out, live)
    write_stamps(out, [(source.path, source.stamps) for source in opened])
    counts = {name: live.counts[name] for name in ("documents", "repeated", "skipped", "languages", "dump_date")}
    name = None if encoder is None else live.recipe["encoder"]["name"]
    return IndexSummary(**counts, encoder=name, sha256=live.sha256, out=str(out))


WORDS_ONLY = "none"
"""The name of no encoder."""


def kept_encoder(out: Path) -> str | None:
    """The name of the encoder whose vectors an index holds, WORDS_ONLY among them; None where there is no index."""
    if not is_artifact(out) or load_manifest(out).kind != "index":
        return None
    encoder = load_manifest(out).recipe.get("encoder")
    return encoder["name"] if encoder else WORDS_ONLY


def kept_arithmetic(out: Path, encoder: DocumentEncoder) -> str | None:
    """What computed the vectors of this encoder that an index holds; None where it holds none of it."""
    if not is_artifact(out):
        return None
    kept = load_manifest(out).recipe.get("encoder")
    return kept.get("arithmetic") if kept and kept.get("revision") == encoder.revision else None


def _recipe(encoder: DocumentEncoder | None, config: IndexConfig) -> dict[str, Any]:
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
    what = {"reading": READING, "boosts": BOOSTS, "text": TEXT_FORMAT, "encoder": described}
    recipe: dict[str, Any] = as_json({**what, **asdict(config)})
    return recipe


def _is_done(plan: _Plan, out: Path, manifest: Manifest) -> bool:
    """Whether the index is what is asked for, and every file that it names is there with its size."""
    return manifest.same_origin("index", plan.recipe, plan.inputs) and is_whole(out, manifest)


def _build(plan: _Plan, out: Path, live: Manifest | None, report: Report) -> Manifest:
    started, before = time.time(), stamp_of(out)
    with partial_folder(out, plan.recipe, plan.inputs) as scratch:
        folder = scratch / "generation"
        folder.mkdir()
        with _open_previous(plan, out, live) as previous:
            filling = Filling(plan.sources, previous, scratch, plan.cut, plan.recipe["exact_vectors"], report)
            counts = fill(folder, filling, plan.encoder, plan.encoder_folder)
        report("publish", 0)
        manifest = publish(folder, out, (plan.recipe, plan.inputs), counts, before=before, in_place=live is not None)
    entry = {"started_s": started, "seconds": time.time() - started, "path": str(out.resolve())}
    append_log(out, {**entry, **filling.done})
    return manifest


@contextlib.contextmanager
def _open_previous(plan: _Plan, out: Path, live: Manifest | None) -> Iterator[Previous | None]:
    """The live generation, to take from; None where there is none, or it is not as it was made."""
    previous = None
    if live is not None and is_whole(out, live):
        with contextlib.suppress(ArtifactError):
            previous = Previous(generation_folder(out, live), live, plan.recipe)
    try:
        yield previous
    finally:
        if previous is not None:
            previous.close()
