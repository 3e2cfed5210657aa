"""Each rule at its border, the order in which they are tried, and what the documentation says of them."""

import pytest

from procqa.config import BUILD_PRESETS, BuildConfig, build_config
from procqa.pairs import rules
from procqa.pairs.rules import FUNNEL, NOT_JOINED, RULES, PostFacts, reason_of_posts, reason_of_texts

CONFIG = BuildConfig()
STRICT = build_config({"preset": "strict"})
QUESTION = PostFacts(score=0, is_closed=False, owner_id=8, id=4)
ANSWER = PostFacts(score=0, is_closed=False, owner_id=9, id=7)
CODE = "\n\n```\nx = 1\n```"


# Facts.


@pytest.mark.parametrize(
    ("question", "answer", "paper", "strict"),
    [
        ({}, {}, None, None),
        ({}, {"owner_id": None}, None, None),
        ({"owner_id": -2}, {"owner_id": -1}, None, None),
        ({}, {"owner_id": -2}, "answer by the Answer Bot", "answer by the Answer Bot"),
        (
            *({}, {"id": 1_000_000_010, "owner_id": -1}),
            *("accepted answer is a fabricated row", "accepted answer is a fabricated row"),
        ),
        ({"is_closed": True}, {}, None, "closed"),
        ({}, {"is_closed": True}, None, None),
        ({"score": -1}, {}, None, "question score too low"),
        ({}, {"score": -1}, None, "answer score too low"),
        ({"score": -1, "is_closed": True}, {"score": -1}, None, "closed"),
        ({"score": -1, "is_closed": True}, {"owner_id": -2}, "answer by the Answer Bot", "answer by the Answer Bot"),
    ],
)
def test_the_facts_of_both_posts_decide_by_preset(question, answer, paper, strict):
    pair = QUESTION._replace(**question), ANSWER._replace(**answer)
    assert reason_of_posts(*pair, CONFIG) == paper
    assert reason_of_posts(*pair, STRICT) == strict


def test_the_least_scores_are_settings():
    config = BuildConfig(min_question_score=3, min_answer_score=-2)
    assert reason_of_posts(QUESTION._replace(score=2), ANSWER, config) == "question score too low"
    assert reason_of_posts(QUESTION._replace(score=3), ANSWER._replace(score=-2), config) is None
    assert reason_of_posts(QUESTION._replace(score=3), ANSWER._replace(score=-3), config) == "answer score too low"


@pytest.mark.parametrize(
    ("post_id", "owner_id", "fabricated"),
    [
        (1_000_000_001, -1, True),
        (1_000_000_010, -1, True),
        (1_000_000_010, None, True),
        (1_000_000_010, 8, False),
        (1_000_000_002, -1, False),
        (7, -1, False),
    ],
)
def test_a_fabricated_row_is_known_by_id_and_owner(post_id, owner_id, fabricated):
    assert rules.is_fabricated(post_id, owner_id) is fabricated


def test_the_answer_bot_is_user_minus_two():
    assert [rules.is_answer_bot(owner) for owner in (-2, -1, 2, None)] == [True, False, False, False]


# Texts.


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
def test_a_pair_of_the_wrong_length_is_dropped(title, question, answer, reason):
    assert reason_of_texts(title, question, answer, CONFIG) == reason


def test_the_bounds_are_settings():
    config = BuildConfig(min_question_chars=0, min_answer_chars=0)
    assert reason_of_texts("t", "", "a", config) is None


@pytest.mark.parametrize(
    ("setting", "in_question", "in_answer", "in_both", "in_none"),
    [
        ("any", None, None, None, None),
        ("either", None, None, None, "no code"),
        ("question", None, "no code", None, "no code"),
        ("answer", "no code", None, None, "no code"),
        ("both", "no code", "no code", None, "no code"),
    ],
)
def test_code_is_wanted_where_the_setting_says(setting, in_question, in_answer, in_both, in_none):
    config = BuildConfig(code=setting)
    question, answer = "How do I set a variable here?", "You assign it with the operator `=`."
    assert reason_of_texts("Title", question + CODE, answer, config) == in_question
    assert reason_of_texts("Title", question, answer + CODE, config) == in_answer
    assert reason_of_texts("Title", question + CODE, answer + CODE, config) == in_both
    assert reason_of_texts("Title", question, answer, config) == in_none


def test_a_blank_code_block_is_no_code():
    config = BuildConfig(code="answer")
    for blank in ("```\n```", "```python\n \n```"):
        assert reason_of_texts("A title", "and a question", f"An answer.\n\n{blank}", config) == "no code"


@pytest.mark.parametrize(
    ("title", "question", "answer"),
    [
        ("Wie sortiere ich eine Liste?", "Ich möchte eine Liste sortieren, aber es geht nicht.", "Use sorted on it."),
        ("How to sort a list?", "I want to sort a list.", "Dafür gibt es eine eigene Funktion, die das erledigt."),
    ],
)
def test_a_pair_is_english_on_both_sides_or_dropped_where_that_is_asked(title, question, answer):
    assert reason_of_texts(title, question, answer, BuildConfig(non_english="drop")) == "not English"
    assert reason_of_texts(title, question, answer, CONFIG) is None


def test_lengths_come_before_code_and_code_before_english():
    title, german = "Wie sortiere ich eine Liste?", "Ich möchte eine Liste sortieren."
    assert reason_of_texts(title, german, "Nein.", STRICT) == "answer too short"
    assert reason_of_texts(title, german, "Das geht gar nicht.", STRICT) == "no code"
    assert reason_of_texts(title, german, "Das geht gar nicht." + CODE, STRICT) == "not English"


# The table.


def test_the_funnel_has_every_reason_once_and_in_this_order():
    assert FUNNEL == (
        "fabricated row",
        "no accepted answer",
        "no answer in the dump",
        "accepted answer not in the dump",
        "accepted answer belongs to another question",
        "accepted id is a question",
        "no wanted language",
        "answer by the Answer Bot",
        "accepted answer is a fabricated row",
        "closed",
        "question score too low",
        "answer score too low",
        "question too short",
        "question too long",
        "answer too short",
        "answer too long",
        "no code",
        "not English",
        "marked as a duplicate",
        "contaminated",
    )
    assert frozenset(FUNNEL[:6]) == NOT_JOINED


def test_every_rule_says_when_it_applies_and_where_it_comes_from():
    table = rules.rules_table()
    assert [row[0] for row in table] == list(FUNNEL)
    for reason, when, source in table:
        assert when.rstrip(".") == when, reason
        assert source.startswith(("docs/paper.md#", "ours: docs/decisions/0011")), reason


def test_a_rule_has_the_function_that_its_kind_calls_for():
    for rule in RULES:
        assert (rule.of_posts is not None) == (rule.asked == "posts")
        assert (rule.of_texts is not None) == (rule.asked == "texts")


def test_every_setting_of_a_preset_is_one_that_the_rules_or_the_clusters_know():
    assert set(BUILD_PRESETS["strict"]) == {
        *("preset", "code", "non_english", "closed", "min_question_score", "min_answer_score", "near_duplicates")
    }
