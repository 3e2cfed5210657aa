from collections import Counter

from procqa.dataset.card import CardFacts, card_text, draw_pictures, write_card
from procqa.dataset.funnel import Tally
from procqa.dataset.statistics import describe_table
from tests.dataset.small import row, table


def facts(**changes):
    stats = (
        describe_table("python", "train", table([row(n) for n in range(8)])),
        describe_table("python", "test", table([row(9, answer="mail joe@corp.com", answer_code_chars=0)])),
    )
    made = {
        "title": "Pairs of stackoverflow.com",
        "sources": "Questions up to 2024.",
        "stats": stats,
        "tally": Tally(questions=20, kept=Counter(python=9), dropped={"question too short": Counter(python=11)}),
        "recipe": {"preset": "paper", "languages": ["python"], "non_english": "keep"},
        "split_proofs": ("threads: 0 in several",),
        "leakage": ("cosqa: 3 removed",),
    }
    return CardFacts(**{**made, **changes})


def line_of(text, start):
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line


def test_the_card_has_the_statistics_of_the_paper():
    text = card_text(facts())
    assert line_of(text, "| python | 8 |") == "| python | 8 | 0 | 1 | 9 |"
    assert line_of(text, "| **all** | 6.0") == "| **all** | 6.0 | 8.0 | 5.6 | 8 | 6 | 25 | 33 | 24 |"
    assert line_of(text, "| **all** | 18") == "| **all** | 18.2 % | 18.4 % | 100.0 % | 88.9 % | 88.9 % |"


def test_the_card_tells_what_was_left_out_proven_and_found():
    text = card_text(facts())
    assert "| question too short | 11 | 55.0 % |" in text
    assert "| **kept** | **9** | 45.0 % |" in text
    assert "- threads: 0 in several" in text
    assert "- cosqa: 3 removed" in text
    assert "| email | 1 |" in text
    assert "| CC BY-SA 4.0 | 9 |" in text
    assert "Posts that are not in English were not looked for." in text
    assert '| languages | `["python"]` |' in text


def test_what_was_not_done_is_said():
    text = card_text(facts(split_proofs=(), leakage=(), recipe={"near_duplicates": "cluster"}, redacted={"email": 4}))
    assert "Nothing was proven of the splits." in text
    assert "No benchmark was looked for." in text
    assert "| email | 4 |" in text
    assert "replaced by `<EMAIL>`" in text
    assert "Near-duplicates" not in text


def test_cells_cannot_break_a_table():
    text = card_text(facts(recipe={"site": "a|b"}))
    assert "| site | `a\\|b` |" in text


def test_a_card_is_written_with_its_pictures_and_the_notice_and_again_the_same(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_card(tmp_path / name, facts())
        draw_pictures(tmp_path / name, facts().tally, facts().stats)
    names = ["NOTICE", "README.md", "funnel.png", "lengths.png"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == names
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in names)
    assert "![The funnel from questions to pairs](funnel.png)" in (tmp_path / "one/README.md").read_text()
    assert "link to the question" in (tmp_path / "one/NOTICE").read_text()
