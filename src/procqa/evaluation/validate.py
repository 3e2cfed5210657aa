"""Validation splits → a scorer for training: what to stop by, to choose by, and the weight of words.

A sample of the pairs of each dataset's validation split asks a sample of its documents, language by language;
test splits are never read. Source: ours, docs/decisions/0007 and 0023.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig, require
from procqa.dataset.schema import dataset_languages, read_rows
from procqa.encoder.model import Encoder
from procqa.encoder.validation import SetScore, Validation
from procqa.evaluation.rankers import Bm25, Pool
from procqa.manifest import load_manifest

QUERIES, DOCUMENTS = 1_000, 4_000
"""Of a dataset, at most: a validation then costs a transformer on two cores a minute. Source: ours, 0023."""

WEIGHTS = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Fusion weights that are compared; of equally good ones the middle one is taken."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Group:
    """The questions and documents of one set in one language.

    Args:
        gold: (Q,) the position of each question's answer.
        by_words: (Q, N) BM25 of each document over what none scores more than for the question.
    """

    queries: tuple[str, ...]
    documents: tuple[str, ...]
    gold: NDArray[np.int64]
    by_words: Scores


def open_scorer(
    datasets: Sequence[Path], *, seed: int, languages: Sequence[str] = (), also: Sequence[Path] = ()
) -> "ValidationScorer | None":
    """The scorer of some datasets; None where none of them has a validation split.

    Args:
        languages: those that are scored; none means all.
        also: further datasets, each with a validation split; all their languages are scored.

    Raises:
        ArtifactError: a dataset is missing or broken.
        ConfigError: one of ``also`` has no validation split.
    """
    scorer = ValidationScorer(datasets, seed=seed, languages=languages, also=also)
    return scorer if len(scorer) else None


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """A dataset with a validation split, not yet read."""

    folder: Path
    languages: tuple[str, ...]
    is_functions: bool


class ValidationScorer:
    """Scores encoders on the validation splits of some datasets; see ``encoder.validation.Scorer``.

    Questions are asked by title, and by title and body, which are sets of their own; functions by their documentation.
    The samples are read when the first encoder is scored. Memory: the samples, and 8 bytes for each row of a language.

    Args, Raises: see ``open_scorer``.
    """

    def __init__(
        self, datasets: Sequence[Path], *, seed: int, languages: Sequence[str] = (), also: Sequence[Path] = ()
    ) -> None:
        self._seed = seed
        self._held_out: dict[str, _HeldOut] = {}
        self._sets: dict[str, list[_Group]] | None = None
        digests: dict[str, str] = {}
        for number, folder in enumerate([*datasets, *also]):
            is_further = number >= len(datasets)
            manifest = load_manifest(folder, kind="dataset")
            wanted = tuple(
                name
                for name, splits in sorted(dataset_languages(folder).items())
                if splits.get("validation") and (is_further or not languages or name in languages)
            )
            if is_further:
                require(bool(wanted), f"--validate must name datasets with a validation split, but {folder} has none")
            if not wanted or manifest.sha256 in digests.values():
                continue
            name = folder.resolve().name
            name = f"{name}#{number + 1}" if name in digests else name
            digests[name] = manifest.sha256
            is_functions = manifest.counts.get("kind", "questions") == "functions"
            self._held_out[name] = _HeldOut(folder, wanted, is_functions)
        self.described: dict[str, Any] = {
            "datasets": {
                name: {"sha256": digests[name], "languages": held.languages} for name, held in self._held_out.items()
            },
            "queries": QUERIES,
            "documents": DOCUMENTS,
            "seed": seed,
        }

    def __len__(self) -> int:
        """How many datasets there are with something held out."""
        return len(self._held_out)

    def _read(self) -> dict[str, list[_Group]]:
        """The groups of each set by its name."""
        sets: dict[str, list[_Group]] = {}
        for name, held in self._held_out.items():
            forms = ("documentation",) if held.is_functions else ("title", "title and body")
            by_form = dict(zip(forms, _read_groups(held.folder, held.languages, forms, self._seed), strict=True))
            if not held.is_functions and _asks_by_title_alone(by_form):
                del by_form["title and body"]
            sets |= {f"{name} by {form}": groups for form, groups in by_form.items()}
        return sets

    def __call__(self, encoder: Encoder) -> Validation:
        """The scores of an encoder, and the weight that is best for it beside words."""
        if self._sets is None:
            self._sets = self._read()
        vectors: dict[tuple[str, ...], Scores] = {}
        ranks: dict[str, list[NDArray[np.float64]]] = {}  # of each set (questions, rankings) reciprocal ranks
        for name, groups in self._sets.items():
            for group in groups:
                if group.documents not in vectors:
                    vectors[group.documents] = encoder.encode_documents(group.documents)
                cosines = encoder.encode_queries(group.queries) @ vectors[group.documents].T
                ranks.setdefault(name, []).append(_reciprocal_ranks(group, np.clip(cosines, 0, 1)))
        means = {name: np.concatenate(parts).mean(axis=0) for name, parts in ranks.items()}
        fused = np.mean([mean[2:] for mean in means.values()], axis=0)
        best = np.flatnonzero(fused >= fused.max() - 1e-9)
        chosen = int(best[len(best) // 2])
        sets = {
            name: SetScore(
                queries=sum(len(group.queries) for group in self._sets[name]),
                documents=sum(len(group.documents) for group in self._sets[name]),
                bm25=round(float(mean[0]), 6),
                dense=round(float(mean[1]), 6),
                hybrid=round(float(mean[2 + chosen]), 6),
            )
            for name, mean in means.items()
        }
        score = round(float(np.mean([of_set["dense"] for of_set in sets.values()])), 6)
        return Validation(score=score, fusion_weight=WEIGHTS[chosen], sets=sets)


def _reciprocal_ranks(group: _Group, cosines: Scores) -> NDArray[np.float64]:
    """(Q, 2 + weights): of the answers among words, among vectors, and among both with each weight."""
    fused = ((1 - weight) * group.by_words + weight * cosines for weight in WEIGHTS)
    return np.stack([_ranked(scores, group.gold) for scores in (group.by_words, cosines, *fused)], axis=1)


def _ranked(scores: Scores, gold: NDArray[np.int64]) -> NDArray[np.float64]:
    """(Q,) one over the rank of each answer; equal scores by lower position."""
    own = scores[np.arange(len(gold)), gold][:, None]
    is_before = np.arange(scores.shape[1]) < gold[:, None]
    ranks: NDArray[np.float64] = 1 / (1 + ((scores > own) | ((scores == own) & is_before)).sum(axis=1))
    return ranks


def _read_groups(folder: Path, languages: Sequence[str], forms: Sequence[str], seed: int) -> list[list[_Group]]:
    """The groups of a dataset by form, sampled in proportion to the languages."""
    splits = dataset_languages(folder)
    n_held_out = sum(splits[language]["validation"] for language in languages)
    n_rows = sum(splits[language].get(split, 0) for language in languages for split in ("train", "validation"))
    by_form: list[list[_Group]] = [[] for _ in forms]
    for language in languages:
        generator = np.random.default_rng([seed, *language.encode()])
        held_out = _sample(folder, language, "validation", QUERIES / n_held_out, generator)
        share = max(0.0, DOCUMENTS - min(QUERIES, n_held_out)) / max(n_rows - min(QUERIES, n_held_out), 1)
        others = _sample(folder, language, "train", share, generator)
        answers = dict.fromkeys(row["answer"] for row in [*held_out, *others])  # each text once, the held-out first
        documents = tuple(answers)
        pool = Pool([f"{number:07d}" for number in range(len(documents))], documents)
        words = Bm25(EvaluateConfig(), report=lambda *_: None)
        words.index(pool)
        gold = np.arange(len(held_out))
        for form, groups in zip(forms, by_form, strict=True):
            queries = tuple(_ask(row, form) for row in held_out)
            limits = np.maximum(words.limits(queries), 1e-9).astype(np.float32)
            groups.append(_Group(queries, documents, gold, words.score(queries) / limits[:, None]))
    return by_form


def _asks_by_title_alone(by_form: dict[str, list[_Group]]) -> bool:
    """Whether no question has a body, so that both forms ask the same."""
    pairs = zip(by_form["title"], by_form["title and body"], strict=True)
    return all(
        title.strip() == both.strip()
        for titles, boths in pairs
        for title, both in zip(titles.queries, boths.queries, strict=True)
    )


def _sample(
    folder: Path, language: str, split: str, share: float, generator: np.random.Generator
) -> list[dict[str, Any]]:
    """About a share of the rows of a split, at least one of a split that has any; each text of an answer once."""
    digests = np.array(
        [
            int.from_bytes(hashlib.blake2b(row["answer"].encode("utf-8", "surrogatepass"), digest_size=8).digest())
            for row in read_rows(folder, columns=["answer"], language=language, split=split)
        ],
        dtype=np.uint64,
    )
    distinct = np.sort(np.unique(digests, return_index=True)[1])  # the first row of each text
    size = min(len(distinct), max(1, round(share * len(distinct)))) if len(distinct) and share > 0 else 0
    wanted = set(distinct[generator.choice(len(distinct), size, replace=False)].tolist())
    columns = ["title", "question", "answer"]
    rows = read_rows(folder, columns=columns, language=language, split=split)
    return [row for number, row in enumerate(rows) if number in wanted] if wanted else []


def _ask(row: dict[str, Any], form: str) -> str:
    """The text of a query in one of the forms."""
    if form == "title":
        return str(row["title"])
    if form == "documentation":
        return str(row["question"])
    return f"{row['title']}\n{row['question']}"
