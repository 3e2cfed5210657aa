"""A question and its answer are judged: the pair, or the first reason, alone or with what an older build knew."""

import numpy as np
import pytest

from procqa.config import BuildConfig
from procqa.corpora.benchmarks import BenchmarkText
from procqa.dataset.convert import Judge, Judged, Known, Recipe
from procqa.dataset.decontaminate import keep_texts
from procqa.dataset.state import content_digest
from procqa.dump.blocks import Block
from procqa.dump.columns import read_columns
from procqa.dump.posts import to_records
from procqa.pairs import rules
from tests.dumps import answer, question, xml_row

ASKED, ANSWERED = question(1, accepted=2), answer(2, 1)
QUESTION_TEXT = "I tried this 1:\n\n```\nthing(1)\n```"
ANSWER_TEXT = "Use `other(2)` instead."
CONTENT = content_digest(ASKED["Title"].encode(), ASKED["Body"].encode(), ANSWERED["Body"].encode())


def stored(row, language=1):
    rows = read_columns(Block(0, 0, xml_row(row).strip().encode()))
    posts, texts = rows.take(np.array([0]), np.array([True]))
    posts["language"] = language
    return to_records(posts)[0], texts.tobytes()


def recipe(*, benchmarks=None, duplicates=None, site="stackoverflow.com", **config):
    return Recipe(BuildConfig(**config), ("a.com", site), ("c", "python"), benchmarks, duplicates or {})


def judge(asked=None, answered=None, known=None, **made) -> Judged:
    question_row, answer_row = ASKED | (asked or {}), ANSWERED | (answered or {})
    return Judge(recipe(**made)).judge(1, stored(question_row), stored(answer_row), known)


def test_a_question_and_its_answer_are_a_pair():
    judged = judge({"OwnerUserId": 5}, {"OwnerUserId": 6})
    assert (judged.reason, judged.content, judged.was_known, judged.leak) == (None, CONTENT, False, None)
    pair = judged.pair
    assert (pair.question_id, pair.answer_id, pair.language, pair.site) == (1, 2, "python", "stackoverflow.com")
    assert (pair.title, pair.question, pair.answer) == ("How do I do thing 1?", QUESTION_TEXT, ANSWER_TEXT)
    assert (pair.tags, pair.question_score, pair.answer_score, pair.view_count) == (("python",), 1, 2, 10)
    assert (pair.question_url, pair.answer_url) == (
        "https://stackoverflow.com/questions/1",
        "https://stackoverflow.com/a/2",
    )
    assert (pair.question_author, pair.question_author_url) == ("user 5", "https://stackoverflow.com/users/5")
    assert (pair.answer_author, pair.answer_licence) == ("Ann", "CC BY-SA 2.5")
    # The answer's row says its author's name, so no table is asked for it.
    assert judged.owners == (5, None)


def test_a_post_of_no_site_has_no_page():
    pair = judge(site="local").pair
    assert [getattr(pair, f"{name}_url") for name in ("question", "answer", "question_author", "answer_author")] == [
        None
    ] * 4


def test_what_needs_no_text_is_told_before_any_body_is_converted():
    judged = judge({"ClosedDate": "2012-01-01T00:00:00.000"}, closed="drop")
    assert (judged.reason, judged.content, judged.pair) == ("closed", (0, 0), None)
    assert judge({"ClosedDate": "2012-01-01T00:00:00.000"}).pair is not None
    assert judge({}, {"OwnerUserId": -2}).reason == "answer by the Answer Bot"


def test_what_the_texts_tell_comes_with_their_lengths():
    judged = judge({}, {"Body": "<p>short</p>"})
    assert (judged.reason, judged.detail) == ("answer too short", f"{20 + len(QUESTION_TEXT)} + 5 characters")
    assert judged.content not in (CONTENT, (0, 0))


@pytest.fixture
def duplicates(tmp_path):
    np.save(tmp_path / "1.npy", np.array([1, 7]))
    return {1: tmp_path / "1.npy"}


def test_a_question_that_a_link_marks_is_dropped_where_links_count(duplicates):
    assert judge(duplicates=duplicates).reason == "marked as a duplicate"
    assert judge(duplicates=duplicates, duplicate_links="keep").pair is not None
    assert judge({"Id": 3}, duplicates=duplicates).pair is not None
    assert judge({"Id": 8}, duplicates=duplicates).pair is not None
    assert judge(duplicates={0: duplicates[1]}).pair is not None


LEAKED = "a published text with enough words that it must not stand in any pair"


@pytest.fixture
def benchmarks(tmp_path):
    keep_texts(tmp_path / "texts.jsonl", [BenchmarkText(benchmark="cosqa.json", item="7", text=LEAKED)])
    return tmp_path / "texts.jsonl"


def test_a_pair_that_holds_a_text_of_a_benchmark_is_dropped_with_the_proof(benchmarks):
    judged = judge({"Body": f"<p>{LEAKED}</p>"}, benchmarks=benchmarks)
    assert (judged.reason, judged.detail) == ("contaminated", "cosqa.json 7")
    assert (judged.leak["benchmark"], judged.leak["item"], judged.leak["field"]) == ("cosqa.json", "7", "question")
    assert judge(benchmarks=benchmarks).pair is not None


def test_the_texts_of_another_benchmark_in_the_same_place_are_looked_for(benchmarks):
    assert judge({"Body": f"<p>{LEAKED}</p>"}, benchmarks=benchmarks).reason == "contaminated"
    keep_texts(
        benchmarks, [BenchmarkText(benchmark="other", item="1", text="quite other words, of which none stands here")]
    )
    assert judge({"Body": f"<p>{LEAKED}</p>"}, benchmarks=benchmarks).pair is not None


def test_the_reasons_are_tried_in_the_order_of_the_funnel(benchmarks, duplicates):
    leaked = {"Body": f"<p>{LEAKED}</p>"}
    assert judge(leaked, benchmarks=benchmarks, duplicates=duplicates).reason == "marked as a duplicate"
    assert judge(leaked, {"Body": "no"}, benchmarks=benchmarks, duplicates=duplicates).reason == "answer too short"


def test_secrets_are_redacted_where_it_is_asked_for():
    secret = {"Body": "<p>Write to jane.doe@somewhere-real.net for the whole of it.</p>"}
    judged = judge(secret, secret, redact=True)
    assert "jane.doe" not in judged.pair.question + judged.pair.answer
    assert [(entry["site"], entry["question_id"], entry["field"]) for entry in judged.redactions] == [
        ("stackoverflow.com", 1, "question"),
        ("stackoverflow.com", 1, "answer"),
    ]
    plain = judge(secret, secret)
    assert "jane.doe@somewhere-real.net" in plain.pair.question
    assert plain.redactions == ()


# What an older build knew.


def test_the_markdown_of_an_older_build_is_taken_where_the_texts_are_the_same():
    judged = judge({"Score": 99}, known=Known(CONTENT, None, "old question", "old answer"))
    assert judged.was_known
    assert (judged.pair.question, judged.pair.answer, judged.pair.question_score) == ("old question", "old answer", 99)
    assert judged.content == CONTENT


@pytest.mark.parametrize("changed", [{"Title": "How do I do thing 2?"}, {"Body": ASKED["Body"] + " "}])
def test_another_text_is_converted_anew(changed):
    judged = judge(changed, known=Known(CONTENT, None, "old question", "old answer"))
    assert not judged.was_known
    assert judged.pair.answer == ANSWER_TEXT
    assert not judge({}, {"Body": ANSWERED["Body"] + "!"}, known=Known(CONTENT, None, "x", "y")).was_known


@pytest.mark.parametrize("rule", [rule for rule in rules.RULES if rule.asked == "texts"], ids=lambda rule: rule.reason)
def test_a_reason_that_the_texts_told_is_taken(rule):
    judged = judge(known=Known(CONTENT, rule.reason))
    assert (judged.reason, judged.was_known, judged.content, judged.pair) == (rule.reason, True, CONTENT, None)


@pytest.mark.parametrize("rule", [rule for rule in rules.RULES if rule.asked != "texts"], ids=lambda rule: rule.reason)
def test_a_reason_that_other_things_told_is_not_taken(rule):
    if rule.reason != rules.CONTAMINATED:
        judged = judge(known=Known(CONTENT, rule.reason))
        assert not judged.was_known
        assert judged.pair.question == QUESTION_TEXT


def test_facts_and_links_are_asked_again_of_a_known_pair(duplicates):
    known = Known(CONTENT, None, "old question", "old answer")
    assert judge(known=known, duplicates=duplicates).reason == "marked as a duplicate"
    assert judge({"Score": -1}, known=known, min_question_score=0).reason == "question score too low"


def test_the_leak_of_a_known_pair_is_taken_with_its_proof(benchmarks):
    leak = {"benchmark": "cosqa.json", "item": "7", "rule": "exact", "matched": "m", "field": "title", "evidence": "e"}
    judged = judge(known=Known(CONTENT, rules.CONTAMINATED, leak=leak), benchmarks=benchmarks)
    assert (judged.reason, judged.detail, judged.leak, judged.was_known) == ("contaminated", "cosqa.json 7", leak, True)


def test_a_known_pair_keeps_its_redactions_and_its_title_is_redacted_again():
    secret = {"Title": "Who is jane.doe@somewhere-real.net?"}
    fresh = judge(secret, redact=True)
    known = Known(fresh.content, None, fresh.pair.question, fresh.pair.answer, redactions=fresh.redactions)
    again = judge(secret, known=known, redact=True)
    assert again.was_known
    assert (again.pair, again.redactions) == (fresh.pair, fresh.redactions)
    assert "jane.doe" not in again.pair.title
