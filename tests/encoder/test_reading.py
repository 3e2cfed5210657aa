"""What an encoder reads of a text."""

from pathlib import Path

import pytest

from procqa.encoder.model import SHIPPED
from procqa.encoder.reading import open_reader
from procqa.encoder.static import TOKENIZER_FILE
from procqa.errors import ArtifactError


def test_a_text_is_read_up_to_the_last_token_of_the_limit():
    read_part = open_reader(SHIPPED, max_tokens=3)

    assert read_part is not None
    assert read_part("open file list string") == "open file list"
    assert read_part("open") == "open"
    assert read_part("") == ""


def test_an_encoder_with_several_tokenizers_is_not_told(tmp_path: Path):
    assert open_reader(tmp_path, max_tokens=3) is None


def test_a_broken_tokenizer_is_one_sentence(tmp_path: Path):
    (tmp_path / TOKENIZER_FILE).write_text("{}")

    with pytest.raises(ArtifactError, match="is not a readable tokenizer"):
        open_reader(tmp_path, max_tokens=3)
