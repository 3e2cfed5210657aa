"""Result files: a line of JSON for each result, with the rank of every query's first right document.

What ``procqa evaluate --json`` prints can be read too; then no query is known to have moved.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError, ConfigError
from procqa.evaluation.misses import count_causes
from procqa.evaluation.results import to_json
from procqa.evaluation.slices import measure_slices
from procqa.evaluation.summarise import Measured
from procqa.files import write_durably

NEEDED = ("task", "ranker", "revision", "metrics", "queries", "documents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One line of a result file.

    Args:
        told: the object as ``procqa evaluate --json`` prints it.
        ranks: of the first relevant document by query id, 0 where none was ranked; none where the file has none.
    """

    told: Mapping[str, Any]
    ranks: Mapping[str, int]

    @property
    def name(self) -> tuple[str, str]:
        """Task and ranker."""
        return self.told["task"], self.told["ranker"]


def save_results(path: Path, measured: Iterable[Measured], config: EvaluateConfig) -> None:
    """Write results with the ranks of their queries, their slices, and the causes of their misses.

    Raises:
        ArtifactError: the file cannot be written.
    """
    lines = [json.dumps(_to_line(one, config), ensure_ascii=False) for one in measured]
    write_file(path, "".join(f"{line}\n" for line in lines))


def write_file(path: Path, text: str) -> None:
    """Put text at a path that ``check_file`` let pass.

    Raises:
        ArtifactError: the file cannot be written.
    """
    try:
        write_durably(path, text)
    except OSError as error:
        raise ArtifactError(f"{path} could not be written: {error.strerror or error}") from error


def check_file(path: Path, option: str) -> None:
    """Refuse a name that no file can be written at, before anything is measured.

    Raises:
        ConfigError: it stands for a folder, or its folder does not exist.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ConfigError(f"{option} must name a file in a folder that exists, got {path}")


def _to_line(measured: Measured, config: EvaluateConfig) -> dict[str, Any]:
    line = to_json(measured.result)
    if measured.exam is not None and measured.ranks is not None:
        ranks = map(int, measured.ranks.first)
        line["ranks"] = dict(zip(measured.exam.query_ids, ranks, strict=True))
        line["slices"] = [asdict(part) for part in measure_slices([measured], config)]
    if measured.analysis is not None:
        line["causes"] = count_causes(measured.analysis.misses)
    return line


def load_results(path: Path) -> list[Saved]:
    """The lines of a result file.

    Raises:
        ArtifactError: it cannot be read, or a line is no result.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path} must be a result file, but cannot be read: {error}") from error
    results = []
    for number, text in enumerate(lines, start=1):
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        if not isinstance(told, dict) or any(name not in told for name in NEEDED):
            raise ArtifactError(
                f"{path}, line {number} must be a result with {', '.join(NEEDED)}: make it with procqa evaluate"
            )
        results.append(Saved(told=told, ranks=told.pop("ranks", {})))
    if not results:
        raise ArtifactError(f"{path} must hold a result, but is empty: make it with procqa evaluate --results")
    return results
