"""What ships with procqa: the sample dump, described in docs/sample.md."""

from pathlib import Path


def sample_dump() -> Path:
    """The dump that was written for procqa: 134 pairs in eleven languages, and the oddities of a real one.

    Its posts stand on no web site: build it with ``site="local"``.

    Source: ours, docs/sample.md.
    """
    return Path(__file__).parent / "sample" / "Posts.xml"
