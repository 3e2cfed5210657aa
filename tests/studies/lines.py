"""What a study found, written by hand: two claims on two bases, with numbers that are easy to follow."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from procqa.artifact import workspace
from procqa.studies.results import KIND, RESULTS_FILE, line, load_found, to_text

Lines = list[dict[str, Any]]

PART = {"on": "benchmarks/cosqa", "treatment": "trained", "control": "before"}
CONTRASTS = [
    {"name": "better", "sentence": "trained minus the base", "parts": [PART], "expected": 1, "least": 0.01},
    {"name": "worse", "sentence": "trained minus the base, on words", "parts": [PART], "expected": -1, "least": 0.01},
]
CLAIMS = [
    {
        "name": name,
        "sentence": f"Training is {name}.",
        "contrasts": [name],
        "bases": ["static", "tiny"],
        "paper": "claim (a)",
        "would_change": "more data",
    }
    for name in ("better", "worse")
]


def statement(name: str = "e1", **changes: Any) -> dict[str, Any]:
    told = {
        "name": name,
        "title": "Training",
        "answers": ["E1"],
        "question": "Does training help?",
        "hypothesis": "It does.",
        "equal": ["steps"],
        "limits": ["small"],
        "materials": ["programming"],
        "bases": ["static", "tiny"],
        "arms": [
            {"name": "before", "description": "the base, not trained"},
            {"name": "trained", "description": "macp", "stages": []},
        ],
        "exams": [{"name": "benchmarks", "roots": ["benchmarks"], "tasks": ["cosqa"], "light": [], "arms": []}],
        "contrasts": CONTRASTS,
        "claims": CLAIMS,
        "looks_at": [],
        "scale": "cpu",
        "scales": {"static": {"base": "static", "caveat": ""}, "tiny": {"base": "tiny", "caveat": "seen before"}},
        "version": "0.1.0",
        "commit": "abc",
        "machine": {"system": "Linux", "processor": "x86_64", "python": "3.11.7"},
        "data": [{"name": "programming", "sha256": "0123456789abcdef", "rows": 1000}],
    }
    return line("study", {**told, **changes})


def run(arm: str, base: str, *, sha256: str, cpu_s: float = 1800.0, loss: float | None = 1.5) -> dict[str, Any]:
    stage = {"data": ["programming"], "settings": {"pairs": ["title-answer"], "steps": 4}, "streams": {}}
    stage |= {"steps": 4, "pairs_seen": 64, "tokens_seen": 2000, "loss": loss, "commit": "def"}
    stages = [stage] if arm == "trained" else []
    told = {"arm": arm, "base": base, "seed": 1, "sha256": sha256, "stages": stages, "cpu_s": cpu_s, "scores": {}}
    told["costs"] = {f"{sha256 or 'words'}": cpu_s}
    return line("run", told)


def score(arm: str, base: str, on: str, mean: float, *, queries: int = 100, **changes: Any) -> dict[str, Any]:
    told = {"arm": arm, "base": base, "on": on, "is_family": False, "measure": "mrr@1000", "queries": queries}
    told |= {"documents": 500, "seen": 0, "mean": mean, "ci95": [mean - 0.1, mean + 0.1], "seeds": {"1": mean}}
    return line("score", {**told, **changes})


def contrast(name: str, base: str, delta: float, half: float | None, **changes: Any) -> dict[str, Any]:
    """A contrast as it is judged: by its sign where its interval leaves 0 out."""
    stated = next(one for one in CONTRASTS if one["name"] == name)
    ends = (None, None) if half is None else (delta - half, delta + half)
    is_sure = half is not None and abs(delta) > half
    outcome = "undecided"
    if is_sure:
        outcome = "supported" if delta * stated["expected"] > 0 else "refuted"
    told = {
        **{key: value for key, value in stated.items() if key != "name"},
        "contrast": name,
        "parts": [{**PART, "delta": delta, "ci95": ends}],
        "base": base,
        "delta": delta,
        "ci95": ends,
        "p": 0.001 if is_sure else 0.4,
        "by_seed": [delta],
        "error": None if half is None else half / 2,
        "freedom": 60.0,
        "smallest": None if half is None else 1.5 * half,
        "queries": 100,
        "p_holm": 0.004 if is_sure else 0.4,
        "decides": True,
        "outcome": outcome,
        "reason": "the other sign" if outcome == "refuted" else "",
    }
    return line("contrast", {**told, **changes})


def verdict(name: str, told: str) -> dict[str, Any]:
    (claim,) = (claim for claim in CLAIMS if claim["name"] == name)
    return line(
        "verdict", {**{key: value for key, value in claim.items() if key != "name"}, "claim": name} | {"verdict": told}
    )


def small_lines(name: str = "e1") -> Lines:
    """A study whose first claim is supported and whose second is refuted, for the sign is the other."""
    deltas = {("better", "static"): 0.04, ("better", "tiny"): 0.02, ("worse", "static"): 0.04, ("worse", "tiny"): 0.02}
    return [
        statement(name),
        run("bm25", "words", sha256="", cpu_s=36.0),
        *(run(arm, base, sha256=f"{arm} {base}") for base in ("static", "tiny") for arm in ("before", "trained")),
        score("bm25", "words", "benchmarks/cosqa", 0.45),
        *(score("before", base, "benchmarks/cosqa", 0.4) for base in ("static", "tiny")),
        *(score("trained", base, "benchmarks/cosqa", 0.5) for base in ("static", "tiny")),
        *(contrast(name, base, delta, 0.01) for (name, base), delta in deltas.items()),
        verdict("better", "supported"),
        verdict("worse", "refuted"),
    ]


def write_found(folder: Path, lines: Iterable[Mapping[str, Any]]) -> Path:
    """A folder with results and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS_FILE).write_text(to_text(lines), encoding="utf-8")
    return folder


def write_study(folder: Path, lines: Lines) -> Path:
    """A folder as a study leaves it, with its manifest."""
    recipe = {"study": {key: value for key, value in lines[0].items() if key != "kind"}}
    with workspace(folder, kind=KIND, recipe=recipe, inputs=[]) as made:
        write_found(made.path, lines)
        made.finish({"verdicts": {one["claim"]: one["verdict"] for one in load_found(made.path).verdicts}})
    return folder


def read_lines(folder: Path) -> Lines:
    return [json.loads(text) for text in (folder / RESULTS_FILE).read_text(encoding="utf-8").splitlines()]
