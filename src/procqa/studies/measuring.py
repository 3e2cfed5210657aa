"""A ranker on the tasks of a study → its measure for every query, kept in a file that a later run takes up.

Source: ours, docs/decisions/0029-studies.md.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig
from procqa.evaluation.analysis import Example, analyse
from procqa.evaluation.exam import Exam, prepare
from procqa.evaluation.labels import label_queries
from procqa.evaluation.leaks import find_suspects
from procqa.evaluation.measure import measure_ranker, metric_names
from procqa.evaluation.rankers import Ranker, Report, open_rankers
from procqa.evaluation.tasks import load_task, resolve_tasks
from procqa.files import write_durably

SCORES_FORMAT = 2
"""Raised whenever what is measured, or how, is mended: scores that an older one made are not taken up."""

EXAMPLES_OF_A_CAUSE = 2
"""Misses of each cause that are kept with their texts, of a run that looks at traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One ranker on one task.

    Args:
        task: ``EXAM/TASK``.
        family: ``EXAM/FAMILY``.
        measure: by which the task's publisher ranks.
        documents: how many are ranked.
        revision: of the ranker.
        queries: (Q,) ids.
        groups: (Q,) names, equal for queries that repeat one another.
        values: (Q,) float64, the measure of each query.
        seen: (Q,) whether the query or an answer of it was seen in training; none for words.
        labels: by dimension the values of each query; none unless slices are looked at.
        traced: see ``Analysis.traced``; none unless traces are looked at.
        examples: misses with their texts, likewise.
    """

    task: str
    family: str
    measure: str
    documents: int
    revision: str
    queries: tuple[str, ...]
    groups: tuple[str, ...]
    values: NDArray[np.float64]
    seen: tuple[bool, ...] = ()
    labels: Mapping[str, Sequence[tuple[str, ...]]] | None = None
    traced: Mapping[str, Mapping[str, int]] | None = None
    examples: tuple[Mapping[str, Any], ...] = ()

    @property
    def mean(self) -> float:
        """Of all queries."""
        return float(self.values.mean())


def measure_tasks(
    ranker: str,
    exam: str,
    tasks: Sequence[str],
    roots: Sequence[Path],
    config: EvaluateConfig,
    *,
    encoder: Path | None,
    looks_at: Sequence[str] = (),
    report: Report,
) -> Iterator[Scores]:
    """Measure a ranker on tasks.

    Args:
        ranker: a name, as ``procqa evaluate`` takes it.
        exam: stands before the names of the tasks.
        encoder: the folder that was trained, whose texts are looked for among those of the tasks.
        looks_at: ``slices`` keeps what queries are told apart by, ``traces`` how failures between languages come.

    Raises:
        ProcqaError: see ``evaluation.evaluate``.
    """
    with ExitStack() as opened:
        (model,) = open_rankers([ranker], config, report=report, opened=opened)
        for task in resolve_tasks(tasks, roots):
            prepared = prepare(task, load_task(task, roots))
            yield _measure(model, exam, prepared, config, encoder, looks_at, report)


def _measure(
    ranker: Ranker,
    exam: str,
    prepared: Exam,
    config: EvaluateConfig,
    encoder: Path | None,
    looks_at: Sequence[str],
    report: Report,
) -> Scores:
    ranks = measure_ranker(ranker, prepared, config.depth, writer=None, report=report)
    family = prepared.task.family
    measure = f"mrr@{config.depth}" if family.measure.startswith("mrr") else family.measure
    suspects = None if encoder is None else find_suspects([encoder], prepared)
    labels = label_queries(prepared) if looks_at else None
    traced: Mapping[str, Mapping[str, int]] | None = None
    examples: tuple[Mapping[str, Any], ...] = ()
    if labels is not None and "traces" in looks_at and prepared.collection.document_languages:
        analysis = analyse(ranker, prepared, ranks, labels, seed=config.seed)
        traced = analysis.traced
        examples = tuple(map(asdict, choose_examples(analysis.examples)))
    return Scores(
        task=f"{exam}/{prepared.task.name}",
        family=f"{exam}/{family.name}",
        measure=measure,
        documents=len(prepared.pool.ids),
        revision=ranker.revision,
        queries=tuple(prepared.query_ids),
        groups=tuple(prepared.groups),
        values=ranks.values[:, metric_names(config.depth).index(measure)],
        seen=() if suspects is None else tuple(map(bool, suspects.queries | suspects.documents)),
        labels=labels if "slices" in looks_at else None,
        traced=traced,
        examples=examples,
    )


def choose_examples(examples: Sequence[Example]) -> list[Example]:
    """Some of every cause."""
    of_cause: dict[str, list[Example]] = {}
    for example in examples:
        of_cause.setdefault(example.miss.cause, []).append(example)
    return [example for found in of_cause.values() for example in found[:EXAMPLES_OF_A_CAUSE]]


def save_scores(path: Path, told: Mapping[str, Any], scores: Sequence[Scores]) -> None:
    """Write what a run tells of itself, and its scores, as JSON lines."""
    lines = [dict(told), *({**asdict(one), "values": one.values.tolist()} for one in scores)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))


def load_scores(path: Path) -> tuple[dict[str, Any], list[Scores]]:
    """What ``save_scores`` wrote: what the run tells of itself, and its scores."""
    first, *lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")  # texts hold other ends of lines
    return json.loads(first), [_from_line(json.loads(line)) for line in lines]


def _from_line(line: dict[str, Any]) -> Scores:
    tuples = {name: tuple(line[name]) for name in ("queries", "groups", "seen", "examples")}
    labels = line["labels"]
    if labels is not None:
        labels = {name: [tuple(values) for values in of_queries] for name, of_queries in labels.items()}
    return Scores(**{**line, **tuples, "labels": labels, "values": np.asarray(line["values"], np.float64)})
