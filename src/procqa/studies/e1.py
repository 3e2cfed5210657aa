"""E1: question–answer pre-training for text → code."""

from procqa.studies.common import (
    DOCUMENTATION,
    EVERYTHING,
    NO_CSN,
    ON_TEXT_TO_CODE,
    QUESTIONS,
    SAME,
    SMALL,
    STACK_OVERFLOW,
    TEXT_TO_CODE,
    WHOLE_POSTS,
)
from procqa.studies.statement import BEFORE, Arm, Claim, Contrast, Stage, Study, compare

PRETRAIN = Stage(data=QUESTIONS, settings={"pairs": WHOLE_POSTS})
FINE_TUNE = Stage(data=("functions",), settings={"pairs": ("docstring-function",)}, fine_tunes=True)
NOT_STACK_OVERFLOW = ("benchmarks/cosqa", "benchmarks/csn-cloze")

STUDY = Study(
    name="e1",
    title="Question–answer pre-training for text → code",
    answers=("E1",),
    question="Does pre-training on questions and answers make an encoder find code by text, and does that last?",
    hypothesis="It does: scores on text → code rise, and fine-tuning on functions ends higher when it starts there.",
    equal=(*SAME, "the functions, steps and rate of fine-tuning, with and without pre-training before it"),
    limits=(
        "With pre-training an encoder has taken more steps in all than without, as in the paper; so it must also be"
        " better than one that took as many on functions. That arm, and contrasts on benchmarks without Stack Overflow,"
        " were added when four seeds of the other arms had been seen.",
        SMALL,
        STACK_OVERFLOW,
        NO_CSN,
        DOCUMENTATION,
    ),
    materials=EVERYTHING,
    bases=("static", "tiny", "minilm"),
    arms=(
        Arm(name="pre-trained", description="macp on questions and answers", stages=(PRETRAIN,)),
        Arm(name="fine-tuned", description="fine-tuned on functions, not pre-trained", stages=(FINE_TUNE,)),
        Arm(name="both", description="pre-trained, then fine-tuned on functions", stages=(PRETRAIN, FINE_TUNE)),
        Arm(
            name="functions alone",
            description="trained on functions as long as pre-training is, then fine-tuned on them",
            stages=(Stage(data=("functions",), settings={"pairs": ("docstring-function",)}), FINE_TUNE),
        ),
    ),
    exams=(TEXT_TO_CODE,),
    contrasts=(
        Contrast(
            name="pre-training",
            sentence="pre-trained minus the base, mean of four benchmarks",
            parts=compare("pre-trained", BEFORE, *ON_TEXT_TO_CODE),
        ),
        Contrast(
            name="after fine-tuning",
            sentence="fine-tuned with minus without pre-training, mean of four benchmarks",
            parts=compare("both", "fine-tuned", *ON_TEXT_TO_CODE),
        ),
        Contrast(
            name="pre-training, not Stack Overflow",
            sentence="pre-trained minus the base on CoSQA and csn-cloze, which hold no Stack Overflow",
            parts=compare("pre-trained", BEFORE, *NOT_STACK_OVERFLOW),
        ),
        Contrast(
            name="after fine-tuning, not Stack Overflow",
            sentence="fine-tuned with minus without pre-training on CoSQA and csn-cloze alone",
            parts=compare("both", "fine-tuned", *NOT_STACK_OVERFLOW),
        ),
        Contrast(
            name="against functions as long",
            sentence="pre-trained on posts minus trained on functions as long, both then fine-tuned, mean of four",
            parts=compare("both", "functions alone", *ON_TEXT_TO_CODE),
        ),
        Contrast(
            name="what fine-tuning adds",
            sentence="pre-trained and fine-tuned minus pre-trained, mean of four benchmarks",
            parts=compare("both", "pre-trained", *ON_TEXT_TO_CODE),
        ),
    ),
    claims=(
        Claim(
            name="pre-training",
            sentence="Pre-training on question–answer pairs improves text → code retrieval.",
            contrasts=("pre-training", "pre-training, not Stack Overflow"),
            bases=("static", "tiny"),
            paper="the paper's main claim, docs/paper.md#results",
            would_change="a base that already reads code, where there is less to learn: see MiniLM's row",
        ),
        Claim(
            name="after fine-tuning",
            sentence="What pre-training gives is still there after fine-tuning on functions.",
            contrasts=("after fine-tuning", "against functions as long"),
            bases=("static", "tiny"),
            paper="the paper's +2.1 MRR on CodeSearchNet, docs/paper.md#results",
            would_change="fine-tuning on many more functions, which may catch up",
        ),
    ),
)
