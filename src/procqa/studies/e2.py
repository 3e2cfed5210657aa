"""E2 (and Q1, C1): whole posts against text and code apart, on the same rows."""

from procqa.encoder.views import MODALITIES
from procqa.studies.common import (
    DOCUMENTATION,
    MIXED_TO_MIXED,
    ON_TEXT_TO_CODE,
    QUESTION_TO_ANSWER,
    QUESTIONS,
    SAME,
    SMALL,
    TEXT_TO_CODE,
)
from procqa.studies.statement import BEFORE, Arm, Claim, Contrast, Exam, Stage, Study, compare

RIVALS = ("bimodal", "unimodal", "towers")
DESCRIBED = {
    "agnostic": "posts as they are, one encoder",
    "towers": "posts as they are, prose to one encoder and code to another, as many tokens as agnostic",
    "bimodal": "prose of the question → code of the answer, as many tokens as agnostic",
    "unimodal": "prose → prose, code → code, first code → other code, as many tokens as agnostic",
    "bimodal, same steps": "bimodal, as many steps as agnostic",
    "unimodal, same steps": "unimodal, as many steps as agnostic",
}


def _stage(material: str, arm: str, first: str) -> Stage:
    kind = "agnostic" if arm == "towers" else arm.partition(",")[0]
    settings = {"pairs": MODALITIES[kind], "shared_rows": True, "towers": "modality" if arm == "towers" else "shared"}
    counts_tokens = arm in RIVALS
    return Stage(data=(material,), settings=settings, as_many_tokens_as=first if counts_tokens else None)


def _arms(material: str, prefix: str) -> tuple[Arm, ...]:
    """The same arms on one dataset."""
    return tuple(
        Arm(
            name=f"{prefix}{name}",
            description=f"{material}: {description}",
            stages=(_stage(material, name, f"{prefix}agnostic"),),
        )
        for name, description in DESCRIBED.items()
    )


PROGRAMMING, MIXED = _arms("programming", ""), _arms("mixed", "mixed: ")


def _exam(exam: Exam, arms: tuple[Arm, ...]) -> Exam:
    return Exam(
        name=exam.name,
        roots=exam.roots,
        tasks=exam.tasks,
        light=exam.light,
        arms=(BEFORE, *(arm.name for arm in arms)),
    )


def _contrasts(prefix: str, exam: str) -> tuple[Contrast, ...]:
    return tuple(
        Contrast(
            name=f"{prefix}agnostic − {rival}",
            sentence=f"whole posts minus {rival}, {exam} test questions → answers",
            parts=compare(f"{prefix}agnostic", f"{prefix}{rival}", f"{exam}/procqa"),
        )
        for rival in (*RIVALS, "bimodal, same steps", "unimodal, same steps")
    )


def _claim(name: str, sentence: str, prefix: str, would_change: str) -> Claim:
    return Claim(
        name=name,
        sentence=sentence,
        contrasts=tuple(f"{prefix}agnostic − {rival}" for rival in RIVALS),
        bases=("static", "tiny"),
        paper="claim (a) and open question Q1, docs/paper.md#studies",
        would_change=would_change,
    )


STUDY = Study(
    name="e2",
    title="Whole posts, or text and code apart",
    answers=("E2", "Q1", "C1"),
    question="Is an encoder better when posts are read as they are than when text and code are told apart?",
    hypothesis="It is, against pairs of prose and code, pairs of one kind, and an encoder for each kind.",
    equal=(
        *SAME[:1],
        "batch size, learning rate and its course, temperature, tokens read of a text",
        "the rows: one that lacks a part that some arm needs is left out of every arm",
        "tokens read in training; where texts are shorter there are more steps. The same with equal steps is shown",
    ),
    limits=(
        "Questions of programming-qa are text, so it decides text → mixed; mixed-qa decides mixed → mixed.",
        "All arms are asked with whole posts and ranked against whole posts, which is what whole posts train for; on"
        " text → code, shown beside, pairs of prose and code are at home.",
        "Each tower truncates by itself, so of a long answer with prose and code towers read up to a third more. Where"
        " towers win, that may be why.",
        "13,292 of 40,511 training rows of programming-qa have all parts, 4,854 of them php, 133 go, 235 c; few have a"
        " body beside the title, so title → question is small. Of mixed-qa 6,844 of 6,910 do.",
        "Transformers are asked in five languages of programming-qa, static encoders in all.",
        DOCUMENTATION,
        SMALL,
    ),
    materials=QUESTIONS,
    bases=("static", "tiny", "minilm"),
    arms=(*PROGRAMMING, *MIXED),
    exams=(
        _exam(QUESTION_TO_ANSWER, PROGRAMMING),
        _exam(MIXED_TO_MIXED, MIXED),
        _exam(TEXT_TO_CODE, PROGRAMMING[:4]),
    ),
    contrasts=(
        *_contrasts("", "programming"),
        *_contrasts("mixed: ", "mixed"),
        Contrast(
            name="agnostic − bimodal, text → code",
            sentence="whole posts minus bimodal, mean of four benchmarks of text → code",
            parts=compare("agnostic", "bimodal", *ON_TEXT_TO_CODE),
        ),
    ),
    claims=(
        _claim(
            "text → mixed",
            "For questions in text and answers that mix text and code, reading posts as they are is best.",
            "",
            "questions that hold code, of which programming-qa has few",
        ),
        _claim(
            "mixed → mixed",
            "Where text and code are mixed on both sides, reading posts as they are is best.",
            "mixed: ",
            "questions of people in place of documentation, whose code is a near twin of the answer's",
        ),
    ),
)
