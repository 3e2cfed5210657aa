"""Q3: languages and domains, the small ones among them, and how streams are drawn."""

from procqa.studies.common import (
    DOCUMENTATION,
    EVERYTHING,
    MIXED_TO_MIXED,
    QUESTION_TO_ANSWER,
    QUESTIONS,
    SAME,
    SMALL,
    WHOLE_POSTS,
)
from procqa.studies.statement import Arm, Claim, Contrast, Stage, Study, compare

FEW, MANY = ("c", "lisp", "ruby"), ("python", "csharp", "php", "javascript")
"""The languages of programming-qa with fewest and with most pairs."""

EVEN = "alpha 0"
ALPHAS = {EVEN: 0.0, "alpha 0.5": 0.5, "alpha 1": 1.0}


def _on(languages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"programming/procqa:{language}" for language in languages)


STUDY = Study(
    name="q3",
    title="Languages and domains, large and small",
    answers=("Q3",),
    question="How do scores differ between languages and domains, and does drawing languages evenly help small ones?",
    hypothesis="Drawing streams evenly (α = 0) helps languages with few pairs and costs those with many little.",
    equal=(
        *SAME[:1],
        "batch size, learning rate and its course, temperature, tokens read of a text",
        "all data and the number of pairs seen; only the exponent α by which streams are drawn differs",
    ),
    limits=(
        "Languages differ in their sources: php and part of java ask with templates, which is easy. Scores of two"
        " languages are not comparable; arms within a language are.",
        "Streams smaller than a batch make smaller batches: drawn evenly, batches are smaller and steps are more.",
        "c, lisp and ruby have 66, 36 and 106 test questions.",
        DOCUMENTATION,
        SMALL,
    ),
    materials=EVERYTHING,
    bases=("static",),
    arms=tuple(
        Arm(
            name=name,
            description=f"macp with streams drawn by n^{alpha:g}",
            stages=(
                Stage(
                    data=QUESTIONS,
                    settings={"pairs": WHOLE_POSTS, "alpha": alpha},
                    as_many_pairs_as=None if name == EVEN else EVEN,
                ),
            ),
        )
        for name, alpha in ALPHAS.items()
    ),
    exams=(QUESTION_TO_ANSWER, MIXED_TO_MIXED),
    contrasts=(
        Contrast(
            name="even − proportional, small",
            sentence=f"α = 0 minus α = 1, mean of {', '.join(FEW)}",
            parts=compare("alpha 0", "alpha 1", *_on(FEW)),
        ),
        Contrast(
            name="even − proportional, large",
            sentence=f"α = 0 minus α = 1, mean of {', '.join(MANY)}",
            parts=compare("alpha 0", "alpha 1", *_on(MANY)),
            expected=-1,
        ),
        Contrast(
            name="root − proportional, small",
            sentence=f"α = 0.5 minus α = 1, mean of {', '.join(FEW)}",
            parts=compare("alpha 0.5", "alpha 1", *_on(FEW)),
        ),
        Contrast(
            name="root − even, large",
            sentence=f"α = 0.5 minus α = 0, mean of {', '.join(MANY)}",
            parts=compare("alpha 0.5", "alpha 0", *_on(MANY)),
        ),
    ),
    claims=(
        Claim(
            name="small languages",
            sentence="Drawing streams evenly helps languages with few pairs.",
            contrasts=("even − proportional, small",),
            bases=("static",),
            paper="open question Q3; the paper draws with α = 0.5, docs/paper.md#sampling",
            would_change="more test questions in small languages, and runs long enough to repeat small streams often",
        ),
        Claim(
            name="large languages",
            sentence="Drawing streams evenly costs languages with many pairs.",
            contrasts=("even − proportional, large",),
            bases=("static",),
            paper="open question Q3, docs/paper.md#studies",
            would_change="runs short enough that large streams are not seen whole",
        ),
    ),
    looks_at=("slices",),
)
