"""Segments, counts, folded texts and lexical tokens: exact inverses, CommonMark as oracle, hostile input."""

import threading
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from procqa.records import Segment
from procqa.text import MAX_TOKEN_CHARS, count_chars, fence, fold, join, lexical_tokens, one_line, segments, visible

ANY_TEXT = st.text(alphabet=st.one_of(st.sampled_from(" \t\n\r`~\\>-x"), st.characters()), max_size=60)
FENCE_LINES = st.lists(
    st.sampled_from(
        ["```", "````", "~~~", "~~~~", "```py", "~~~ rb x", "  ```", "   ~~~", "``` `a`", "text", "", "  in"]
    ),
    max_size=14,
)


def test_prose_and_code_come_in_order_with_the_language_of_the_fence():
    markdown = "Use a set:\n\n```python\nset(items)\n```\n\nor `dict` keys.\n"
    assert segments(markdown) == [
        Segment("text", "Use a set:"),
        Segment("code", "set(items)\n", "python"),
        Segment("text", "or `dict` keys."),
    ]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("", []),
        (" \n\n\t\n", []),
        ("```\n```", [Segment("code", "")]),
        ("```\n\n```", [Segment("code", "\n")]),
        ("```\na\n````", [Segment("code", "a")]),
        ("````\n```\n````", [Segment("code", "```\n")]),
        ("~~~js\na\n```\n~~~", [Segment("code", "a\n```\n", "js")]),
        ("```C++ linenos\na\n```", [Segment("code", "a\n", "c++")]),
        ("```{.python}\na\n```", [Segment("code", "a\n", "python")]),
        ("```rust,ignore\na\n```", [Segment("code", "a\n", "rust")]),
        ("  ```\n  a\n b\n   c\n  ```", [Segment("code", "a\nb\n c\n")]),
        ("a\n```\nb", [Segment("text", "a"), Segment("code", "b")]),
        ("```\r\na\r\n```\r\nb", [Segment("code", "a\r\n"), Segment("text", "b")]),
        ("```a``` b", [Segment("text", "```a``` b")]),
        ("> ```\n> a\n> ```", [Segment("text", "> ```\n> a\n> ```")]),
        ("    ```\n    a", [Segment("text", "    ```\n    a")]),
    ],
)
def test_fences_are_read_as_commonmark_reads_them(markdown, expected):
    assert segments(markdown) == expected


@settings(deadline=None)
@given(FENCE_LINES)
def test_code_blocks_are_those_of_a_commonmark_parser(lines):
    markdown = "\n".join(lines)
    theirs = [token.content for token in MarkdownIt("commonmark").parse(markdown) if token.type == "fence"]
    ours = [span.text for span in segments(markdown) if span.kind == "code"]
    # A longer closing fence is our own sign for code without a last line break.
    assert [code.rstrip("\n") for code in ours] == [code.rstrip("\n") for code in theirs]


@settings(deadline=None)
@given(ANY_TEXT, st.sampled_from([None, "python", "cpp", "x-y"]))
@example("", None)
@example("\n", None)
@example("a", "python")
@example("```\n~~~\n", None)
def test_a_fence_gives_back_any_code_exactly(code, language):
    assert segments(fence(code, language)) == [Segment("code", code, language)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), ANY_TEXT), max_size=6))
def test_joined_segments_are_read_back_the_same(drawn):
    spans = [
        Segment("code", text) if is_code else Segment("text", f"prose {text.replace('`', '').replace('~', '')}.")
        for is_code, text in drawn
    ]
    normal = segments(join(spans))
    assert [span.text for span in normal if span.kind == "code"] == [s.text for s in spans if s.kind == "code"]
    assert segments(join(normal)) == normal


@settings(deadline=None)
@given(ANY_TEXT)
@example("```\n" * 3)
@example("a\n   ```x\n    b\n\n~~~")
def test_segments_of_any_text_survive_joining(markdown):
    spans = segments(markdown)
    assert segments(join(spans)) == spans


def test_characters_of_code_blocks_and_of_prose_are_counted_without_fences():
    assert count_chars("Use `x`:\n\n```python\nab\n```\n\nor") == (3, 10)
    assert count_chars("") == (0, 0)


def test_half_a_million_fence_lines_are_read_in_one_pass():
    assert len(segments("```\n" * 500_000)) == 250_000
    assert len(segments("~~~ `\n```\n" * 250_000)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I  sort?", "how do i sort"),
        ("Foo_bar.baz(1)", "foo bar baz 1"),
        ("Straße ﬁne Ⅷ", "strasse fine viii"),
        ("in C++, C# and F#", "in cpp csharp and fsharp"),
        ("日本 語!", "日本 語"),
        ("\n\t", ""),
    ],
)
def test_folded_texts_are_equal_where_only_form_differs(text, expected):
    assert fold(text) == expected


@settings(deadline=None)
@given(st.text())
def test_folding_is_idempotent_and_its_fast_path_is_the_general_one(text):
    folded = fold(text)
    assert fold(folded) == folded
    ascii_text = text.encode("ascii", "ignore").decode()
    assert fold(ascii_text) == fold(ascii_text + "\u00a0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sorting the lists", ["sort", "list"]),
        ("getElementById", ["getelementbyid", "get", "element", "id"]),
        ("HTMLParser parseHTML2", ["htmlparser", "html", "parser", "parsehtml2", "pars", "html", "2"]),
        ("snake_case_names", ["snake_case_names", "snake", "case", "name"]),
        ("__init__ _x", ["init", "x"]),
        ("os.path.join", ["os.path.join", "os", "path", "join"]),
        ("np.isNaN", ["np.isnan", "np", "isnan", "is", "na", "n"]),
        ("std::vector<int>", ["std::vector", "std", "vector", "int"]),
        ("with-open-file", ["with-open-file", "with", "open", "file"]),
        ("C++ c++11 C# F# i++", ["c++", "c++", "11", "c#", "f#", "i"]),
        ("#include <utf8.h>", ["includ", "utf8.h", "utf8", "utf", "8", "h"]),
        ("Python 3.11", ["python", "3.11", "3", "11"]),
        ("URLs", ["url"]),
        ("不能用 sort() 函数", ["不", "能", "用", "sort", "函", "数"]),
        ("naïve_résumé", ["naïve_résumé", "naïv", "résumé"]),
        ("ｆｕｌｌ ﬁle", ["full", "file"]),
        ("a + b == c", ["b", "c"]),
        ("for x in y if not z", ["for", "x", "in", "y", "if", "not", "z"]),
        ("", []),
    ],
)
def test_words_are_stemmed_and_identifiers_split(text, expected):
    assert lexical_tokens(text) == expected


def test_without_stemming_words_keep_their_endings():
    assert lexical_tokens("sorting getValues", stem=False) == ["sorting", "getvalues", "get", "values"]


def test_long_runs_are_cut_and_long_paths_give_their_components():
    assert lexical_tokens("aB3" * 100) == [("ab3" * 100)[:MAX_TOKEN_CHARS]]
    assert lexical_tokens(".".join(["component"] * 20)) == ["compon"] * 20
    assert len(lexical_tokens("字" * 1000)) == 1000


@settings(deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from("aB1_.-: +#é字İ"), st.characters()), max_size=200), st.booleans())
def test_tokens_are_folded_short_and_without_blanks(text, stem):
    for token in lexical_tokens(text, stem=stem):
        assert 0 < len(token) <= MAX_TOKEN_CHARS
        assert not any(character.isspace() for character in token)
        assert token.isascii() is False or token == token.lower()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["foo", "Bar", "x1", "日"]), max_size=8))
def test_tokens_of_a_text_are_those_of_its_words(words):
    assert lexical_tokens(" ".join(words)) == [token for word in words for token in lexical_tokens(word)]


def test_threads_see_the_same_tokens():
    words = [f"running{chr(97 + i % 26)}{chr(97 + i // 26)} stemming" for i in range(400)]
    expected = [lexical_tokens(word) for word in words]
    results = [[] for _ in range(4)]
    fresh = [word.title() for word in words]  # not in the cache: every thread stems

    def work(result):
        result.extend(lexical_tokens(word) for word in fresh)

    threads = [threading.Thread(target=work, args=(result,)) for result in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_megabytes_of_one_word_are_tokenized_in_one_pass():
    assert len(lexical_tokens("b." * 500_000)) == 500_000
    assert lexical_tokens("_" * 1_000_000) == []
    assert fold(unicodedata.lookup("LATIN SMALL LIGATURE FI") * 500_000) == "fi" * 500_000


def test_text_of_every_script_stays_as_it_is():
    text = "naïve 日本語 العربية 👩‍💻 \u00a0 tab\tline\n"
    assert visible(text) == text


def test_what_has_power_over_a_terminal_or_a_reader_becomes_a_sign():
    assert (
        visible("\x1b[2J \x9b31m \x7f \u202e \u2066 \ud800 \u2028")
        == "␛[2J \ufffd31m \ufffd \ufffd \ufffd \ufffd \ufffd"
    )
    assert one_line(" a\n\tb \x00 ") == "a b ␀"
