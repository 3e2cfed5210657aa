import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from benchmarks.dumps import write_dump
from benchmarks.peers.naive_build import main as naive_build

from procqa.config import RunConfig
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest
from procqa.dataset.schema import read_rows

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_naive_script_and_procqa_keep_the_same_questions(tmp_path, capsys):
    dump, table = tmp_path / "Posts.xml", tmp_path / "naive.parquet"
    write_dump(dump, size_bytes=1_500_000, seed=5)
    naive_build(str(dump), str(table))
    build_dataset(BuildRequest(dumps=(str(dump),), out=tmp_path / "dataset", run=RunConfig(jobs=1)))
    columns = ["question_id", "answer_id", "language", "title"]
    naive = {tuple(row[name] for name in columns) for row in pq.read_table(table).to_pylist()}
    ours = {tuple(row[name] for name in columns) for row in read_rows(tmp_path / "dataset", columns=columns)}
    assert naive == ours
    assert json.loads(capsys.readouterr().out) == {"kept": len(ours)}
    assert len(ours) > 40


@pytest.mark.parametrize(
    ("name", "file", "ratios"),
    [
        (
            "bench_build",
            "bench_build-*.json",
            {"procqa-1 / naive", "procqa-2 / procqa-1", "peak memory, procqa-1 / naive"},
        ),
        (
            "bench_options",
            "bench_options-*.json",
            {
                *("--answers best / plain", "--non-english drop / plain", "--split author / plain"),
                *("--near-duplicates cluster / plain", "--redact / plain", "--rejects / plain"),
                *("--benchmarks / plain", "--preset strict / plain"),
            },
        ),
        (
            "bench_curve",
            "bench_curve-*.json",
            {
                *("procqa-1 / naive", "procqa-2 / procqa-1", "peak memory, procqa-1 / naive"),
                "rows/s of one job, largest / smallest dump",
                "peak memory of two jobs, largest / smallest dump",
                "peak memory, procqa-2 / naive, largest dump",
            },
        ),
        ("bench_topk", "bench_topk-*.json", {"top_k / product"}),
        ("bench_decontaminate", "bench_decontaminate-*.json", {"procqa / python set"}),
        ("bench_duplicates", "bench_duplicates-*.json", {"sign, procqa / datasketch", "cluster, 2 jobs / 1 job"}),
        (
            "bench_encode",
            "bench_encode-*.json",
            {
                "fastest of cosine >= .999 / auto, 1 core",
                "auto / torch fp32, 1 core",
                "auto / sentence-transformers, 1 core",
            },
        ),
        ("bench_index", "bench_index-*.json", {"again / build", "update / build"}),
        (
            "bench_search",
            "bench_search-*.json",
            {
                *("lexical p50 / bm25s p50", "lexical p95 / bm25s p95"),
                *("dense p50 / faiss p50", "dense p95 / faiss p95", "hybrid p95 / lexical p95"),
            },
        ),
        ("bench_memory", "bench_memory-*.json", {"cached, 16 / 16 pairs"}),
        ("bench_train", "bench_train-*.json", {"procqa / bare"}),
        ("bench_train_minilm", "bench_train_minilm-*.json", {"procqa / bare"}),
    ],
)
def test_a_quick_run_prints_and_writes_the_ratios_of(name, file, ratios, tmp_path):
    (line,) = run_quick(name, tmp_path)
    (written,) = tmp_path.glob(file)
    result = json.loads(written.read_text(encoding="utf-8"))
    assert line["benchmark"] == result["benchmark"] == name
    assert line["ratios"] == result["ratios"]
    assert line["ratios"].keys() == ratios
    assert written.name == f"{name}-{result['commit']}.json"
    assert result["machine"]["cores"] >= 1


def test_a_quick_run_scores_three_rankers_on_the_library(tmp_path):
    lines = run_quick("quality", tmp_path)
    (written,) = tmp_path.glob("library-*.jsonl")
    results = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    assert [line["ranker"] for line in lines] == ["bm25", "static", "hybrid:static"]
    assert [result["task"] for result in results] == ["procqa:python (Python's library)"] * 3
    assert all(result.keys() >= {"ci95", "protocol", "commit", "machine"} for result in results)
    assert not any("/static" in result["protocol"] for result in results), "a path of this machine"


def run_quick(name: str, out: Path) -> list[dict]:
    """What ``make bench`` prints with --quick and only one benchmark."""
    command = [sys.executable, "-m", "benchmarks.run", "--quick", "--only", name, "--out", str(out)]
    stdout = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [json.loads(line) for line in stdout.splitlines()]
