from pathlib import Path

from procqa.artifact import Input
from procqa.encoder.card import write_card

COUNTS = {
    "steps": 10,
    "rows": 2_000,
    "rows_seen": 1_500,
    "pairs_seen": 1_600,
    "streams": {"Q/go/title-answer": {"pairs": 700, "batches": 10, "pairs_seen": 1_600}},
}


def card(folder: Path, base: str) -> str:
    recipe = {"preset": "macp", "base": base, "max_tokens": 128, "temperature": 0.01, "base_sha256": None}
    write_card(folder, recipe=recipe, inputs=[Input("Q", 5, "abc123")], counts=COUNTS)
    return (folder / "README.md").read_text(encoding="utf-8")


def test_the_card_tells_data_recipe_and_limits(tmp_path: Path):
    text = card(tmp_path, "static")
    for told in (
        "| Q | abc123 |",
        "| temperature | 0.01 |",
        "| Q/go/title-answer | 700 | 1600 |",
        "1,600 pairs were seen in 10 steps, of which 1,500 of 2,000 different rows",
        "reads the first 128 tokens",
        "does not see their order",
    ):
        assert told in text
    assert "base_sha256" not in text
    assert text.startswith("---\nlibrary_name: sentence-transformers\n")


def test_only_a_card_on_minilm_states_its_caveat(tmp_path: Path):
    assert "stackexchange" in card(tmp_path, "minilm")
    assert "stackexchange" not in card(tmp_path, "static")
