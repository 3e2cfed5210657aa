"""procqa: programming questions and answers, from dump to dataset, encoder, scores and search.

The calls behind the commands, imported when they are first asked for, so that ``import procqa`` costs nothing.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "BuildConfig": "procqa.config",
    "BuildRequest": "procqa.dataset.request",
    "CorpusRequest": "procqa.dataset.corpus",
    "EvaluateConfig": "procqa.config",
    "IndexConfig": "procqa.config",
    "MineConfig": "procqa.config",
    "ProcqaError": "procqa.errors",
    "RunConfig": "procqa.config",
    "SearchConfig": "procqa.config",
    "Searcher": "procqa.search.searcher",
    "TrainConfig": "procqa.config",
    "build_corpus": "procqa.dataset.corpus",
    "build_dataset": "procqa.dataset.build",
    "build_index": "procqa.index.build",
    "evaluate": "procqa.evaluation.evaluate",
    "mine": "procqa.encoder.mining",
    "open_encoder": "procqa.encoder.model",
    "read_rows": "procqa.dataset.schema",
    "train": "procqa.encoder.training",
    "train_config": "procqa.config",
    "verify": "procqa.chain",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:  # Any: whatever the name stands for
    """A public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'procqa' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
