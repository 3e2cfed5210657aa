"""Settings: the defaults are the recipe, and a config that exists is valid."""

import dataclasses

import pytest

from procqa import config
from procqa.config import (
    LANGUAGES,
    BuildConfig,
    EvaluateConfig,
    IndexConfig,
    MineConfig,
    RunConfig,
    SearchConfig,
    ServeConfig,
    TrainConfig,
    parse_memory,
    require,
)
from procqa.errors import ConfigError

CONFIGS = [thing for thing in vars(config).values() if isinstance(thing, type) and dataclasses.is_dataclass(thing)]


@pytest.mark.parametrize("config_class", CONFIGS)
def test_every_config_is_frozen_slotted_keyword_only_and_complete_without_arguments(config_class):
    built = config_class()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(built, dataclasses.fields(built)[0].name, None)
    assert not hasattr(built, "__dict__")
    assert all(field.kw_only for field in dataclasses.fields(config_class))


@pytest.mark.parametrize("config_class", CONFIGS)
def test_every_field_says_what_it_means(config_class):
    assert all(field.metadata["help"] for field in dataclasses.fields(config_class))


def test_there_are_eleven_languages():
    assert LANGUAGES == (
        "c", "cpp", "csharp", "go", "java", "javascript", "lisp", "php", "python", "ruby", "rust",
    )  # fmt: skip


def test_the_build_defaults_are_the_paper_preset():
    built = BuildConfig()
    assert built.languages == LANGUAGES
    assert (built.min_question_chars, built.max_question_chars) == (20, 30_000)
    assert (built.min_answer_chars, built.max_answer_chars) == (10, 30_000)


def test_the_training_defaults_are_macp():
    built = TrainConfig()
    assert (built.temperature, built.alpha, built.max_tokens) == (0.01, 0.5, 128)
    assert (built.learning_rate, built.warmup_ratio, built.seed) == (2e-4, 0.1, 42)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1GB", 1 << 30), ("512MB", 512 << 20), ("1.5gb", 3 << 29), (" 64 kb ", 64 << 10), ("0MB", 0)],
)
def test_a_memory_size_is_a_number_with_a_unit(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "1", "GB", "1TB", "-1GB", "1 G B", "1e3MB", "١GBs"])
def test_what_is_no_memory_size_is_refused_with_the_text_that_came(text):
    with pytest.raises(ConfigError, match="such as 1GB"):
        parse_memory(text)


def test_require_raises_the_sentence_only_when_the_condition_fails():
    require(True, "never seen")
    with pytest.raises(ConfigError, match=r"^n must be odd, got 2$"):
        require(False, "n must be odd, got 2")


@pytest.mark.parametrize(
    ("config_class", "values", "sentence"),
    [
        (BuildConfig, {"languages": ()}, "languages must name at least one language, got none"),
        (BuildConfig, {"min_answer_chars": -1}, "min_answer_chars must lie between 0 and"),
        (BuildConfig, {"min_question_chars": 31_000}, "got 31000"),
        (BuildConfig, {"max_answer_chars": 5}, "min_answer_chars must lie between 0 and max_answer_chars"),
        (BuildConfig, {"site": "https://stackoverflow.com/"}, "site must be a host name"),
        (BuildConfig, {"site": ""}, "site must be a host name"),
        (RunConfig, {"jobs": 0}, "jobs must be at least 1, got 0"),
        (RunConfig, {"memory": "1MB"}, "memory must be at least 320MB, got 1MB"),
        (RunConfig, {"memory": "much"}, "a memory size must be a number"),
        (TrainConfig, {"steps": -1}, "steps must lie between 0 and 10000000, got -1"),
        (TrainConfig, {"epochs": 0}, "epochs must lie between 1 and 10000, got 0"),
        (TrainConfig, {"tokens": 0}, "tokens must lie between 1 and 1000000000000000, got 0"),
        (
            TrainConfig,
            {"steps": 5, "epochs": 2},
            "^a run must be told its length once, in steps, epochs or tokens, got steps 5 and epochs 2$",
        ),
        (
            TrainConfig,
            {"batch_size": 1},
            "batch_size must lie between 2, or a pair has no negative, and 1000000, got 1",
        ),
        (TrainConfig, {"rows_at_once": 0}, "rows_at_once must be at least 1, got 0"),
        (TrainConfig, {"pairs": ()}, "pairs must name at least one pair type"),
        (TrainConfig, {"pairs": ("title-code",)}, "a pair type must be one of title-question, .* got 'title-code'"),
        (TrainConfig, {"pairs": ("title-answer",) * 2}, "pairs must name each type once, got title-answer, title"),
        (TrainConfig, {"negatives": 101}, "negatives must lie between 0 and 100, got 101"),
        (TrainConfig, {"hard_negatives": ("N",)}, "hard_negatives must be used"),
        (TrainConfig, {"consistent_at": 1}, "consistent_at must have hard_negatives"),
        (TrainConfig, {"consistent_at": 0, "hard_negatives": ("N",)}, "consistent_at must be at least 1, got 0"),
        (IndexConfig, {"chunks": 0}, "chunks must lie between 1 and 1000, got 0"),
        (IndexConfig, {"exact_vectors": 999}, "exact_vectors must be at least 1000, got 999"),
        (MineConfig, {"negatives": 0}, "negatives must lie between 1 and 1000, got 0"),
        (MineConfig, {"share": 0.0}, "share must lie in"),
        (MineConfig, {"skip": -1}, "skip must be at least 0, got -1"),
        (MineConfig, {"depth": 6}, "depth must lie between skip . negatives .7. and 10000, got 6"),
        (MineConfig, {"max_tokens": 7}, "max_tokens must lie between 8 and 32768, got 7"),
        (TrainConfig, {"margin": 2.5}, "margin must lie in .*, got 2.5"),
        (TrainConfig, {"matryoshka": ("x",)}, "a matryoshka size must be a number, got 'x'"),
        (TrainConfig, {"matryoshka": ("9" * 5_000,)}, "a matryoshka size must be a number, got '9999"),
        (TrainConfig, {"matryoshka": ("8", "08")}, "matryoshka must name each size once, got 8, 08"),
        (TrainConfig, {"layers": 0}, "layers must lie between 1 and 48, got 0"),
        (TrainConfig, {"base": "tiny", "dimensions": 100}, "must be a multiple of 64, a head of attention, got 100"),
        (
            TrainConfig,
            {"embeddings": "latent"},
            "embeddings must be random but for the base static, got latent",
        ),
        (TrainConfig, {"learning_rate": 0.0}, "learning_rate must be > 0"),
        (TrainConfig, {"warmup_ratio": 1.0}, "warmup_ratio must lie in"),
        (TrainConfig, {"temperature": 0.0}, "temperature must be > 0, got 0.0"),
        (TrainConfig, {"alpha": 1.5}, "alpha must lie in"),
        (TrainConfig, {"max_tokens": 7}, "max_tokens must lie between 8 and 32768, got 7"),
        (TrainConfig, {"vocabulary": 299}, "vocabulary must lie between 300 and 1000000, got 299"),
        (TrainConfig, {"dimensions": 7}, "dimensions must lie between 8 and 8192, got 7"),
        (TrainConfig, {"seed": -1}, "seed must lie between 0 and 2147483647, got -1"),
        (EvaluateConfig, {"depth": 9}, "depth must be at least 10, got 9"),
        (EvaluateConfig, {"k1": 0.0}, "k1 must be > 0"),
        (EvaluateConfig, {"b": 1.1}, "b must lie in"),
        (EvaluateConfig, {"rerank_depth": 0}, "rerank_depth must be at least 1, got 0"),
        (EvaluateConfig, {"mode": "both"}, "mode must be one of hybrid, dense, lexical, got 'both'"),
        (EvaluateConfig, {"words": "whole"}, "words must be stemmed or plain, got 'whole'"),
        (TrainConfig, {"keep_base": ("0.5", "2")}, "a share of the base must be a number from 0 to 1, got '2'"),
        (TrainConfig, {"keep_base": ("nan",)}, "a share of the base must be a number from 0 to 1, got 'nan'"),
        (TrainConfig, {"keep_base": ("1",), "base": "static"}, "keep_base must have a base with weights of its own"),
        (TrainConfig, {"validate_every": 0}, "validate_every must be at least 1, got 0"),
        (TrainConfig, {"patience": 0, "validate_every": 1}, "patience must be at least 1, got 0"),
        (TrainConfig, {"patience": 2}, "patience must go with validate_every"),
        (EvaluateConfig, {"permutations": 10}, "permutations must be at least 100, got 10"),
        (EvaluateConfig, {"dense_weight": 1.0}, "dense_weight must lie between 0 and 1, got 1.0"),
        (EvaluateConfig, {"bootstrap": 99}, "bootstrap must be at least 100, got 99"),
        (SearchConfig, {"k": 0}, "k must lie between 1 and 1000, got 0"),
        (SearchConfig, {"k": 1_001}, "k must lie between 1 and 1000, got 1001"),
        (ServeConfig, {"port": 65_536}, "port must lie between 0 and 65535, got 65536"),
        (ServeConfig, {"concurrency": 0}, "concurrency must be at least 1, got 0"),
        (ServeConfig, {"timeout_s": 0.0}, "timeout must be > 0 seconds"),
    ],
)
def test_a_value_out_of_range_is_refused_in_one_sentence(config_class, values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        config_class(**values)


@pytest.mark.parametrize("site", ["local", "stackoverflow.com", "ru.stackoverflow.com", "ai.stackexchange.com"])
def test_a_site_is_a_host_name_or_local(site):
    assert BuildConfig(site=site).site == site


def test_jobs_are_as_many_as_memory_allows_unless_they_are_named():
    assert RunConfig(jobs=3).n_jobs == 3
    assert RunConfig(jobs=40).n_jobs == 40
    assert RunConfig(jobs=40).memory_bytes == 41 * 260 << 20
    assert RunConfig(memory="480MB").n_jobs == 1
    assert RunConfig(jobs=4, memory="1GB").n_jobs == 2
    assert RunConfig(jobs=4, memory="1GB", executor="ray").n_jobs == 4
    assert 1 <= RunConfig().n_jobs <= 2


def test_not_a_number_is_out_of_every_range():
    for name in ("learning_rate", "temperature", "alpha", "warmup_ratio"):
        with pytest.raises(ConfigError, match=name):
            TrainConfig(**{name: float("nan")})
    with pytest.raises(ConfigError, match="timeout"):
        ServeConfig(timeout_s=float("nan"))
