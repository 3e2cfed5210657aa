"""Beginnings of long texts are tokenized as the whole texts are."""

from random import Random

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from procqa.encoder.beginnings import cuts_at_blanks, encode_beginnings
from procqa.encoder.model import SHIPPED
from procqa.encoder.static import TOKENIZER_FILE

SOURCE = (SHIPPED / TOKENIZER_FILE).read_text(encoding="utf-8").replace("\\n", "\n")
SIGNS = [
    " ",
    "  ",
    "\n",
    "\t",
    "\n\n    ",
    "\r\n",
    "",
    "é",
    "e\u0301",
    " \u0301",
    "ﬁ",
    "\u00a0",
    "ÄBc",
    "getHTTPServer",
    "()",
]


def shipped(max_tokens: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(SHIPPED / TOKENIZER_FILE))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def random_text(random: Random) -> str:
    words = []
    for _ in range(random.choice((0, 3, 40, 400))):
        start = random.randrange(len(SOURCE))
        words += [SOURCE[start : start + random.randrange(20)], random.choice(SIGNS)]
    return "".join(words)


@pytest.mark.parametrize("max_tokens", [1, 7, 64])
def test_beginnings_have_the_tokens_of_whole_texts(max_tokens: int):
    tokenizer = shipped(max_tokens)
    texts = [random_text(Random(seed)) for seed in range(300)]

    found = encode_beginnings(tokenizer, texts, tokenizer.encode_batch)

    expected = tokenizer.encode_batch(texts)
    assert [one.ids for one in found] == [one.ids for one in expected]
    assert [one.offsets for one in found] == [one.offsets for one in expected]
    assert sum(len(text) > 6 * max_tokens for text in texts) > 50


def test_only_the_beginning_of_a_long_text_is_tokenized():
    tokenizer = shipped(3)
    given: list[str] = []

    def encode(texts):
        given.extend(texts)
        return tokenizer.encode_batch(texts)

    encode_beginnings(tokenizer, ["open the file and read " * 1_000, "x" * 70_000, "\n" * 70_000 + "end"], encode)

    assert [len(text) for text in given] == [22, 70_000, 70_003]


def test_a_text_of_long_words_is_tokenized_as_far_as_it_takes():
    tokenizer = shipped(3)
    (found,) = encode_beginnings(tokenizer, [" " * 100 + "read the file"], tokenizer.encode_batch)
    assert found.tokens == ["read", "the", "file"]


def test_a_tokenizer_whose_tokens_reach_across_blanks_is_given_whole_texts():
    tokenizer = Tokenizer(models.WordLevel({"ab cd": 0, "?": 1}, unk_token="?"))
    assert not cuts_at_blanks(tokenizer)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    assert cuts_at_blanks(tokenizer)
    tokenizer.add_tokens(["new york"])
    assert not cuts_at_blanks(tokenizer)
