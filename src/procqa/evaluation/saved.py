"""Result files: a line of JSON for each result, with the rank of every query's first right document.

What ``procqa evaluate --json`` prints can be read too; then no query is known to have moved.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError
from procqa.evaluation.misses import count_causes
from procqa.evaluation.results import to_json
from procqa.evaluation.slices import measure_slices
from procqa.evaluation.summarise import Measured
from procqa.files import write_durably

FIELDS = {"task": str, "ranker": str, "revision": str, "metrics": dict, "queries": int, "documents": int}
"""What every line must tell, and as what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One line of a result file.

    Args:
        told: the object as ``procqa evaluate --json`` prints it.
        ranks: of the first relevant document by query id, 0 where none was ranked; none where the file has none.
        groups: what a query shares with others, by its id; a query that is not named stands alone.
    """

    told: Mapping[str, Any]
    ranks: Mapping[str, int]
    groups: Mapping[str, str]

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
    """Put text at a path that ``runs.check_file`` let pass.

    Raises:
        ArtifactError: the file cannot be written.
    """
    try:
        write_durably(path, text)
    except OSError as error:
        raise ArtifactError(f"{path} could not be written: {error.strerror or error}") from error


def _to_line(measured: Measured, config: EvaluateConfig) -> dict[str, Any]:
    line = to_json(measured.result)
    if measured.first is not None:
        line["ranks"] = dict(zip(measured.query_ids, map(int, measured.first), strict=True))
        if len(set(measured.groups)) < len(measured.groups):
            numbers = {group: str(number) for number, group in enumerate(dict.fromkeys(measured.groups))}
            line["groups"] = {
                query: numbers[group] for query, group in zip(measured.query_ids, measured.groups, strict=True)
            }
    if measured.analysis is not None:
        line["slices"] = [asdict(part) for part in measure_slices([measured], config)]
        line["causes"] = count_causes(measured.analysis.misses)
    return line


def load_results(path: Path) -> list[Saved]:
    """The lines of a result file.

    Raises:
        ArtifactError: it cannot be read, or a line is no result.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ArtifactError(f"{path} must be a result file that can be read, but: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{path} must be a result file, but is no text in UTF-8") from error
    results = []
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        saved = _read_line(text)
        if saved is None:
            raise ArtifactError(
                f"{path}, line {number} must be a result with {', '.join(FIELDS)}: make it with procqa evaluate"
            )
        results.append(saved)
    if not results:
        raise ArtifactError(f"{path} must hold a result, but is empty: make it with procqa evaluate --results")
    return results


def _read_line(text: str) -> Saved | None:
    """The result of a line; None where it is none."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or any(not isinstance(told.get(name), kind) for name, kind in FIELDS.items()):
        return None
    ranks, groups, setting = (told.pop(name, {}) for name in ("ranks", "groups", "setting"))
    is_result = (
        all(isinstance(part, dict) for part in (ranks, groups, setting, setting.get("ranker", {})))
        if isinstance(setting, dict)
        else False
    )
    if not is_result or any(type(rank) is not int or rank < 0 for rank in ranks.values()):
        return None
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in told["metrics"].values()):
        return None
    return Saved(told={**told, "setting": setting}, ranks=ranks, groups=groups)
