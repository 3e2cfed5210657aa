"""The page in a real browser: keys, states, what it looks like to assistive technology, and hostile posts."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from procqa.index.build import build_index
from procqa.search.pages.markup import to_html
from tests.browser import needs_browser, open_page
from tests.index.small import to_row, write_dataset
from tests.search.pages_payloads import PAYLOADS
from tests.search.served import Served, write_index

pytestmark = needs_browser
EVERY = [(family, payload) for family, payloads in PAYLOADS.items() for payload in payloads]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(write_index(tmp_path_factory.mktemp("page"))) as served:
        yield served


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose every post is an attack: in its title, question and answer, and in the names beside it."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        to_row(
            2 * number + 100,
            "python",
            f"{payload} zebra",
            f"{payload}\n\n{payload}",
            question=payload,
            answer_author=payload,
            question_author_url=payload,
            answer_url=payload,
        )
        for number, (_, payload) in enumerate(EVERY)
    ]
    build_index([write_dataset(folder / "d", rows)], folder / "i", encoder=None)
    with Served(folder / "i") as served:
        yield served


def test_there_are_sixty_attacks_of_twelve_families():
    assert len({payload for _, payload in EVERY}) >= 60
    assert len(PAYLOADS) >= 12


def test_a_query_is_typed_and_answered_by_the_keyboard_alone(server: Served):
    with open_page() as (page, complaints):
        page.goto(server.url)
        page.keyboard.type("read a file")
        page.keyboard.press("Enter")
        expect(page.locator("h2").first).to_have_text("Read a file")
        page.locator("#q").press("Escape")
        page.keyboard.press("j")
        expect(page.locator("#hit-1")).to_be_focused()
        page.keyboard.press("j")
        expect(page.locator("#hit-2")).to_be_focused()
        page.keyboard.press("k")
        expect(page.locator("#hit-1")).to_be_focused()
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
    assert complaints == []


def test_code_of_several_lines_is_asked_with_control_and_enter(server: Served):
    with open_page() as (page, _):
        page.goto(server.url)
        expect(page.locator("#q")).to_be_focused()
        page.keyboard.type("for x in xs:")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("read(x)")
        page.keyboard.press("Enter")
        assert page.locator("#q").input_value() == "for x in xs:\nread(x)\n"
        page.keyboard.press("Control+Enter")
        expect(page.locator(".status").filter(has_text="hits in")).to_contain_text("the query taken for code")


def test_the_address_of_a_search_shows_it_again(server: Served):
    with open_page() as (page, _):
        page.goto(server.url)
        page.locator("#q").fill("sort a map lang:java")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("h2").first).to_have_text("Sort a map")
        address = page.url
    with open_page() as (again, _):
        again.goto(address)
        expect(again.locator("h2").first).to_have_text("Sort a map")
        assert again.locator("#q").input_value() == "sort a map lang:java"


def test_the_page_works_without_its_script(server: Served):
    with open_page(java_script_enabled=False) as (page, _):
        page.goto(server.url)
        page.locator("#q").fill("start a goroutine")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("h2").first).to_have_text("Start a goroutine")
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_a_running_search_says_so(server: Served):
    with open_page() as (page, _):
        page.goto(server.url)
        # An answer that does not come.
        page.evaluate("document.forms[0].addEventListener('submit', (event) => event.preventDefault())")
        page.locator("#q").fill("read a file")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("#state")).to_have_text("Searching…")


def test_code_is_copied(server: Served):
    with open_page(permissions=["clipboard-read", "clipboard-write"]) as (page, complaints):
        page.goto(f"{server.url}?q=remove+duplicates")
        block = page.locator("pre.code").first
        page.get_by_role("button", name="Copy").first.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == block.inner_text()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "query", ["", "?q=read+a+file", "?q=x+after%3Asoon", "?q=zygote"], ids=["empty", "hits", "error", "none"]
)
def test_axe_finds_nothing_in_any_state(server: Served, scheme: str, query: str):
    from axe_playwright_python.sync_playwright import Axe

    with open_page(color_scheme=scheme) as (page, _):
        page.goto(f"{server.url}{query}")
        found = Axe().run(page).response["violations"]
    assert [(violation["id"], violation["impact"]) for violation in found] == []


@pytest.mark.parametrize("width", [320, 768, 1_600])
def test_the_page_is_no_wider_than_the_screen(server: Served, width: int):
    with open_page(viewport={"width": width, "height": 800}) as (page, _):
        for query in ("", "?q=read+a+file+map"):
            page.goto(f"{server.url}{query}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def provoke(page: Page) -> None:
    """Do what a reader might: open everything, point at everything, click what is no link."""
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    page.evaluate(
        """for (const part of document.querySelectorAll('.post *, h2, h2 *, .attribution *')) {
             for (const name of ['mouseover', 'pointerenter', 'focus', 'click', 'toggle', 'error', 'load'])
               if (!(name === 'click' && part.closest('a[href^="http"], a[href^="mailto"], a[href^="#"]')))
                 part.dispatchEvent(new Event(name, {bubbles: true}));
           }"""
    )
    page.wait_for_timeout(300)


def test_every_attack_is_inert_on_the_page(hostile: Served):
    asked, said = [], []
    with open_page() as (page, complaints):
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{hostile.url}?q=zebra&k=1000&mode=lexical")
        assert page.locator(".hits > li").count() == len(EVERY)
        address = page.url
        provoke(page)
        assert page.url == address
        assert page.evaluate("window.broken") is None
        assert page.locator(".hits img, .hits script, .hits svg, .hits iframe, .hits style, .hits form").count() == 0
    assert said == []
    assert [url for url in asked if not url.startswith(hostile.url)] == []
    assert complaints == []


def test_every_attack_is_inert_without_the_policy_of_the_server():
    # The sanitiser alone: no header, no template, the post as it is written into a page.
    asked: list[str] = []
    with open_page() as (page, _):
        page.on("request", lambda request: asked.append(request.url))
        posts = "".join(f"<div class=post>{to_html(payload)}</div>" for _, payload in EVERY)
        page.set_content(f"<!doctype html><meta charset=utf-8>{posts}")
        provoke(page)
        assert page.evaluate("window.broken") is None
        assert page.locator(".post").count() == len(EVERY)
    assert [url for url in asked if "evil" in url] == []


@pytest.mark.parametrize(("family", "payload"), [(family, payloads[0]) for family, payloads in PAYLOADS.items()])
def test_an_attack_in_the_query_is_inert(server: Served, family: str, payload: str):
    with open_page() as (page, _):
        page.goto(f"{server.url}?{urlencode({'q': payload, 'language': payload})}")
        page.goto(f"{server.url}?{urlencode({'q': payload})}")
        assert page.evaluate("window.broken") is None
        assert page.locator("#q").input_value() == payload.replace("\r", "")
