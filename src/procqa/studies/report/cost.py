"""What studies cost in processor time, and what their runs did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from procqa.studies.results import Found

SECONDS = 3600
UNKNOWN_COMMIT = "an unknown commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Processor time, in hours.

    Args:
        all_runs: of every study alone, so what two share counts in both.
        distinct: each training and each measuring counted once.
        encoders: how many distinct ones there are.
        runs: of encoders.
    """

    all_runs: float
    distinct: float
    encoders: int
    runs: int


def tell_cost(studies: Sequence[Found]) -> Spent:
    """What some studies cost together."""
    runs = [run for found in studies for run in found.runs]
    costs: dict[str, float] = {name: cost for run in runs for name, cost in run["costs"].items()}
    return Spent(
        all_runs=sum(found.cpu_hours for found in studies),
        distinct=sum(costs.values()) / SECONDS,
        encoders=len({run["sha256"] for run in runs if run["sha256"]}),  # words have none
        runs=sum(1 for run in runs if run["sha256"]),
    )


def tell_commits(found: Found) -> list[str]:
    """The commits of the code that trained a study's encoders, in the order of the runs."""
    stages = (stage for run in found.runs for stage in run["stages"])
    return list(dict.fromkeys(stage["commit"] or UNKNOWN_COMMIT for stage in stages))


def tell_runs(found: Found) -> list[Mapping[str, Any]]:
    """For each base and arm: seeds, and of each stage of training the means over them; processor hours in all."""
    told: list[Mapping[str, Any]] = []
    for base, arm in dict.fromkeys((run["base"], run["arm"]) for run in found.runs):
        runs = [run for run in found.runs if (run["base"], run["arm"]) == (base, arm)]
        stages = list(zip(*(run["stages"] for run in runs), strict=True))
        told.append(
            {
                "base": base,
                "arm": arm,
                "seeds": len(runs),
                "stages": [_mean_stage(of_seeds) for of_seeds in stages],
                "cpu_hours": sum({name: cost for run in runs for name, cost in run["costs"].items()}.values())
                / SECONDS,
            }
        )
    return told


def _mean_stage(stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One stage of training; counts are means over the seeds, a loss that is not finite is null."""
    losses = [stage["loss"] for stage in stages]
    counts = {name: round(sum(stage[name] for stage in stages) / len(stages)) for name in COUNTS}
    known = [loss for loss in losses if loss is not None]
    return {
        "data": stages[0]["data"],
        "settings": stages[0]["settings"],
        "loss": sum(known) / len(known) if len(known) == len(losses) else None,
        **counts,
    }


COUNTS = ("steps", "pairs_seen", "tokens_seen")
