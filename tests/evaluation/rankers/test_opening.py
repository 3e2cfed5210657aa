"""Rankers by name: which names there are, and what is opened for them."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError, ConfigError, MissingExtra
from procqa.evaluation.rankers import Bm25, Pool, Ranking, check_ranker_names, open_rankers
from tests.evaluation.rankers.small import CONFIG, say_nothing


class Longest:
    """A ranker of a user's own, which knows nothing of queries."""

    name = "longest"
    revision = "1"
    protocol = "long documents first"

    def index(self, pool: Pool) -> None:
        self.lengths = np.array([len(text) for text in pool.texts], np.float32)

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        order = np.argsort(-self.lengths, kind="stable")[:k]
        yield np.tile(self.lengths[order], (len(queries), 1)), np.tile(order, (len(queries), 1))


@pytest.mark.parametrize(("asked", "read"), [(16, 16), (4_096, 256)])
def test_the_protocol_states_the_tokens_that_a_model_really_reads(asked: int, read: int):
    (ranker,) = open_rankers(["minilm"], EvaluateConfig(max_tokens=asked), report=say_nothing, opened=ExitStack())

    assert f", {read} tokens a text" in ranker.protocol


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_protocol_states_the_arithmetic_of_the_vectors(precision):
    (ranker,) = open_rankers(
        ["minilm"], EvaluateConfig(precision=precision, backend="torch"), report=say_nothing, opened=ExitStack()
    )

    assert f"torch {precision}, cosine, exact" in ranker.protocol


@pytest.mark.parametrize("name", ["", "hybrid", "hybrid:", "hybrid:bm25", "hybrid:hybrid:minilm", "colbert:minilm"])
def test_a_name_that_no_ranker_can_have_is_refused(name):
    with pytest.raises(ConfigError, match=r"hybrid:MODEL.*got"):
        check_ranker_names(["bm25", name])


def test_no_ranker_is_refused_and_a_repeated_one_counts_once():
    with pytest.raises(ConfigError, match="at least one ranker"):
        check_ranker_names([])
    assert check_ranker_names(["minilm", "bm25", "minilm"]) == ["minilm", "bm25"]


def test_a_ranker_of_a_users_own_stands_beside_named_ones():
    own = Longest()

    rankers = open_rankers(["bm25", own, "bm25", own], CONFIG, report=say_nothing, opened=ExitStack())

    assert [ranker.name for ranker in rankers] == ["bm25", "longest"]
    assert rankers[1] is own
    assert isinstance(rankers[0], Bm25)


@pytest.mark.parametrize("rankers", [["longest", Longest()], [Longest(), "longest"], [Longest(), Longest()]])
def test_two_rankers_of_one_name_are_refused(rankers):
    with pytest.raises(ConfigError, match="two called 'longest'"):
        check_ranker_names(rankers)


def test_what_is_no_ranker_is_refused():
    with pytest.raises(ConfigError, match="or have name, revision, protocol, index and rank, got ExitStack"):
        open_rankers([ExitStack()], CONFIG, report=say_nothing, opened=ExitStack())


@pytest.mark.usefixtures("socket_disabled")
@pytest.mark.parametrize("name", ["{}/nowhere", "hybrid:{}/nowhere", "no-such-model"])
def test_a_model_that_is_not_there_is_named_without_any_network(tmp_path: Path, name: str):
    with pytest.raises(ArtifactError, match=r"no-such-model|nowhere"):
        open_rankers([name.format(tmp_path)], CONFIG, report=say_nothing, opened=ExitStack())


def test_bm25_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "bm25s", None)

    with pytest.raises(MissingExtra, match=r"procqa\[eval\]"):
        open_rankers(["bm25"], CONFIG, report=say_nothing, opened=ExitStack())
