"""Q2: question–answer posts against parallel programs."""

from procqa.studies.common import (
    EVERYTHING,
    ON_TEXT_TO_CODE,
    QUESTION_TO_ANSWER,
    SMALL,
    STACK_OVERFLOW,
    TEXT_TO_CODE,
)
from procqa.studies.statement import BEFORE, Arm, Claim, Contrast, Exam, Stage, Study, compare

POSTS, PROGRAMS = "programming=parallel", "parallel=programming"
PAIRS = {"pairs": ("both-answer", "docstring-function")}
"""One pair a row of either corpus."""

SMALL_BATCHES = 1 / 16
"""A batch holds no text twice and a program answers up to ten others, so a large batch of programs could not be filled:
the smallest stream has about 75 programs."""

BETWEEN_LANGUAGES = Exam(
    name="rosetta",
    roots=("rosetta",),
    tasks=tuple(
        f"rosetta:{pair}" for pair in ("python-java", "java-python", "ruby-go", "go-ruby", "c-rust", "rust-csharp")
    ),
)


def _stage(*data: str) -> Stage:
    return Stage(data=data, settings=PAIRS, batch_times=SMALL_BATCHES, as_many_pairs_as="programs")


STUDY = Study(
    name="q2",
    title="Posts, or parallel programs",
    answers=("Q2",),
    question="Are posts a better corpus to pre-train on than programs that solve one task in two languages?",
    hypothesis="Posts are better, where text asks for code and where a program asks for programs.",
    equal=(
        "the tokenizer and the first weights of encoders from scratch, by seed",
        "batch size, learning rate and its course, temperature, tokens read of a text",
        "pairs at hand, the same number in each language, one a row, and pairs seen",
    ),
    limits=(
        "Parallel programs are those of half of Rosetta Code's tasks, the other half being measured on: the same kind"
        " of program, other tasks. That favours them there.",
        "A program stands in several pairs, a post in one; programs are longer, so more tokens are read.",
        "The rows of either corpus are one draw for all seeds: intervals do not tell what another draw would give.",
        "Batches are of 64, which fit programs, and smaller than those of the other studies.",
        STACK_OVERFLOW,
        SMALL,
    ),
    materials=(*EVERYTHING, "parallel"),
    bases=("static",),
    arms=(
        Arm(
            name="programs",
            description="programs for one task in two languages",
            stages=(Stage(data=(PROGRAMS,), settings=PAIRS, batch_times=SMALL_BATCHES),),
        ),
        Arm(name="posts", description="questions with answers", stages=(_stage(POSTS),)),
        Arm(name="posts and programs", description="both, as many pairs in all", stages=(_stage(POSTS, PROGRAMS),)),
    ),
    exams=(TEXT_TO_CODE, BETWEEN_LANGUAGES, QUESTION_TO_ANSWER),
    contrasts=(
        Contrast(
            name="text → code",
            sentence="posts minus programs, mean of four benchmarks",
            parts=compare("posts", "programs", *ON_TEXT_TO_CODE),
        ),
        Contrast(
            name="program → program",
            sentence="posts minus programs, MAP, mean of six pairs of languages",
            parts=compare("posts", "programs", *(f"rosetta/{task}" for task in BETWEEN_LANGUAGES.tasks)),
        ),
        Contrast(
            name="posts − base, program → program",
            sentence="posts minus the base, MAP, mean of six pairs of languages",
            parts=compare("posts", BEFORE, *(f"rosetta/{task}" for task in BETWEEN_LANGUAGES.tasks)),
        ),
        Contrast(
            name="both − posts, text → code",
            sentence="posts and programs minus posts, mean of four benchmarks",
            parts=compare("posts and programs", "posts", *ON_TEXT_TO_CODE),
        ),
        Contrast(
            name="both − programs, program → program",
            sentence="posts and programs minus programs, MAP, mean of six pairs of languages",
            parts=compare("posts and programs", "programs", *(f"rosetta/{task}" for task in BETWEEN_LANGUAGES.tasks)),
        ),
    ),
    claims=(
        Claim(
            name="text → code",
            sentence="Posts are the better corpus for finding code by text.",
            contrasts=("text → code",),
            bases=("static",),
            paper="open question Q2, docs/paper.md#studies",
            would_change="programs with the text of their tasks, which Rosetta Code's files here lack",
        ),
        Claim(
            name="program → program",
            sentence="Posts are the better corpus for finding programs in another language.",
            contrasts=("program → program",),
            bases=("static",),
            paper="the paper's zero-shot CodeNet results, which no parallel corpus was compared with",
            would_change="programs of another site to measure on, as CodeNet's",
        ),
    ),
)
