"""Where results go: ``results/NAME-SHA12``, SHA12 being the commit that was measured."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine
from benchmarks.measure import ROOT

RESULTS = ROOT / "benchmarks" / "results"
NO_COMMIT = "0" * 12


def describe_commit() -> dict[str, Any]:
    """The first 12 digits of the commit, and whether the code differs from it; zeros outside of a checkout."""
    try:
        commit = _git("rev-parse", "HEAD").strip()[:12]
        return {"commit": commit, "modified": bool(_git("status", "--porcelain", "--", "src").strip())}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": NO_COMMIT, "modified": False}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True, text=True).stdout


def write_result(name: str, values: dict[str, Any], folder: Path, *, commit: dict[str, Any]) -> dict[str, Any]:
    """Write one measurement as NAME-SHA12.json; what was written.

    Args:
        commit: ``describe_commit`` before the measurement: the checkout may move on while it runs.
    """
    result = {"benchmark": name, **commit, **values, "machine": describe_machine()}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    (folder / f"{name}-{result['commit']}.json").write_text(text, encoding="utf-8")
    return result


def write_lines(name: str, lines: Iterable[dict[str, Any]], folder: Path, *, commit: dict[str, Any]) -> Path:
    """Write measurements as NAME-SHA12.jsonl, each with commit and machine; replaces the file."""
    machine = describe_machine()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{commit['commit']}.jsonl"
    texts = [json.dumps({**line, **commit, "machine": machine}, ensure_ascii=False) + "\n" for line in lines]
    path.write_text("".join(texts), encoding="utf-8")
    return path
