"""Dataset and teacher → hard negatives: what the teacher takes for an answer and is none, and where the answer stands.

For each pair of the train split the teacher ranks the answers of the train split of its language, all of them. Of
the best, those become negatives that cannot be a second right answer by what is known, and that are farther from
the question than the right answer by a share. A validation or test answer is never read into the pool, and no
negative has the text of one. Vectors are cached and ranked pairs kept in blocks, so a kill costs one block.
Source: Moreira et al. 2024 (NV-Retriever) for the share; ours, docs/decisions/0020.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from procqa.artifact import Workspace, find_complete, refuse_overlap, workspace
from procqa.config import MineConfig
from procqa.dataset.schema import dataset_languages, read_batches
from procqa.encoder.bases import label_of
from procqa.encoder.cache import CachedEncoder, settings_sha256
from procqa.encoder.candidates import REASONS, Rows, choose, own_ranks, query_text, read_rows_of
from procqa.encoder.encode import TEXTS_AT_ONCE
from procqa.encoder.model import find_encoder, open_encoder
from procqa.encoder.negatives import (
    KIND,
    SCHEMA,
    HeldOut,
    MineSummary,
    negatives_path,
    read_held_out,
    summarise,
    write_negatives_card,
)
from procqa.encoder.streams import CHARS_A_TOKEN
from procqa.encoder.training import dataset_input
from procqa.errors import ArtifactError
from procqa.manifest import load_manifest
from procqa.topk import dot_products, top_k

PAIRS_AT_ONCE = 4_096
"""Pairs of a block of rankings. Source: ours, docs/decisions/0020."""

A_SIDE_IS_BLANK = "the question or the answer is blank"

Report = Callable[[str, int], None]
"""Told what is being done and how much of it is done."""


def mine(
    dataset: Path,
    teacher: str,
    out: Path,
    config: MineConfig,
    *,
    cache: Path | None = None,
    force: bool = False,
    report: Report = lambda *_: None,
) -> MineSummary:
    """Mine the hard negatives of a dataset's train split; do nothing where they are there already.

    Args:
        teacher: an encoder by name or folder.
        out: the folder to make.
        cache: a folder of vectors that are kept for other runs; None keeps them for this run alone.
        force: replace an ``out`` that another recipe made.
        report: called with the stage and what is done of it.

    Raises:
        ArtifactError: the dataset or the teacher is missing or broken, there is nothing to mine, or ``out`` cannot be
            written.
        MissingExtra: the teacher needs a package that is not installed.
    """
    refuse_overlap(out, [dataset] if cache is None else [dataset, cache])
    inputs = [dataset_input(dataset)]
    languages = _languages(dataset, config.languages)
    folder = find_encoder(teacher)
    opened = open_encoder(teacher, max_tokens=config.max_tokens)
    is_functions = load_manifest(dataset, kind="dataset").counts.get("kind", "questions") == "functions"
    recipe = {
        **asdict(config),
        "query": config.query or ("question" if is_functions else "title+question"),
        "teacher": label_of(teacher, folder),
        "teacher_sha256": opened.revision,
        "teacher_arithmetic": opened.arithmetic,
        "teacher_settings": settings_sha256(folder),
    }
    complete = find_complete(out, kind=KIND, recipe=recipe, inputs=inputs, force=force)
    if complete is None:
        with workspace(out, kind=KIND, recipe=recipe, inputs=inputs) as work:
            vectors = work.scratch / "vectors" if cache is None else cache
            with CachedEncoder(opened, vectors, {"settings": recipe["teacher_settings"]}) as encoder:
                _run(_Run(dataset, config, recipe["query"], work, encoder, report), languages, recipe)
        complete = load_manifest(out, kind=KIND)
    return summarise(out, complete)


def _languages(dataset: Path, wanted: Sequence[str]) -> list[str]:
    """The languages to mine, those that have a train split."""
    sizes = dataset_languages(dataset)
    there = sorted(language for language, splits in sizes.items() if splits.get("train"))
    if not there:
        raise ArtifactError(f"{dataset} must have a train split to mine, but it has none: build a larger dataset")
    if missing := sorted(set(wanted) - set(there)):
        raise ArtifactError(
            f"{dataset} must hold a train split of the languages that are asked for, but has none of"
            f" {', '.join(missing)}: it has {', '.join(there)}"
        )
    return [language for language in there if not wanted or language in wanted]


@dataclass(frozen=True, slots=True)
class _Run:
    """What does not change during a run."""

    dataset: Path
    config: MineConfig
    query: str
    work: Workspace
    encoder: CachedEncoder
    report: Report


def _run(run: _Run, languages: Sequence[str], recipe: dict[str, Any]) -> None:
    """Fill the workspace."""
    held_out = read_held_out(run.dataset)
    (run.work.path / "data").mkdir(exist_ok=True)
    of_languages = {language: _mine_language(run, language, held_out) for language in languages}
    names = next(iter(of_languages.values())).keys()
    counts: dict[str, Any] = {
        **{name: _total([each[name] for each in of_languages.values()]) for name in names},
        "teacher_tokens": run.encoder.max_tokens,
        "held_out": held_out.described(),
        "languages": of_languages,
    }
    write_negatives_card(run.work.path, dataset_input(run.dataset), recipe, counts)
    run.work.finish(counts)


def _total(values: Sequence[Any]) -> Any:  # Any: a number, or numbers by name
    if isinstance(values[0], dict):
        return {name: sum(value[name] for value in values) for name in values[0]}
    return sum(values)


def _texts(run: _Run, language: str, side: str) -> Iterator[list[str]]:
    """The queries or documents of the train split, in batches, each as far as it can be read."""
    most_chars = CHARS_A_TOKEN * run.config.max_tokens
    columns = ["answer"] if side == "document" else ["title", "question"]
    batches = read_batches(run.dataset, columns=columns, language=language, split="train", batch_rows=TEXTS_AT_ONCE)
    for batch in batches:
        rows = [{"title": "", "question": "", "answer": "", **row} for row in batch.to_pylist()]
        view = "answer" if side == "document" else run.query
        yield [query_text(row, view)[:most_chars] for row in rows]


def _mine_language(run: _Run, language: str, held_out: HeldOut) -> dict[str, Any]:
    """Write the negatives of one language; what there is to count."""
    run.report(f"{language}: reading", 0)
    rows = read_rows_of(run.dataset, language, run.query, held_out)
    blocks = [rows.pairs[start : start + PAIRS_AT_ONCE] for start in range(0, len(rows.pairs), PAIRS_AT_ONCE)]
    folder = run.work.scratch / "ranked" / language
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:06d}.parquet" for number in range(len(blocks))]
    if not all(path.is_file() for path in paths):
        queries, documents = (_encode(run, language, side, len(rows)) for side in ("query", "document"))
        done = 0
        for path, block in zip(paths, blocks, strict=True):
            if not path.is_file():
                _write_block(path, *_mine_block(rows, block, queries, documents, run.config))
            done += len(block)
            run.report(f"{language}: ranking {len(rows.pairs):,} questions", done)
    counts = _Counts(run.config)
    with pq.ParquetWriter(run.work.path / negatives_path(language), SCHEMA, compression="zstd") as writer:
        for path in paths:
            table = pq.read_table(path)
            counts.add(json.loads(table.schema.metadata[b"excluded"]), table)
            writer.write_table(table.replace_schema_metadata(None).cast(SCHEMA))
    return {
        "rows": len(rows),
        "left_out": {A_SIDE_IS_BLANK: len(rows) - len(rows.pairs)},
        "held_out_rows": int(rows.is_held_out.sum()),
        **counts.described(),
    }


class _Counts:
    """What is counted of the pairs of a language."""

    def __init__(self, config: MineConfig) -> None:
        self._config = config
        self._cuts = sorted({1, 10, config.depth} & set(range(1, config.depth + 1)))
        self._pairs = self._negatives = self._short = 0
        self._excluded = Counter(dict.fromkeys(REASONS, 0))
        self._consistent = dict.fromkeys(self._cuts, 0)

    def add(self, excluded: dict[str, int], table: pa.Table) -> None:
        """Count the pairs of a block."""
        taken = pc.list_value_length(table["negatives"]).to_numpy()
        ranks = table["rank"].to_numpy()
        self._pairs += len(table)
        self._negatives += int(taken.sum())
        self._short += int((taken < self._config.negatives).sum())
        self._excluded.update(excluded)
        for cut in self._cuts:
            self._consistent[cut] += int(((ranks >= 1) & (ranks <= cut)).sum())

    def described(self) -> dict[str, Any]:
        """The counts as the manifest has them."""
        return {
            "pairs": self._pairs,
            "negatives": self._negatives,
            "short": self._short,
            "excluded": dict(self._excluded),
            "consistent": {str(cut): found for cut, found in self._consistent.items()},
        }


def _encode(run: _Run, language: str, side: str, n_rows: int) -> NDArray[np.float32]:
    """(n, D) the vectors of one side, memory-mapped."""
    path = run.work.scratch / f"{side}.vectors"
    encode = run.encoder.encode_documents if side == "document" else run.encoder.encode_queries
    stage = f"{language}: encoding {n_rows:,} {'answers' if side == 'document' else 'questions'}"
    done = 0
    # Written and then mapped: a full disk is an error of a write, but the end of a process that maps.
    with path.open("wb") as stream:
        for texts in _texts(run, language, side):
            stream.write(np.ascontiguousarray(encode(texts), dtype=np.float32).tobytes())
            done += len(texts)
            run.report(stage, done)
    return np.memmap(path, dtype=np.float32, mode="r", shape=(n_rows, run.encoder.dimensions))


def _mine_block(
    rows: Rows,
    block: NDArray[np.int64],
    queries: NDArray[np.float32],
    documents: NDArray[np.float32],
    config: MineConfig,
) -> tuple[pa.Table, dict[str, int]]:
    """The table of some pairs (b,), and why which of their best documents are no negatives."""
    asked = np.asarray(queries[block])
    own_scores = dot_products(asked, np.asarray(documents[block]))
    scores, hits = top_k(asked, documents, config.depth + 1)
    ranks = own_ranks(rows, block, own_scores, scores, hits, depth=config.depth)
    scores, hits = scores[:, config.skip : config.depth], hits[:, config.skip : config.depth]
    is_taken, excluded = choose(rows, block, own_scores, scores, hits, config)
    taken = hits[is_taken]
    ends = np.cumsum(is_taken.sum(axis=1), dtype=np.int32)
    ids = rows.ids.take(pa.array(taken)).combine_chunks()
    negatives = pa.StructArray.from_arrays(
        [
            pa.array(taken, type=pa.int32()),
            *(
                pa.array(ids[name].to_pylist(), type=kind)
                for name, kind in (("site", pa.string()), ("answer_id", pa.int64()))
            ),
            pa.array(scores[is_taken]),
        ],
        names=["row", "site", "answer_id", "score"],
    )
    own = rows.ids.take(pa.array(block))
    columns = {
        "row": pa.array(block, type=pa.int32()),
        **{name: own[name] for name in ("site", "question_id", "answer_id")},
        "score": pa.array(own_scores),
        "rank": pa.array(ranks),
        "negatives": pa.ListArray.from_arrays(pa.array([0, *ends.tolist()], type=pa.int32()), negatives),
    }
    return pa.table(columns).cast(SCHEMA), excluded


def _write_block(path: Path, table: pa.Table, excluded: dict[str, int]) -> None:
    """Put a block at its path, whole or not at all."""
    new = path.with_suffix(".new")
    with new.open("wb") as stream:
        pq.write_table(table.replace_schema_metadata({"excluded": json.dumps(excluded)}), stream)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
