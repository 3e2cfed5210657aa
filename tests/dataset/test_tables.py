"""What stands beside Posts, and what its makers put into it: users, links, fabricated rows, the Answer Bot."""

import json

import py7zr
import pytest
from click.testing import CliRunner

from procqa.cli import main
from procqa.dataset.schema import read_rows
from procqa.manifest import load_manifest
from tests.dataset.builds import RECIPES, build, promised
from tests.dumps import answer, links_table, question, threads, to_bytes, users_table, write_dump

USERS = {5: "Zoë  Ö.\t", 6: "Bob &amp; sons"}
LINKS = [(3, 1, 3), (5, 1, 1), (99, 1, 3)]
POSTS = [
    question(1, accepted=2),
    answer(2, 1, OwnerUserId=6, OwnerDisplayName=None),
    question(3, accepted=4, OwnerUserId=None, OwnerDisplayName="Said Here"),
    answer(4, 3),
    question(5, accepted=6, OwnerUserId=77),
    answer(6, 5, OwnerUserId=None, OwnerDisplayName=None),
]


def write_folder(folder, *, users=USERS, links=LINKS, posts=POSTS):
    folder.mkdir(parents=True)
    write_dump(folder / "Posts.xml", posts)
    if users is not None:
        (folder / "Users.xml").write_bytes(users_table(users))
    if links is not None:
        (folder / "PostLinks.xml").write_bytes(links_table(links))
    return folder


def write_archive(path, *, posts=POSTS):
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.writestr(links_table(LINKS), "PostLinks.xml")
        archive.writestr(to_bytes(posts), "Posts.xml")
        archive.writestr(users_table(USERS), "Users.xml")
    return path


def authors(out):
    return {
        row["question_id"]: tuple(
            row[f"{post}_{what}"] for post in ("question", "answer") for what in ("author", "author_url")
        )
        for row in read_rows(out)
    }


def test_users_beside_the_posts_give_names_and_profiles(tmp_path):
    build(write_folder(tmp_path / "dump"), tmp_path / "out", config=RECIPES["hash"])
    profile = "https://stackoverflow.com/users/"
    assert authors(tmp_path / "out") == {
        1: ("Zoë Ö.", f"{profile}5", "Bob &amp; sons", f"{profile}6"),
        3: ("Said Here", None, "Ann", None),
        5: ("user 77", f"{profile}77", "deleted user", None),
    }


def test_questions_that_post_links_mark_as_duplicates_are_dropped_with_their_reason(tmp_path):
    dump = write_folder(tmp_path / "dump")
    summary = build(dump, tmp_path / "out", rejects=tmp_path / "rejects.jsonl")
    assert (summary["kept"], summary["dropped"]) == (2, {"marked as a duplicate": 1})
    assert summary["pairs_read"] == 3
    (reject,) = map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())
    assert (reject["question_id"], reject["reason"]) == (3, "marked as a duplicate")
    kept = build(dump, tmp_path / "all", config=RECIPES["hash"])
    assert (kept["kept"], kept["dropped"]) == (3, {})


@pytest.mark.parametrize("recipe", ["paper", "author-strict"])
def test_one_archive_of_all_tables_gives_the_bytes_of_the_folder(tmp_path, recipe):
    folder = write_folder(tmp_path / "dump")
    (tmp_path / "whole").mkdir()
    archive = write_archive(tmp_path / "whole" / "stackoverflow.com.7z")
    for name, dump in (("folder", folder), ("archive", archive), ("folder-of-archive", archive.parent)):
        build(dump, tmp_path / name, config=RECIPES[recipe])
    assert promised(tmp_path / "folder") == promised(tmp_path / "archive") == promised(tmp_path / "folder-of-archive")


def test_an_empty_or_broken_row_beside_the_posts_costs_a_name_and_nothing_else(tmp_path):
    folder = write_folder(tmp_path / "dump", links=[])
    broken = '<users>\n  <row Id="5" />\n  <row Id="x" DisplayName="a" />\n  <row Id="6" DisplayName="Bob" />\n</users>'
    (folder / "Users.xml").write_text(broken)
    assert build(folder, tmp_path / "out")["kept"] == 3
    assert authors(tmp_path / "out")[1][::2] == ("user 5", "Bob")


def test_every_table_is_an_input_that_verify_finds_and_misses_when_it_changed(tmp_path):
    folder = write_folder(tmp_path / "dump")
    build(folder, tmp_path / "out")
    names = [entry.name for entry in load_manifest(tmp_path / "out").inputs]
    assert sorted(names) == ["PostLinks.xml", "Posts.xml", "Users.xml"]
    given = ["verify", str(tmp_path / "out"), "--json", "--input", str(folder)]
    good = CliRunner().invoke(main, given)
    assert good.exit_code == 0, good.output
    checks = {check["subject"]: check["outcome"] for check in json.loads(good.stdout)["checks"]}
    assert {checks[f"input {name}"] for name in names} == {"ok"}
    (folder / "Users.xml").write_bytes(users_table({5: "Another"}))
    bad = CliRunner().invoke(main, given)
    assert bad.exit_code == 1
    assert "input Users.xml" in bad.stderr


def test_a_dump_whose_users_changed_is_another_dump(tmp_path):
    folder = write_folder(tmp_path / "dump")
    build(folder, tmp_path / "out")
    (folder / "Users.xml").write_bytes(users_table({5: "Another"}))
    result = CliRunner().invoke(main, ["build", str(folder), "--out", str(tmp_path / "out"), "--jobs", "1"])
    assert result.exit_code == 1
    assert "--force" in result.stderr


def test_fabricated_rows_and_answers_of_the_bot_are_dropped_with_reasons(tmp_path):
    made_up = {"OwnerUserId": -1, "OwnerDisplayName": None}
    rows = [
        *threads(3),
        question(1_000_000_001, accepted=2) | made_up,
        question(11, accepted=1_000_000_010),
        answer(1_000_000_010, 11) | made_up,
        question(21, accepted=22),
        answer(22, 21, OwnerUserId=-2),
        question(31, accepted=32),
        answer(32, 31, OwnerUserId=-1),  # the community user is no reason by itself
    ]
    write_dump(tmp_path / "dump.xml", rows)
    summary = build(tmp_path / "dump.xml", tmp_path / "out")
    assert summary["kept"] == 4
    assert summary["dropped"] == {
        "fabricated row": 1,
        "answer by the Answer Bot": 1,
        "accepted answer is a fabricated row": 1,
    }
    (warning,) = summary["warnings"]
    assert warning.endswith("kept: 32")


def test_the_best_answer_is_never_fabricated_nor_by_the_bot(tmp_path):
    rows = [
        question(1),
        answer(2, 1, Score=9, OwnerUserId=-2),
        answer(1_000_000_001, 1, Score=8, OwnerUserId=-1),
        answer(3, 1, Score=1),
        question(11),
        answer(12, 11, Score=9, OwnerUserId=-2),
    ]
    write_dump(tmp_path / "dump.xml", rows)
    summary = build(tmp_path / "dump.xml", tmp_path / "out", config=RECIPES["best"])
    assert [row["answer_id"] for row in read_rows(tmp_path / "out")] == [3]
    assert summary["dropped"] == {"no answer in the dump": 1}


def test_suspicious_rows_are_kept_and_named_in_warnings(tmp_path):
    rows = [
        *threads(600),  # so that one row is less than one in a thousand
        question(7_000_001, accepted=7_000_002),
        answer(7_000_002, 7_000_001),
        question(1_501, accepted=1_502, CreationDate="1999-01-01T00:00:00.000"),
        answer(1_502, 1_501, CreationDate="2055-01-01T00:00:00.000"),
        question(1_601, accepted=1_602, OwnerUserId=-1),
        answer(1_602, 1_601),
    ]
    write_dump(tmp_path / "dump.xml", rows)
    result = CliRunner().invoke(
        main, ["build", str(tmp_path / "dump.xml"), "--out", str(tmp_path / "out"), "--jobs", "1", "--json"]
    )
    summary = json.loads(result.stdout)
    assert summary["kept"] == 603
    kept = {warning.partition(" (")[0]: warning.rpartition("kept: ")[2] for warning in summary["warnings"]}
    assert kept == {
        "suspicious rows with ids far out of range": "7000001, 7000002",
        "suspicious rows with dates before the site's first day": "1501",
        "suspicious rows with dates after the site's last day": "1502",
        "suspicious rows with owner -1": "1601",
    }
    assert all(f"procqa: {warning}" in result.stderr for warning in summary["warnings"])
