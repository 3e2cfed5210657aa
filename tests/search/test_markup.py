"""Whatever a stranger wrote in a post, its HTML can only be read."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.search.pages.markup import ATTRIBUTES, TAGS, safe_url, to_html

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    '<img src="http://evil.example/pixel.png">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(4)</script>'>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=evil.swf></object><embed src=evil.swf>",
    "<form action=//evil.example><input name=q><button>go</button></form>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>body{background:url(//evil.example)}</style>",
    "<a href='javascript:alert(1)' onclick=alert(1)>x</a>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<p style='position:fixed;inset:0'>over all</p>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example)",
    "[x](/metrics)",
    "[x](http:/metrics)",
    "[x](\\\\evil.example)",
    "![x](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    '![x](http://evil.example/" onerror="alert(1))',
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](http://a.example "t\\" onmouseover=\\"alert(1)")',
    "```html\n<script>alert(1)</script>\n```",
    '```html"><script>alert(1)</script>\ncode\n```',
    "```\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo '<script>' ?>",
    "[" * 2_000 + "x" + "](y)" * 2_000,
    "> " * 3_000 + "deep",
    "*" * 5_000,
]


class Inspector(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def inspect(html: str) -> Inspector:
    inspector = Inspector()
    inspector.feed(str(html))
    inspector.close()
    return inspector


def assert_inert(html: str) -> None:
    for tag, attributes in inspect(html).tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {"rel"}
        if tag == "a":
            assert attributes["rel"] == "noopener nofollow ugc"
            assert (attributes.get("href") or "https://").lower().startswith(("https://", "http://", "mailto:"))
            assert not (attributes.get("href") or "").lower().startswith(("http:/m", "https:/m"))


@pytest.mark.parametrize("markdown", HOSTILE)
def test_hostile_markdown_is_inert(markdown: str):
    assert_inert(to_html(markdown))


@given(st.text(alphabet="<>\"'`[]()!*_#|&;:/\\=-\n\t abhjrst&0x", max_size=300))
def test_no_markdown_is_anything_but_inert(markdown: str):
    assert_inert(to_html(markdown))


def test_html_in_a_post_is_shown_as_it_was_written():
    assert inspect(to_html("use <b>bold</b> & `<i>`")).text == "use <b>bold</b> & <i>\n"


def test_code_is_coloured_and_not_changed():
    code = 'def f(x: int) -> str:\n\treturn "<b>" + str(x)  # a & b\n'
    found = inspect(to_html(f"```python\n{code}```"))
    assert found.text.rstrip("\n") == code.rstrip("\n")
    assert ("span", {"class": "k"}) in found.tags


@pytest.mark.parametrize("language", ["", "nosuchlanguage", "lang", "c++", "c#", "lisp", "js", "shell-session"])
def test_code_of_any_language_is_shown(language: str):
    assert "a < b" in inspect(to_html(f"```{language}\na < b\n```")).text


def test_code_that_names_no_language_has_that_of_its_document():
    assert '<span class="k">' in to_html("```\nreturn 1\n```", language="python")
    assert "<span" not in to_html("```\nreturn 1\n```")
    assert "<span" not in to_html("```nosuchlanguage\nreturn 1\n```", language="python")


def test_php_without_its_opening_tag_is_coloured_too():
    assert '<span class="k">' in to_html("```php\nreturn 1;\n```")


def test_a_link_of_the_web_stays_a_link_and_an_image_becomes_one():
    found = inspect(to_html("[docs](https://docs.python.org/3/) ![a shot](https://i.example/x.png)"))
    assert [attributes["href"] for tag, attributes in found.tags if tag == "a"] == [
        "https://docs.python.org/3/",
        "https://i.example/x.png",
    ]
    assert "image: a shot" in found.text


def test_long_code_is_shown_without_colours():
    html = to_html("```python\n" + "x = 1\n" * 5_000 + "```")
    assert "<span" not in html
    assert html.count("x = 1") == 5_000


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://stackoverflow.com/users/1", True),
        ("http://a.example", True),
        ("javascript:alert(1)", False),
        ("//evil.example", False),
        ("/users/1", False),
        ("https:", False),
        ("http://[bad", False),
        ("data:text/html,x", False),
        ("", False),
        (None, False),
    ],
)
def test_only_an_absolute_address_of_the_web_is_linked(url: str | None, safe: bool):
    assert safe_url(url) == (url if safe else None)


def test_signs_of_a_post_stand_for_themselves_and_those_of_written_markdown_do_not():
    post = "use __init__ and 2*3*4, then &lt; and ~~no~~"
    assert to_html(post) == "<p>use __init__ and 2*3*4, then &amp;lt; and <s>no</s></p>\n"
    assert to_html("**read** this", is_written=True) == "<p><strong>read</strong> this</p>\n"


def test_nothing_turns_the_direction_of_what_a_post_says():
    html = to_html("a\u202eb `c\u2066d`\n\n```\ne\u202ef\n```")
    assert not set("\u202e\u2066") & set(html)
    assert html.count("\ufffd") == 3
