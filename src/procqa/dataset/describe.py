"""What a dataset says of itself: funnel, leakage, proof of its splits, card, Croissant."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from procqa.config import BuildConfig
from procqa.dataset.card import CardFacts, draw_pictures, write_card
from procqa.dataset.croissant import CroissantFacts, write_croissant
from procqa.dataset.decontaminate import TextCounts
from procqa.dataset.funnel import Tally
from procqa.dataset.leakage import certificate, write_leakage
from procqa.dataset.proof import proof_lines, prove_splits, write_proof
from procqa.dataset.schema import SPLITS
from procqa.dataset.statistics import PartStats, merge_stats
from procqa.errors import ArtifactError
from procqa.manifest import Input

Run = Callable[[Callable[[Callable[[], Any]], Any], Iterable[Callable[[], Any]]], Iterable[Any]]


def _call(call: Callable[[], Any]) -> Any:  # Any: whatever the call gives
    return call()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is known of a dataset whose data/ is complete.

    Args:
        origins: where its posts come from, as people call it.
        counts: those of the manifest, as ``counts`` makes them.
        checked_against: the benchmarks among its inputs.
        leaks, redactions: as leakage.json and the redaction map have them.
    """

    folder: Path
    sites: tuple[str, ...]
    origins: tuple[str, ...]
    config: BuildConfig
    recipe: Mapping[str, Any]
    tally: Tally
    stats: tuple[PartStats, ...]
    counts: Mapping[str, Any]
    checked_against: tuple[Input, ...]
    text_counts: TextCounts
    leaks: tuple[dict[str, Any], ...]
    redactions: tuple[dict[str, Any], ...]

    def write(self, run: Run) -> None:
        """Write every file of the dataset but data/ and the manifest.

        Args:
            run: runs a task over items, as ``Workers.run`` does: reading all rows and drawing take their time.
        """
        folder, hosts = self.folder, ", ".join(self.origins)
        write_json(folder / "funnel.json", self.tally.to_dict())
        leakage = write_leakage(folder / "leakage.json", list(self.checked_against), self.text_counts, list(self.leaks))
        calls: tuple[Callable[[], Any], ...] = (
            partial(draw_pictures, folder, self.tally, self.stats),
            partial(prove_splits, folder, split=self.config.split),
        )
        _, proof = run(_call, calls)
        if any(of_kind["in_several"] for kind, of_kind in proof.items() if kind != "split"):
            raise ArtifactError("splits must share nothing, but the rows that were written do: report this build")
        write_proof(folder, proof)
        answers = "accepted" if self.config.answers == "accepted" else "best-scored"
        sources = (
            f"Questions of {hosts} with their {answers} answers, up to {self.counts['dump_date']}, preset"
            f" {self.config.preset}."
        )
        redacted = Counter(entry["kind"] for entry in self.redactions) if self.config.redact else None
        facts = CardFacts(
            title=f"Question–answer pairs of {hosts}",
            sources=sources,
            stats=self.stats,
            tally=self.tally,
            recipe=self.recipe,
            split_proofs=proof_lines(proof),
            leakage=tuple(certificate(leakage)),
            redacted=redacted,
        )
        write_card(folder, facts)
        licences = [licence for licence, _ in merge_stats(self.stats).licences]
        write_croissant(
            folder,
            CroissantFacts(
                name=f"procqa-{'-'.join(self.origins)}",
                description=sources,
                licences=licences,
                sites=self.sites,
                newest=self.counts["dump_date"],
            ),
        )


def counts(tally: Tally, stats: Iterable[PartStats], newest_ms: int | None) -> dict[str, Any]:
    """The counts of the manifest, named as in ``procqa build --json``.

    Args:
        newest_ms: the newest date in any row.
    """
    return {
        "rows": tally.rows,
        "questions": tally.questions,
        "answers": tally.answers,
        "other": tally.other,
        "unreadable": tally.unreadable.total(),
        "repeated": tally.repeated,
        "pairs_read": tally.pairs_read,
        "kept": tally.kept.total(),
        "dropped": tally.dropped_by_reason,
        "languages": count_languages(stats),
        "dump_date": iso_date(newest_ms),
    }


def count_languages(stats: Iterable[PartStats]) -> dict[str, dict[str, int]]:
    """Rows by language and split."""
    languages: dict[str, dict[str, int]] = {}
    for part in stats:
        languages.setdefault(part.language, dict.fromkeys(SPLITS, 0))[part.split] += part.rows
    return dict(sorted(languages.items()))


def iso_date(milliseconds: int | None) -> str | None:
    """A time as dumps write it: ``2018-02-22T16:40:13.577``, UTC."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON as people can read and compare it."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
