"""C3: why programs are not found in another language."""

from procqa.studies.common import EVERYTHING, QUESTION_TO_ANSWER, QUESTIONS, SAME, SMALL, WHOLE_POSTS
from procqa.studies.statement import Arm, Claim, Contrast, Exam, Stage, Study, compare

ASKING = ("python", "java", "go", "ruby", "c")
AMONG_ALL = Exam(
    name="rosetta",
    roots=("rosetta",),
    tasks=tuple(f"rosetta:{language}-others" for language in ASKING),
)
ON_ALL = tuple(f"rosetta/{task}" for task in AMONG_ALL.tasks)

STUDY = Study(
    name="c3",
    title="Why programs are not found in another language",
    answers=("C3",),
    question="Do programs miss those of other languages for negatives, the languages' distribution, or their vectors?",
    hypothesis="Negatives of one language at a time leave languages apart; drawn across them they bring them closer.",
    equal=(
        *SAME[:1],
        "batch size, learning rate and its course, temperature, tokens read of a text",
        "all data, the exponent by which streams are drawn, and the number of pairs seen; only how pairs are put into"
        " batches differs",
    ),
    limits=(
        "A right program that is found among those of its language alone, but not among all, is called missed for the"
        " distribution of languages; one that others of its language outrank, for negatives; one beyond those, for its"
        " vector. That is a diagnosis, not a proof of cause; the comparison of batches is an experiment.",
        "The ten best of one language are easier to be among than the ten best of ten: some misses for distribution"
        " come from numbers alone, whatever the encoder.",
        "Mixed batches mix pair types and datasets too, not languages alone.",
        "Rosetta Code's tasks, half of them; programs in the language that asks are not ranked.",
        SMALL,
    ),
    materials=EVERYTHING,
    bases=("static",),
    arms=(
        Arm(
            name="one stream",
            description="negatives of one language and pair type, as the paper has it",
            stages=(Stage(data=QUESTIONS, settings={"pairs": WHOLE_POSTS, "batches": "stream"}),),
        ),
        Arm(
            name="mixed streams",
            description="negatives of all languages and pair types",
            stages=(
                Stage(
                    data=QUESTIONS,
                    settings={"pairs": WHOLE_POSTS, "batches": "mixed"},
                    as_many_pairs_as="one stream",
                ),
            ),
        ),
    ),
    exams=(AMONG_ALL, QUESTION_TO_ANSWER),
    contrasts=(
        Contrast(
            name="mixed − one stream, other languages",
            sentence="MAP of program → programs of all other languages together, mean of five asking languages",
            parts=compare("mixed streams", "one stream", *ON_ALL),
        ),
        Contrast(
            name="mixed − one stream, questions",
            sentence="question → answer within a language, all languages pooled",
            parts=compare("mixed streams", "one stream", "programming/procqa"),
        ),
    ),
    claims=(
        Claim(
            name="negatives",
            sentence="Negatives drawn across languages let programs be found in other languages better.",
            contrasts=("mixed − one stream, other languages",),
            bases=("static",),
            paper="claim (c), docs/paper.md#studies; the paper draws one language a batch",
            would_change="a larger encoder that could keep languages apart more sharply",
        ),
        Claim(
            name="price",
            sentence="Negatives drawn across languages also help within a language.",
            contrasts=("mixed − one stream, questions",),
            bases=("static",),
            paper="claim (c), docs/paper.md#studies",
            would_change="batches so large that negatives of the own language are many in any case",
        ),
    ),
    looks_at=("traces",),
)
