"""Was what a task asks, or what is right, among the texts an encoder was trained on?

The encoder's ``seen.bin`` answers: a text is suspect where 13 words of it in a row, or all of it where it is shorter,
stood in a training text. That is a strict rule: an idiom of 13 words makes a query suspect. So both scores are told,
with the suspect queries and without. Source: ours, docs/evaluation.md#leaks; the bound of 13 words is
docs/paper.md#decontamination's.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.artifact import load_manifest
from procqa.encoder.seen import SEEN_FILE, load_seen, text_hashes
from procqa.errors import ArtifactError
from procqa.evaluation.exam import Exam
from procqa.evaluation.measure import Values
from procqa.evaluation.results import Leak

Seen = Sequence[NDArray[np.uint64]]
"""Sorted hashes, one array for each encoder."""


def check_leak(folders: Iterable[Path], exam: Exam, values: Values, names: Sequence[str]) -> Leak | None:
    """What of an exam the encoders of these folders were trained on.

    Args:
        folders: of every encoder that has a say in a ranking; none for a ranker that is not trained.
        values: (Q, M) of the ranker, for the means without suspect queries.
        names: (M,) the metrics.

    Returns:
        None where nothing was trained.

    Raises:
        ArtifactError: a ``seen.bin`` is broken.
    """
    folders = list(dict.fromkeys(folders))
    if not folders:
        return None
    if not all((folder / SEEN_FILE).exists() for folder in folders):
        return Leak(checked=False)
    seen = [load_seen(folder) for folder in folders]
    queries = np.array([_is_seen(text, seen) for text in exam.queries])
    documents = np.array(
        [any(_is_seen(exam.pool.texts[place], seen) for place in places if place >= 0) for places, _ in exam.relevant]
    )
    suspect = queries | documents
    clean = values[~suspect]
    return Leak(
        checked=True,
        queries=int(queries.sum()),
        documents=int(documents.sum()),
        suspect=int(suspect.sum()),
        same_dataset=any(_shares_dataset(folder, exam.task.datasets) for folder in folders),
        metrics=dict(zip(names, map(float, clean.mean(axis=0)), strict=True)) if len(clean) else None,
    )


def _is_seen(text: str, seen: Seen) -> bool:
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
