"""The licence of a folder of source code, told from its licence files by phrases that only one licence has.

It names what it recognises and never guesses: an unknown text gives "see FILE", none gives a phrase that says so.
"""

import re
from pathlib import Path

from procqa.corpora.grammars import language_of

NO_LICENCE = "no licence found"

FILE_NAME = re.compile(r"(licen[cs]e|copying|unlicense)([-_.].*)?", re.IGNORECASE)
HEAD_CHARS = 40_000
SPDX_LINE = re.compile(r"SPDX-License-Identifier: *([^\s*]+(?: (?:AND|OR|WITH) [^\s*]+)*)")

PHRASES = (
    ("PSF-2.0", r"python software foundation license version 2"),
    ("MPL-2.0", r"mozilla public license,? version 2\.0"),
    ("CC0-1.0", r"cc0 1\.0 universal"),
    ("Unlicense", r"this is free and unencumbered software released into the public domain"),
    ("Apache-2.0", r"apache license,? version 2\.0"),
    ("MIT", r"permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("ISC", r"permission to use, copy, modify, and(?: or)? distribute this software for any purpose"),
    (
        "BSD-3-Clause",
        r"redistribution and use in source and binary forms.*(?:neither the names? of|to endorse or promote)",
    ),
    ("BSD-2-Clause", r"redistribution and use in source and binary forms"),
)
"""SPDX names by a phrase of the licence's own text, in lower case with single spaces, narrower ones first."""

GNU_TITLE = re.compile(r"gnu (affero |lesser |library )?general public license,? version (\d)(\.\d)?")
GNU_NAMES = {"affero ": "AGPL", "lesser ": "LGPL", "library ": "LGPL", None: "GPL"}


def find_licence(folder: Path) -> str:
    """The licences named by the licence files at the top of a folder, by their SPDX names.

    Returns:
        One name, several joined by ", ", ``see FILE`` where none is recognised, or NO_LICENCE.
    """
    names: list[str] = []
    files = licence_files(folder)
    for path in files:
        name = recognise(_read_head(path))
        if name is not None and name not in names:
            names.append(name)
    if names:
        return ", ".join(names)
    return f"see {files[0].name}" if files else NO_LICENCE


def licence_files(folder: Path) -> list[Path]:
    """The files at the top of a folder that go by a licence's name, sorted; ``license_check.py`` is code."""
    try:
        named = [path for path in folder.iterdir() if FILE_NAME.fullmatch(path.name)]
        return sorted(path for path in named if path.is_file() and language_of(path.name, b"") is None)
    except OSError:
        return []


def recognise(text: str) -> str | None:
    """The SPDX name of the licence that a text is, or None."""
    spdx = SPDX_LINE.search(text)
    if spdx is not None:
        return spdx[1]
    folded = re.sub(r"[\s#*/;]+", " ", text.lower())
    found = [(match.start(), name) for name, phrase in PHRASES if (match := re.search(phrase, folded)) is not None]
    gnu = GNU_TITLE.search(folded)
    if gnu is not None:
        found.append((gnu.start(), f"{GNU_NAMES[gnu[1]]}-{gnu[2]}{gnu[3] or '.0'}"))
    # What a licence file appends about bundled code stands behind its own licence.
    return min(found, key=lambda place: place[0])[1] if found else None


def _read_head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_CHARS).decode("utf-8", "replace")
    except OSError:
        return ""
