"""How like its source an export is, on the texts of the bundled sample."""

from typing import Any

import numpy as np

from procqa.bundled import sample_dump
from procqa.dump.archive import open_dump
from procqa.dump.blocks import read_blocks, rows_in
from procqa.dump.body import to_markdown
from procqa.dump.rows import Unreadable, read_row, to_post
from procqa.encoder.model import Encoder

SAMPLE = "every fourth title, question or answer of the sample dump that procqa brings"


def sample_texts() -> list[str]:
    """Every fourth of the different titles and bodies of the sample, Markdown and code: 125 texts."""
    path = str(sample_dump())
    texts: dict[str, None] = {}
    with open_dump(path) as stream:
        for block in read_blocks(stream, name=path):
            for _, raw in rows_in(block):
                row = read_row(raw)
                if not isinstance(row, Unreadable) and row.kind != "other":
                    post = to_post(raw, site="local")
                    texts |= dict.fromkeys(text for text in (post.title, to_markdown(post.body_html)) if text)
    return list(texts)[::4]


def likeness(source: Encoder, export: Encoder) -> dict[str, Any]:
    """What ``describe_likeness`` tells: the cosines of each text's two vectors, or, in spaces of two kinds, how the
    similarities of all pairs of texts correlate; to four decimals, so that another machine finds the same.
    """
    texts = sample_texts()
    one, other = source.encode_documents(texts), export.encode_documents(texts)
    there = one.any(axis=1) & other.any(axis=1)  # a text without a known token has no direction
    one, other = one[there], other[there]
    found: dict[str, Any] = {"texts": len(one)}
    if one.shape == other.shape:
        cosines = (one * other).sum(axis=1)
        return {**found, "cosine_mean": round(float(cosines.mean()), 4), "cosine_least": round(float(cosines.min()), 4)}
    pairs = np.triu_indices(len(one), k=1)
    correlation = np.corrcoef((one @ one.T)[pairs], (other @ other.T)[pairs])[0, 1]
    return {**found, "similarity_correlation": round(float(correlation), 4)}


def describe_likeness(found: dict[str, Any]) -> str:
    """A sentence of a card."""
    if "cosine_mean" in found:
        measured = (
            f"the cosine of a text's vector to that of the source is {found['cosine_mean']:.4f} in the mean and "
            f"{found['cosine_least']:.4f} at the least"
        )
    else:
        measured = (
            "its vectors lie in a space of their own; the similarities of all pairs of texts correlate with those of "
            f"the source by {found['similarity_correlation']:.4f}"
        )
    return f"On {found['texts']:,} texts, {SAMPLE}, {measured}."
