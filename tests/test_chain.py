import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa import artifact
from procqa.artifact import workspace
from procqa.chain import is_input, verify
from procqa.errors import ArtifactError
from procqa.manifest import describe_files, load_manifest
from tests.test_artifact import INPUTS, make


@given(st.data())
def test_verify_finds_any_changed_byte(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("verify")
    out = folder / "out"
    make(out, "hello world")
    assert all(check.outcome != "failed" for check in verify(out))
    place = data.draw(st.integers(0, 10))
    content = bytearray(b"hello world")
    content[place] ^= data.draw(st.integers(1, 255))
    (out / "data/part").write_bytes(content)
    assert [check.subject for check in verify(out) if check.outcome == "failed"] == ["data/part"]


def test_verify_finds_missing_and_unknown_files_and_checks_the_inputs_at_hand(tmp_path):
    out, dump = tmp_path / "out", tmp_path / "dump.xml"
    dump.write_text("<a/>")
    with workspace(out, kind="dataset", recipe={}, inputs=[artifact.digest_input(dump), INPUTS[0]]) as work:
        (work.path / "part").write_text("x")
        work.finish({})
    (out / "part").rename(out / "other")
    outcomes = {check.subject: check.outcome for check in verify(out)}
    assert outcomes == {"part": "failed", "other": "failed", "sha256": "ok", "input dump.xml": "not checked"}
    assert {check.outcome for check in verify(out, [dump]) if check.subject == "input dump.xml"} == {
        "ok",
        "not checked",
    }


def test_an_artifact_that_states_another_sha256_than_its_files_have_fails_wherever_it_stands(tmp_path):
    below, above = tmp_path / "below", tmp_path / "above"
    make(below)
    with workspace(above, kind="index", recipe={}, inputs=[artifact.digest_input(below)]) as work:
        (work.path / "0123456789ab").mkdir()
        (work.path / "0123456789ab/part").write_text("x")
        work.finish({})
    assert [
        check for check in verify(above, [below]) if check.outcome != "ok" and "dump.xml" not in check.subject
    ] == []
    for folder in (below, above):
        manifest = json.loads((folder / "manifest.json").read_text())
        path = next(iter(manifest["files"]))
        (folder / path).write_text("other")
        manifest["files"][path] = describe_files(folder)[path]
        (folder / "manifest.json").write_text(json.dumps(manifest))
    failed = [check.subject for check in verify(above, [below]) if check.outcome == "failed"]
    assert failed == ["sha256", "below: sha256"]


def test_each_file_at_hand_is_read_once_however_many_inputs_there_are(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.xml").write_text(f"<{number}/>")
    read = []

    def matches(manifest, path, entry, digest):
        return is_input(manifest, path, entry, lambda given: read.append((given, id(digest(given)))) or digest(given))

    with workspace(
        tmp_path / "out", kind="dataset", recipe={}, inputs=map(artifact.digest_input, sorted(folder.iterdir()))
    ) as work:
        work.finish({})
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"moved-{path.name}")  # else the name tells
    assert {check.outcome for check in verify(tmp_path / "out", [folder], matches=matches)} == {"ok"}
    assert len(read) > len(set(read)) == len({path for path, _ in read})


def make_of_two_dumps(tmp_path):
    """A dataset ``out`` of two dumps of one name; their paths."""
    paths = [tmp_path / site / "Posts.xml" for site in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"<{path.parent.name}/>")
    with workspace(tmp_path / "out", kind="dataset", recipe={}, inputs=map(artifact.digest_input, paths)) as work:
        work.finish({})
    return paths


def test_of_two_inputs_of_one_name_the_one_that_is_not_at_hand_is_not_checked(tmp_path):
    paths = make_of_two_dumps(tmp_path)
    outcomes = [check.outcome for check in verify(tmp_path / "out", paths[:1])]
    assert outcomes == ["ok", "ok", "not checked"]
    paths[0].write_text("<c/>")
    outcomes = [check.outcome for check in verify(tmp_path / "out", paths[:1])]
    assert outcomes == ["ok", "failed", "failed"]


def test_what_a_recipe_knows_by_its_sha256_is_checked_where_it_is_at_hand(tmp_path):
    make(tmp_path / "judged")
    make(tmp_path / "stranger", "other")
    (tmp_path / "base").mkdir()
    (tmp_path / "base/model.safetensors").write_bytes(b"weights")
    digest = load_manifest(tmp_path / "judged").sha256
    recipe = {"base_sha256": hashlib.sha256(b"weights").hexdigest(), "validated_on": {"judged": {"sha256": digest}}}
    with workspace(tmp_path / "out", kind="encoder", recipe=recipe, inputs=[]) as work:
        work.finish({})
    given = [tmp_path / name for name in ("base", "judged", "stranger")]
    found = [(check.subject, check.outcome) for check in verify(tmp_path / "out", given)]
    assert found == [
        ("sha256", "ok"),
        ("recipe base", "ok"),
        ("recipe judged", "ok"),
        ("judged: data/part", "ok"),
        ("judged: sha256", "ok"),
        ("judged: input dump.xml", "not checked"),
        (f"input {tmp_path / 'stranger'}", "failed"),
    ]


def test_an_artifact_that_names_itself_as_its_input_is_checked_once(tmp_path):
    make(tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    manifest["inputs"] = [{"name": "out", "size": 5, "sha256": manifest["sha256"]}]
    (tmp_path / "out/manifest.json").write_text(json.dumps(manifest))
    subjects = [(check.subject, check.outcome) for check in verify(tmp_path / "out", [tmp_path / "out"])]
    assert subjects == [("data/part", "ok"), ("sha256", "ok"), ("input out", "ok")]


def test_verify_follows_the_chain_through_an_artifact(tmp_path):
    make(tmp_path / "below")
    with workspace(
        tmp_path / "above", kind="index", recipe={}, inputs=[artifact.digest_input(tmp_path / "below")]
    ) as work:
        (work.path / "part").write_text("x")
        work.finish({})
    (tmp_path / "below/data/part").write_text("changed")
    failed = [check.subject for check in verify(tmp_path / "above", [tmp_path / "below"]) if check.outcome == "failed"]
    assert failed == ["below: data/part"]


def test_two_inputs_of_one_name_are_told_apart_by_their_content(tmp_path):
    paths = make_of_two_dumps(tmp_path)
    assert {check.outcome for check in verify(tmp_path / "out", paths)} == {"ok"}
    assert {check.outcome for check in verify(tmp_path / "out", paths[::-1])} == {"ok"}


def test_a_dump_given_by_its_folder_is_found_by_its_files(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    tables = [folder / "Posts.xml", folder / "Users.xml"]
    for path in tables:
        path.write_text(f"<{path.stem}/>")
    (folder / "Votes.xml").write_text("<votes/>")
    with workspace(tmp_path / "out", kind="dataset", recipe={}, inputs=map(artifact.digest_input, tables)) as work:
        work.finish({})
    checks = [(check.subject, check.outcome) for check in verify(tmp_path / "out", [folder])]
    assert checks == [("sha256", "ok"), ("input Posts.xml", "ok"), ("input Users.xml", "ok")]
    tables[1].write_text("<other/>")
    checks = [(check.subject, check.outcome) for check in verify(tmp_path / "out", [folder])]
    assert checks == [("sha256", "ok"), ("input Posts.xml", "ok"), ("input Users.xml", "failed")]
    tables[1].unlink()
    checks = [(check.subject, check.outcome) for check in verify(tmp_path / "out", [folder])]
    assert checks == [("sha256", "ok"), ("input Posts.xml", "ok"), ("input Users.xml", "not checked")]


def test_a_folder_without_any_input_belongs_nowhere(tmp_path):
    make(tmp_path / "out")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/Posts.xml").write_text("<b/>")
    failed = [check.subject for check in verify(tmp_path / "out", [tmp_path / "other"]) if check.outcome == "failed"]
    assert failed == [f"input {tmp_path / 'other'}"]


def test_a_folder_that_was_an_input_as_a_whole_is_found_as_one(tmp_path):
    folder = tmp_path / "benchmark"
    folder.mkdir()
    (folder / "queries.jsonl").write_text("{}")
    with workspace(tmp_path / "out", kind="dataset", recipe={}, inputs=[artifact.digest_input(folder)]) as work:
        work.finish({})
    assert [check.outcome for check in verify(tmp_path / "out", [folder])] == ["ok", "ok"]


def test_an_input_is_known_by_its_content_under_another_name(tmp_path):
    (tmp_path / "dump.xml").write_text("<a/>")
    inputs = [artifact.digest_input(tmp_path / "dump.xml")]
    with workspace(tmp_path / "out", kind="dataset", recipe={}, inputs=inputs) as work:
        work.finish({})
    (tmp_path / "dump.xml").rename(tmp_path / "moved.xml")
    assert [check.outcome for check in verify(tmp_path / "out", [tmp_path / "moved.xml"])] == ["ok", "ok"]


def test_an_input_that_belongs_nowhere_fails_and_a_missing_one_is_an_error(tmp_path):
    make(tmp_path / "out")
    (tmp_path / "other.xml").write_text("<b/>")
    failed = [check.detail for check in verify(tmp_path / "out", [tmp_path / "other.xml"]) if check.outcome == "failed"]
    assert failed == ["no manifest of the chain names it"]
    with pytest.raises(ArtifactError, match="no such file or folder"):
        verify(tmp_path / "out", [tmp_path / "absent.xml"])
