"""The page of studies in a real browser."""

from pathlib import Path

import pytest

from procqa.errors import ArtifactError
from procqa.studies.report import write_page
from procqa.studies.report.page import first_number
from procqa.studies.results import line, load_found
from tests.browser import needs_browser, open_page
from tests.studies.lines import contrast, small_lines, statement, verdict, write_found
from tests.studies.report.test_plots import looked_at

HOSTILE = "</pre><script>window.broken = 1</script><img src=x onerror='window.broken = 2'> apple"
MISS = {"query_id": "q1", "right": "sorting", "rank": 0, "hits": [], "cause": HOSTILE}
EXAMPLE = {"base": "static", "arm": "trained", "task": "rosetta/go-all", "miss": MISS, "query": HOSTILE}
UNSURE = [
    statement("q2", title=HOSTILE, scale="smoke", commit=None, data=[{"name": "b", "sha256": "f", "rows": None}]),
    contrast("better", "static", 0.04, None),
    verdict("better", "undecided"),
]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies: one with all that a page can show and hostile texts, one with numbers that are not finite."""
    root = tmp_path_factory.mktemp("studies")
    example = line("example", {**EXAMPLE, "right": HOSTILE, "hits": [["d1", 0.5, HOSTILE]]})
    folders = [write_found(root / "e1", [*small_lines(), *looked_at(), example]), write_found(root / "q2", UNSURE)]
    write_page([(folder, load_found(folder)) for folder in folders], root / "studies.html")
    return root / "studies.html"


def test_the_page_stands_alone_and_hostile_text_is_escaped(page_file: Path):
    text = page_file.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "<script>window.broken" not in text
    assert text.count("<script>") == 1
    assert text.count("&lt;script&gt;window.broken") >= 4


def test_the_same_results_give_the_same_page(tmp_path: Path):
    folder = write_found(tmp_path / "e1", small_lines())
    for name in ("one.html", "two.html"):
        write_page([(folder, load_found(folder))], tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    with pytest.raises(ArtifactError, match="could not be written"):
        write_page([(folder, load_found(folder))], tmp_path / "none" / "page.html")


@needs_browser
def test_the_page_begins_with_every_verdict_and_tells_each_study(page_file: Path):
    with open_page() as (page, complaints):
        page.goto(page_file.as_uri())
        rows = [row.inner_text() for row in page.locator("#verdicts tbody tr").all()]
        # Two claims on two bases of the first study, one claim on one base of the second.
        assert len(rows) == 2 * 2 + 1
        assert "+0.040 (+0.030 to +0.050)" in rows[0]
        assert "+0.040 (no interval)\t–" in rows[4]
        study = page.locator("#study-1").inner_text()
        for told in (
            "Does training help?",
            "Hypothesis. It does.",
            "Held equal",
            "seen before",
            "results written at commit abc",
            "2.01 CPU",
        ):
            assert told in study
        assert "Supported: trained minus the base comes to" in study
        assert page.locator("#study-1 figure svg").count() == 5
        assert "its numbers say nothing" in page.locator("#study-2").inner_text()
        assert "counted once" in page.locator("#cost").inner_text()
        assert page.evaluate("window.broken") is None
    assert complaints == []


@needs_browser
def test_a_heading_sorts_by_the_first_number_of_a_cell(page_file: Path):
    with open_page() as (page, complaints):
        page.goto(page_file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        table = page.locator("table", has=page.get_by_role("button", name="control")).first
        table.get_by_role("button", name="difference").click()
        assert "+0.040" in table.locator("tbody tr").first.inner_text()
    assert complaints == []
    assert [first_number(cell) for cell in ("1,234", "−0.1 (…)", "50.0 %", "")] == [1234, -0.1, 50, -1e9]


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1_400, "light")])
def test_the_page_is_no_wider_than_the_screen_and_axe_finds_nothing(page_file: Path, width: int, scheme: str):
    from axe_playwright_python.sync_playwright import Axe

    with open_page(viewport={"width": width, "height": 900}, color_scheme=scheme) as (page, complaints):
        page.goto(page_file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert page.evaluate("window.broken") is None
    assert [(violation["id"], violation["impact"]) for violation in found] == []
    assert complaints == []
