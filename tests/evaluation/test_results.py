"""A result as one line of JSON."""

import json
from dataclasses import replace

from procqa.evaluation.results import Leak, Result, to_json

SETTING = {name: name for name in ("metrics", "pool", "query", "document", "relevant", "data", "intervals")}
RESULT = Result(
    task="cosqa",
    language="python",
    ranker="bm25",
    revision="1",
    measure="mrr@1000",
    setting=SETTING | {"ranker": {"protocol": "words", "max_tokens": None}},
    queries=2,
    documents=3,
    metrics={"mrr@1000": 0.5},
    ci95={"mrr@1000": (0.25, 0.75)},
)


def test_the_protocol_is_the_setting_in_words():
    assert RESULT.protocol == (
        "metrics; pool: pool; query: query; document: document; relevant: relevant; data: data; ranker: words; "
        "intervals: intervals"
    )


def test_a_line_begins_with_what_was_measured_and_leaves_out_what_is_not_told():
    line = to_json(RESULT)

    assert list(line) == [
        "task", "language", "ranker", "revision", "protocol", "measure", "setting", "queries", "documents", "metrics",
        "ci95",
    ]  # fmt: skip
    assert json.loads(json.dumps(line))["ci95"] == {"mrr@1000": [0.25, 0.75]}


def test_a_leak_stands_in_the_line():
    assert to_json(replace(RESULT, leak=Leak(checked=False)))["leak"] == {
        "checked": False, "queries": 0, "documents": 0, "suspect": 0, "same_dataset": False, "metrics": None,
    }  # fmt: skip
