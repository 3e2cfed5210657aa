"""Dump → dataset as a researcher would write it in an hour: iterparse, BeautifulSoup, a dict, Parquet at the end.

It knows nothing of procqa. It trusts the dump to be clean and in order, holds all pairs in memory, keeps
neither licence nor author, and says not why a question is missing.

``python -m benchmarks.peers.naive_build POSTS.xml OUT.parquet``
"""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from bs4 import BeautifulSoup
from lxml import etree

LANGUAGES = {
    "c": "c", "c++": "cpp", "c++11": "cpp", "c#": "csharp", "go": "go", "java": "java", "javascript": "javascript",
    "lisp": "lisp", "common-lisp": "lisp", "php": "php", "python": "python", "python-3.x": "python",
    "python-2.7": "python", "ruby": "ruby", "rust": "rust",
}  # fmt: skip


def to_text(html: str) -> str:
    """Plain text with fenced code blocks and inline code in back-ticks."""
    soup = BeautifulSoup(html, "lxml")
    for pre in soup.find_all("pre"):
        pre.replace_with(f"\n```\n{pre.get_text()}```\n")
    for code in soup.find_all("code"):
        code.replace_with(f"`{code.get_text()}`")
    return soup.get_text().strip()


def language_of(tags: str) -> str | None:
    """The language of the first tag that is one."""
    for tag in tags.strip("<>|").replace("><", "|").split("|"):
        if tag in LANGUAGES:
            return LANGUAGES[tag]
    return None


def read_pairs(path: str) -> list[dict[str, object]]:
    """Questions joined with their accepted answers."""
    waiting: dict[str, tuple[str, str, str, str]] = {}
    pairs: list[dict[str, object]] = []
    for _, row in etree.iterparse(path, tag="row"):
        if row.get("PostTypeId") == "1":
            accepted, language = row.get("AcceptedAnswerId"), language_of(row.get("Tags", ""))
            if accepted and language:
                waiting[accepted] = (row.get("Id"), language, row.get("Title"), row.get("Body"))
        elif row.get("PostTypeId") == "2" and row.get("Id") in waiting:
            question_id, language, title, body = waiting.pop(row.get("Id"))
            question, answer = to_text(body), to_text(row.get("Body"))
            if 20 <= len(title) + len(question) <= 30_000 and 10 <= len(answer) <= 30_000:
                pairs.append(
                    {
                        "question_id": int(question_id),
                        "answer_id": int(row.get("Id")),
                        "language": language,
                        "title": title,
                        "question": question,
                        "answer": answer,
                    }
                )
        row.clear()
        while row.getprevious() is not None:
            del row.getparent()[0]
    return pairs


def main(path: str, out: str) -> None:
    pairs = read_pairs(path)
    pq.write_table(pa.Table.from_pylist(pairs), out, compression="zstd")
    print(json.dumps({"kept": len(pairs)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
