import pytest

from procqa.dataset.hub import front_matter
from procqa.dataset.statistics import describe_table
from tests.dataset.small import row, table

yaml = pytest.importorskip("yaml", reason="the hub's reader of YAML is not installed")


def stats(language, split, rows=1, **changes):
    return describe_table(language, split, table([row(number, **changes) for number in range(rows)]))


def read(kind, *parts):
    lines = list(front_matter('Pairs of "x": y', kind, parts))
    assert (lines[0], lines[-1]) == ("---", "---")
    return yaml.safe_load("\n".join(lines[1:-1]))


def test_the_head_says_what_the_rows_are():
    head = read("questions", stats("python", "train", 3), stats("python", "test"), stats("c", "train"))
    assert head["pretty_name"] == 'Pairs of "x": y'
    assert head["language"] == "en"
    assert head["license"] == ["cc-by-sa-3.0", "cc-by-sa-4.0"]
    assert head["task_categories"] == ["text-retrieval", "question-answering"]
    assert head["size_categories"] == ["n<1K"]
    assert {"code", "python", "c"} <= set(head["tags"])


def test_each_language_is_a_configuration_and_all_is_the_default():
    head = read(
        "questions", stats("python", "train"), stats("python", "test"), stats("c", "train"), stats("c", "test", 0)
    )
    assert [config["config_name"] for config in head["configs"]] == ["all", "c", "python"]
    assert head["configs"][0] == {
        "config_name": "all",
        "default": True,
        "data_files": [
            {"split": "train", "path": "data/*/train-*.parquet"},
            {"split": "test", "path": "data/*/test-*.parquet"},
        ],
    }
    assert head["configs"][1]["data_files"] == [{"split": "train", "path": "data/c/train-*.parquet"}]


def test_functions_are_in_code_under_what_licence_there_is():
    head = read("functions", stats("no", "train", question_licence="MIT", answer_licence="licence of a/b"))
    assert (head["language"], head["license"]) == ("code", ["mit", "other"])
    assert head["task_categories"] == ["text-retrieval"]
    assert head["configs"][1]["config_name"] == "no"


def test_a_single_licence_is_no_list():
    head = read("functions", stats("go", "train", question_licence="MIT", answer_licence="MIT"))
    assert head["license"] == "mit"
