"""What several studies share: their data, their tasks, and what must be said of both."""

from procqa.studies.statement import Exam

QUESTIONS = ("programming", "mixed")
"""Question–answer pairs: what stands for the paper's dataset."""

EVERYTHING = (*QUESTIONS, "functions")
"""What the tokenizers of encoders from scratch learn from, so that arms on other data read with the same ones."""

WHOLE_POSTS = ("title-question", "title-answer", "question-answer")
"""The pair types of the paper's pre-training. Source: docs/paper.md#sampling."""

TEXT_TO_CODE = Exam(
    name="benchmarks",
    roots=("benchmarks",),
    tasks=("cosqa", "conala", "codenn", "csn-cloze"),
    light=("cosqa", "conala", "codenn:python", "csn-cloze"),
)
ON_TEXT_TO_CODE = ("benchmarks/cosqa", "benchmarks/conala", "benchmarks/codenn", "benchmarks/csn-cloze")
"""Each benchmark weighs the same, whatever the number of its queries."""

QUESTION_TO_ANSWER = Exam(
    name="programming",
    roots=("programming",),
    tasks=("procqa",),
    light=("procqa:c", "procqa:go", "procqa:lisp", "procqa:ruby", "procqa:rust"),
)
MIXED_TO_MIXED = Exam(name="mixed", roots=("mixed",), tasks=("procqa",))

SAME = (
    "the tokenizer and the first weights of encoders from scratch, by seed",
    "steps, batch size, learning rate and its course, temperature, tokens read of a text, by base",
    "the seed of every draw, so that arms are compared seed by seed",
)
SMALL = "Small encoders on tens of thousands of pairs: what a large one learns from millions may differ."
NO_CSN = (
    "csn-cloze is CodeSearchNet with one token of each text guessed, joined tokens; it stands in for CodeSearchNet,"
    " whose files were not at hand."
)
STACK_OVERFLOW = (
    "CoNaLa and CODE-NN ask with Stack Overflow titles, and the questions trained on hold their training and validation"
    " parts; their test texts were looked for and left out, the distribution is the same."
)
DOCUMENTATION = (
    "In programming-qa most bodies repeat the title and most answers are code; mixed-qa is linter and compiler"
    " documentation, where bad and good code are near twins."
)
