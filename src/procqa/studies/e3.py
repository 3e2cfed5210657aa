"""E3: languages that an encoder was never trained on."""

from itertools import chain

from procqa.config import LANGUAGES
from procqa.studies.common import EVERYTHING, QUESTIONS, SAME, SMALL, WHOLE_POSTS
from procqa.studies.statement import BEFORE, Arm, Claim, Contrast, Exam, Part, Stage, Study

LEFT_OUT = ("python", "ruby", "rust", "lisp", "go")
PARTNER = "java"
"""The language, seen by all arms, with which programs of the one left out are paired."""

BETWEEN = {language: (f"{language}-{PARTNER}", f"{PARTNER}-{language}") for language in LEFT_OUT}
ALL = "all"


def _parts(treatment: str, control: str, on: str) -> tuple[Part, ...]:
    """A part for each language, ``{}`` in the names of arms being the language."""
    tasks = {language: [f"rosetta/rosetta:{pair}" for pair in pairs] for language, pairs in BETWEEN.items()}
    if on == "programming":
        tasks = {language: [f"programming/procqa:{language}"] for language in LEFT_OUT}
    return tuple(
        Part(on=task, treatment=treatment.format(language), control=control.format(language))
        for language, of_language in tasks.items()
        for task in of_language
    )


STUDY = Study(
    name="e3",
    title="Languages never trained on",
    answers=("E3",),
    question="Does an encoder find programs in a language that it was never trained on?",
    hypothesis="It does, better than without pre-training, though not as well as if it had seen the language.",
    equal=(*SAME, "what is trained on but for the one language that is left out"),
    limits=(
        "The tokenizer has read the language that is left out; its vectors have not been trained on its questions.",
        "A question tagged with one language can hold code in another, and common words stand in all.",
        "One article often serves several languages: of the test questions of go, rust and python 86, 63 and 22 % have"
        " a title that stands in another language's training data. Questions of which, or of whose answer, either arm"
        " saw 13 words in a row in training are left out of the contrasts on questions.",
        "Lisp and ruby have about 5 and 10 of 150 batches: what seeing them is worth rests on few steps.",
        f"Programs are paired with {PARTNER} alone, in both directions, on the half of Rosetta Code's tasks.",
        SMALL,
    ),
    materials=EVERYTHING,
    bases=("static",),
    arms=(
        Arm(
            name=ALL,
            description="macp on all languages",
            stages=(Stage(data=QUESTIONS, settings={"pairs": WHOLE_POSTS}),),
        ),
        *(
            Arm(
                name=f"without {left_out}",
                description=f"macp on all languages but {left_out}",
                stages=(
                    Stage(
                        data=QUESTIONS,
                        settings={
                            "pairs": WHOLE_POSTS,
                            "languages": tuple(name for name in LANGUAGES if name != left_out),
                        },
                    ),
                ),
            )
            for left_out in LEFT_OUT
        ),
    ),
    exams=(
        Exam(
            name="rosetta",
            roots=("rosetta",),
            tasks=tuple(f"rosetta:{pair}" for pair in chain.from_iterable(BETWEEN.values())),
        ),
        Exam(name="programming", roots=("programming",), tasks=tuple(f"procqa:{language}" for language in LEFT_OUT)),
    ),
    contrasts=(
        Contrast(
            name="unseen − base, programs",
            sentence="trained without the language minus the base, MAP of program → program, mean of ten directions",
            parts=_parts("without {}", BEFORE, "rosetta"),
        ),
        Contrast(
            name="seen − unseen, programs",
            sentence="trained with minus without the language, MAP of program → program, mean of ten directions",
            parts=_parts(ALL, "without {}", "rosetta"),
        ),
        Contrast(
            name="unseen − base, questions",
            sentence="trained without the language minus the base, question → answer, mean of five languages",
            parts=_parts("without {}", BEFORE, "programming"),
            leaves_out_seen=True,
        ),
        Contrast(
            name="seen − unseen, questions",
            sentence="trained with minus without the language, question → answer, mean of five languages",
            parts=_parts(ALL, "without {}", "programming"),
            leaves_out_seen=True,
        ),
    ),
    claims=(
        Claim(
            name="transfer between programs",
            sentence="Pre-training that never saw one of two languages still helps to find programs between them.",
            contrasts=("unseen − base, programs",),
            bases=("static",),
            paper="zero-shot CodeNet, +17.48 MAP, docs/paper.md#results",
            would_change="an encoder that reads the order of words, and languages that share fewer words than these",
        ),
        Claim(
            name="transfer of questions",
            sentence="An encoder answers questions in a language whose questions it never saw better than its base.",
            contrasts=("unseen − base, questions",),
            bases=("static",),
            paper="claim (c), docs/paper.md#studies",
            would_change="questions that share fewer words with those of other languages",
        ),
        Claim(
            name="seeing the language",
            sentence="Having seen a language's questions helps to find its programs across languages.",
            contrasts=("seen − unseen, programs",),
            bases=("static",),
            paper="not stated by the paper, which has Lisp left out for lack of data",
            would_change="pairs of programs among what is trained on, see Q2",
        ),
    ),
)
