"""Statements: what they say must hang together before anything is run."""

from dataclasses import replace

import pytest

from procqa.cli.study import CHOICES
from procqa.config import train_config
from procqa.studies import NAMES, STUDIES
from procqa.studies.e1 import STUDY
from procqa.studies.scales import SCALES, scales_of
from procqa.studies.statement import Arm, Stage, compare


def test_the_command_knows_every_study_and_every_question() -> None:
    assert set(CHOICES) == NAMES.keys()
    assert NAMES.keys() - STUDIES.keys() == {"q1", "c1"}
    assert (NAMES["q1"], NAMES["c1"]) == ("e2", "e2")


@pytest.mark.parametrize("name", STUDIES)
def test_every_claim_rests_on_a_base_that_is_run(name: str) -> None:
    study = STUDIES[name]
    assert study.claims
    assert {base for claim in study.claims for base in claim.bases} <= scales_of("cpu", study.bases).keys()


@pytest.mark.parametrize("name", STUDIES)
def test_no_verdict_rests_on_one_seed(name: str) -> None:
    scales = scales_of("cpu", STUDIES[name].bases)
    assert all(len(scales[base].seeds) >= 3 for claim in STUDIES[name].claims for base in claim.bases)


@pytest.mark.parametrize("name", STUDIES)
def test_every_stage_is_a_recipe_of_training_at_every_scale(name: str) -> None:
    for scale in SCALES.values():
        for base in scale.values():
            for arm in STUDIES[name].arms:
                for stage in arm.stages:
                    assert train_config("macp", base.settings_of(stage)).seed == 42


def test_fine_tuning_and_larger_batches_change_the_length_of_a_run() -> None:
    paper, static = SCALES["gpu"]["graphcodebert"], SCALES["cpu"]["static"]
    tuned = paper.settings_of(Stage(data=("functions",), fine_tunes=True))
    assert (tuned["epochs"], tuned["batch_size"], "steps" in tuned) == (3, 128, False)
    longer = static.settings_of(Stage(data=("mixed",), steps_times=3))
    assert (longer["batch_size"], longer["steps"]) == (1_024, 450)
    quarter = static.settings_of(Stage(data=("mixed",), batch_times=0.25))
    assert (quarter["steps"], quarter["batch_size"]) == (600, 256)


def test_arms_of_e2_train_on_the_same_rows() -> None:
    stages = [stage for arm in STUDIES["e2"].arms for stage in arm.stages]
    assert all(stage.settings["shared_rows"] for stage in stages)


def test_leave_one_out_never_trains_on_the_language() -> None:
    for arm in STUDIES["e3"].arms[1:]:
        (stage,) = arm.stages
        assert arm.name.removeprefix("without ") not in stage.settings["languages"]
        assert len(stage.settings["languages"]) == 10


def test_where_a_scale_has_none_of_the_bases_its_own_stand_for_them() -> None:
    assert list(scales_of("gpu", ("static", "tiny"))) == ["graphcodebert"]
    assert list(scales_of("cpu", ("static", "tiny"))) == ["static", "tiny"]


def test_the_gpu_scale_has_the_papers_numbers() -> None:
    settings = SCALES["gpu"]["graphcodebert"].settings
    assert (settings["steps"], settings["batch_size"], settings["learning_rate"]) == (10_000, 6_192, 2e-4)
    assert (settings["temperature"], settings["max_tokens"]) == (0.01, 128)
    assert settings["loss"] == "four-way"


def test_where_no_base_of_a_claim_is_run_those_that_are_decide() -> None:
    paper = STUDIES["e1"].at(["graphcodebert"])
    assert {claim.bases for claim in paper.claims} == {("graphcodebert",)}
    assert STUDIES["e1"].at(["static", "tiny", "minilm"]) == STUDIES["e1"]


def test_without_an_exam_there_is_no_contrast_on_it_and_no_claim_on_that() -> None:
    left = STUDIES["c3"].without_exams({"rosetta"})
    assert [exam.name for exam in left.exams] == ["programming"]
    assert [contrast.name for contrast in left.contrasts] == ["mixed − one stream, questions"]
    assert [claim.name for claim in left.claims] == ["price"]


def test_a_tokenizer_reads_what_its_arms_train_on() -> None:
    with pytest.raises(ValueError, match="data that its tokenizers do not read"):
        replace(STUDIES["q2"], materials=("programming", "mixed", "functions"))


def test_a_statement_that_names_what_it_has_not_is_refused() -> None:
    contrast = replace(STUDY.contrasts[0], parts=compare("absent", "before", "benchmarks/cosqa"))
    with pytest.raises(ValueError, match="study e1 names an arm that it has not, or twice: absent"):
        replace(STUDY, contrasts=(contrast, *STUDY.contrasts[1:]))
    with pytest.raises(ValueError, match="an exam"):
        contrast = replace(STUDY.contrasts[0], parts=compare("both", "before", "elsewhere/cosqa"))
        replace(STUDY, contrasts=(contrast, *STUDY.contrasts[1:]))
    with pytest.raises(ValueError, match="an arm before second"):
        late = Arm(name="second", description="d", stages=(Stage(data=("mixed",), mined_by="second"),))
        replace(STUDY, arms=(*STUDY.arms, late))
    with pytest.raises(ValueError, match="a base"):
        replace(STUDY, claims=(replace(STUDY.claims[0], bases=("absent",)),))
