"""leakage.json: what a dataset was checked against, what was removed and the proof of each, and its re-check.

A proof needs nothing but itself: the benchmark's text, the pair's own text that holds it, and the rule. Where
the benchmarks are at hand the check also looks their texts up, and searches the dataset once more.
Source: ours, docs/decisions/0009.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from procqa.artifact import digest_input
from procqa.chain import Check
from procqa.corpora.benchmarks import read_benchmark_texts
from procqa.dataset.decontaminate import KeptTexts, LeakFinder, TextCounts, keep_texts
from procqa.dataset.schema import read_batches
from procqa.manifest import Input

LEAKAGE_FILE = "leakage.json"
PROOF_KEYS = ("site", "question_id", "language", "benchmark", "item", "rule", "matched", "field", "evidence")

NOT_CHECKED = (
    "benchmarks that --benchmarks did not name",
    "texts too short to be looked for within a pair (texts_too_short); those counted in texts_compared_as_a_whole "
    "were compared with whole titles, posts and code blocks",
    "translations, paraphrases, and copies with most names changed",
    "runs of 13 words that are idioms (fewer than 8 different words) or stand in 10 or more benchmark texts",
)
"""What no build looks for. Source: ours, docs/decisions/0009."""

SHOWN_FAILURES = 5


def write_leakage(
    path: Path, inputs: Iterable[Input | Mapping[str, Any]], counts: TextCounts, leaks: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Write leakage.json and return what it holds.

    Args:
        inputs: the benchmarks, as the manifest names them.
        counts: what ``keep_texts`` returned.
        leaks: site, question_id, language and the fields of a ``Leak``, in any order.
    """
    removed = sorted((dict(leak) for leak in leaks), key=lambda leak: (leak["site"], leak["question_id"]))
    leakage = {
        "checked_against": [asdict(entry) if isinstance(entry, Input) else dict(entry) for entry in inputs],
        "texts_looked_for": counts.used,
        "texts_too_short": counts.skipped,
        "texts_compared_as_a_whole": counts.whole,
        "hits": count_hits(removed),
        "not_checked": list(NOT_CHECKED),
        "removed": removed,
    }
    path.write_text(json.dumps(leakage, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", errors="replace")
    return leakage


def count_hits(removed: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Removed pairs by benchmark and rule."""
    hits: dict[str, Counter[str]] = {}
    for leak in removed:
        hits.setdefault(leak["benchmark"], Counter())[leak["rule"]] += 1
    return {benchmark: dict(sorted(hits[benchmark].items())) for benchmark in sorted(hits)}


def certificate(leakage: Mapping[str, Any]) -> list[str]:
    """The leakage certificate of a dataset as lines of Markdown, without its heading.

    Args:
        leakage: what ``write_leakage`` returned.
    """
    from procqa.dataset.leak_rules import RULES

    if not leakage["checked_against"]:
        return ["Not checked against any benchmark."]
    names = sorted({*leakage["texts_looked_for"], *leakage["texts_too_short"]})
    lines = [
        f"Train, validation and test were checked; {len(leakage['removed']):,} pairs were removed. `leakage.json` has "
        "the proof of each, and `procqa verify` checks them.",
        "",
        "| checked against | sha256 |",
        "|---|---|",
        *(f"| {_cell(entry['name'])} | `{entry['sha256']}` |" for entry in leakage["checked_against"]),
        "",
        f"| benchmark | texts looked for | too short | {' | '.join(RULES)} |",
        "|---|" + "---:|" * (2 + len(RULES)),
    ]
    for name in names:
        hits = leakage["hits"].get(name, {})
        numbers = [leakage["texts_looked_for"].get(name, 0), leakage["texts_too_short"].get(name, 0)]
        cells = " | ".join(f"{number:,}" for number in [*numbers, *(hits.get(rule, 0) for rule in RULES)])
        lines.append(f"| {_cell(name)} | {cells} |")
    return [*lines, "", "Not checked:", "", *(f"- {what}" for what in leakage["not_checked"])]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def check_leakage(folder: Path, benchmarks: Sequence[Path] = ()) -> list[Check]:
    """Check the proofs of a dataset, and search it again where all its benchmarks are at hand.

    Args:
        benchmarks: those at hand; a path that leakage.json does not name is passed over.

    Raises:
        ArtifactError: the folder is no dataset, or a part is corrupt.
        BenchmarkError: a benchmark is not in its published layout.
    """
    try:
        leakage = json.loads((folder / LEAKAGE_FILE).read_text(encoding="utf-8"))
        removed, named = list(leakage["removed"]), [entry["sha256"] for entry in leakage["checked_against"]]
        if count_hits(removed) != leakage.get("hits", count_hits(removed)):
            return [Check("leakage", "failed", "hits must count what removed lists, but does not")]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return [Check("leakage", "failed", f"{LEAKAGE_FILE} must hold checked_against and removed: {error}")]
    checks = [_summarise("leakage proofs", removed, check_proof)]
    digests = {digest_input(path).sha256: path for path in benchmarks}
    at_hand = [digests[sha256] for sha256 in named if sha256 in digests]
    if named and not at_hand:
        return [*checks, Check("leakage search", "not checked", "no benchmark is at hand: say where with --input")]
    if not named:
        return checks
    known = _texts_of(removed, at_hand)
    is_whole = len(at_hand) == len(named)
    checks.append(_summarise("leakage items", removed, lambda leak: _check_item(leak, known, is_whole)))
    if not is_whole:
        missing = len(named) - len(at_hand)
        return [*checks, Check("leakage search", "not checked", f"{missing} benchmarks are not at hand")]
    return [*checks, _search_again(folder, at_hand)]


def _summarise(subject: str, removed: Sequence[Any], check: Any) -> Check:
    failures = []
    for number, leak in enumerate(removed):
        problem = check(leak)
        if problem is not None:
            of = leak.get("question_id", "?") if isinstance(leak, dict) else "?"
            failures.append(f"entry {number} (question {of}): {problem}")
    if failures:
        more = f"; and {len(failures) - SHOWN_FAILURES} more" if len(failures) > SHOWN_FAILURES else ""
        return Check(subject, "failed", "; ".join(failures[:SHOWN_FAILURES]) + more)
    return Check(subject, "ok", f"{len(removed)} checked")


def check_proof(leak: Any) -> str | None:
    """What is wrong with an entry of leakage.json taken by itself; None where its proof holds."""
    from procqa.dataset import leak_rules

    if not isinstance(leak, dict) or any(key not in leak for key in PROOF_KEYS):
        return f"it must have {', '.join(PROOF_KEYS)}"
    if not all(isinstance(leak[key], str) for key in ("benchmark", "item", "rule", "matched", "field", "evidence")):
        return "its proof must be text"
    if leak["rule"] not in leak_rules.RULES or leak["field"] not in leak_rules.FIELDS:
        return f"rule {leak['rule']!r} in field {leak['field']!r} is not known"
    if not leak_rules.proves(leak["rule"], leak["matched"], leak["field"], leak["evidence"]):
        return f"what is matched does not stand in the evidence under the rule {leak['rule']}"
    return None


def _texts_of(removed: Sequence[Mapping[str, Any]], benchmarks: Sequence[Path]) -> dict[tuple[str, str], list[str]]:
    """The texts of the items that proofs name; an item may have several."""
    wanted = {(leak.get("benchmark"), leak.get("item")) for leak in removed}
    found: dict[tuple[str, str], list[str]] = {}
    for text in _read_all(benchmarks):
        if (text.benchmark, text.item) in wanted:
            found.setdefault((text.benchmark, text.item), []).append(text.text)
    return found


def _read_all(benchmarks: Sequence[Path]) -> Iterator[Any]:
    for path in benchmarks:
        yield from read_benchmark_texts(path)


def _check_item(leak: Mapping[str, Any], known: Mapping[tuple[str, str], list[str]], is_whole: bool) -> str | None:
    """What is wrong with the benchmark's side of an entry; None where it holds or cannot be told."""
    from procqa.dataset import leak_rules
    from procqa.dataset.secrets import redact
    from procqa.dataset.tokens import lower

    texts = known.get((leak["benchmark"], leak["item"]))
    if texts is None:
        return f"{leak['benchmark']} has no {leak['item']}" if is_whole else None
    matched = leak["matched"]
    if leak["rule"] == leak_rules.SUBSTRING:
        texts = [lower(text.strip()) for text in texts]
    # A build that redacts puts the same marks into its proofs as into its rows.
    texts = [*texts, *(redact(text)[0] for text in texts)]
    if leak["rule"] == leak_rules.SUBSTRING:
        holds = matched in texts
    elif leak["rule"] == leak_rules.LONG_GRAM:
        holds = any(text == matched or leak_rules.is_gram_of(matched, text) for text in texts)
    else:
        holds = matched in texts
    return None if holds else f"{leak['benchmark']} {leak['item']} does not hold what is matched"


def _search_again(folder: Path, benchmarks: Sequence[Path]) -> Check:
    """A fresh search over the rows of a dataset, in which nothing must be found."""
    found: list[str] = []
    n_rows = 0
    with tempfile.TemporaryDirectory() as scratch:
        kept = KeptTexts(Path(scratch) / "benchmarks.jsonl")
        keep_texts(kept.path, _read_all(benchmarks))
        finder = LeakFinder(kept)
        for batch in read_batches(folder, columns=["question_id", "title", "question", "answer"]):
            rows = batch.to_pylist()
            n_rows += len(rows)
            pairs = [(row["title"] or "", row["question"] or "", row["answer"] or "") for row in rows]
            for row, leak in zip(rows, finder.find_all(pairs), strict=True):
                if leak is not None:
                    found.append(f"question {row['question_id']} holds {leak.benchmark} {leak.item} ({leak.rule})")
    if found:
        more = f"; and {len(found) - SHOWN_FAILURES} more" if len(found) > SHOWN_FAILURES else ""
        return Check("leakage search", "failed", "; ".join(found[:SHOWN_FAILURES]) + more)
    return Check("leakage search", "ok", f"nothing found in {n_rows} rows")
