"""BM25's k1 and b, stemming, and how often a repeated word of a query counts, compared on validation data alone.

Questions of a DATASET ask by title, and by title and body, functions by their documentation, each among sampled
documents of the train and validation splits of its language. Those of the validation split ask, or of the train split
where there is no other: BM25 learns nothing of them. ``--cosqa`` adds the development queries of CoSQA among all its
functions. Of every setting: the mean reciprocal rank over the sets, and its
difference from the default with the 95 % interval of a paired bootstrap over queries. No test query is read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.results import RESULTS, describe_commit, write_result
from procqa.config import EvaluateConfig
from procqa.corpora.layouts.questions import read_cosqa_codes, read_cosqa_queries
from procqa.dataset.schema import dataset_languages, read_rows
from procqa.evaluation.rankers import Bm25, Pool
from procqa.manifest import load_manifest

LUCENE = EvaluateConfig(k1=1.2, b=0.75)
"""What the others are compared with."""

GRID = [replace(LUCENE, k1=k1, b=b) for k1, b in product((0.6, 0.9, 1.2, 1.6, 2.4), (0.4, 0.6, 0.75, 0.9, 1.0))]
SETTINGS = [*GRID, replace(LUCENE, distinct_words=True), replace(LUCENE, words="plain")]
QUERIES, DOCUMENTS = 150, 2_000
"""Of a language, at most."""

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Group:
    """Queries of one or two sets over the same documents, and the position of the right document of each."""

    pool: Pool
    queries: dict[str, tuple[str, ...]]
    gold: np.ndarray


def read_groups(folder: Path, *, seed: int) -> Iterator[Group]:
    """Sampled queries of each language of a dataset, none of them of its test split."""
    manifest = load_manifest(folder, kind="dataset")
    is_functions = manifest.counts.get("kind") == "functions"
    for language, splits in sorted(dataset_languages(folder).items()):
        generator = np.random.default_rng([seed, *language.encode()])
        asking = _sample(folder, language, "validation" if splits.get("validation") else "train", QUERIES, generator)
        others = [
            row["answer"]
            for split in ("validation", "train")
            for row in _sample(folder, language, split, DOCUMENTS // 2, generator)
        ]
        texts = list(dict.fromkeys([row["answer"] for row in asking] + others))
        places = {text: place for place, text in enumerate(texts)}
        name = folder.resolve().name
        queries = {f"{name} by title": tuple(row["title"] for row in asking)}
        queries[f"{name} by title and body"] = tuple(f"{row['title']}\n{row['question']}" for row in asking)
        if is_functions:
            queries = {f"{name} by documentation": tuple(row["question"] for row in asking)}
        gold = np.array([places[row["answer"]] for row in asking])
        yield Group(_pool(texts), queries, gold)


def _sample(folder: Path, language: str, split: str, size: int, generator: np.random.Generator) -> list[dict[str, Any]]:
    rows = list(read_rows(folder, columns=["title", "question", "answer"], language=language, split=split))
    chosen = generator.choice(len(rows), min(size, len(rows)), replace=False)
    return [rows[place] for place in sorted(chosen.tolist())]


def read_cosqa(folder: Path) -> Group:
    """CoSQA's development queries, among all functions as published."""
    documents = {row.id: row.document or "" for row in read_cosqa_codes(folder / "code_idx_map.txt")}
    rows = [row for row in read_cosqa_queries(folder / "cosqa-retrieval-dev-500.json") if row.label == 1]
    places = {name: place for place, name in enumerate(documents)}
    gold = np.array([places[str(row.document_id)] for row in rows])
    return Group(_pool(list(documents.values())), {"cosqa dev": tuple(row.query or "" for row in rows)}, gold)


def _pool(texts: Sequence[str]) -> Pool:
    return Pool([f"{number:07d}" for number in range(len(texts))], texts)


def reciprocal_ranks(groups: Sequence[Group], config: EvaluateConfig) -> dict[str, np.ndarray]:
    """One over the rank of the right document for every query of each set; equal scores by position."""
    found: dict[str, list[np.ndarray]] = {}
    words = Bm25(config, report=lambda *_: None)
    for group in groups:
        words.index(group.pool)
        for name, queries in group.queries.items():
            scores = words.score(queries)
            own = scores[np.arange(len(queries)), group.gold][:, None]
            is_before = np.arange(scores.shape[1]) < group.gold[:, None]
            ranks = 1 + ((scores > own) | ((scores == own) & is_before)).sum(axis=1)
            found.setdefault(name, []).append(1 / ranks)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def compare(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], *, seed: int) -> list[float]:
    """The 95 % interval of the difference of the mean over sets, queries drawn anew within each."""
    generator = np.random.default_rng(seed)
    total = np.zeros(RESAMPLES)
    for name, values in ours.items():
        differences = values - theirs[name]
        drawn = generator.integers(0, len(differences), (RESAMPLES, len(differences)))
        total += differences[drawn].mean(axis=1) / len(ours)
    return [round(float(end), 4) for end in np.quantile(total, [0.025, 0.975])]


@click.command(help=__doc__)
@click.argument("datasets", nargs=-1, type=click.Path(path_type=Path), metavar="DATASET...")
@click.option("--cosqa", type=click.Path(path_type=Path), help="the folder of CoSQA's published files")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="folder of the result")
def main(datasets: tuple[Path, ...], cosqa: Path | None, seed: int, out: Path) -> None:
    commit = describe_commit()
    groups = [group for folder in datasets for group in read_groups(folder, seed=seed)]
    groups += [read_cosqa(cosqa)] if cosqa is not None else []
    base = reciprocal_ranks(groups, LUCENE)
    settings = []
    for config in SETTINGS:
        ranks = reciprocal_ranks(groups, config)
        settings.append({name: getattr(config, name) for name in ("k1", "b", "words", "distinct_words")})
        settings[-1]["mrr"] = {name: round(float(values.mean()), 4) for name, values in ranks.items()}
        difference = np.mean([ranks[name].mean() - base[name].mean() for name in base])
        settings[-1]["difference"] = round(float(difference), 4)
        settings[-1]["ci95"] = compare(ranks, base, seed=seed)
        print(json.dumps(settings[-1]), flush=True)
    sets = {name: {"queries": len(values), "mrr": round(float(values.mean()), 4)} for name, values in base.items()}
    write_result("tune_bm25", {"seed": seed, "sets": sets, "settings": settings}, out, commit=commit)


if __name__ == "__main__":
    main()
