"""The recipe of the encoder that ships with procqa: ``make default-encoder DATA=FOLDER``.

From dumps and a corpus of functions, none of which may hold a text of a benchmark, it trains a static encoder,
stores it in 8-bit numbers, measures it beside words, and writes folder and card to src/procqa/bundled/encoder.
FOLDER holds dumps/, corpora/codesearchnet-style/ and benchmarks/. Source: docs/decisions/0018.
"""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.measure import ROOT
from benchmarks.results import RESULTS, describe_commit, write_lines
from procqa.config import PAIRS, EvaluateConfig, RunConfig, build_config, train_config
from procqa.dataset.build import build_dataset
from procqa.dataset.corpus import CorpusRequest, build_corpus
from procqa.dataset.request import BuildRequest
from procqa.encoder.quantize import quantize_encoder
from procqa.encoder.training import train
from procqa.evaluation.evaluate import evaluate
from procqa.evaluation.results import to_json
from procqa.evaluation.validate import open_scorer
from procqa.manifest import load_manifest

DUMPS = ("programming-qa.7z", "mixed-qa.7z")
FUNCTIONS = "codesearchnet-style"
RECIPE: dict[str, Any] = {
    "base": "static",
    "pairs": (*PAIRS, "both-answer"),
    "steps": 600,
    "batch_size": 2_048,
    "vocabulary": 24_000,
    "embeddings": "latent",
    "learning_rate": 0.005,
}
"""What differs from the preset static. Source: docs/decisions/0018, chosen on validation questions."""

TASKS = ("procqa-title", "procqa", "cosqa", "conala", "codenn", "csn-cloze")
RANKERS = ("bm25", "default", "hybrid:default")
MAX_TOKENS = 128
"""Tokens that the shipped encoder reads of a text, as those of other encoders do."""

CARD = """\
---
library_name: procqa
pipeline_tag: sentence-similarity
tags:
- code
---

# The encoder that ships with procqa

Static embeddings: the vector of a text is the mean of those of its tokens. {vocabulary:,} tokens of {dimensions}
dimensions in 8-bit numbers, {size:.1f} MB with the tokenizer, no torch needed. `procqa index` takes it where no other
encoder is named.

## Training data

{data}

Authors and licences of the texts stand in the rows of these datasets: CC BY-SA, CC BY, MIT, Apache-2.0, BSD, PSF and
others. The weights are numbers learnt from them and hold no text; they may be used under Apache-2.0 like the code of
procqa.

## Leakage certificate

Every text of these benchmarks was looked for in every row before training, by five rules (exact, substring, 13 words in
a row, short items, near-duplicates), and each pair in which one was found was left out:

{leakage}

## Recipe

`make default-encoder DATA=FOLDER` repeats it: {recipe}

## Scores

MRR@1000 over the whole corpus of each task, with 95 % bootstrap intervals. `hybrid` is {words:.2g} × BM25, over what no
document can score more than, + {weight:.2g} × cosine: the weight that is best on validation questions and on CoSQA's
development queries.

{scores}

## Limits

- It does not see the order of words, and reads the first {max_tokens} tokens of a text.
- The questions it learnt from are documentation, notes and old Stack Overflow posts more than today's questions; php
  and java ask with templates, and near-twins among linter rules make word overlap go far.
- English, and eleven programming languages: {languages}.
"""


def build_data(data: Path, folder: Path) -> list[Path]:
    """The two datasets to train on, without the texts of any benchmark, and one to validate on: CoSQA's development
    queries, which no score uses.
    """
    benchmarks = tuple(sorted(path for path in (data / "benchmarks").iterdir() if path.is_dir()))
    questions, functions = folder / "questions", folder / "functions"
    build_dataset(
        BuildRequest(
            dumps=tuple(str(data / "dumps" / name) for name in DUMPS),
            out=questions,
            config=build_config({"site": "local"}),
            run=RunConfig(),
            benchmarks=benchmarks,
        )
    )
    build_corpus(CorpusRequest(source=data / "corpora" / FUNCTIONS, out=functions, benchmarks=benchmarks))
    held_out = folder / "cosqa"
    build_corpus(CorpusRequest(source=data / "benchmarks" / "cosqa", out=held_out))
    return [questions, functions, held_out]


def measure(encoder: Path, roots: Sequence[Path]) -> list[dict[str, Any]]:
    """Words, the encoder, and both, on every task."""
    config = EvaluateConfig(max_tokens=MAX_TOKENS)
    results = evaluate(["bm25", str(encoder), f"hybrid:{encoder}"], TASKS, roots, config)
    return [json.loads(json.dumps(to_json(result)).replace(str(encoder), "default")) for result in results]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def score_rows(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row a task, a column a ranker; the parts of a family weigh by their queries."""
    cells: dict[str, dict[str, str]] = {}
    for result in results:
        low, high = result["ci95"]["mrr@1000"]
        score = f"{result['metrics']['mrr@1000']:.3f} ({low:.3f}–{high:.3f})"
        name = f"{result['task']} ({result['queries']:,} / {result['documents']:,})"
        cells.setdefault(name, {})[result["ranker"]] = score
    return [
        [name, *(of_task[ranker] for ranker in ("bm25", "default", "hybrid:default"))]
        for name, of_task in cells.items()
    ]


def leakage_rows(datasets: Sequence[Path]) -> list[list[object]]:
    """What was looked for in each dataset, and how many pairs were left out for it."""
    rows: list[list[object]] = []
    for dataset in datasets:
        leakage = json.loads((dataset / "leakage.json").read_text(encoding="utf-8"))
        removed = Counter(leak["benchmark"] for leak in leakage["removed"])
        looked_for = leakage["texts_looked_for"]
        for benchmark in leakage["checked_against"]:
            name = benchmark["name"]
            rows.append([dataset.name, name, benchmark["sha256"][:16], f"{looked_for.get(name, 0):,}", removed[name]])
    return rows


@click.command(help=__doc__)
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--work", type=click.Path(path_type=Path), help="keep datasets and encoder here, and take up what is here"
)
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "src/procqa/bundled/encoder")
def main(data: Path, work: Path | None, out: Path) -> None:
    commit = describe_commit()
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        *datasets, held_out = build_data(data, folder)
        trained = folder / "trained"
        config = train_config("static", {**RECIPE, "max_tokens": MAX_TOKENS})
        train(datasets, trained, config, scorer=open_scorer([*datasets, held_out], seed=config.seed))
        draft = folder / "draft"
        quantize_encoder(trained, draft, card="")
        results = measure(draft, [datasets[0], data / "benchmarks"])
        manifest = load_manifest(draft, kind="encoder")
        inputs = [
            [entry.name, entry.sha256, *describe_rows(path)]
            for entry, path in zip(manifest.inputs, datasets, strict=True)
        ]
        languages = sorted(load_manifest(datasets[0]).counts["languages"])
        weight = manifest.counts["validation"]["fusion_weight"]
        card = CARD.format(
            words=1 - weight,
            weight=weight,
            vocabulary=manifest.recipe["vocabulary"],
            dimensions=manifest.recipe["dimensions"],
            size=sum(entry["size"] for entry in manifest.files.values()) / 1e6,
            data=table(("dataset", "sha256", "rows", "made from"), inputs),
            leakage=table(("dataset", "benchmark", "sha256", "texts", "pairs left out"), leakage_rows(datasets)),
            recipe=", ".join(f"{name} {value}" for name, value in manifest.recipe.items() if name in SHOWN),
            scores=table(("task (queries / documents)", *RANKERS), score_rows(results)),
            max_tokens=MAX_TOKENS,
            languages=", ".join(languages),
        )
        quantize_encoder(trained, folder / "shipped", card=card)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folder / "shipped", out)
    print(write_lines("default-encoder", results, RESULTS, commit=commit))


SHOWN = (
    "pairs",
    "steps",
    "batch_size",
    "learning_rate",
    "embeddings",
    "temperature",
    "alpha",
    "batches",
    "loss",
    "max_tokens",
    "seed",
)


def describe_rows(dataset: Path) -> tuple[str, str]:
    """How many rows a dataset has, and from what."""
    manifest = load_manifest(dataset, kind="dataset")
    names = ", ".join(entry.name for entry in manifest.inputs if entry.name in (*DUMPS, FUNCTIONS))
    return f"{manifest.counts['kept']:,}", names


if __name__ == "__main__":
    main()
