"""The encoder that ships with procqa: small, whole, used without torch, and better than nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from procqa.chain import check_files
from procqa.dataset.schema import read_rows
from procqa.encoder.model import SHIPPED, open_encoder
from procqa.manifest import load_manifest

MOST_BYTES = 8_000_000


def test_it_is_whole_and_at_most_eight_megabytes():
    manifest = load_manifest(SHIPPED, kind="encoder")
    assert {check.outcome for check in check_files(SHIPPED, manifest)} == {"ok"}
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) <= MOST_BYTES


def test_its_card_tells_its_data_its_certificate_and_its_scores():
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    manifest = load_manifest(SHIPPED, kind="encoder")
    for entry in manifest.inputs:
        assert entry.sha256 in card
    for benchmark in ("cosqa", "conala", "codenn", "csn-cloze", "rosetta"):
        assert f"| questions | {benchmark} |" in card
        assert f"| functions | {benchmark} |" in card
    assert "| cosqa (500 / 6,267) |" in card
    assert "Apache-2.0" in card


def test_it_is_used_without_torch():
    code = (
        "import sys; from procqa.encoder.model import open_encoder;"
        "open_encoder('default').encode_queries(['sort a list']);"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_it_finds_the_answers_of_the_sample(sample_dataset: Path):
    encoder = open_encoder("default")
    rows = list(read_rows(sample_dataset, columns=["title", "answer"]))
    scores = (
        encoder.encode_queries([row["title"] for row in rows])
        @ encoder.encode_documents([row["answer"] for row in rows]).T
    )
    ranks = 1 + (scores > scores.diagonal()[:, None]).sum(axis=1)
    assert len(rows) > 100
    assert float(np.mean(1 / ranks)) > 0.5
