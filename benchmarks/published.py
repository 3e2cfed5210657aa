"""BM25 scores that another implementation published, computed again: results/published-SHA12.json.

Each benchmark is cut as the published number has it, written as a BEIR folder and given to ``evaluate``, four times:
with the words that the other implementation is taken to have used (parts of identifiers, not stemmed, a repeated word
of a query counted once, k1 = 1.2, b = .75), with repeated words counted each time, with our own words, and with our
own words on all that our rules call right. FOLDER holds cosqa/, conala/, codenn/ and rosetta/ as published.
"""

import json
import random
import tempfile
from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import click

from benchmarks.results import RESULTS, describe_commit, write_result
from procqa.config import EvaluateConfig
from procqa.corpora.benchmarks import Collection, list_parts, load_collection
from procqa.evaluation.evaluate import evaluate

PLAIN = EvaluateConfig(words="plain", distinct_words=True, k1=1.2, b=0.75)
SETTINGS = {
    "recomputed": PLAIN,
    "repeats counted": replace(PLAIN, distinct_words=False),
    "own words": replace(EvaluateConfig(), k1=PLAIN.k1, b=PLAIN.b),
}
SEEDS = range(5)
SAMPLED_TASKS = 600
CODENN_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Case:
    """A published number and the collections that it may have been measured on.

    Args:
        measure: a key of ``Result.metrics``.
        samples: one, or several where the sample is not known.
        by_our_rule: the same with the judgements that the task of procqa has.
    """

    name: str
    measure: str
    published: float
    protocol: str
    samples: tuple[Collection, ...]
    by_our_rule: Collection


def read_cases(folder: Path) -> list[Case]:
    """The published numbers, each with its data.

    Raises:
        BenchmarkError: a benchmark is absent, or not in its published layout.
    """
    cosqa, conala, codenn = (load_collection(name, [folder]) for name in ("cosqa", "conala", "codenn:csharp"))
    own = "its own document alone is right"
    first = _keep(codenn, list(codenn.queries)[:CODENN_ROWS])
    cases = [
        Case("cosqa", "mrr@1000", 0.330, "test queries, all documents", (cosqa,), cosqa),
        Case("conala", "mrr@1000", 0.605, f"test, {own}", (_own_alone(conala),), conala),
        Case("codenn:csharp", "mrr@1000", 0.212, f"first {CODENN_ROWS:,} rows, {own}", (_own_alone(first),), first),
        Case("codenn:csharp", "mrr@1000", 0.157, f"all rows, {own}", (_own_alone(codenn),), codenn),
    ]
    of_language = {task.partition("-")[2]: task for task in list_parts("rosetta", [folder])}
    programs = (load_collection(task, [folder]).documents for task in of_language.values())
    tasks = sorted({_task_of(name) for names in programs for name in names})
    for part, published in (("ruby-python", 0.553), ("python-java", 0.504), ("lisp-python", 0.420)):
        whole = load_collection(f"rosetta:{part}", [folder])
        protocol = f"{SAMPLED_TASKS} of {len(tasks)} tasks, every program a query; mean of {len(SEEDS)} samples"
        cases.append(Case(whole.name, "map", published, protocol, tuple(_samples(whole, tasks)), whole))
    return cases


def _own_alone(collection: Collection) -> Collection:
    """A collection in which a query has the one document that stands beside it."""
    return replace(collection, qrels={name: {name: 1} for name in collection.queries})


def _samples(whole: Collection, tasks: Sequence[str]) -> list[Collection]:
    """A pair of languages of Rosetta Code, with the programs of sampled tasks; which were sampled is not known."""
    parts = []
    for seed in SEEDS:
        chosen = set(random.Random(seed).sample(tasks, SAMPLED_TASKS))
        parts.append(_keep(whole, [name for name in {**whole.queries, **whole.documents} if _task_of(name) in chosen]))
    return parts


def _task_of(program: str) -> str:
    return program.partition("/")[0]


def _keep(collection: Collection, names: Ids[str]) -> Collection:
    """The queries and the documents of some ids."""
    kept = set(names)
    documents = {name: text for name, text in collection.documents.items() if name in kept}
    qrels = {
        query: {name: grade for name, grade in grades.items() if name in documents}
        for query, grades in collection.qrels.items()
        if query in kept
    }
    return replace(
        collection,
        documents=documents,
        queries={name: collection.queries[name] for name, grades in qrels.items() if grades},
        qrels={name: grades for name, grades in qrels.items() if grades},
    )


def measure_case(case: Case, scratch: Path) -> dict[str, Any]:
    """One published number beside ours, each the mean over the samples."""
    found: dict[str, Any] = {}
    for name, config in SETTINGS.items():
        scores = [_score(sample, case.measure, scratch, config) for sample in case.samples]
        found[name] = round(mean(scores), 4)
        if len(scores) > 1:
            found[f"{name}, of each sample"] = [round(score, 4) for score in scores]
    return {
        "case": case.name,
        "measure": case.measure,
        "protocol": case.protocol,
        "published": case.published,
        **found,
        "difference": round(found["recomputed"] - case.published, 4),
        "the task of procqa": round(_score(case.by_our_rule, case.measure, scratch, EvaluateConfig()), 4),
    }


def _score(collection: Collection, measure: str, scratch: Path, config: EvaluateConfig) -> float:
    """What bm25 scores on a collection, by way of a BEIR folder."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        _write_beir(collection, Path(folder))
        (result,) = evaluate(["bm25"], [f"beir:{folder}"], [], config)
    return result.metrics[measure]


def _write_beir(collection: Collection, folder: Path) -> None:
    """A collection in the layout that every tool reads."""
    for file, texts in (("corpus.jsonl", collection.documents), ("queries.jsonl", collection.queries)):
        lines = [json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items()]
        (folder / file).write_text("".join(lines), encoding="utf-8")
    judged = [
        f"{query}\t{name}\t{grade}" for query, grades in collection.qrels.items() for name, grade in grades.items()
    ]
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]), encoding="utf-8")


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="folder of the result")
def main(folder: Path, out: Path) -> None:
    commit = describe_commit()
    with tempfile.TemporaryDirectory() as scratch:
        cases = [measure_case(case, Path(scratch)) for case in read_cases(folder)]
    for case in cases:
        print(json.dumps(case))
    write_result("published", {"cases": cases}, out, commit=commit)


if __name__ == "__main__":
    main()
