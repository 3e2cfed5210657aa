"""Which part of a text an encoder reads before it stops at its token limit."""

from collections.abc import Callable
from pathlib import Path

from procqa.encoder.beginnings import encode_beginnings
from procqa.encoder.static import TOKENIZER_FILE, parse_tokenizer
from procqa.errors import ArtifactError

ReadPart = Callable[[str], str]
"""The part of a text that is read, from its beginning."""


def open_reader(folder: Path, *, max_tokens: int) -> ReadPart | None:
    """What an encoder reads of a text; None for one whose tokenizer is not a single file of its folder.

    Args:
        folder: of the encoder.
        max_tokens: tokens read of a text, special ones among them.

    Raises:
        ArtifactError: the tokenizer is broken.
    """
    path = folder / TOKENIZER_FILE
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path} is not a readable tokenizer: {error}") from error
    tokenizer = parse_tokenizer(text, path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)

    def read_part(text: str) -> str:
        (encoding,) = encode_beginnings(tokenizer, [text], tokenizer.encode_batch)
        return text[: max((end for _, end in encoding.offsets), default=0)]

    return read_part
