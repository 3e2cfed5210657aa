from pathlib import Path

import pytest

from procqa.artifact import Input
from procqa.encoder.card import write_card
from procqa.encoder.model import MINILM_SHA256

COUNTS = {
    "steps": 10,
    "max_tokens": 96,
    "rows": 2_000,
    "rows_seen": 1_500,
    "pairs_seen": 1_600,
    "streams": {"Q/go/title-answer": {"pairs": 700, "batches": 10, "pairs_seen": 1_600}},
}


def card(folder: Path, base: str, *lineage: str, changes: list[str] | None = None, **settings: object) -> str:
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
    write_card(folder, recipe=recipe, inputs=[Input("Q", 5, "abc123")], counts=COUNTS)
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_card_tells_data_recipe_and_limits(tmp_path: Path):
    text = card(tmp_path, "static")
    for told in (
        "| Q | abc123 |",
        "| temperature | 0.01 |",
        "| Q/go/title-answer | 700 | 1600 |",
        "1,600 pairs were seen in 10 steps, of which 1,500 of 2,000 different rows",
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


@pytest.mark.parametrize(
    ("folders", "words"), [([], "7 further documents, random."), (["abc"], "7 further documents, mined where there")]
)
def test_a_card_tells_of_further_documents(tmp_path: Path, folders, words):
    assert words in card(tmp_path, "static", negatives=7, hard_negatives=folders)
    assert "further documents" not in card(tmp_path, "static")
