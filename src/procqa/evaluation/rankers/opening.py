"""Rankers by their names, opened together so that what two of them need is opened once."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from procqa.config import EvaluateConfig
from procqa.encoder.cache import open_cached
from procqa.encoder.cross_encoder import CrossEncoder, open_cross_encoder
from procqa.encoder.model import Encoder, open_encoder
from procqa.errors import ConfigError
from procqa.evaluation.rankers.contract import Ranker, Report
from procqa.evaluation.rankers.dense import Dense
from procqa.evaluation.rankers.hybrid import HYBRID, Hybrid
from procqa.evaluation.rankers.two_stage import RERANK, TwoStage
from procqa.evaluation.rankers.words import Bm25

INDEX = "index:"
KNOWN = "bm25, a model, hybrid:MODEL, rerank:CROSSENCODER,RANKER or index:FOLDER"
"""What a name may be."""


def check_ranker_names(rankers: Sequence[str | Ranker]) -> list[str]:
    """The names of rankers, each once, in their order.

    Raises:
        ConfigError: none, a name that no ranker can have, what is no ranker, or two rankers of one name.
    """
    named: dict[str, str | Ranker] = {}
    for ranker in rankers:
        if isinstance(ranker, str):
            _check_name(ranker)
        elif not isinstance(ranker, Ranker):
            raise ConfigError(
                "a ranker must be a name, or have name, revision, protocol, index and rank, "
                f"got {type(ranker).__name__}"
            )
        name = ranker if isinstance(ranker, str) else ranker.name
        held = named.setdefault(name, ranker)
        if held is not ranker and not (isinstance(held, str) and isinstance(ranker, str)):
            raise ConfigError(f"rankers must have names of their own, got two called {name!r}")
    if not named:
        raise ConfigError(f"evaluate must be given at least one ranker: {KNOWN}")
    return list(named)


def _check_name(name: str) -> None:
    if name.startswith(RERANK):
        model, _, first = name.removeprefix(RERANK).partition(",")
        if not (model and first):
            raise ConfigError(f"a two-stage ranker must be rerank:CROSSENCODER,RANKER, got {name!r}")
        _check_name(first)
        return
    if name == INDEX:
        raise ConfigError(f"an index must be index:FOLDER, got {name!r}")
    model = name.removeprefix(HYBRID)
    scheme = re.match(r"([\w-]*):", model)
    if not model or model == "hybrid" or (name != model and model == "bm25"):
        raise ConfigError(f"a hybrid ranker must be hybrid:MODEL with a model beside bm25, got {name!r}")
    if scheme is not None and not name.startswith(INDEX) and not Path(model).exists():
        raise ConfigError(f"a ranker must be {KNOWN}, got {name!r}")


def open_rankers(
    rankers: Sequence[str | Ranker],
    config: EvaluateConfig,
    *,
    report: Report,
    cache: Path | None = None,
    opened: ExitStack,
) -> list[Ranker]:
    """The rankers of these names, each once; a model or an index that two of them need is opened once.

    Args:
        rankers: names, and rankers of the caller's own, which come back as they are.
        cache: a folder that keeps the vectors of models; None keeps none.
        opened: closes the files of the cache and of indexes.

    Raises:
        ConfigError: see ``check_ranker_names``.
        ArtifactError: a model or an index is not there or cannot be read.
        MissingExtra: a ranker needs a package that is not installed.
    """
    names = check_ranker_names(rankers)
    own = {ranker.name: ranker for ranker in rankers if not isinstance(ranker, str)}
    opener = _Opener(config, report=report, cache=cache, opened=opened)
    return [own[name] if name in own else opener.open(name) for name in names]


class _Opener:
    """Opens rankers by name, and each of the parts that they share once."""

    def __init__(self, config: EvaluateConfig, *, report: Report, cache: Path | None, opened: ExitStack) -> None:
        self._config, self._report, self._cache, self._opened = config, report, cache, opened
        self._words: Bm25 | None = None
        self._models: dict[str, Dense] = {}
        self._indexes: dict[str, Ranker] = {}
        self._cross_encoders: dict[str, CrossEncoder] = {}

    def open(self, name: str) -> Ranker:
        """The ranker of a checked name."""
        if name == "bm25":
            return self._open_words()
        if name.startswith(RERANK):
            model, _, first = name.removeprefix(RERANK).partition(",")
            return TwoStage(self.open(first), self._open_cross_encoder(model), self._config, report=self._report)
        if name.startswith(INDEX):
            return self._open_index(name)
        if name.startswith(HYBRID):
            return Hybrid(self._open_words(), self._open_model(name.removeprefix(HYBRID)), self._config)
        return self._open_model(name)

    def _open_words(self) -> Bm25:
        if self._words is None:
            self._words = Bm25(self._config, report=self._report)
        return self._words

    def _open_model(self, name: str) -> Dense:
        if name not in self._models:
            config = self._config
            settings: dict[str, Any] = {
                "max_tokens": config.max_tokens,
                "precision": config.precision,
                "backend": config.backend,
            }
            encoder: Encoder
            if self._cache is None:
                encoder = open_encoder(name, **settings)
            else:
                encoder = self._opened.enter_context(open_cached(name, self._cache, **settings))
            self._models[name] = Dense(name, encoder, report=self._report)
        return self._models[name]

    def _open_index(self, name: str) -> Ranker:
        if name not in self._indexes:
            from procqa.evaluation.rankers.served import Served  # loads FAISS, which training has no use for

            served = Served(name, Path(name.removeprefix(INDEX)), self._config, report=self._report)
            self._opened.callback(served.close)
            self._indexes[name] = served
        return self._indexes[name]

    def _open_cross_encoder(self, name: str) -> CrossEncoder:
        if name not in self._cross_encoders:
            # A pair is two texts.
            self._cross_encoders[name] = open_cross_encoder(
                name, max_tokens=2 * self._config.max_tokens, precision=self._config.precision
            )
        return self._cross_encoders[name]
