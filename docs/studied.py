"""The page of studies from their committed results: verdicts first, then each study; one not run yet is stated."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from docs.measured import RESULTS
from procqa.studies import STUDIES
from procqa.studies.report.cost import UNKNOWN_COMMIT, tell_commits, tell_cost
from procqa.studies.report.plots import plots_of
from procqa.studies.report.tables import tell_scores
from procqa.studies.report.words import Told, difference, join, p_value, score, tell_verdicts
from procqa.studies.results import RESULTS_FILE, Found, load_found
from procqa.studies.scales import scales_of
from procqa.studies.statement import BEFORE, Study

FINDINGS = (("e1", "pre-training"), ("e2", "mixed → mixed"), ("e3", "transfer between programs"))
"""The claims whose verdicts the README shows, as study and claim: chosen by hand, their numbers are not."""

BAR = r"\|"
IMAGES = "../benchmarks/results/studies"
"""Where the plots are, from the page."""


def load_studies(folder: Path = RESULTS / "studies") -> dict[str, Found]:
    """The committed results, in the order of the studies."""
    return {name: load_found(folder / name) for name in STUDIES if (folder / name / RESULTS_FILE).is_file()}


def studies(found: Mapping[str, Found], folder: Path = RESULTS / "studies") -> list[str]:
    """The lines of the page below its head."""
    lines = ["## Verdicts", "", *_verdicts(found), ""]
    for name, study in STUDIES.items():
        lines += [f"## {name.upper()}: {study.title}", ""]
        lines += _found(found[name], folder / name) if name in found else _stated(study)
    return lines[:-1]


def findings(found: Mapping[str, Found]) -> list[str]:
    """The lines of the README: the verdicts of FINDINGS as far as they are there."""
    told = {(one.study, one.claim["claim"]): one for name in found for one in tell_verdicts(found[name])}
    shown = [told[key] for key in FINDINGS if key in told]
    if not shown:
        return ["No study has been run yet: `procqa study` runs them."]
    return [f"- **{one.claim['sentence']}** {one.in_short} ([{one.study.upper()}](docs/studies.md))" for one in shown]


def _verdicts(found: Mapping[str, Found]) -> Iterator[str]:
    if found:
        yield "| study | claim | verdict | difference (95 % interval) | shown in 4 of 5 from |"
        yield "|---|---|---|---|---|"
    for one in (told for name in found for told in tell_verdicts(found[name])):
        differences = [f"{line['contrast']}, {line['base']}: {difference(line)}" for line in one.deciding]
        smallest = [score(line["smallest"]) for line in one.deciding]
        cells = (
            one.study.upper(),
            one.claim["sentence"],
            f"**{one.verdict}**",
            *map("<br>".join, (differences, smallest)),
        )
        yield _row(cells)
    if found:
        cost = tell_cost(list(found.values()))
        yield ""
        yield (
            f"{cost.runs:,} runs of encoders took {cost.all_runs:.1f} CPU hours, where a run that two studies share"
            f" counts in both; with every training and measuring of the {cost.encoders:,} distinct"
            f" encoders counted once it is {cost.distinct:.1f}."
        )
        yield ""
    waiting = [name.upper() for name in STUDIES if name not in found]
    if waiting:
        yield f"Not run yet, and stated below: {', '.join(waiting)}."


def _stated(study: Study) -> Iterator[str]:
    """A study before it has a number."""
    yield from _asked(study.question, study.hypothesis)
    arms = [(BEFORE, study.arm(BEFORE).description), *((arm.name, arm.description) for arm in study.arms)]
    yield from _list("Arms", [f"**{name}**: {description}" for name, description in arms])
    yield from _list("Held equal", study.equal)
    yield from ("| contrast | expected | worth having |", "|---|---|---|")
    for contrast in study.contrasts:
        yield _row((contrast.sentence, "above 0" if contrast.expected > 0 else "below 0", f"{contrast.least:g}"))
    yield ""
    claims = (
        f"{claim.sentence} Decided by {'; '.join(claim.contrasts)} on {', '.join(claim.bases)}."
        for claim in study.claims
    )
    yield from _list("Claims", list(claims))
    yield from _list("Limits", study.limits)


def _found(found: Found, folder: Path) -> Iterator[str]:
    """A study with its numbers."""
    stated = found.study
    yield from _asked(stated["question"], stated["hypothesis"])
    for told in tell_verdicts(found):
        yield from _claim(told)
    measured = {run["base"] for run in found.runs}
    lacking = [base for base in scales_of(stated["scale"], tuple(stated["bases"])) if base not in measured]
    if lacking:
        yield from (f"Not run yet on {join(lacking)}.", "")
    for base, scale in stated["scales"].items():
        if scale["caveat"]:
            yield from (f"> {base}: {scale['caveat']}", "")
    for plot in plots_of(found):
        if (folder / f"{plot.name}.png").is_file():
            yield from (f"![{plot.caption}]({IMAGES}/{stated['name']}/{plot.name}.png)", "")
    yield from _contrasts(found)
    for grid in tell_scores(found, only_shown=True):
        yield from (f"{grid.title}:", "", _row(grid.head), f"|{'---|' * len(grid.head)}")
        yield from (*map(_row, grid.rows), "")
    arms = [f"**{arm['name']}**: {arm['description']}" for arm in stated["arms"]]
    yield from _list("Arms", arms)
    yield from _list("Held equal", stated["equal"])
    yield from _list("Limits", stated["limits"])
    data = (f"{one['name']} (`{one['sha256'][:12]}`{_rows(one['rows'])})" for one in stated["data"])
    yield (
        f"Scale {stated['scale']}, {len(found.runs):,} runs, {found.cpu_hours:.1f} CPU hours; encoders trained at"
        f" {join(tell_commits(found))}, results written at {stated['commit'] or UNKNOWN_COMMIT}."
        f" Data: {', '.join(data)}. [Results]({IMAGES}/{stated['name']}/{RESULTS_FILE})."
    )
    yield ""


def _rows(rows: int | None) -> str:
    return "" if rows is None else f", {rows:,} rows"


def _asked(question: str, hypothesis: str) -> Iterator[str]:
    yield from (f"{question} Hypothesis: {hypothesis[:1].lower()}{hypothesis[1:]}", "")


def _claim(told: Told) -> Iterator[str]:
    yield from (f"**{told.claim['sentence']}** {told.said}", "")
    yield from (f"What would change it: {told.claim['would_change']}.", "")


def _contrasts(found: Found) -> Iterator[str]:
    yield "| contrast | base | difference (95 % interval) | p (Holm) | shown in 4 of 5 from | outcome |"
    yield "|---|---|---|---|---|---|"
    for line in found.contrasts:
        outcome = line["outcome"] if line["decides"] else f"({line['outcome']})"
        numbers = (difference(line), p_value(line["p_holm"]), score(line["smallest"]))
        yield _row((line["sentence"], line["base"], *numbers, outcome))
    if not all(line["decides"] for line in found.contrasts):
        yield from ("", "In brackets: outcomes that no verdict rests on.")
    yield ""


def _list(title: str, entries: Sequence[str]) -> Iterator[str]:
    yield from (f"{title}:", "", *(f"- {entry}" for entry in entries), "")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"
