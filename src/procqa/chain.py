"""Checks an artifact against its manifest, and the chain of its inputs down to the dump."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from procqa.artifact import digest_input
from procqa.errors import ArtifactError
from procqa.manifest import Input, Manifest, describe_files, digest_data, digest_files, is_artifact, load_manifest

Digest = Callable[[Path], Input]
"""The name, size and sha256 of a path, as ``digest_input`` has them."""

_SHA256 = re.compile(r"[0-9a-f]{64}")

Matches = Callable[[Manifest, Path, Input, Digest], bool]
"""Whether a path is the input that a manifest names."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``ok``, ``failed`` or ``not checked``, and why."""

    subject: str
    outcome: str
    detail: str = ""


def verify(folder: Path, inputs: Sequence[Path] = (), *, matches: Matches | None = None) -> list[Check]:
    """Check every file of an artifact, and every input of its chain that is at hand.

    An input is found by its name, else by its content; one that is given and belongs nowhere fails.

    Args:
        inputs: dumps, benchmarks, datasets or other inputs of any artifact of the chain.
        matches: None compares the sha256 of ``digest_input``, which is taken of each path once.

    Raises:
        ArtifactError: the folder is no artifact, or an input is missing or cannot be read.
    """
    for path in inputs:
        if not path.exists():
            raise ArtifactError(f"{path} must be an input of the chain, but there is no such file or folder")
    chain = _Chain(inputs, matches or is_input)
    checks = list(chain.check(folder))
    strangers = [path for path in inputs if path not in chain.used]
    return checks + [Check(f"input {path}", "failed", "no manifest of the chain names it") for path in strangers]


@dataclass(slots=True)
class _Chain:
    """What is at hand, each path digested once, and what of it the chain has named."""

    inputs: Sequence[Path]
    matches: Matches
    used: set[Path] = field(default_factory=set)
    checked: set[Path] = field(default_factory=set)
    digest: Digest = field(default_factory=lambda: lru_cache(maxsize=None)(digest_input))

    def check(self, folder: Path) -> Iterator[Check]:
        """Check an artifact and what it was made from; an artifact that comes again is not looked at twice."""
        if folder.resolve() in self.checked:
            return
        self.checked.add(folder.resolve())
        manifest = load_manifest(folder)
        yield from check_files(folder, manifest)
        yield _check_digest(manifest)
        at_hand = [*self.inputs, *_inside(self.inputs)]
        for entry in manifest.inputs:
            named = [path for path in at_hand if path.resolve().name == entry.name]
            paths = dict.fromkeys([*named, *at_hand])
            found = next((path for path in paths if self.matches(manifest, path, entry, self.digest)), None)
            if found is not None:
                self.used.update((found, found.parent))
                yield Check(f"input {entry.name}", "ok")
                for check in self.check(found) if is_artifact(found) else ():
                    yield replace(check, subject=f"{entry.name}: {check.subject}")
            elif others := [path for path in named if not self._is_another(manifest, path)]:
                self.used.update(others)
                self.used.update(path.parent for path in others)
                yield Check(f"input {entry.name}", "failed", f"{others[0]} differs from the manifest's sha256")
            else:
                yield Check(f"input {entry.name}", "not checked", "it is not at hand: say where with --input")
        yield from self._check_recipe(manifest)

    def _is_another(self, manifest: Manifest, path: Path) -> bool:
        """Whether a path is an input of the manifest: nearly every dump is called Posts.xml."""
        return any(self.matches(manifest, path, entry, self.digest) for entry in manifest.inputs)

    def _check_recipe(self, manifest: Manifest) -> Iterator[Check]:
        """What stands in a recipe by its sha256: a base, a teacher, what an encoder was judged on or made from."""
        stated = set(_digests_in(manifest.recipe))
        for path in self.inputs:
            if path.is_dir() and path not in self.used and not stated.isdisjoint(_known_by(path)):
                self.used.add(path)
                yield Check(f"recipe {path.resolve().name}", "ok")
                for check in self.check(path) if is_artifact(path) else ():
                    yield replace(check, subject=f"{path.resolve().name}: {check.subject}")


def _digests_in(value: Any) -> Iterator[str]:  # Any: whatever JSON can hold
    """Every sha256 in a recipe."""
    if isinstance(value, str):
        if _SHA256.fullmatch(value):
            yield value
    elif isinstance(value, (dict, list)):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _digests_in(entry)


def _known_by(folder: Path) -> set[str]:
    """By what a recipe may know a folder: an artifact by its sha256, an encoder by that of its weights."""
    weights = describe_files(folder, folder.rglob("*.safetensors"))
    known = {digest_files(weights)} if weights else set()
    known |= {entry["sha256"] for entry in weights.values()}
    return known | ({load_manifest(folder).sha256} if is_artifact(folder) else set())


def _check_digest(manifest: Manifest) -> Check:
    """What others know an artifact by must follow from its files, or they were made from something else."""
    if digest_data(manifest.kind, manifest.files) == manifest.sha256:
        return Check("sha256", "ok")
    return Check("sha256", "failed", "the manifest's sha256 is not the digest of its files")


def _inside(inputs: Sequence[Path]) -> list[Path]:
    """The files in the folders among some inputs that are no artifacts: a dump may be given by its folder."""
    folders = [path for path in inputs if path.is_dir() and not is_artifact(path)]
    return [file for folder in folders for file in sorted(folder.iterdir()) if file.is_file()]


def is_input(_manifest: Manifest, path: Path, entry: Input, digest: Digest = digest_input) -> bool:
    """Whether a file has the size and bytes, or a folder the digest, that a manifest names."""
    if path.is_file() and path.stat().st_size != entry.size:
        return False
    return digest(path).sha256 == entry.sha256


def check_files(folder: Path, manifest: Manifest) -> list[Check]:
    """Compare every file of a folder with its manifest: changed, missing and unknown ones fail."""
    found = describe_files(folder)
    problems = dict.fromkeys(manifest.files.keys() - found.keys(), "the manifest names it, but it is missing")
    problems |= dict.fromkeys(found.keys() - manifest.files.keys(), "the manifest does not name it")
    for path in found.keys() & manifest.files.keys():
        if found[path] != manifest.files[path]:
            problems[path] = "its bytes differ from the manifest's sha256"
    return [
        Check(path, "failed", problems[path]) if path in problems else Check(path, "ok")
        for path in sorted(manifest.files.keys() | found.keys())
    ]
