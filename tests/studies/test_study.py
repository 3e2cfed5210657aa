"""A whole study at the scale smoke: two seeds of every arm, on the sample."""

from dataclasses import replace
from pathlib import Path

import pytest

from procqa.errors import ArtifactError, ConfigError
from procqa.studies import STUDIES
from procqa.studies.materials import Sources
from procqa.studies.results import Found, load_found
from procqa.studies.statement import BEFORE, Study, compare
from procqa.studies.study import StudyRequest, run_study

E2 = STUDIES["e2"]
KEPT = ("agnostic", "bimodal", "towers")
"""Arms enough to show all that arms can do."""


def small_study() -> Study:
    contrast = replace(E2.contrasts[0], parts=compare("agnostic", "bimodal", "programming/procqa"))
    return replace(
        E2,
        arms=tuple(arm for arm in E2.arms if arm.name in KEPT),
        exams=(replace(E2.exams[0], arms=(BEFORE, *KEPT)),),
        contrasts=(contrast,),
        claims=(replace(E2.claims[0], contrasts=(contrast.name,), bases=("static",)),),
        bases=("static",),
        looks_at=("slices",),
    )


def request(folder: Path, *, bases: tuple[str, ...] = (), study: Study | None = None) -> StudyRequest:
    return StudyRequest(
        study=study or small_study(),
        scale="smoke",
        sources=Sources(),
        out=folder / "out",
        work=folder / "work",
        bases=bases,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def found(folder: Path) -> Found:
    made = run_study(request(folder), lambda *_: None)
    assert made is not None
    return made


def test_every_arm_is_run_with_every_seed(found: Found) -> None:
    runs = [(run["base"], run["arm"], run["seed"]) for run in found.runs]
    arms = (BEFORE, "agnostic", "towers", "bimodal")
    assert runs == [("words", "bm25", 0), *(("static", arm, seed) for seed in (1, 2) for arm in arms)]


def test_arms_that_count_tokens_read_as_many(found: Found) -> None:
    by_name = {(run["arm"], run["seed"]): run["stages"] for run in found.runs}
    for seed in (1, 2):
        ((agnostic,), (bimodal,)) = by_name["agnostic", seed], by_name["bimodal", seed]
        assert agnostic["steps"] == 4
        assert bimodal["tokens_seen"] >= agnostic["tokens_seen"]
        of_a_batch = bimodal["tokens_seen"] / bimodal["steps"]
        assert bimodal["tokens_seen"] - agnostic["tokens_seen"] < 2 * of_a_batch


def test_every_number_of_a_contrast_follows_from_its_runs(found: Found) -> None:
    (contrast,) = found.contrasts
    scores = {(line["arm"], line["base"]): line["seeds"] for line in found.scores if line["on"] == "programming/procqa"}
    agnostic, bimodal = scores["agnostic", "static"], scores["bimodal", "static"]
    by_seed = [agnostic[seed] - bimodal[seed] for seed in ("1", "2")]
    assert contrast["by_seed"] == pytest.approx(by_seed, abs=2e-6)
    assert contrast["delta"] == pytest.approx(sum(by_seed) / 2, abs=2e-6)
    (verdict,) = found.verdicts
    assert verdict["verdict"] == contrast["outcome"]


def test_slices_stand_beside_words(found: Found) -> None:
    assert [table["title"] for table in found.tables] == [
        f"programming/procqa: slices, {arm} on static" for arm in (BEFORE, "agnostic", "towers", "bimodal")
    ]


def test_the_statement_stands_in_the_results(found: Found) -> None:
    assert found.study["hypothesis"] == E2.hypothesis
    assert [arm["name"] for arm in found.study["arms"]] == [BEFORE, "agnostic", "towers", "bimodal"]
    assert {data["name"]: data["rows"] for data in found.study["data"]} == {"programming": 134, "mixed": 134}
    assert found.study["scale"] == "smoke"


def test_a_study_that_is_there_is_not_run_again(folder: Path, found: Found) -> None:
    def fail(stage: str, _: int) -> None:
        assert "seed" not in stage, stage

    assert run_study(request(folder), fail) == found


def test_another_study_does_not_replace_it(folder: Path, found: Found) -> None:
    with pytest.raises(ArtifactError, match="by another recipe"):
        run_study(request(folder, study=replace(small_study(), question="another")), lambda *_: None)
    assert load_found(folder / "out") == found


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path, found: Found) -> None:
    again = run_study(request(tmp_path), lambda *_: None)
    assert again is not None
    assert again.scores == found.scores
    assert again.contrasts == found.contrasts
    assert [run["sha256"] for run in again.runs] == [run["sha256"] for run in found.runs]


def test_what_was_made_before_an_interruption_is_kept(tmp_path: Path) -> None:
    def interrupt(stage: str, _: int) -> None:
        if "seed 2" in stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(request(tmp_path), interrupt)
    assert not (tmp_path / "out").exists()
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("manifest.json")}
    assert len(list((tmp_path / "work" / "encoders").glob("*/manifest.json"))) == 4
    assert run_study(request(tmp_path), lambda *_: None) is not None
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_one_base_alone_gives_runs_and_no_results(tmp_path: Path) -> None:
    assert run_study(request(tmp_path, bases=("static",)), lambda *_: None) is None
    assert not (tmp_path / "out").exists()
    assert len(list((tmp_path / "work" / "encoders").glob("*/manifest.json"))) == 8
    with pytest.raises(ConfigError, match="--base must be one of static at scale smoke, got tiny"):
        run_study(request(tmp_path, bases=("tiny",)), lambda *_: None)
