import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from procqa.artifact import find_complete, find_unfinished, workspace
from procqa.errors import ArtifactError, DumpError
from procqa.manifest import Input, describe_files, load_manifest

RECIPE = {"size": 1, "names": ("a", "b")}
INPUTS = [Input("dump.xml", 3, "00")]


def make(out: Path, text: str = "hello", *, recipe=RECIPE, kind="dataset") -> None:
    with workspace(out, kind=kind, recipe=recipe, inputs=INPUTS) as work:
        (work.path / "data").mkdir(exist_ok=True)
        (work.path / "data" / "part").write_text(text)
        work.finish({"rows": 1})


def test_a_finished_folder_has_a_manifest_that_names_all_of_it(tmp_path):
    make(tmp_path / "out")
    manifest = load_manifest(tmp_path / "out", kind="dataset")
    assert manifest.counts == {"rows": 1}
    assert manifest.recipe == {"size": 1, "names": ["a", "b"]}
    assert manifest.inputs == (Input("dump.xml", 3, "00"),)
    assert list(manifest.files) == ["data/part"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.log.jsonl"]


def test_the_manifest_holds_no_clock_host_or_path(tmp_path):
    make(tmp_path / "one")
    make(tmp_path / "two")
    assert (tmp_path / "one/manifest.json").read_bytes() == (tmp_path / "two/manifest.json").read_bytes()


def test_what_was_made_before_is_found_by_recipe_and_inputs(tmp_path):
    out = tmp_path / "out"
    assert find_complete(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) is None
    make(out)
    assert find_complete(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) == load_manifest(out)


@pytest.mark.parametrize("change", [{"kind": "index"}, {"recipe": {"size": 2}}, {"inputs": []}])
def test_another_recipe_or_kind_leaves_the_folder_alone_unless_forced(tmp_path, change):
    out = tmp_path / "out"
    make(out)
    asked = {"kind": "dataset", "recipe": RECIPE, "inputs": INPUTS} | change
    with pytest.raises(ArtifactError, match="--force"):
        find_complete(out, **asked)
    assert find_complete(out, **asked, force=True) is None


def test_a_folder_that_is_not_ours_is_never_touched(tmp_path):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(ArtifactError, match="left alone"):
            find_complete(out, kind="dataset", recipe=RECIPE, inputs=INPUTS, force=force)
    assert (out / "chapter.txt").read_text() == "years of work"


def test_a_reasoned_failure_removes_the_partial_and_keeps_what_was_there(tmp_path):
    out = tmp_path / "out"
    make(out, "old")
    with pytest.raises(DumpError), workspace(out, kind="dataset", recipe={"size": 2}, inputs=[]) as work:
        (work.path / "half").write_text("half")
        raise DumpError("the dump ends too early")
    assert (out / "data/part").read_text() == "old"
    assert not list(tmp_path.glob(".out*"))


def test_what_others_left_at_the_place_of_unfinished_work_is_not_touched(tmp_path):
    stranger = tmp_path / ".out.partial"
    stranger.mkdir()
    (stranger / "chapter.txt").write_text("years of work")
    with (
        pytest.raises(ArtifactError, match="in the way and no work of ours"),
        workspace(tmp_path / "out", kind="dataset", recipe={}, inputs=[]),
    ):
        raise AssertionError("the block must not begin")
    assert (stranger / "chapter.txt").read_text() == "years of work"


def test_what_others_put_in_its_place_meanwhile_is_not_touched_and_the_work_is_kept(tmp_path):
    out = tmp_path / "out"
    with (
        pytest.raises(ArtifactError, match="was changed by others while it was made"),
        workspace(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) as work,
    ):
        (work.path / "part").write_text("hours of work")
        out.mkdir()
        (out / "thesis.txt").write_text("years of work")
        work.finish({})
    assert (out / "thesis.txt").read_text() == "years of work"
    out.rename(tmp_path / "elsewhere")
    with workspace(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) as work:
        assert (work.path / "part").read_text() == "hours of work"
        work.finish({})
    assert list(load_manifest(out).files) == ["part"]


def test_a_full_disk_is_one_sentence(tmp_path):
    with (
        pytest.raises(ArtifactError, match="No space left on device"),
        workspace(tmp_path / "out", kind="dataset", recipe={}, inputs=[]),
    ):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.glob(".out*"))


def test_a_failure_that_keeps_the_work_lets_the_same_command_take_it_up(tmp_path):
    out = tmp_path / "D"
    with pytest.raises(DumpError), workspace(out, kind="dataset", recipe=RECIPE, inputs=()) as work:
        (work.scratch / "half").write_text("done")
        work.is_kept = True
        raise DumpError("the dump ends early")
    assert not out.exists()
    with workspace(out, kind="dataset", recipe=RECIPE, inputs=()) as work:
        assert (work.scratch / "half").read_text() == "done"
        work.finish({})


def test_unfinished_work_of_others_is_found_before_it_is_thrown_away(tmp_path):
    out, same = tmp_path / "D", {"kind": "dataset", "recipe": RECIPE, "inputs": INPUTS}
    assert find_unfinished(out, **same) is None
    interrupted(out)
    assert find_unfinished(out, **same) is None
    assert find_unfinished(out, **{**same, "recipe": {"other": 1}}) == tmp_path / ".D.partial" / "scratch"
    assert find_unfinished(out, **{**same, "inputs": (Input("x", 1, "2"),)}) == tmp_path / ".D.partial" / "scratch"


def test_an_interrupted_run_of_the_same_recipe_is_taken_up_and_of_another_is_not(tmp_path):
    out = tmp_path / "out"

    def interrupt(recipe):
        with pytest.raises(KeyboardInterrupt), workspace(out, kind="dataset", recipe=recipe, inputs=[]) as work:
            found = [path.name for path in work.scratch.iterdir() if path.name != "origin.json"]
            (work.scratch / "done").touch()
            raise KeyboardInterrupt
        return found

    assert interrupt({"size": 1}) == []
    assert interrupt({"size": 1}) == ["done"]
    assert interrupt({"size": 2}) == []


CHANGES = {"os.mkdir", "open", "os.remove", "os.rename", "os.rmdir"}


def _make_until(out, before, *, recipe):
    """Make a folder, and die in front of one of the changes that it makes to the disk."""
    count = 0

    def die(event, arguments):
        nonlocal count
        # What is removed below a folder is named relative to it.
        if event in CHANGES and (out.parent in (path := Path(str(arguments[0]))).parents or not path.is_absolute()):
            count += 1
            if count == before:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)
    if find_complete(out, kind="dataset", recipe=recipe, inputs=INPUTS, force=True) is None:
        make(out, str(recipe["size"]), recipe=recipe)


@pytest.mark.parametrize("replaces", [False, True])
def test_killed_at_any_moment_it_is_made_by_the_same_command_and_nothing_else_is_left(tmp_path, replaces):
    context = multiprocessing.get_context("fork")
    kills = 0
    while True:
        out = tmp_path / str(kills) / "out"
        out.parent.mkdir()
        if replaces:
            make(out, "1", recipe={"size": 1})
        process = context.Process(target=_make_until, args=(out, kills + 1), kwargs={"recipe": {"size": 2}})
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        asked = {"kind": "dataset", "recipe": {"size": 2}, "inputs": INPUTS, "force": True}
        if find_complete(out, **asked) is None:
            make(out, "2", recipe={"size": 2})
        assert (out / "data/part").read_text() == "2"
        assert load_manifest(out).files == describe_files(out)
        left = {path.name for path in out.parent.iterdir()}
        assert left - {"out.log.jsonl", ".out.lock"} == {"out"}, f"killed before change {kills}"
    assert kills > 20


def test_the_log_beside_the_folder_tells_of_the_run(tmp_path):
    out = tmp_path / "out"
    with workspace(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) as work:
        work.note({"stage": "scan"})
        work.log.append({"cost": {"seconds": 2}})
        work.note({"stage": "pairs"})
        work.finish({})
    lines = [json.loads(line) for line in (tmp_path / "out.log.jsonl").read_text().splitlines()]
    assert lines[:2] == [{"stage": "scan"}, {"stage": "pairs"}]
    assert (lines[2]["path"], lines[2]["seconds"] >= 0) == (str(out.resolve()), True)
    assert lines[3:] == [{"cost": {"seconds": 2}}]


def interrupted(out, *notes):
    """A run that notes something and is interrupted."""
    with pytest.raises(KeyboardInterrupt), workspace(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) as work:
        for note in notes:
            work.note(note)
        raise KeyboardInterrupt


def test_what_an_interrupted_run_noted_comes_into_the_log_of_the_next(tmp_path):
    out = tmp_path / "out"
    interrupted(out, {"stage": "scan"}, {"stage": "pairs"})
    assert not (tmp_path / "out.log.jsonl").exists()
    make(out)
    lines = [json.loads(line) for line in (tmp_path / "out.log.jsonl").read_text().splitlines()]
    assert [line.get("stage") for line in lines] == ["scan", "pairs", None]
    make(out, recipe={"size": 2})
    assert len((tmp_path / "out.log.jsonl").read_text().splitlines()) == 4


def test_a_note_that_a_kill_cut_short_does_not_fail_the_next_run(tmp_path):
    out = tmp_path / "out"
    interrupted(out, {"stage": "scan"})
    with (tmp_path / ".out.partial/scratch/notes.jsonl").open("a") as stream:
        stream.write('{"stage": "pai')
    make(out)
    assert load_manifest(out).counts == {"rows": 1}
    assert (tmp_path / "out.log.jsonl").read_text().startswith('{"stage": "scan"}')


def make_beside(out, text, *, recipe=RECIPE):
    """Make a folder with a file and a folder beside it."""
    with workspace(out, kind="dataset", recipe=recipe, inputs=INPUTS) as work:
        (work.path / "part").write_text(text)
        (work.scratch / "changes").write_text(text)
        (work.scratch / "state").mkdir(exist_ok=True)
        (work.scratch / "state" / text).write_text(text)
        work.beside |= {".changes.jsonl": work.scratch / "changes", ".state": work.scratch / "state"}
        work.finish({})


def test_what_belongs_beside_the_folder_is_published_with_it_and_is_no_part_of_it(tmp_path):
    out = tmp_path / "out"
    for text, recipe in (("first", {"size": 1}), ("second", {"size": 2})):
        make_beside(out, text, recipe=recipe)
        assert (tmp_path / "out.changes.jsonl").read_text() == text
        assert [path.name for path in (tmp_path / "out.state").iterdir()] == [text]
        assert list(load_manifest(out).files) == ["part"]
    names = ["out", "out.changes.jsonl", "out.log.jsonl", "out.state"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_what_a_killed_run_put_beside_the_folder_already_stays_there(tmp_path):
    out = tmp_path / "out"
    with workspace(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) as work:
        (tmp_path / "out.state").mkdir()
        work.beside[".state"] = work.scratch / "state"
        work.finish({})
    assert (tmp_path / "out.state").is_dir()
    assert load_manifest(out).files == {}


def test_a_failure_leaves_what_stands_beside_the_folder(tmp_path):
    out = tmp_path / "out"
    make_beside(out, "first")
    with pytest.raises(DumpError), workspace(out, kind="dataset", recipe={"size": 2}, inputs=INPUTS) as work:
        (work.scratch / "state").mkdir()
        work.beside[".state"] = work.scratch / "state"
        raise DumpError("the dump ends too early")
    assert [path.name for path in (tmp_path / "out.state").iterdir()] == ["first"]


def test_inputs_whose_digests_come_late_stand_in_the_manifest(tmp_path):
    out = tmp_path / "out"
    with workspace(out, kind="dataset", recipe={}, inputs=[Input("-", 0, "")]) as work:
        work.finish({}, inputs=[Input("-", 5, "0a")])
    assert load_manifest(out).inputs == (Input("-", 5, "0a"),)
    assert find_complete(out, kind="dataset", recipe={}, inputs=[Input("-", 5, "0a")]) is not None
    with pytest.raises(ArtifactError, match="from other inputs"):
        find_complete(out, kind="dataset", recipe={}, inputs=[Input("-", 5, "0b")])


def test_force_never_touches_a_folder_whose_manifest_is_not_ours(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a web app", "format_version": 3}')
    with pytest.raises(ArtifactError, match="left alone"):
        find_complete(tmp_path, kind="dataset", recipe=RECIPE, inputs=INPUTS, force=True)


def test_force_replaces_a_folder_of_ours_in_another_format(tmp_path):
    make(tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    (tmp_path / "out/manifest.json").write_text(json.dumps(manifest | {"format_version": 99}))
    with pytest.raises(ArtifactError, match="format version 99"):
        find_complete(tmp_path / "out", kind="dataset", recipe=RECIPE, inputs=INPUTS)
    assert find_complete(tmp_path / "out", kind="dataset", recipe=RECIPE, inputs=INPUTS, force=True) is None


def test_what_a_kill_left_after_publishing_is_tidied_up(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), workspace(out, kind="dataset", recipe=RECIPE, inputs=INPUTS):
        raise KeyboardInterrupt
    partial = tmp_path / ".out.partial"
    partial.rename(tmp_path / "kept")
    make(out)
    (tmp_path / "kept").rename(partial)
    assert find_complete(out, kind="dataset", recipe=RECIPE, inputs=INPUTS) is not None
    assert not partial.exists()


def test_files_that_tell_of_the_run_do_not_enter_the_digest(tmp_path):
    digests = []
    for number in range(2):
        with workspace(tmp_path / f"out{number}", kind="encoder", recipe={}, inputs=[]) as work:
            (work.path / "weights").write_text("same")
            (work.path / "training.jsonl").write_text(f"took {number} s")
            work.finish({})
        digests.append(load_manifest(tmp_path / f"out{number}").sha256)
    assert digests[0] == digests[1]


def cut_a_file(out):
    (out / "data/part").write_text("he")


def break_the_manifest(out):
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, "files": "none"}))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (cut_a_file, "is not as it was made: make the folder again with --force"),
        (break_the_manifest, "is not a readable manifest"),
    ],
)
def test_a_damaged_folder_is_refused_and_made_again_by_force(tmp_path, damage, sentence):
    make(tmp_path / "out", "hello")
    damage(tmp_path / "out")
    asked = {"kind": "dataset", "recipe": RECIPE, "inputs": INPUTS}
    with pytest.raises(ArtifactError, match=sentence):
        find_complete(tmp_path / "out", **asked)
    assert find_complete(tmp_path / "out", **asked, force=True) is None


def test_a_folder_inside_another_artifact_is_refused(tmp_path):
    make(tmp_path / "out")
    with pytest.raises(ArtifactError, match="must not lie inside another procqa folder"):
        find_complete(tmp_path / "out/sub", kind="dataset", recipe=RECIPE, inputs=INPUTS)


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    make(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for text in ("second", "third"):
        make(tmp_path / "link", text)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/data/part").read_text() == "third"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real", "real.log.jsonl"]
