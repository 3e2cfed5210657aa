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

STUDY = Study(
    name="c2",
    title="Docstrings, or questions and answers",
    answers=("C2",),
    question="Do questions with answers teach more of what people search for than functions with docstrings?",
    hypothesis="They do on queries that people wrote; functions are better at docstrings.",
    equal=(*SAME, "pairs, the same number in each language, one a row", "with both corpora together, the steps"),
    limits=(STACK_OVERFLOW, NO_CSN, DOCUMENTATION, SMALL),
    materials=EVERYTHING,
    bases=("static", "tiny"),
    arms=(
        Arm(
            name="functions",
            description="docstring → function",
            stages=(Stage(data=(FUNCTIONS,), settings=PAIRS),),
        ),
        Arm(name="posts", description="title and question → answer", stages=(Stage(data=(POSTS,), settings=PAIRS),)),
        Arm(
            name="both",
            description="both, as many steps in all",
            stages=(Stage(data=(FUNCTIONS, POSTS), settings=PAIRS),),
        ),
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
            contrasts=("posts − functions, people's queries",),
            bases=("static", "tiny"),
            paper="claim (b), docs/paper.md#studies",
            would_change="queries of people from elsewhere than Stack Overflow: on CoSQA see the second contrast",
        ),
        Claim(
            name="both",
            sentence="Both corpora together are better than either, at the same number of steps.",
            contrasts=("both − posts", "both − functions"),
            bases=("static", "tiny"),
            paper="the paper's ablation of CodeSearchNet, docs/paper.md#ablations",
            would_change="so many pairs of one corpus that the other adds nothing",
        ),
    ),
)
