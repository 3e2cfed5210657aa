"""Which benchmark a published file belongs to, and its reader: told by its name or by what is in it."""

from pathlib import Path

from procqa.corpora import release
from procqa.corpora.files import plain_name
from procqa.corpora.layouts.beir import QUERIES, read_beir_corpus, read_beir_queries
from procqa.corpora.layouts.functions import is_cdcs, read_cdcs, read_csn_cloze, read_functions
from procqa.corpora.layouts.programs import read_codenet, read_poj104, read_rosetta
from procqa.corpora.layouts.questions import (
    is_raw_codenn,
    read_codenn,
    read_conala,
    read_cosqa_codes,
    read_cosqa_queries,
    read_mined_conala,
    read_queries,
    read_raw_codenn,
    read_snippets,
    read_staqc,
)
from procqa.corpora.layouts.released import read_released_test
from procqa.corpora.layouts.rows import Reader, first_keys

COSQA_CODES = "code_idx_map.txt"
PACS = ("so-ds", "staqc", "conala")
"""The collections of PACS, with which the names of their files begin. Source: nokia/codesearch: data_config.py."""


def recognise(path: Path) -> tuple[str, Reader] | None:
    """The benchmark a file belongs to and its reader, by name or, for JSON lines, by the keys of its first row.

    Raises:
        BenchmarkError: the file cannot be read.
    """
    name = plain_name(path)
    if name == COSQA_CODES:
        return "cosqa", read_cosqa_codes
    if name.startswith("cosqa-") and name.endswith(".json"):
        return "cosqa", read_cosqa_queries
    if name.startswith("conala-") and name.endswith(".json"):
        return "conala", read_conala
    if release.release_files(path):
        return "procqa", read_released_test
    if name.endswith(".txt"):
        return _recognise_text(path)
    return _recognise_lines(path, name) if name.endswith(".jsonl") else None


def _recognise_text(path: Path) -> tuple[str, Reader] | None:
    if is_raw_codenn(path):
        return "codenn", read_raw_codenn
    return ("cdcs", read_cdcs) if is_cdcs(path) else None


def _recognise_lines(path: Path, name: str) -> tuple[str, Reader] | None:
    keys = first_keys(path)
    if {"title", "answer", "language"} <= keys:
        return "codenn", read_codenn
    if "docstring" in keys and keys & {"code", "function"} and keys & {"url", "repo"}:
        return ("advtest" if "function" in keys else "codesearchnet"), read_functions
    for wanted, benchmark, read in _BY_KEYS:
        if wanted <= keys:
            return benchmark or _collection(name), read
    if {"_id", "text"} <= keys:
        reader = read_beir_queries if name.startswith(QUERIES.removesuffix(".jsonl")) else read_beir_corpus
        return f"beir:{path.resolve().parent.name}", reader
    return None


_BY_KEYS: tuple[tuple[frozenset[str], str, Reader], ...] = (
    (frozenset({"docstring", "code", "language", "id"}), "csn-cloze", read_csn_cloze),
    (frozenset({"question", "snippet"}), "staqc", read_staqc),
    (frozenset({"intent", "snippet"}), "conala", read_mined_conala),
    (frozenset({"query"}), "", read_queries),
    (frozenset({"code", "description"}), "", read_snippets),
    (frozenset({"task", "file", "code"}), "rosetta", read_rosetta),
    (frozenset({"label", "index", "code"}), "poj104", read_poj104),
    (frozenset({"label", "index", "func"}), "codenet", read_codenet),
)
"""Layouts by keys of a row; a file of PACS is named for its collection instead."""


def _collection(name: str) -> str:
    """The benchmark that a file of queries or snippets belongs to, by its name."""
    return next((kind for kind in PACS if name.startswith(kind)), name.removesuffix(".jsonl"))
