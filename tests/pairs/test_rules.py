import pytest

from procqa.config import BuildConfig
from procqa.pairs import rules

CONFIG = BuildConfig()


@pytest.mark.parametrize(
    ("title", "question", "answer", "reason"),
    [
        ("t" * 10, "q" * 10, "a" * 10, None),
        ("t" * 10, "q" * 9, "a" * 10, "question too short"),
        ("t" * 10, "q" * 10, "a" * 9, "answer too short"),
        ("t" * 100, "q" * 29_900, "a" * 30_000, None),
        ("t" * 100, "q" * 29_901, "a" * 10, "question too long"),
        ("t" * 10, "q" * 10, "a" * 30_001, "answer too long"),
        ("t", "q", "a", "question too short"),
    ],
)
def test_the_first_rule_that_a_pair_breaks_is_its_reason(title, question, answer, reason):
    assert rules.first_reason(title, question, answer, CONFIG) == reason


def test_the_bounds_are_settings():
    config = BuildConfig(min_question_chars=0, min_answer_chars=0)
    assert rules.first_reason("t", "", "a", config) is None
