"""The page of an evaluation in a real browser."""

from pathlib import Path

import pytest

from procqa.config import EvaluateConfig
from procqa.evaluation.evaluate import Plan, measure
from procqa.evaluation.report import write_report
from tests.browser import needs_browser, open_page
from tests.evaluation.small import write_beir, write_lines
from tests.evaluation.test_evaluate import write_programs
from tests.index.small import write_encoder

CONFIG = EvaluateConfig(bootstrap=100, permutations=100)
HOSTILE = "</pre><script>window.broken = 1</script><img src=x onerror='window.broken = 2'> apple"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of words and a model on a graded collection with a hostile text, and on programs."""
    root = tmp_path_factory.mktemp("report")
    write_beir(root / "fruit")
    fillers = [{"_id": f"x{n:02}", "title": "", "text": "apple cherry " * 3} for n in range(20)]
    documents = [{"_id": "d2", "title": "", "text": "banana banana"}, {"_id": "d1", "title": "", "text": "apple"}]
    write_lines(root / "fruit" / "corpus.jsonl", [*documents, {"_id": "d3", "title": "", "text": HOSTILE}, *fillers])
    write_programs(root / "rosetta")
    rankers = ["bm25", str(write_encoder(root / "model"))]
    tasks = ["beir:fruit", "rosetta", "rosetta:python-all"]
    measured = list(measure(rankers, tasks, [root], CONFIG, plan=Plan(baseline="bm25", analyses=True)))
    write_report(root / "report.html", measured, CONFIG)
    return root / "report.html"


def test_the_page_stands_alone_and_says_what_it_may_run(page_file: Path):
    text = page_file.read_text()

    assert "default-src 'none'" in text
    assert "<script>window.broken" not in text
    assert "http-equiv" in text
    assert text.count("<script>") == 1


@needs_browser
def test_the_page_shows_every_score_and_loads_nothing(page_file: Path):
    with open_page() as (page, complaints):
        page.goto(page_file.as_uri())
        rows = page.locator("#scores tbody tr")
        # beir:fruit, three pairs of rosetta, rosetta:python-all, and rosetta pooled, by two rankers each.
        assert rows.count() == 2 * (1 + 3 + 1 + 1)
        assert "beir:fruit" in rows.first.inner_text()
        assert page.locator("figure svg").count() >= 5
        assert page.evaluate("window.broken") is None
        assert page.locator("#languages h3").count() == 2
    assert complaints == []


@needs_browser
def test_a_heading_sorts_its_table(page_file: Path):
    with open_page() as (page, complaints):
        page.goto(page_file.as_uri())
        head = page.locator("#scores thead th", has_text="mrr@1000").first
        values = "[...document.querySelectorAll('#scores tbody tr')].map(row => Number(row.cells[4].dataset.value))"

        head.get_by_role("button").click()
        falling = page.evaluate(values)
        head.get_by_role("button").press("Enter")
        rising = page.evaluate(values)

        assert falling == sorted(falling, reverse=True)
        assert rising == sorted(falling)
        assert head.get_attribute("aria-sort") == "ascending"
    assert complaints == []


@needs_browser
def test_misses_are_browsed_and_hostile_text_is_inert(page_file: Path):
    with open_page() as (page, complaints):
        page.goto(page_file.as_uri())
        page.locator("#misses details.missed").first.locator("summary").first.click()
        miss = page.locator("#misses details.miss").first
        miss.locator("summary").click()
        assert "Query q" in miss.inner_text()
        assert page.evaluate("window.broken") is None
    assert complaints == []


@needs_browser
@pytest.mark.parametrize("width", [400, 1_400])
def test_the_page_is_no_wider_than_the_screen(page_file: Path, width: int):
    with open_page(viewport={"width": width, "height": 900}, color_scheme="dark") as (page, complaints):
        page.goto(page_file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


def test_the_same_results_give_the_same_page(page_file: Path, tmp_path: Path):
    write_beir(tmp_path / "fruit")
    measured = list(measure(["bm25"], ["beir:fruit"], [tmp_path], CONFIG, plan=Plan(analyses=True)))

    write_report(tmp_path / "one.html", measured, CONFIG)
    write_report(tmp_path / "two.html", measured, CONFIG)

    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
