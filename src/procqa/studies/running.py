"""Arms × bases × seeds → encoders and their scores, in a folder that all studies share.

A run that is there already, whole, is taken as it is; one that was killed goes on. Two studies that ask for the same
encoder train it once. Source: ours, docs/decisions/0029-studies.md.
"""

import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from procqa.config import LENGTHS, EvaluateConfig, MineConfig, TrainConfig, train_config
from procqa.encoder.mining import mine
from procqa.encoder.plan import find_steps
from procqa.encoder.summary import TrainSummary
from procqa.encoder.training import train
from procqa.files import write_durably
from procqa.manifest import as_json, load_manifest
from procqa.studies.materials import Materials
from procqa.studies.measuring import SCORES_FORMAT, Scores, load_scores, measure_tasks, save_scores
from procqa.studies.results import WORDS
from procqa.studies.scales import BaseScale
from procqa.studies.statement import BEFORE, Arm, Study

ONCE = ("both-answer", "docstring-function")
"""The pair types that hold every text of a dataset once, for the tokenizer to learn from."""

Report = Callable[[str, int], None]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One arm on one base with one seed, trained and measured.

    Args:
        sha256: of the encoder; empty for words.
        stages: what each stage of training did: steps, pairs, tokens, loss, settings.
        costs: processor time in seconds of each piece of work, by its name in the work folder, so that what two runs
            share can be counted once. Of work that was interrupted the last piece alone is known.
        scores: by task.
    """

    arm: str
    base: str
    seed: int
    sha256: str
    stages: tuple[Mapping[str, Any], ...]
    costs: Mapping[str, float]
    scores: tuple[Scores, ...]


@dataclass(frozen=True, slots=True)
class _Trained:
    folder: Path
    sha256: str
    stages: tuple[Mapping[str, Any], ...]
    costs: Mapping[str, float]


class Runner:
    """Makes the runs of one study."""

    def __init__(self, study: Study, materials: Materials, work: Path, *, report: Report) -> None:
        self._study, self._materials, self._work, self._report = study, materials, work, report

    def run_base(self, base: str, scale: BaseScale) -> Iterator[Run]:
        """Every arm of the study that is measured, seed by seed.

        Raises:
            ProcqaError: whatever training or measuring says.
        """
        arms = [self._study.arm(name) for name in dict.fromkeys([BEFORE, *(arm.name for arm in self._study.arms)])]
        for seed in scale.seeds:
            of_seed: dict[str, _Trained] = {}
            for arm in arms:
                self._report(f"{self._study.name}: {base}, seed {seed}, {arm.name}", 0)
                of_seed[arm.name] = trained = self._train(arm, scale, seed, of_seed)
                yield self._measure(arm.name, base, scale, seed, trained)

    def run_words(self, scale: BaseScale) -> Run:
        """BM25 on everything that the study measures, for comparison."""
        self._report(f"{self._study.name}: bm25", 0)
        return self._measure("bm25", WORDS, scale, 0, None)

    def _train(self, arm: Arm, scale: BaseScale, seed: int, earlier: Mapping[str, _Trained]) -> _Trained:
        """The encoder of an arm, stage after stage."""
        start = {name: value for name, value in scale.settings.items() if name not in LENGTHS}
        start |= {"pairs": ONCE, "seed": seed, "steps": 0}
        made = self._train_stage(self._study.materials, train_config("macp", start), before=None)
        beside: dict[str, float] = {}
        for number, stage in enumerate(arm.stages):
            settings = scale.settings_of(stage) | {"base": str(made.folder), "seed": seed}
            if stage.as_many_tokens_as is not None:
                settings = {name: value for name, value in settings.items() if name not in LENGTHS}
                settings["tokens"] = earlier[stage.as_many_tokens_as].stages[number]["tokens_seen"]
            if stage.as_many_pairs_as is not None:
                goal = earlier[stage.as_many_pairs_as].stages[number]["pairs_seen"]
                config = train_config("macp", settings)
                settings["steps"] = self._find_steps(stage.data, config, pairs=goal, costs=beside)
            if stage.mined_by is not None:
                mined = (self._mine(name, earlier[stage.mined_by], costs=beside) for name in stage.data)
                settings["hard_negatives"] = tuple(map(str, mined))
            config = train_config("macp", settings)
            made = self._train_stage(stage.data, config, before=made)
        return replace(made, costs={**made.costs, **beside})

    def _train_stage(self, data: Sequence[str], config: TrainConfig, *, before: _Trained | None) -> _Trained:
        """One training run, named by what it is made of, so that no two runs share a folder."""
        materials = [self._materials.get(material) for material in data]
        told = {field: value for field, value in asdict(config).items() if field not in ("base", "hard_negatives")}
        made_of = {
            "base": config.base if before is None else before.sha256,
            "data": [[material.name, material.sha256] for material in materials],
            "settings": as_json(told),
            "mined": [load_manifest(Path(folder)).sha256 for folder in config.hard_negatives],
        }
        key = _digest(made_of)
        out = self._work / "encoders" / key
        paths = [material.path for material in materials]
        summary, told_of_cost = self._pay(key, lambda: train(paths, out, config, cache=self._work))
        stage = {
            "data": list(data),
            "settings": {field: value for field, value in as_json(told).items() if field in SETTINGS},
            **{field: getattr(summary, field) for field in ("steps", "pairs_seen", "tokens_seen", "loss")},
            "streams": _sum_streams(summary),
        }
        spent, stage["commit"] = told_of_cost["cpu_s"], told_of_cost.get("commit")
        if before is None:
            return _Trained(out, summary.sha256, (), {key: spent})
        return _Trained(out, summary.sha256, (*before.stages, stage), {**before.costs, key: spent})

    def _pay(self, key: str, work: Callable[[], Made]) -> tuple[Made, Mapping[str, Any]]:
        """Do some work, or find it done, and what it cost when it was done first."""
        cost = self._work / "costs" / f"{key}.json"
        started, commit = time.process_time(), find_commit()  # of the code that runs, whatever is committed meanwhile
        made = work()
        if not cost.exists():
            _write(cost, {"cpu_s": round(time.process_time() - started, 1), "commit": commit})
        told: Mapping[str, Any] = json.loads(cost.read_text(encoding="utf-8"))
        return made, told

    def _find_steps(
        self, data: Sequence[str], config: TrainConfig, *, pairs: int, costs: MutableMapping[str, float]
    ) -> int:
        """The steps of a run that is to see so many pairs, found once; adds what that cost."""
        materials = [self._materials.get(material) for material in data]
        drawn = {name: getattr(config, name) for name in DRAWN}
        asked = {"drawn": as_json(drawn), "data": [material.sha256 for material in materials], "pairs": pairs}
        key = _digest(asked)
        path = self._work / "steps" / f"{key}.json"
        if not path.exists():
            paths = [material.path for material in materials]
            found, told = self._pay(key, lambda: find_steps(paths, config, pairs=pairs))
            _write(path, {"steps": found, **told})
        costs[key] = json.loads(path.read_text(encoding="utf-8")).get("cpu_s", 0.0)
        return int(json.loads(path.read_text(encoding="utf-8"))["steps"])

    def _mine(self, material: str, teacher: _Trained, *, costs: MutableMapping[str, float]) -> Path:
        """Hard negatives of a material by an encoder that another arm trained; adds what they cost."""
        data = self._materials.get(material)
        key = _digest([teacher.sha256, data.sha256])
        out = self._work / "mined" / f"{material}-{key}"
        teacher_folder, quietly = str(teacher.folder), lambda *_: None
        _, told = self._pay(out.name, lambda: mine(data.path, teacher_folder, out, MineConfig(), report=quietly))
        costs[out.name] = told["cpu_s"]
        return out

    def _measure(self, arm: str, base: str, scale: BaseScale, seed: int, trained: _Trained | None) -> Run:
        """The scores of an encoder, or of words, on the exams that take the arm."""
        ranker, sha256 = ("bm25", "") if trained is None else (str(trained.folder), trained.sha256)
        scores: list[Scores] = []
        costs = {} if trained is None else dict(trained.costs)
        for exam in self._study.exams:
            if exam.arms and arm not in (*exam.arms, "bm25"):
                continue
            tasks = exam.tasks_of(reads_slowly=scale.reads_slowly)
            roots = [self._materials.get(name) for name in exam.roots]
            config = EvaluateConfig(max_tokens=train_config("macp", scale.settings).max_tokens)
            asked = {
                "format": SCORES_FORMAT,
                "ranker": sha256 or "bm25",
                "exam": exam.name,
                "tasks": list(tasks),
                "roots": [root.sha256 for root in roots],
                "config": asdict(config),
                "looks_at": list(self._study.looks_at),
            }
            key = _digest(asked)
            path = self._work / "scores" / f"{exam.name}-{key}.jsonl"
            if not path.exists():
                started = time.process_time()
                measured = measure_tasks(
                    ranker,
                    exam.name,
                    tasks,
                    [root.path for root in roots],
                    config,
                    encoder=None if trained is None else trained.folder,
                    looks_at=self._study.looks_at,
                    report=self._report,
                )
                found = list(measured)
                save_scores(path, {"asked": asked, "cpu_s": round(time.process_time() - started, 1)}, found)
            told, of_exam = load_scores(path)
            scores += of_exam
            costs[key] = told["cpu_s"]
        return Run(
            arm=arm,
            base=base,
            seed=seed,
            sha256=sha256,
            stages=() if trained is None else trained.stages,
            costs=costs,
            scores=tuple(scores),
        )


DRAWN = ("pairs", "languages", "shared_rows", "towers", "batches", "batch_size", "alpha", "max_tokens", "seed")
"""The settings that the draw of batches depends on."""

SETTINGS = (
    "pairs",
    "languages",
    "shared_rows",
    "towers",
    "batches",
    "steps",
    "tokens",
    "batch_size",
    "learning_rate",
    "loss",
    "temperature",
    "margin",
    "negatives",
    "alpha",
    "max_tokens",
    "seed",
)
"""What is told of a stage's settings beside its arm."""


def _sum_streams(summary: TrainSummary) -> dict[str, int]:
    """The pairs that the streams of each pair type hold."""
    held: dict[str, int] = {}
    for name, stream in summary.streams.items():
        pair_type = name.rpartition("/")[2]
        held[pair_type] = held.get(pair_type, 0) + stream["pairs"]
    return held


def _digest(told: Any) -> str:  # Any: whatever JSON can hold
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def find_commit() -> str | None:
    """The commit of the code that runs, with a + where files differ from it; None outside a checkout."""
    ask = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run([*ask, "--dirty=+"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _write(path: Path, told: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, json.dumps(told))


def drop_labels(run: Run) -> Run:
    """A run without what only one look at it needs, which is most of its memory."""
    return replace(run, scores=tuple(replace(one, labels=None, examples=()) for one in run.scores))
