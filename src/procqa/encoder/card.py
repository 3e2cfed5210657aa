"""The model card of a trained encoder: data, recipe, use and limits, from the manifest's facts alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from procqa.encoder.model import MINILM_SHA256
from procqa.encoder.validation import Validation
from procqa.manifest import TRAINING_CURVE, Input

MINILM_CAVEAT = (
    "Its weights go back to all-MiniLM-L6-v2, which lists code_search_net and several stackexchange sets among its own "
    "training data. "
    "A score on CodeSearchNet or on Stack Exchange questions is therefore not that of a model which never saw them, "
    "and a gain over such a base is not a clean claim about pre-training: compare with `--base static`, which starts "
    "from nothing."
)

WHAT = {
    "shared": "One shared encoder for text, code and mixtures of both",
    "query-document": "One encoder for queries and one for documents, both of text, code and mixtures",
    "modality": "One encoder for prose and one for code; of a text with both the vectors are added",
}

_PYTHON = """```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("DIR")
similarities = model.encode_query(["reverse a list"]) @ model.encode_document(["xs[::-1]"]).T
```
"""
SNIPPETS = {
    "shared": _PYTHON,
    "query-document": _PYTHON,
    "modality": "```bash\nprocqa encode DIR --input texts.txt --out vectors.npy\n```\n",
}
LOSSES = {
    "one-way": "InfoNCE, query → document",
    "symmetric": "InfoNCE, query → document and document → query",
    "four-way": "the four-way loss of MACP's authors",
}
BATCHES = {
    "stream": "each batch holds pairs of one language and one pair type, drawn with p ∝ n^alpha",
    "mixed": "the language and the pair type of each pair of a batch are drawn with p ∝ n^alpha",
    "round-robin": "each batch holds pairs of one language and one pair type, which take turns",
}

FRONT_MATTER = """---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags:
- sentence-transformers
- sentence-similarity
- feature-extraction
- code
---
"""


def write_card(folder: Path, *, recipe: dict[str, Any], inputs: Sequence[Input], counts: dict[str, Any]) -> None:
    """Write README.md into an encoder folder."""
    sections = [
        FRONT_MATTER,
        "# Encoder for programming questions and answers\n",
        f"{WHAT[recipe['towers']]}: unit vectors whose dot product is their similarity.\n",
        SNIPPETS[recipe["towers"]],
        "## Training data\n",
        _data(inputs, counts),
        "## Recipe\n",
        f"Contrastive learning with in-batch negatives ({LOSSES[recipe['loss']]}); {BATCHES[recipe['batches']]}"
        f"{_further(recipe)}.\n",
        _recipe(recipe),
        *([f"![Loss, learning rate and speed over the steps]({TRAINING_CURVE})\n"] if counts["steps"] else []),
        *_mixed(counts["base_share"]),
        "## Scores\n",
        _scores(counts["validation"]),
        "## Limits\n",
        _limits(recipe, counts["max_tokens"]),
        "## Licence\n",
        _licence(recipe),
    ]
    (folder / "README.md").write_text("\n".join(sections), encoding="utf-8")


def _data(inputs: Sequence[Input], counts: dict[str, Any]) -> str:
    datasets = _table(("dataset", "sha256 of its data"), [(entry.name, entry.sha256) for entry in inputs])
    streams = _table(
        ("stream", "pairs", "pairs seen"),
        [(name, stream["pairs"], stream["pairs_seen"]) for name, stream in counts["streams"].items()],
    )
    seen = (
        f"{counts['pairs_seen']:,} pairs were seen in {counts['steps']:,} steps, of which "
        f"{counts['rows_seen']:,} of {counts['rows']:,} different rows, with {counts['tokens_seen']:,} tokens; "
        "`seen.bin` holds the hashes of their texts.\n"
    )
    return "\n".join([datasets, seen, streams])


def _further(recipe: dict[str, Any]) -> str:
    """What is said of the further documents of a pair."""
    if not recipe["negatives"]:
        return ""
    kind = "mined where there are any, else random" if recipe["hard_negatives"] else "random"
    return f"; each pair brings {recipe['negatives']} further documents, {kind}"


def _recipe(recipe: dict[str, Any]) -> str:
    """Every setting that has a value; the preset's name with what differs from it."""
    changes = ", ".join(recipe["preset_changes"])
    rows = {**recipe, "preset": f"{recipe['preset']}, but for {changes}" if changes else recipe["preset"]}
    rows["base_lineage"] = ", ".join(recipe["base_lineage"]) or None
    del rows["preset_changes"]
    return _table(("setting", "value"), [(name, value) for name, value in rows.items() if value is not None])


def _mixed(share: float) -> list[str]:
    """That the weights are a mean, where they are."""
    if not share:
        return []
    return [f"Each weight is {1 - share:g} × that of the trained encoder + {share:g} × that of its base.\n"]


def _scores(validation: Validation | None) -> str:
    """What the encoder scores on held-out pairs."""
    if validation is None:
        return (
            "It was not measured here, for its datasets have no validation split: `procqa evaluate` gives scores with "
            "intervals on held-out questions.\n"
        )
    weight = validation["fusion_weight"]
    rows = []
    for name, scores in validation["sets"].items():
        values = (scores["bm25"], scores["dense"], scores["hybrid"])
        rows.append((name, f"{scores['queries']:,} / {scores['documents']:,}", *(f"{value:.3f}" for value in values)))
    return "\n".join(
        [
            "MRR on samples of validation splits, among documents of the same language. `both` adds "
            f"{1 - weight:.2g} × BM25, over what no document can score more than, and {weight:.2g} × cosine: the "
            "weight that is best here, which search and evaluation take from this encoder. Recipes and weights were "
            "chosen by such scores; `procqa evaluate` gives those of test splits, with intervals.\n",
            _table(("validation set", "queries / documents", "bm25", "encoder", "both"), rows),
        ]
    )


def _licence(recipe: dict[str, Any]) -> str:
    """Under which terms the weights stand, as far as it is known."""
    of_base = "" if recipe["base_sha256"] is None else f" The terms of the base, {recipe['base']}, apply to them too."
    return (
        "The weights are numbers learnt from the texts of the datasets above, whose authors and licences stand in "
        f"their rows: CC BY-SA for Stack Exchange, others for other sources.{of_base}\n"
    )


def _limits(recipe: dict[str, Any], max_tokens: int) -> str:
    limits = [
        f"It reads the first {max_tokens} tokens of a text and nothing beyond.",
    ]
    if recipe["towers"] == "modality":
        limits.append(
            "It has a tower for prose and one for code: procqa cuts texts for them, `SentenceTransformer(DIR).encode` "
            "sends all to the first."
        )
    if recipe["base"] == "static":
        limits.append("A static encoder sums its tokens and does not see their order.")
    if MINILM_SHA256 in (recipe["base_sha256"], *recipe["base_lineage"]):
        limits.append(MINILM_CAVEAT)
    return "\n".join(f"- {limit}" for limit in limits) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"
