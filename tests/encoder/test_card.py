from pathlib import Path
from typing import Any

import pytest

from procqa.encoder.card import write_card
from procqa.encoder.model import MINILM_SHA256
from procqa.manifest import Input

COUNTS = {
    "steps": 10,
    "max_tokens": 96,
    "rows": 2_000,
    "rows_seen": 1_500,
    "pairs_seen": 1_600,
    "base_share": 0.0,
    "validation": None,
    "tokens_seen": 70_000,
    "streams": {"Q/go/title-answer": {"pairs": 700, "batches": 10, "pairs_seen": 1_600}},
}


def card(
    folder: Path,
    base: str,
    *lineage: str,
    changes: list[str] | None = None,
    counts: dict[str, Any] | None = None,
    **settings: object,
) -> str:
    """The card of an encoder; ``lineage`` begins with the base's own weights."""
    recipe = {
        "preset": "macp",
        "base": base,
        "towers": "shared",
        "loss": "one-way",
        "batches": "stream",
        "negatives": 0,
        "hard_negatives": [],
        "max_tokens": 128,
        "temperature": 0.01,
        "base_sha256": lineage[0] if lineage else None,
        "base_lineage": list(lineage[1:]),
        "preset_changes": changes or [],
        **settings,
    }
    write_card(folder, recipe=recipe, inputs=[Input("Q", 5, "abc123")], counts={**COUNTS, **(counts or {})})
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_card_tells_data_recipe_and_limits(tmp_path: Path):
    text = card(tmp_path, "static")
    for told in (
        "| Q | abc123 |",
        "| temperature | 0.01 |",
        "| Q/go/title-answer | 700 | 1600 |",
        "1,600 pairs were seen in 10 steps, of which 1,500 of 2,000 different rows, with 70,000 tokens",
        "reads the first 96 tokens",
        "does not see their order",
    ):
        assert told in text
    assert "base_sha256" not in text
    assert text.startswith("---\nlibrary_name: sentence-transformers\n")


def test_a_card_on_minilm_or_on_what_was_trained_from_it_states_the_caveat(tmp_path: Path):
    for lineage in ((MINILM_SHA256,), ("a", MINILM_SHA256), ("b", "a", MINILM_SHA256)):
        assert "stackexchange" in card(tmp_path, "encoder", *lineage)
    for lineage in ((), ("a",), ("b", "a")):
        assert "stackexchange" not in card(tmp_path, "encoder", *lineage)


def test_a_card_names_its_loss_its_batches_and_its_towers(tmp_path: Path):
    text = card(tmp_path, "static", loss="four-way", batches="mixed", towers="modality")
    assert "the four-way loss of MACP's authors" in text
    assert "of each pair of a batch are drawn" in text
    assert "One encoder for prose and one for code" in text
    assert "procqa cuts texts for them" in text


def test_a_card_names_what_differs_from_the_preset(tmp_path: Path):
    assert "| preset | macp |" in card(tmp_path, "minilm")
    assert "| preset | macp, but for base, temperature |" in card(tmp_path, "static", changes=["base", "temperature"])


def test_a_card_tells_the_scores_on_validation_and_the_weight_beside_words(tmp_path: Path):
    scores = {"queries": 1_000, "documents": 4_000, "bm25": 0.5, "dense": 0.625, "hybrid": 0.7}
    validation = {"score": 0.625, "fusion_weight": 0.65, "sets": {"Q by title": scores}}
    text = card(tmp_path, "static", counts={"validation": validation})

    assert "| Q by title | 1,000 / 4,000 | 0.500 | 0.625 | 0.700 |" in text
    assert "0.35 × BM25, over what no document can score more than, and 0.65 × cosine" in text
    assert "was not measured" not in text
    assert "was not measured" in card(tmp_path, "static")


def test_a_card_tells_how_much_of_the_base_is_in_the_weights(tmp_path: Path):
    text = card(tmp_path, "minilm", MINILM_SHA256, counts={"base_share": 0.25})

    assert "Each weight is 0.75 × that of the trained encoder + 0.25 × that of its base." in text
    assert "The terms of the base, minilm, apply" in text


@pytest.mark.parametrize(
    ("folders", "words"), [([], "7 further documents, random."), (["abc"], "7 further documents, mined where there")]
)
def test_a_card_tells_of_further_documents(tmp_path: Path, folders, words):
    assert words in card(tmp_path, "static", negatives=7, hard_negatives=folders)
    assert "further documents" not in card(tmp_path, "static")
