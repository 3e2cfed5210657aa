"""The folder of hard negatives: what it holds, what proves it, and how its rows become those of a training run.

A Parquet file a language, a row a pair: the cosine and the rank of its own answer, and its negatives by row, id and
cosine. Rows are counted in the train split of the language, so that a file belongs to one dataset, which is known by
its digest; no text is copied. Source: ours, docs/decisions/0020.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from procqa.chain import Check
from procqa.dataset.schema import SPLITS, read_batches
from procqa.encoder.streams import Corpus, Stream, text_hash
from procqa.encoder.views import PAIR_TYPES
from procqa.errors import ArtifactError
from procqa.manifest import Input, Manifest, load_manifest

KIND = "negatives"

SCHEMA = pa.schema(
    [
        ("row", pa.int32()),
        ("site", pa.string()),
        ("question_id", pa.int64()),
        ("answer_id", pa.int64()),
        ("score", pa.float32()),
        ("rank", pa.int32()),
        (
            "negatives",
            pa.list_(
                pa.struct(
                    [("row", pa.int32()), ("site", pa.string()), ("answer_id", pa.int64()), ("score", pa.float32())]
                )
            ),
        ),
    ]
)
"""Columns of a file: a score is a cosine, a rank counts from 1 and is 0 beyond the depth.

Source: ours, docs/training.md#hard-negatives.
"""

HELD_OUT_SPLITS = tuple(split for split in SPLITS if split != "train")

NOT_CONSISTENT = "the answer is not among the first of who mined"

CARD = """# Hard negatives

For each pair of the train split of {dataset} (sha256 {sha256}):
the rank that {teacher} gives to its own answer among all answers of the language, and other answers that it ranks
high. It holds numbers of rows and posts and no texts; authors and licences stand in the rows of the dataset.

```bash
procqa train {dataset} --hard-negatives DIR --negatives {most} --out ENCODER
```

A teacher that was trained on these pairs finds most of its own answers first, which says little of them.

| language | pairs | negatives | pairs with fewer than {most} | answer first | among 10 | among {depth} |
|---|---|---|---|---|---|---|
{rows}

No validation or test answer was read into the pool, and no negative has the text of one of the {held_out:,} there are.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MineSummary:
    """What was mined; every value can be read again from the folder.

    Args:
        teacher: the encoder without its path.
        pairs: that were ranked.
        left_out: rows that are no pair, by reason.
        negatives: of all pairs.
        short: pairs with fewer negatives than were asked for.
        excluded: best documents that are no negatives, by reason.
        consistent: pairs whose own answer is among the first 1, 10 and ``depth``.
        held_out: the validation and test answers whose texts no negative has.
        languages: the same of each language.
    """

    out: str
    sha256: str
    teacher: str
    pairs: int
    left_out: dict[str, int]
    negatives: int
    short: int
    excluded: dict[str, int]
    consistent: dict[str, int]
    held_out: dict[str, Any]
    languages: dict[str, dict[str, Any]]


def summarise(out: Path, manifest: Manifest) -> MineSummary:
    """The summary of a folder that is there."""
    counts = manifest.counts
    names = ("pairs", "left_out", "negatives", "short", "excluded", "consistent", "held_out", "languages")
    return MineSummary(
        out=str(out),
        sha256=manifest.sha256,
        teacher=manifest.recipe["teacher"],
        **{name: counts[name] for name in names},
    )


def negatives_path(language: str) -> str:
    """Where the pairs of a language lie, relative to the folder."""
    return f"data/{language}.parquet"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The validation and test answers of a dataset.

    Args:
        hashes: of their folded texts, sorted, each once.
        documents: how many answers there are.
    """

    hashes: NDArray[np.uint64]
    documents: int

    def holds(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """(n,) which of some texts are among them."""
        return np.isin(hashes, self.hashes)

    def described(self) -> dict[str, Any]:
        """What a manifest says of them."""
        sha256 = hashlib.sha256(self.hashes.astype("<u8").tobytes()).hexdigest()
        return {
            "splits": list(HELD_OUT_SPLITS),
            "documents": self.documents,
            "texts": len(self.hashes),
            "sha256": sha256,
        }


def read_held_out(dataset: Path) -> HeldOut:
    """The validation and test answers of a dataset, in all its languages. Memory: 8 bytes an answer."""
    hashes = [np.empty(0, dtype=np.uint64)]
    for split in HELD_OUT_SPLITS:
        for batch in read_batches(dataset, columns=["answer"], split=split):
            texts = batch.column("answer").to_pylist()
            hashes.append(np.array([text_hash(text or "") for text in texts], dtype=np.uint64))
    every = np.concatenate(hashes)
    return HeldOut(np.unique(every), len(every))


def write_negatives_card(folder: Path, dataset: Input, recipe: dict[str, Any], counts: dict[str, Any]) -> None:
    """Write README.md into a folder of negatives."""
    cuts = [str(cut) for cut in (1, 10, recipe["depth"])]
    rows = [
        (language, each["pairs"], each["negatives"], each["short"], *(each["consistent"].get(cut, "") for cut in cuts))
        for language, each in counts["languages"].items()
    ]
    text = CARD.format(
        dataset=dataset.name,
        sha256=dataset.sha256,
        teacher=recipe["teacher"],
        most=recipe["negatives"],
        depth=recipe["depth"],
        rows="\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows),
        held_out=counts["held_out"]["documents"],
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def read_negatives(folder: Path, language: str) -> Iterator[pa.RecordBatch]:
    """The pairs of a language of a folder.

    Raises:
        ArtifactError: the file cannot be read.
    """
    path = folder / negatives_path(language)
    try:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches()
    except (OSError, pa.ArrowException) as error:
        raise ArtifactError(f"{path} is not a readable Parquet file: mine again with --force") from error


def check_negatives(folder: Path, inputs: Sequence[Path]) -> list[Check]:
    """Prove again that each negative is another row of the train split, with the text of no validation or test answer.

    Args:
        inputs: paths among which the dataset is looked for.

    Raises:
        ArtifactError: the folder or the dataset cannot be read.
    """
    manifest = load_manifest(folder, kind=KIND)
    dataset = next((path for path in inputs if _is_dataset(path, manifest.inputs[0].sha256)), None)
    if dataset is None:
        return [Check("pool", "not checked", "the dataset is not at hand: say where with --input")]
    held_out = read_held_out(dataset)
    checks = [_verdict("pool", [] if held_out.described() == manifest.counts["held_out"] else ["held-out answers"])]
    return checks + [
        _verdict(f"pool of {language}", sorted(set(_wrong(folder, language, dataset, held_out))))
        for language in manifest.counts["languages"]
    ]


def _is_dataset(path: Path, sha256: str) -> bool:
    try:
        return load_manifest(path, kind="dataset").sha256 == sha256
    except ArtifactError:
        return False


def _verdict(subject: str, wrong: list[str]) -> Check:
    return (
        Check(subject, "failed", f"it contradicts the dataset: {', '.join(wrong)}") if wrong else Check(subject, "ok")
    )


def _wrong(folder: Path, language: str, dataset: Path, held_out: HeldOut) -> Iterator[str]:
    """What is wrong with the pairs of a language."""
    posts, texts = list[tuple[Any, Any]](), list[int]()
    for batch in read_batches(dataset, columns=["site", "answer_id", "answer"], language=language, split="train"):
        for row in batch.to_pylist():
            posts.append((row["site"], row["answer_id"]))
            texts.append(text_hash(row["answer"] or ""))
    is_held_out = held_out.holds(np.array(texts, dtype=np.uint64))
    for batch in read_negatives(folder, language):
        for pair in batch.to_pylist():
            for one in (pair, *pair["negatives"]):
                if not 0 <= one["row"] < len(posts) or posts[one["row"]] != (one["site"], one["answer_id"]):
                    yield "a row that is another answer"
                    return
            for negative in pair["negatives"]:
                if is_held_out[negative["row"]]:
                    yield "a negative with the text of a validation or test answer"
                if texts[negative["row"]] == texts[pair["row"]]:
                    yield "a negative with the text of the right answer"


def find_negatives(folders: Sequence[Path], datasets: Sequence[Path]) -> dict[Path, Path]:
    """The folder of negatives of each dataset that has one.

    Raises:
        ArtifactError: a folder holds no negatives, or those of none of the datasets, or of one that has some already.
    """
    by_digest = {load_manifest(dataset, kind="dataset").sha256: dataset for dataset in datasets}
    found: dict[Path, Path] = {}
    for folder in folders:
        entry = load_manifest(folder, kind=KIND).inputs[0]
        dataset = by_digest.get(entry.sha256)
        if dataset is None:
            raise ArtifactError(
                f"{folder} must hold negatives of a dataset that is trained on, but was mined from {entry.name}"
                f" ({entry.sha256[:12]}): mine the dataset, or leave the folder out"
            )
        if dataset in found:
            raise ArtifactError(f"{dataset} must have one folder of negatives, got {found[dataset]} and {folder}")
        found[dataset] = folder
    return found


def use_negatives(
    corpus: Corpus, datasets: dict[str, Path], *, wants_negatives: bool, consistent_at: int | None
) -> Corpus:
    """The corpus with the mined rows of each pair, and without pairs whose answer its teacher does not find.

    Mined rows go to streams whose document is the answer; all that ask for a part of the answer lose pairs.
    Memory: 4 bytes for each mined negative, and 4 for a rank, of a row.

    Args:
        datasets: the folder of negatives of each dataset, by its name in the corpus.
        consistent_at: the largest rank that stays; None keeps all pairs.

    Raises:
        ArtifactError: a folder lacks a language or the ranks that are asked for, or cannot be read.
    """
    recipes = {name: load_manifest(folder, kind=KIND).recipe for name, folder in datasets.items()}
    width = max((recipe["negatives"] for recipe in recipes.values()), default=0) if wants_negatives else 0
    mined = np.full((corpus.rows, width), -1, dtype=np.int32)
    ranks = np.zeros(corpus.rows, dtype=np.int32)
    for part, start in corpus.starts.items():
        name, _, language = part.rpartition("/")
        if name in datasets:
            if not (datasets[name] / negatives_path(language)).is_file():
                raise ArtifactError(
                    f"{datasets[name]} must hold the languages that are trained on, but has no {language}:"
                    " mine it too, or leave it out with --languages"
                )
            _read_part(datasets[name], language, start, mined, ranks)
    if consistent_at is not None:
        for name in sorted({part.rpartition("/")[0] for part in corpus.starts}):
            if name not in datasets:
                raise ArtifactError(
                    f"the dataset {name} must have a folder of negatives, which tells ranks, for --consistent-at:"
                    " mine it and name it in --hard-negatives"
                )
            if recipes[name]["depth"] < consistent_at:
                raise ArtifactError(
                    f"{datasets[name]} must tell ranks up to {consistent_at}, but was mined with --depth"
                    f" {recipes[name]['depth']}: mine deeper, or lower --consistent-at"
                )
    left_out = {name: dict(reasons) for name, reasons in corpus.left_out.items()}
    streams = []
    for stream in corpus.streams:
        asks_for_the_answer = _asks_for_the_answer(stream)
        rows = stream.rows
        if consistent_at is not None and asks_for_the_answer:
            rows = rows[(ranks[rows] >= 1) & (ranks[rows] <= consistent_at)]
            reasons = left_out[stream.pair_type]
            reasons[NOT_CONSISTENT] = reasons.get(NOT_CONSISTENT, 0) + len(stream) - len(rows)
        is_mined = width > 0 and stream.dataset in datasets and PAIR_TYPES[stream.pair_type].document == "answer"
        if len(rows):
            streams.append(replace(stream, rows=rows, mined=mined if is_mined else None))
    return replace(corpus, streams=tuple(streams), left_out=left_out)


def _asks_for_the_answer(stream: Stream) -> bool:
    pair_type = PAIR_TYPES[stream.pair_type]
    return pair_type.document.startswith("answer") and not pair_type.query.startswith("answer")


def _read_part(folder: Path, language: str, start: int, mined: NDArray[np.int32], ranks: NDArray[np.int32]) -> None:
    """Fill in the mined rows and the ranks of one language, whose first row is ``start``."""
    for batch in read_negatives(folder, language):
        rows = start + batch.column("row").to_numpy()
        ranks[rows] = batch.column("rank").to_numpy()
        if mined.shape[1]:
            lists = batch.column("negatives")
            lengths = np.diff(lists.offsets.to_numpy())
            places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            mined[np.repeat(rows, lengths), places] = start + lists.flatten().field("row").to_numpy()
