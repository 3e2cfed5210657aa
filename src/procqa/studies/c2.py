"""C2: functions with docstrings against questions with answers."""

from procqa.studies.common import (
    DOCUMENTATION,
    EVERYTHING,
    NO_CSN,
    ON_TEXT_TO_CODE,
    SAME,
    SMALL,
    STACK_OVERFLOW,
    TEXT_TO_CODE,
)
from procqa.studies.statement import Arm, Claim, Contrast, Stage, Study, compare

FUNCTIONS, POSTS = "functions=programming", "programming=functions"
PAIRS = {"pairs": ("both-answer", "docstring-function")}
"""One pair a row of either corpus."""

ASKED_BY_PEOPLE = ("benchmarks/cosqa", "benchmarks/conala", "benchmarks/codenn")


def _stage(*data: str) -> Stage:
    return Stage(data=data, settings=PAIRS, as_many_pairs_as="functions")


STUDY = Study(
    name="c2",
    title="Docstrings, or questions and answers",
    answers=("C2",),
    question="Do questions with answers teach more of what people search for than functions with docstrings?",
    hypothesis="They do on queries that people wrote; functions are better at docstrings.",
    equal=(
        *SAME[:1],
        "batch size, learning rate and its course, temperature, tokens read of a text",
        "pairs at hand, the same number in each language, one a row, and pairs seen",
    ),
    limits=(
        STACK_OVERFLOW,
        "So the claim on people's queries must hold on CoSQA alone as well, which has no Stack Overflow.",
        "Posts and functions differ in length: pairs are equal, tokens read are not.",
        "The rows of either corpus are one draw for all seeds: intervals do not tell what another draw would give.",
        NO_CSN,
        DOCUMENTATION,
        SMALL,
    ),
    materials=EVERYTHING,
    bases=("static", "tiny"),
    arms=(
        Arm(
            name="functions",
            description="docstring → function",
            stages=(Stage(data=(FUNCTIONS,), settings=PAIRS),),
        ),
        Arm(name="posts", description="title and question → answer", stages=(_stage(POSTS),)),
        Arm(name="both", description="both, as many pairs in all", stages=(_stage(FUNCTIONS, POSTS),)),
    ),
    exams=(TEXT_TO_CODE,),
    contrasts=(
        Contrast(
            name="posts − functions, people's queries",
            sentence="posts minus functions, mean of CoSQA, CoNaLa and CODE-NN",
            parts=compare("posts", "functions", *ASKED_BY_PEOPLE),
        ),
        Contrast(
            name="posts − functions, web queries",
            sentence="posts minus functions on CoSQA, whose queries are a search engine's and whose code is functions",
            parts=compare("posts", "functions", "benchmarks/cosqa"),
        ),
        Contrast(
            name="posts − functions, docstrings",
            sentence="posts minus functions on csn-cloze",
            parts=compare("posts", "functions", "benchmarks/csn-cloze"),
            expected=-1,
        ),
        Contrast(
            name="both − posts",
            sentence="both minus posts, mean of four benchmarks",
            parts=compare("both", "posts", *ON_TEXT_TO_CODE),
        ),
        Contrast(
            name="both − functions",
            sentence="both minus functions, mean of four benchmarks",
            parts=compare("both", "functions", *ON_TEXT_TO_CODE),
        ),
    ),
    claims=(
        Claim(
            name="people's queries",
            sentence="Questions and answers match what people search for better than docstrings do.",
            contrasts=("posts − functions, people's queries", "posts − functions, web queries"),
            bases=("static", "tiny"),
            paper="claim (b), docs/paper.md#studies",
            would_change="queries that people typed elsewhere than on Stack Overflow and in one search engine",
        ),
        Claim(
            name="both",
            sentence="Both corpora together are better than either, for as many pairs.",
            contrasts=("both − posts", "both − functions"),
            bases=("static", "tiny"),
            paper="the paper's ablation of CodeSearchNet, docs/paper.md#ablations",
            would_change="so many pairs of one corpus that the other adds nothing",
        ),
    ),
)
