"""Licences told from their own words."""

import pytest

from procqa.corpora.licences import NO_LICENCE, find_licence, licence_files, recognise

PERMITTED = "Permission is hereby granted, free of charge, to any person obtaining a copy"
REDISTRIBUTED = "Redistribution and use in source and binary forms, with or without\n * modification, are permitted"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Apache License\n                           Version 2.0, January 2004", "Apache-2.0"),
        (f"Copyright Somebody\n\n{PERMITTED}", "MIT"),
        (f"{REDISTRIBUTED} ... Neither the name of X nor the names of", "BSD-3-Clause"),
        (REDISTRIBUTED, "BSD-2-Clause"),
        ("GNU GENERAL PUBLIC LICENSE\n Version 2, June 1991 ... GNU Lesser General Public License", "GPL-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007", "GPL-3.0"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999", "LGPL-2.1"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3", "AGPL-3.0"),
        ("Mozilla Public License Version 2.0\n ... GNU General Public License, Version 2.0", "MPL-2.0"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("This is free and unencumbered software released into the public domain.", "Unlicense"),
        ("A. HISTORY\n\nPYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n ... " + PERMITTED, "PSF-2.0"),
        ("Permission to use, copy, modify, and/or distribute this software for any purpose", "ISC"),
        (f"Apache License, Version 2.0\n\nBundled code:\n{PERMITTED}", "Apache-2.0"),
        (f"{PERMITTED}\n\nBundled code:\nApache License, Version 2.0", "MIT"),
        ("/* SPDX-License-Identifier: MIT OR Apache-2.0 */", "MIT OR Apache-2.0"),
        ("All rights reserved.", None),
        ("", None),
    ],
)
def test_a_licence_is_recognised_by_its_own_phrase(text, name):
    assert recognise(text) == name


def test_a_source_file_that_speaks_of_licences_in_its_name_is_no_licence(tmp_path):
    for name in ("license_check.py", "copying.go", "LICENSE.md", "COPYING.LESSER"):
        (tmp_path / name).write_text("All rights reserved.")
    assert [path.name for path in licence_files(tmp_path)] == ["COPYING.LESSER", "LICENSE.md"]


def test_several_licence_files_are_all_named(tmp_path):
    (tmp_path / "LICENSE-MIT").write_text(PERMITTED)
    (tmp_path / "LICENSE-APACHE").write_text("Apache License\nVersion 2.0")
    (tmp_path / "licensing.py").write_text(PERMITTED)
    assert find_licence(tmp_path) == "Apache-2.0, MIT"
    assert [path.name for path in licence_files(tmp_path)] == ["LICENSE-APACHE", "LICENSE-MIT"]


def test_an_unknown_licence_is_pointed_to_and_none_is_called_none(tmp_path):
    assert find_licence(tmp_path) == NO_LICENCE == "no licence found"
    assert find_licence(tmp_path / "absent") == NO_LICENCE
    (tmp_path / "COPYING").write_bytes(b"\xff\xfe Do what you like.")
    assert find_licence(tmp_path) == "see COPYING"
