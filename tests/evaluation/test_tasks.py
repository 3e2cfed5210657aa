"""Which tasks a name means, and what stands in them."""

from pathlib import Path

import pytest

from procqa.corpora.families import FAMILIES
from procqa.errors import ArtifactError, BenchmarkError, ConfigError
from procqa.evaluation.tasks import is_dataset, load_task, resolve_tasks
from procqa.manifest import load_manifest
from tests.corpora.published import released, write_lines
from tests.evaluation.small import GO, PYTHON, RUBY, write_beir, write_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks") / "dataset"
    return write_dataset(folder, {"go": GO, "python": PYTHON, "ruby": RUBY})


def names(tasks: list[str], *roots: Path) -> list[str]:
    return [task.name for task in resolve_tasks(tasks, roots)]


def test_a_procqa_task_asks_title_and_question_for_the_answers_of_every_split(dataset: Path):
    (task,) = resolve_tasks(["procqa:python"], [dataset])
    collection = load_task(task, [dataset])

    assert collection.queries == {"local:4": "merge two dictionaries\nbody 4", "local:5": "plot\nbody 5"}
    assert collection.documents == {
        "local:101": "use sorted",
        "local:102": "open it and read",
        "local:103": "use join",
        "local:104": "dictionaries merge with a bar",
        "local:105": "nothing in common",
    }
    assert collection.qrels == {"local:4": {"local:104": 1}, "local:5": {"local:105": 1}}
    assert (collection.name, collection.language, collection.excludes_itself) == ("procqa:python", "python", False)
    assert collection.source.startswith("test split of the dataset with sha256 ")


def test_a_title_task_asks_with_the_title_alone_for_the_same_documents(dataset: Path):
    whole, title = (
        load_task(task, [dataset]) for task in resolve_tasks(["procqa:ruby", "procqa-title:ruby"], [dataset])
    )

    assert title.queries == {"local:7": "freeze strings"}
    assert (title.documents, title.qrels) == (whole.documents, whole.qrels)


def test_a_family_alone_means_every_language_with_a_test_split(dataset: Path):
    assert names(["procqa"], dataset) == ["procqa:python", "procqa:ruby"]


def test_a_task_counts_once_and_stands_beside_those_with_the_same_documents(dataset: Path):
    asked = ["procqa:ruby", "procqa", "procqa-title"]

    assert names(asked, dataset) == ["procqa:ruby", "procqa-title:ruby", "procqa:python", "procqa-title:python"]


def test_datasets_and_benchmarks_may_stand_in_any_order(dataset: Path, tmp_path: Path):
    write_beir(tmp_path / "mine")

    assert names(["beir:mine", "procqa:ruby"], tmp_path, dataset) == ["beir:mine", "procqa:ruby"]
    (beir, ruby) = resolve_tasks(["beir:mine", "procqa:ruby"], [tmp_path, dataset])
    assert set(load_task(beir, [dataset, tmp_path]).documents) == {"d1", "d2", "d3"}
    assert set(load_task(ruby, [dataset, tmp_path]).documents) == {"local:106", "local:107"}


def test_several_datasets_make_one_task_of_all_their_questions_and_answers(dataset: Path, tmp_path: Path):
    more = {"train": [(16, "sort again", "call sort again")], "test": [(17, "thaw", "call dup")]}
    other = write_dataset(tmp_path / "other", {"c": more, "ruby": more})

    assert names(["procqa"], dataset, other) == ["procqa:python", "procqa:ruby", "procqa:c"]
    collection = load_task(resolve_tasks(["procqa:ruby"], [dataset, other])[0], [dataset, other])
    assert list(collection.queries) == ["local:7", "local:17"]
    assert sorted(collection.documents) == ["local:106", "local:107", "local:116", "local:117"]
    assert len(collection.source.split(" + ")) == 2


def test_a_dataset_that_is_given_twice_counts_once(dataset: Path):
    (task,) = resolve_tasks(["procqa:ruby"], [dataset, dataset / ".." / dataset.name])

    assert len(task.datasets) == 1


def test_a_dataset_with_another_text_under_the_same_id_is_refused(dataset: Path, tmp_path: Path):
    other = write_dataset(tmp_path / "other", {"ruby": {"test": [(7, "freeze strings", "another answer")]}})

    with pytest.raises(ArtifactError, match="one text under local:107"):
        load_task(resolve_tasks(["procqa:ruby"], [dataset, other])[0], [dataset, other])


@pytest.mark.parametrize("name", ["", "klingon", "procqa-titles:python", "procqa:", "cosqa:python", "cosqa:", "beir"])
def test_a_name_that_no_task_has_is_refused(name: str, dataset: Path):
    with pytest.raises(ConfigError, match="got"):
        resolve_tasks([name], [dataset])


def test_an_unknown_task_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        resolve_tasks(["klingon"], [])

    assert str(caught.value).startswith("a task must be one of procqa:LANG, procqa-title:LANG, codesearchnet:LANG, ")
    assert str(caught.value).endswith(", codenet-raw:A-B, rosetta:A-B, beir:PATH, mteb:NAME, got 'klingon'")


def test_no_task_is_refused():
    with pytest.raises(ConfigError, match="at least one task"):
        resolve_tasks([], [])


@pytest.mark.parametrize("name", ["procqa", "procqa-title:python"])
def test_a_procqa_task_without_a_dataset_says_what_to_give(name: str, tmp_path: Path):
    with pytest.raises(BenchmarkError, match="procqa build"):
        resolve_tasks([name], [tmp_path])


@pytest.mark.parametrize("name", ["procqa:go", "procqa:klingon"])
def test_a_language_without_a_test_split_says_so(name: str, dataset: Path):
    with pytest.raises(BenchmarkError, match=f"{name} must name a language with a test split, .*; here python, ruby$"):
        resolve_tasks([name], [dataset])


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in ("procqa", "procqa-title", "mteb")])
def test_an_absent_benchmark_says_what_to_put_where(name: str, tmp_path: Path):
    family = FAMILIES[name]
    part = {"LANG": ":python", "A-B": ":ruby-java", "PATH": ":nowhere", None: ""}[family.part]
    if family.parts:
        part = f":{family.parts[0]}"

    with pytest.raises(BenchmarkError, match="put"):
        [load_task(task, [tmp_path]) for task in resolve_tasks([name + part], [tmp_path])]


def test_a_released_file_is_a_procqa_task_beside_the_datasets(dataset: Path, tmp_path: Path):
    write_lines(tmp_path / "qa.en.rust.json", [released(number) for number in range(10)])

    assert names(["procqa:rust"], tmp_path) == ["procqa:rust"]
    assert sorted(names(["procqa"], dataset, tmp_path)) == ["procqa:python", "procqa:ruby", "procqa:rust"]
    (task,) = resolve_tasks(["procqa-title:rust"], [dataset, tmp_path])
    assert load_task(task, [dataset, tmp_path]).queries == {"9": "title 9"}


def test_a_language_that_a_dataset_and_a_released_file_have_must_be_told_apart(dataset: Path, tmp_path: Path):
    write_lines(tmp_path / "qa.en.ruby.json", [released(number) for number in range(10)])

    assert names(["procqa:python"], dataset, tmp_path) == ["procqa:python"]
    with pytest.raises(BenchmarkError, match="procqa:ruby must come from one place"):
        resolve_tasks(["procqa:ruby"], [dataset, tmp_path])


def test_the_digest_of_a_task_of_datasets_is_theirs(dataset: Path, tmp_path: Path):
    other = write_dataset(tmp_path / "other", {"ruby": {"test": [(17, "thaw", "call dup")]}})
    one, two = (load_task(resolve_tasks(["procqa:ruby"], roots)[0], roots) for roots in ([dataset], [dataset, other]))

    assert one.digest == load_manifest(dataset).sha256
    assert two.digest not in (one.digest, load_manifest(other).sha256)
    assert two.digest == load_task(resolve_tasks(["procqa:ruby"], [other, dataset])[0], []).digest


def test_tasks_of_one_answering_language_stand_together(tmp_path: Path):
    programs = [
        {"index": f"{language}{number}", "label": 1, "func": "f"} for language in ("r", "p", "j") for number in (1, 2)
    ]
    for place, language in enumerate(("ruby", "python", "java")):
        write_lines(tmp_path / f"{language}_with_func.jsonl", programs[2 * place : 2 * place + 2])

    assert names(["codenet"], tmp_path)[:4] == [
        "codenet:ruby-ruby",
        "codenet:python-ruby",
        "codenet:java-ruby",
        "codenet:ruby-python",
    ]


def test_a_root_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(BenchmarkError, match="nowhere must be"):
        resolve_tasks(["cosqa"], [tmp_path / "nowhere"])


def test_only_our_manifest_of_a_dataset_makes_a_dataset(dataset: Path, tmp_path: Path):
    for name, text in (
        ("other", '{"kind": "dataset"}'),
        ("index", '{"format_version": 1, "kind": "index"}'),
        ("x", "["),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(text)

    assert is_dataset(dataset)
    assert [is_dataset(tmp_path / name) for name in ("other", "index", "x", "nowhere")] == [False] * 4


def test_a_dataset_with_a_broken_part_is_named(tmp_path: Path):
    folder = write_dataset(tmp_path / "dataset", {"ruby": RUBY})
    next(folder.glob("data/ruby/test-*")).write_bytes(b"PAR1 broken")

    with pytest.raises(ArtifactError, match="procqa verify"):
        load_task(resolve_tasks(["procqa:ruby"], [folder])[0], [folder])


MEASURES = {"mrr@1000", "ndcg@10", "recall@10", "map", "map@r", "precision@10", "success@1", "success@5", "success@10"}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))
def test_every_family_says_what_its_data_is_and_how_its_publisher_measures(family):
    for told in (family.query, family.document, family.relevant, family.protocol, family.source, family.layout):
        assert told.strip() == told != ""
    assert family.licence
    assert family.measure in MEASURES
    assert family.candidates in (0, 1_000)
    assert family.from_dataset or family.files
