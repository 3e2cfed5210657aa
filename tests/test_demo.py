import json
import shlex
import time

from click.testing import CliRunner

from procqa.cli import main


def demo(out):
    result = CliRunner().invoke(main, ["demo", "--out", str(out), "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_demo_goes_the_whole_way_and_a_second_run_redoes_nothing(tmp_path):
    first = demo(tmp_path / "my demo")
    scores = {(result["ranker"].split("/")[-1], result["task"]): result for result in first["results"]}
    before, after = (scores[name, "procqa:python"] for name in ("encoder-before", "encoder"))
    assert after["metrics"]["mrr@1000"] > before["ci95"]["mrr@1000"][1]
    assert len(first["answers"]) == 3
    for answer in first["answers"]:
        (hit,) = answer["hits"]
        assert hit["answer_author"]
        assert hit["answer_licence"]
    assert first["steps"][-1]["command"].startswith("procqa serve ")
    folders = sorted(path.name for path in (tmp_path / "my demo").iterdir() if path.is_dir())
    assert folders == ["dataset", "dataset.state", "encoder", "encoder-before", "index", "stdlib"]
    folders.remove("dataset.state")
    stamps = {name: (tmp_path / "my demo" / name / "manifest.json").stat().st_mtime_ns for name in folders}
    started = time.time_ns()
    for step in first["steps"]:
        words = shlex.split(step["command"])
        if words[1] in ("build", "corpus", "train", "index"):
            redone = CliRunner().invoke(main, words[1:])
            assert redone.exit_code == 0, redone.stderr
    second = demo(tmp_path / "my demo")
    assert second["results"] == first["results"]
    for name in folders:
        stamp = (tmp_path / "my demo" / name / "manifest.json").stat().st_mtime_ns
        assert stamp == stamps[name] < started
