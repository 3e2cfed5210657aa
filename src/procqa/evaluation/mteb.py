"""Our tasks for everyone's encoders, and our encoders for everyone's tasks, through mteb.

``procqa evaluate MODEL --task mteb:NAME`` goes the other way and needs none of this: there mteb says what a task is,
and our rankers are measured on it. What mteb measures here is its own: scores by its metrics, in its names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import require
from procqa.encoder.model import Encoder
from procqa.errors import MissingExtra
from procqa.evaluation.tasks import load_task, resolve_tasks

MAIN_SCORES = {"mrr@1000": "mrr_at_1000", "ndcg@10": "ndcg_at_10", "map": "map_at_1000", "map@r": "map_at_1000"}
"""What mteb calls our measures; it has no MAP at R. Source: mteb's _evaluators/retrieval_metrics.py."""

LANGUAGES = ["eng-Latn"]
"""What mteb is told of every task; it has no names for some of our programming languages."""

SPLIT, SUBSET = "test", "default"


def as_mteb_task(task: str, roots: Sequence[Path]) -> Any:
    """A task of ours as one of mteb, with its data, so that any model that mteb runs can be measured on it.

    Args:
        task: the name of one task, such as ``procqa:python`` or ``cosqa``.
        roots: where its data is; see ``resolve_tasks``.

    Returns:
        An ``AbsTaskRetrieval`` of one split, ``test``; its name has "-" for ":".

    Raises:
        ConfigError: the name means no task, or several.
        BenchmarkError: the data is absent or not in its published layout.
        MissingExtra: mteb is not installed.
    """
    try:
        from mteb import TaskMetadata
        from mteb.abstasks.retrieval import AbsTaskRetrieval

        from datasets import Dataset
    except ImportError as error:
        raise MissingExtra("mteb", f"the task {task} for mteb") from error
    found = resolve_tasks([task], roots)
    require(len(found) == 1, f"a task for mteb must be one, got {task!r}, which is {len(found)}")
    collection = load_task(found[0], roots)
    metadata = TaskMetadata(
        name=re.sub(r"[^\w.-]", "-", collection.name),
        description=f"{found[0].family.query} → {found[0].family.document}; right: {found[0].family.relevant}",
        dataset={"path": collection.source, "revision": collection.digest},
        type="Retrieval",
        category="t2t",
        eval_splits=[SPLIT],
        eval_langs=LANGUAGES,
        main_score=MAIN_SCORES.get(collection.measure, "ndcg_at_10"),
    )
    made = type(
        "CollectionTask",
        (AbsTaskRetrieval,),
        {"metadata": metadata, "ignore_identical_ids": collection.excludes_itself},
    )()
    made.dataset = {
        SUBSET: {
            SPLIT: {
                "corpus": Dataset.from_dict(_columns(collection.documents)),
                "queries": Dataset.from_dict(_columns(collection.queries)),
                "relevant_docs": {query: dict(grades) for query, grades in collection.qrels.items()},
                "top_ranked": None,
            }
        }
    }
    made.data_loaded = True
    return made


def _columns(texts: Mapping[str, str]) -> dict[str, list[str]]:
    return {"id": list(texts), "text": list(texts.values())}


def as_mteb_model(encoder: Encoder) -> Any:
    """An encoder of ours as a model of mteb.

    Raises:
        MissingExtra: mteb is not installed.
    """
    try:
        from mteb.models import ModelMeta
    except ImportError as error:
        raise MissingExtra("mteb", f"the encoder {encoder.name} for mteb") from error
    name = re.sub(r"[^\w.-]", "-", encoder.name)
    known = {
        "name": f"procqa/{name}",
        "revision": encoder.revision,
        "max_tokens": encoder.max_tokens,
        "embed_dim": encoder.dimensions,
        "use_instructions": False,
    }
    return _MtebModel(encoder, ModelMeta.create_empty(overwrites=known))


class _MtebModel:
    """What mteb asks of an encoder; see its ``EncoderProtocol``. Similarity is the dot product of unit vectors."""

    def __init__(self, encoder: Encoder, meta: Any) -> None:
        self.mteb_model_meta = meta
        self._encoder = encoder

    def encode(
        self, inputs: Iterable[Mapping[str, list[str]]], *, prompt_type: Any = None, **_options: Any
    ) -> NDArray[np.float32]:
        """The vectors (n, D) of batches of texts; the encoder gets no prompt, whatever the task has."""
        texts = [text for batch in inputs for text in batch["text"]]
        return (self._encoder.encode_queries if prompt_type == "query" else self._encoder.encode_documents)(texts)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:
        """(n, m) float: every row of the first with every row of the second, as mteb's tensors."""
        from mteb.similarity_functions import dot_score

        return dot_score(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Any:
        """(n,) float: every row of the first with that row of the second, as mteb's tensors."""
        from mteb.similarity_functions import pairwise_dot_score

        return pairwise_dot_score(embeddings1, embeddings2)
