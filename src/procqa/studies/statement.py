"""What a study says before it has a number: its question, its arms, what is held equal, and what decides.

Every study of the package is one value of ``Study`` in a file of its own; running, comparing and showing it is the same
code for all. Source: ours, docs/decisions/0029-studies.md.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

BEFORE = "before"
"""The arm that every study may name: the base, not trained at all."""

LEVEL = 0.05
"""A claim is supported where its corrected p-value is below this. Source: ours, docs/decisions/0029-studies.md."""

Verdict = Literal["supported", "refuted", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One training run of an arm; a second one goes on from the first.

    Args:
        data: names of materials, see ``materials``.
        settings: fields of TrainConfig that differ from the scale's.
        as_many_tokens_as: an arm of the same study whose stage of the same number reads as many tokens as this one
            is to read; None for as many steps as the scale says.
        as_many_pairs_as: the same of the pairs that it sees: streams smaller than a batch make smaller ones, so equal
            steps need not be equal pairs.
        mined_by: an arm whose encoder finds the hard negatives; None for none.
        batch_times: how much larger a batch is than the scale's, and how many fewer the steps, so that as many pairs
            are seen.
        steps_times: how many more steps are taken than the scale's, with the same batches.
        fine_tunes: whether the scale's numbers of fine-tuning hold in place of those of pre-training.
    """

    data: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    as_many_tokens_as: str | None = None
    as_many_pairs_as: str | None = None
    mined_by: str | None = None
    batch_times: float = 1.0
    steps_times: int = 1
    fine_tunes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What is done to a base before it is measured; no stage leaves it as it is."""

    name: str
    description: str
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """Tasks that every arm is measured on.

    Args:
        name: stands before the tasks' names: ``NAME/TASK``.
        roots: names of materials that hold the tasks.
        tasks: as ``procqa evaluate --task`` takes them.
        light: the tasks of transformers, which read slowly, where these are fewer.
        arms: the arms that are measured; none means all.
    """

    name: str
    roots: tuple[str, ...]
    tasks: tuple[str, ...]
    light: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()

    def tasks_of(self, *, reads_slowly: bool) -> tuple[str, ...]:
        """What a base is measured on."""
        return self.light if reads_slowly and self.light else self.tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is compared on some tasks.

    Args:
        on: ``EXAM/TASK``, or ``EXAM/FAMILY`` for all of its tasks that are measured, their queries pooled.
    """

    on: str
    treatment: str
    control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The mean over some parts of treatment minus control, in each part's own measure.

    Args:
        expected: the sign that the claim gives it.
        least: an effect that is worth having, in the measure.
        leaves_out_seen: whether queries that were seen in training by either arm, they or their answers, are left out.
    """

    name: str
    sentence: str
    parts: tuple[Part, ...]
    expected: Literal[1, -1] = 1
    least: float = 0.01
    leaves_out_seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence that is supported where each of its contrasts is on each base that decides, and refuted where one is.

    Args:
        contrasts: names of those that decide.
        bases: those that decide; others are shown. At a scale that has none of them, its own decide.
        paper: who claims it, and where.
        would_change: what could turn the verdict.
    """

    name: str
    sentence: str
    contrasts: tuple[str, ...]
    bases: tuple[str, ...]
    paper: str
    would_change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One study, as it stands before any number.

    Args:
        answers: ids of docs/paper.md's claims, questions and checks.
        materials: everything the tokenizers of encoders from scratch learn from, the same in all arms.
        bases: see ``scales.Scale``.
        equal: what is held equal between the arms.
        limits: of the data and of the design.
        looks_at: what is described beside the scores: ``slices`` of queries, or ``traces`` of failures between
            languages.
    """

    name: str
    title: str
    answers: tuple[str, ...]
    question: str
    hypothesis: str
    equal: tuple[str, ...]
    limits: tuple[str, ...]
    materials: tuple[str, ...]
    bases: tuple[str, ...]
    arms: tuple[Arm, ...]
    exams: tuple[Exam, ...]
    contrasts: tuple[Contrast, ...]
    claims: tuple[Claim, ...]
    looks_at: tuple[Literal["slices", "traces"], ...] = ()

    def __post_init__(self) -> None:
        """Check that every name that is used is the name of something."""
        arms = [BEFORE, *(arm.name for arm in self.arms)]
        exams = {exam.name for exam in self.exams}
        contrasts = [contrast.name for contrast in self.contrasts]
        _require_known(self.name, "an arm", {name for name in arms if arms.count(name) > 1}, set())
        stages = [stage for arm in self.arms for stage in arm.stages]
        for place, arm in enumerate(self.arms):
            for stage in arm.stages:
                like = (stage.as_many_tokens_as, stage.as_many_pairs_as, stage.mined_by)
                earlier = {name for name in like if name}
                _require_known(self.name, f"an arm before {arm.name}", earlier, set(arms[1 : place + 1]))
        read = {part for stage in stages for name in stage.data for part in name.split("=")[:1]}
        _require_known(self.name, "data that its tokenizers do not read", read, set(self.materials))
        for exam in self.exams:
            _require_known(self.name, "an arm", set(exam.arms), set(arms))
        for contrast in self.contrasts:
            sides = {side for part in contrast.parts for side in (part.treatment, part.control)}
            _require_known(self.name, "an arm", sides, set(arms))
            _require_known(self.name, "an exam", {part.on.partition("/")[0] for part in contrast.parts}, exams)
        for claim in self.claims:
            _require_known(self.name, "a contrast", set(claim.contrasts), set(contrasts))
            _require_known(self.name, "a base", set(claim.bases), set(self.bases))

    def at(self, bases: Iterable[str]) -> "Study":
        """The study with the bases of a scale, which decide where a claim's own are none of them."""
        here = tuple(bases)
        claims = tuple(claim if set(claim.bases) & set(here) else replace(claim, bases=here) for claim in self.claims)
        return replace(self, bases=tuple(dict.fromkeys([*self.bases, *here])), claims=claims)

    def without_exams(self, names: Collection[str]) -> "Study":
        """The study without some exams, without the contrasts on them and without the claims that rest on those."""
        contrasts = tuple(
            contrast
            for contrast in self.contrasts
            if not any(part.on.partition("/")[0] in names for part in contrast.parts)
        )
        left = {contrast.name for contrast in contrasts}
        return replace(
            self,
            exams=tuple(exam for exam in self.exams if exam.name not in names),
            contrasts=contrasts,
            claims=tuple(claim for claim in self.claims if left.issuperset(claim.contrasts)),
        )

    def arm(self, name: str) -> Arm:
        """The arm of a name; ``before`` is one without a stage."""
        if name == BEFORE:
            return Arm(name=BEFORE, description="the base, not trained")
        return next(arm for arm in self.arms if arm.name == name)

    @property
    def data(self) -> tuple[str, ...]:
        """Every material that the study needs, the tokenizers' first."""
        of_stages = (name for arm in self.arms for stage in arm.stages for name in stage.data)
        of_exams = (name for exam in self.exams for name in exam.roots)
        return tuple(dict.fromkeys([*self.materials, *of_stages, *of_exams]))


def compare(treatment: str, control: str, *on: str) -> tuple[Part, ...]:
    """The parts of a contrast of two arms."""
    return tuple(Part(on=name, treatment=treatment, control=control) for name in on)


def _require_known(study: str, what: str, names: set[str], known: set[str]) -> None:
    """Raise ValueError where a study uses a name that is none of its own, which is a mistake in its file."""
    if not names <= known:
        raise ValueError(f"study {study} names {what} that it has not, or twice: {', '.join(sorted(names - known))}")
