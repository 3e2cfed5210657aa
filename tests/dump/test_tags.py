"""Text and tags of HTML: every character is one or the other, and a tag says its name and attributes."""

from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dump.tags import BLOCK_TAGS, INLINE_TAGS, SKIPPED_TAGS, attributes_of, decode, is_html, name_of, split_tags


@pytest.mark.parametrize(
    ("html", "parts"),
    [
        ("", [""]),
        ("a &lt; b", ["a &lt; b"]),
        ("a<b>c</b >d", ["a", "b", "c", "/b ", "d"]),
        ('<p title="a > b">c', ["", 'p title="a > b"', "c"]),
        ("<p title='a > b'>c", ["", "p title='a > b'", "c"]),
        ("<br/>", ["", "br/", ""]),
        ("a < b <3 <> c > d", ["a < b <3 <> c > d"]),
        ("Map<String, int>", ["Map", "String, int", ""]),
        ("a<b", ["a<b"]),
        ("a<<b>", ["a<", "b", ""]),
    ],
)
def test_text_and_tags_take_turns(html, parts):
    assert split_tags(html) == parts


@pytest.mark.parametrize(
    ("html", "parts"),
    [
        ("a<!-- b > c -->d", ["ad"]),
        ("<!DOCTYPE html>a<?php x ?>b<!>c", ["abc"]),
        ("a<!-- b", ["a<!-- b"]),
        ("a<!-- b --><!-- c", ["a<!-- c"]),
        ("a<!-- <!-- b -->c", ["ac"]),
        ("a<!-- language: lang-py -->b", ["a", "!language next lang-py", "b"]),
        ("a<!language all go>b", ["ab"]),
    ],
)
def test_comments_and_declarations_go_but_for_hints(html, parts):
    assert split_tags(html) == parts


@given(st.text(alphabet="<>/ab='\" \n-"))
def test_no_character_is_lost_or_made_up(html):
    parts = split_tags(html)
    assert "".join(f"<{part}>" if at % 2 else part for at, part in enumerate(parts)) == html


@pytest.mark.parametrize(
    ("tag", "name"),
    [("p", "p"), ("P class=x", "p"), ("/PRE ", "/pre"), ("br/", "br"), ("br /", "br"), ("a\nhref=x", "a")],
)
def test_a_name_is_in_lower_case_and_keeps_the_slash_of_an_end_tag(tag, name):
    assert name_of(tag) == name


def test_tags_of_html_are_told_from_what_only_looks_like_them():
    assert is_html("p")
    assert is_html("/span")
    assert not is_html("string")
    assert not is_html("/t")
    assert BLOCK_TAGS.isdisjoint(INLINE_TAGS)
    assert SKIPPED_TAGS <= INLINE_TAGS


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("p", {}),
        ("a href=\"x?a=1&amp;b=2\" rel='no follow'", {"href": "x?a=1&b=2", "rel": "no follow"}),
        ("a HREF = x title", {"href": "x"}),
        ('a href="1" href="2"', {"href": "1"}),
        ('a data-href="1" href=""', {"data-href": "1", "href": ""}),
    ],
)
def test_attributes_are_decoded_and_the_first_of_a_name_counts(tag, attributes):
    assert attributes_of(tag) == attributes


NAMES = st.sampled_from(["href", "class", "data-x", "title"])
VALUES = st.text(alphabet="ab &;=>'/", max_size=8)


@given(st.dictionaries(NAMES, VALUES))
def test_attributes_are_those_of_the_standard_parser(values):
    class Parser(HTMLParser):
        def handle_starttag(self, _tag, attrs):
            seen.append(dict(attrs))

    seen = []
    tag = "a " + " ".join(f'{name}="{value}"' for name, value in values.items())
    Parser().feed(f"<{tag}>")
    assert [attributes_of(tag)] == seen


@given(st.lists(st.sampled_from(["&", "&amp;", "&lt;", "&gt;", "&quot;", "&#65;", "&nbsp;", "&lt", "a", ";", "#"])))
def test_references_are_decoded_as_the_standard_library_decodes_them(pieces):
    assert decode("".join(pieces)) == unescape("".join(pieces))


def test_a_reference_without_end_is_one_unknown_character():
    assert decode("a&#" + "1" * 100_000 + ";b") == "a\ufffdb"
