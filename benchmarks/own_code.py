"""Search over one's own code, judged: 48 natural queries of this repository and of Python's standard library.

``python -m benchmarks.own_code pool REPO LIBRARY --out FILE`` indexes both folders as one index and writes the first
ten hits of each ranking for each query, to be judged. ``score`` takes the judgements, which stand in
own_judgements.jsonl as (query, document, grade): 2 answers the query, 1 helps, 0 does neither; a document is
SOURCE/PATH#SYMBOL. The queries were committed before anything had answered them, and every hit of every ranking is
judged.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.results import RESULTS, describe_commit, write_result
from procqa.config import EvaluateConfig, SearchConfig
from procqa.encoder.model import SHIPPED, open_encoder
from procqa.encoder.reading import open_reader
from procqa.evaluation.metrics import ndcg, reciprocal_rank, success
from procqa.evaluation.statistics import adjust_holm, bootstrap_intervals, paired_randomisation
from procqa.index.build import build_index
from procqa.records import Document
from procqa.search.searcher import Searcher

NAME = "own_code"
FOLDER = Path(__file__).parent
QUERIES, JUDGEMENTS = FOLDER / "own_queries.jsonl", FOLDER / "own_judgements.jsonl"
MODES = ("lexical", "dense", "hybrid")
CUT = 10
MEASURES = ("ndcg@10", "mrr@10", "success@1", "success@10")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def name_of(document: Document) -> str:
    """What a judgement calls a document: it outlives the lines around it."""
    assert document.place is not None
    return f"{document.attribution.origin}/{document.place.path}#{document.place.symbol}"


def rank_all(folders: Sequence[Path]) -> Iterator[tuple[dict[str, Any], str, list[Document]]]:
    """Every query with every ranking of it: the first ten documents of an index of these folders."""
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch) / "index"
        encoder = open_encoder("default")
        reader = open_reader(SHIPPED, max_tokens=encoder.max_tokens)
        build_index(list(folders), index, encoder=encoder, encoder_folder=SHIPPED, read_part=reader)
        searcher = Searcher.open(index)
        try:
            for query in read_lines(QUERIES):
                for mode in MODES:
                    config = SearchConfig(k=CUT, mode=mode)  # type: ignore[arg-type]  # one of MODES
                    hits = searcher.search(query["query"], config).hits
                    yield query, mode, [hit.document for hit in hits]
        finally:
            searcher.close()


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="hits that are not judged yet")
def pool(folders: tuple[Path, ...], out: Path) -> None:
    known = {(row["query"], row["document"]) for row in read_lines(JUDGEMENTS)} if JUDGEMENTS.exists() else set()
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for query, _, documents in rank_all(folders):
        for document in documents:
            key = query["id"], name_of(document)
            if key not in known:
                text = f"{document.title}\n{document.question}\n{document.answer}"
                rows[key] = {"query": query["id"], "asked": query["query"], "document": key[1], "text": text}
    ordered = [rows[key] for key in sorted(rows)]  # by query and name, which say nothing of who ranked it where
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ordered), encoding="utf-8")
    print(f"{len(ordered)} hits to judge")


@main.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="folder of the result")
def score(folders: tuple[Path, ...], out: Path) -> None:
    commit = describe_commit()
    print(json.dumps(write_result(NAME, measure(folders), out, commit=commit), indent=2))


def measure(folders: Sequence[Path]) -> dict[str, Any]:
    """The scores of each ranking with their intervals, of all queries and by what they are over."""
    grades = {(row["query"], row["document"]): int(row["grade"]) for row in read_lines(JUDGEMENTS)}
    values: dict[str, list[list[float]]] = {mode: [] for mode in MODES}
    over: list[str] = []
    unjudged = 0
    for query, mode, documents in rank_all(folders):
        found = [grades.get((query["id"], name_of(document))) for document in documents]
        unjudged += found.count(None)
        ranked = np.array([[grade or 0 for grade in found] + [0] * (CUT - len(found))])
        held = sorted((grade for (of_query, _), grade in grades.items() if of_query == query["id"]), reverse=True)
        ideal = np.array([[grade for grade in held if grade > 0] or [0]])
        answers = (ranked == 2).astype(np.int64)
        values[mode].append(
            [
                float(ndcg(ranked, ideal, CUT)[0]),
                float(reciprocal_rank(answers, CUT)[0]),
                float(success(answers, 1)[0]),
                float(success(answers, CUT)[0]),
            ]
        )
        if mode == MODES[0]:
            over.append(query["over"])
    table = {mode: np.array(rows) for mode, rows in values.items()}
    places = {"all": np.arange(len(over))} | {
        name: np.flatnonzero(np.array(over) == name) for name in sorted(set(over))
    }
    return {
        "queries": len(over),
        "judgements": len(grades),
        "hits without a judgement": unjudged,
        "config": asdict(SearchConfig(k=CUT)),
        "scores": {name: {mode: _summary(table[mode][rows]) for mode in MODES} for name, rows in places.items()},
        "hybrid against": _compare(table),
    }


def _summary(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, list[float]]:
    """Mean, lower and upper end of each measure."""
    config = EvaluateConfig()
    ends = bootstrap_intervals(values, resamples=config.bootstrap, generator=np.random.default_rng(config.seed))
    means = values.mean(axis=0)
    return {
        measure: [round(float(mean), 4), round(float(low), 4), round(float(high), 4)]
        for measure, mean, (low, high) in zip(MEASURES, means, ends, strict=True)
    }


def _compare(table: dict[str, np.ndarray[Any, np.dtype[np.float64]]]) -> dict[str, dict[str, float]]:
    """Hybrid beside each of its parts, by nDCG."""
    config = EvaluateConfig()
    others = [mode for mode in MODES if mode != "hybrid"]
    differences = [table["hybrid"][:, 0] - table[mode][:, 0] for mode in others]
    p_values = [
        paired_randomisation(one, permutations=config.permutations, generator=np.random.default_rng(config.seed))
        for one in differences
    ]
    return {
        mode: {"delta": round(float(one.mean()), 4), "p": round(p, 4), "p_holm": round(p_holm, 4)}
        for mode, one, p, p_holm in zip(others, differences, p_values, adjust_holm(p_values), strict=True)
    }


if __name__ == "__main__":
    main()
