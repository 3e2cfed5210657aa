"""Was what a task asks, or what is right, among the texts an encoder was trained on?

The encoder's ``seen.bin`` answers: a text is suspect where 13 words of it in a row stood in a training text, or where
it is shorter and is the whole of one. That is a strict rule: an idiom of 13 words makes a query suspect. So both scores
are told, with the suspect queries and without. Source: ours, docs/evaluation.md#leaks; the bound of 13 words is
docs/paper.md#decontamination's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.seen import SEEN_FILE, load_seen, text_hashes
from procqa.errors import ArtifactError
from procqa.evaluation.exam import Exam
from procqa.evaluation.measure import Values
from procqa.evaluation.results import Leak
from procqa.manifest import load_manifest

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """What of an exam a ranker was trained on.

    Args:
        queries: (Q,) whether a query was seen.
        documents: (Q,) whether a relevant document of it was seen.
        same_dataset: see ``Leak``.
    """

    queries: Flags
    documents: Flags
    same_dataset: bool


def find_suspects(folders: Iterable[Path], exam: Exam) -> Suspects | None:
    """What of an exam the encoders of these folders were trained on; None where one of them does not say.

    Raises:
        ArtifactError: a ``seen.bin`` is broken.
    """
    folders = list(dict.fromkeys(folders))
    if not all((folder / SEEN_FILE).exists() for folder in folders):
        return None
    seen = [load_seen(folder) for folder in folders]
    places = np.unique(np.concatenate([of_query for of_query, _ in exam.relevant]))
    was_seen = {int(place): _is_seen(exam.pool.texts[place], seen) for place in places if place >= 0} | {-1: False}
    return Suspects(
        queries=np.array([_is_seen(text, seen) for text in exam.queries]),
        documents=np.array([any(was_seen[int(place)] for place in of_query) for of_query, _ in exam.relevant]),
        same_dataset=any(_shares_dataset(folder, exam.task.datasets) for folder in folders),
    )


def join_suspects(parts: Sequence[Suspects | None]) -> Suspects | None:
    """Those of several rankers on the same queries: what any of them has seen; None where one of them is unknown."""
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    return Suspects(
        queries=np.logical_or.reduce([part.queries for part in known]),
        documents=np.logical_or.reduce([part.documents for part in known]),
        same_dataset=any(part.same_dataset for part in known),
    )


def concatenate_suspects(parts: Sequence[Suspects | None]) -> Suspects | None:
    """Those of one ranker on several tasks; None where one of them is unknown."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return Suspects(
        queries=np.concatenate([part.queries for part in known]),
        documents=np.concatenate([part.documents for part in known]),
        same_dataset=any(part.same_dataset for part in known),
    )


def tell_leak(suspects: Suspects | None, values: Values, names: Sequence[str]) -> Leak:
    """What is told of suspects beside a score.

    Args:
        values: (Q, M) of the ranker, for the means without suspect queries.
        names: (M,) the metrics.
    """
    if suspects is None:
        return Leak(checked=False)
    suspect = suspects.queries | suspects.documents
    clean = values[~suspect]
    return Leak(
        checked=True,
        queries=int(suspects.queries.sum()),
        documents=int(suspects.documents.sum()),
        suspect=int(suspect.sum()),
        same_dataset=suspects.same_dataset,
        metrics=dict(zip(names, map(float, clean.mean(axis=0)), strict=True)) if len(clean) else None,
    )


def _is_seen(text: str, seen: Sequence[NDArray[np.uint64]]) -> bool:
    """Whether a hash of a text is among those of an encoder."""
    hashes = np.unique(text_hashes(text))
    return any(_contains(of_encoder, hashes) for of_encoder in seen)


def _contains(ordered: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> bool:
    """Whether one of some numbers stands in a sorted array, which may be a memory map."""
    if not len(ordered):
        return False
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return bool((ordered[places] == wanted).any())


def _shares_dataset(folder: Path, datasets: Sequence[Path]) -> bool:
    """Whether an encoder was trained on one of the datasets, whose test split it has not seen."""
    try:
        trained = {entry.sha256 for entry in load_manifest(folder, kind="encoder").inputs}
    except ArtifactError:
        return False  # an encoder that others made
    return any(load_manifest(dataset).sha256 in trained for dataset in datasets)
