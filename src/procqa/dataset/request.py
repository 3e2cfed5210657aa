"""What is asked of a build, what it answers, and the file of what it left out."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from procqa.config import BuildConfig, RunConfig
from procqa.errors import ArtifactError
from procqa.manifest import Manifest, is_artifact

Report = Callable[[str, int], None]
"""Hears of progress: the stage, and how many of its tasks are done."""


def no_report(_stage: str, _done: int) -> None:
    """Tell nobody of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What to build, and where.

    Args:
        dumps: paths of dumps, or "-" for standard input.
        benchmarks: published benchmark files whose texts must not stand in the dataset.
        rejects: a file for every row and question that was left out, as JSON lines.
        since: an older dataset of the same recipe to take from what did not change.
        force: replace an ``out`` that another recipe made.
    """

    dumps: tuple[str, ...]
    out: Path
    config: BuildConfig = field(default_factory=BuildConfig)
    run: RunConfig = field(default_factory=RunConfig)
    benchmarks: tuple[Path, ...] = ()
    rejects: Path | None = None
    since: Path | None = None
    force: bool = False


def check_rejects(request: BuildRequest, read: Iterable[Path]) -> None:
    """Refuse a rejects file that could not be written or must not be, before hours of work.

    Args:
        read: every file and folder that the build reads.

    Raises:
        ArtifactError: its folder cannot be written, it is no plain file, lies inside ``out``, or is an input.
    """
    rejects = request.rejects
    if rejects is None:
        return
    place = Path(os.path.realpath(rejects))
    out = Path(os.path.realpath(request.out))
    if not place.parent.is_dir() or (place.exists() and not place.is_file()) or out in place.parents:
        raise ArtifactError(f"{rejects} must be a file in a folder that exists, outside {request.out}")
    taken = [Path(os.path.realpath(path)) for path in read]
    beside = [out.with_name(out.name + ending) for ending in (".log.jsonl", ".changes.jsonl", ".redactions.jsonl")]
    if place in (*taken, *beside) or any(
        path in place.parents for path in taken if path.is_dir() and is_artifact(path)
    ):
        raise ArtifactError(
            f"{rejects} must be a file of its own, but the build reads or writes it: give another --rejects"
        )
    try:
        new = _new_rejects(rejects)
        new.touch()
        new.unlink()
    except OSError as error:
        raise ArtifactError(f"{rejects} could not be written: {error.strerror or error}") from error


def _new_rejects(rejects: Path) -> Path:
    return rejects.with_name(f".{rejects.name}.new")


def check_beside(request: BuildRequest) -> None:
    """Refuse to put a state or a map where something of the user's own stands.

    Raises:
        ArtifactError: there is a folder or a file of that name that no build wrote.
    """
    state = request.out.with_name(f"{request.out.name}.state")
    strangers = [state] if state.exists() and not (state / "state.json").is_file() else []
    if not is_artifact(request.out) and not (state / "state.json").is_file():
        files = [request.out.with_name(f"{request.out.name}.{name}.jsonl") for name in ("changes", "redactions")]
        strangers += [file for file in files if file.exists()]
    if strangers:
        raise ArtifactError(
            f"{strangers[0]} is in the way of what a build puts beside {request.out}: give another --out"
        )


def write_rejects(request: BuildRequest, sources: Iterable[Path]) -> None:
    """Write every unreadable row and dropped question to the file that the user named.

    Args:
        sources: their lines, in order.

    Raises:
        ArtifactError: it cannot be written.
    """
    if request.rejects is None:
        return
    new = _new_rejects(request.rejects)
    try:
        join_files(new, sources)
        new.replace(request.rejects)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ArtifactError(f"{request.rejects} could not be written: {error.strerror or error}") from error


def join_files(out: Path, sources: Iterable[Path]) -> None:
    """One file with the bytes of several."""
    with out.open("wb") as sink:
        for source in sources:
            with source.open("rb") as stream:
                shutil.copyfileobj(stream, sink)


def summarise(out: Path, manifest: Manifest, cost: dict[str, Any] | None) -> dict[str, Any]:
    """The object of ``procqa build --json``.

    Args:
        cost: what the log beside the folder tells of the run that made it.
    """
    counts = {name: value for name, value in manifest.counts.items() if name != "dump_date"}
    of_run = cost or {}
    summary = {
        **counts,
        "sha256": manifest.sha256,
        "dump_date": manifest.counts["dump_date"],
        "seconds": of_run.get("seconds"),
        "peak_memory_bytes": of_run.get("peak_memory_bytes"),
        "out": os.fspath(out),
    }
    # What is told of some runs only: of suspicious rows, and of an older dataset that was gone on from.
    return summary | {name: of_run[name] for name in ("warnings", "incremental") if of_run.get(name)}
