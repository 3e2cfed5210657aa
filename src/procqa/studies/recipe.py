"""The questions that decide how procqa trains by default, answered on validation questions."""

from typing import Any

from procqa.studies.common import EVERYTHING, SAME, SMALL, WHOLE_POSTS
from procqa.studies.statement import Arm, Claim, Contrast, Exam, Stage, Study, compare

DEFAULT, RANDOM, MINED, LONGER = "default", "7 random negatives", "7 mined negatives", "steps × 3"
PAIRS = {"pairs": (*WHOLE_POSTS, "docstring-function")}
CHANGES: dict[str, dict[str, Any]] = {
    "four-way loss": {"loss": "four-way"},
    "symmetric loss": {"loss": "symmetric"},
    "temperature 0.01": {"temperature": 0.01},
    "temperature 0.02": {"temperature": 0.02},
    "temperature 0.1": {"temperature": 0.1},
    "masked margin 0.1": {"margin": 0.1},
    "mixed batches": {"batches": "mixed"},
}
BATCHES = {"batch × 1/4": 0.25, "batch × 2": 2.0}
ON = ("validation/procqa", "validation/procqa-title", "cosqa/procqa-title")


def _stage(name: str, times: float = 1.0, **settings: Any) -> Stage:  # Any: fields of TrainConfig
    like = None if name == DEFAULT else DEFAULT
    mined_by = DEFAULT if name == MINED else None
    return Stage(
        data=EVERYTHING,
        settings={**PAIRS, **settings},
        batch_times=times,
        as_many_pairs_as=like,
        mined_by=mined_by,
    )


STUDY = Study(
    name="recipe",
    title="The recipe",
    answers=(),
    question="Which loss, batch, negatives, mask and temperature should be the default of an encoder from scratch?",
    hypothesis="None beats the default: one-way InfoNCE, temperature 0.05, one stream a batch, no mined negatives.",
    equal=(
        *SAME[:1],
        "learning rate and its course, tokens read of a text",
        "all data, and the number of pairs seen; one setting differs",
    ),
    limits=(
        "Chosen on validation questions and CoSQA's development queries, which no other study measures on.",
        "One setting at a time: two that help apart may not help together.",
        "Further negatives make a step dearer; pairs are equal, not time.",
        "The learning rate was chosen at temperature 0.05 and batches of 1,024 and is not chosen anew for another"
        " setting, which favours the default.",
        "The arm of three times the steps was added when the others' numbers were known, because as many pairs are not"
        " as much time; it decides nothing.",
        SMALL,
    ),
    materials=EVERYTHING,
    bases=("static",),
    arms=(
        Arm(name=DEFAULT, description="the preset static, 150 steps", stages=(_stage(DEFAULT),)),
        *(
            Arm(name=name, description=f"the default with {name}", stages=(_stage(name, **settings),))
            for name, settings in CHANGES.items()
        ),
        *(
            Arm(
                name=name,
                description=f"{name}, as many pairs",
                stages=(_stage(name, times),),
            )
            for name, times in BATCHES.items()
        ),
        Arm(name=RANDOM, description="7 further documents of each pair", stages=(_stage(RANDOM, negatives=7),)),
        Arm(
            name=MINED,
            description="7 further documents that the default takes for answers",
            stages=(_stage(MINED, negatives=7),),
        ),
        Arm(
            name=LONGER,
            description="the default, three times as long, which takes less time than 7 further documents",
            stages=(Stage(data=EVERYTHING, settings=PAIRS, steps_times=3),),
        ),
    ),
    exams=(
        Exam(name="validation", roots=("programming:validation",), tasks=("procqa", "procqa-title")),
        Exam(name="cosqa", roots=("cosqa:validation",), tasks=("procqa-title",)),
    ),
    contrasts=(
        *(
            Contrast(
                name=name,
                sentence=f"{name} minus the default, mean of questions, titles and CoSQA's queries",
                parts=compare(name, DEFAULT, *ON),
                least=0.005,
            )
            for name in (*CHANGES, *BATCHES, RANDOM)
        ),
        Contrast(
            name="mined − random negatives",
            sentence="mined minus random further documents, mean of questions, titles and CoSQA's queries",
            parts=compare(MINED, RANDOM, *ON),
            least=0.005,
        ),
        *(
            Contrast(
                name=f"{LONGER} − {control}",
                sentence=f"three times the steps minus {said}, mean of questions, titles and CoSQA's queries",
                parts=compare(LONGER, control, *ON),
                least=0.005,
            )
            for control, said in ((DEFAULT, "the default"), (RANDOM, "7 random negatives"))
        ),
    ),
    claims=tuple(
        Claim(
            name=name,
            sentence=sentence,
            contrasts=(name,),
            bases=("static",),
            paper=paper,
            would_change="a transformer, which the preset of its own would be chosen for",
        )
        for name, sentence, paper in (
            ("four-way loss", "The authors' four-way loss is better than InfoNCE.", "docs/paper.md#loss"),
            ("symmetric loss", "Asking both ways is better than one.", "docs/paper.md#loss"),
            ("temperature 0.01", "The paper's temperature, 0.01, is better than 0.05.", "docs/paper.md#macp"),
            ("temperature 0.02", "A temperature of 0.02 is better than 0.05.", "docs/paper.md#macp"),
            ("temperature 0.1", "A temperature of 0.1 is better than 0.05.", "docs/paper.md#macp"),
            ("masked margin 0.1", "Masking negatives nearer than the answer by 0.1 helps.", "ours"),
            ("mixed batches", "Batches of all streams are better than of one.", "docs/paper.md#sampling"),
            ("batch × 1/4", "A batch of a quarter is better, for as many pairs.", "docs/paper.md#macp"),
            ("batch × 2", "A batch twice as large is better, for as many pairs.", "docs/paper.md#macp"),
            (RANDOM, "Seven random further negatives help.", "docs/paper.md#fine-tuning"),
            ("mined − random negatives", "Mined negatives are better than random ones.", "docs/paper.md#studies"),
        )
    ),
)
