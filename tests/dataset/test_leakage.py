import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from procqa import artifact
from procqa.artifact import digest_input
from procqa.chain import Check
from procqa.config import RunConfig, build_config
from procqa.corpora.benchmarks import read_benchmark_texts
from procqa.dataset.build import build_dataset
from procqa.dataset.decontaminate import KeptTexts, LeakFinder, TextCounts, keep_texts
from procqa.dataset.leakage import certificate, check_leakage, count_hits, write_leakage
from procqa.dataset.request import BuildRequest
from procqa.dataset.schema import SCHEMA
from tests.dumps import answer, question, write_dump

LONG = "the quick brown fox jumps over the lazy dog while seven wizards quietly brew another potion"
LINES = ["How do I reverse a string in place", "Sum all values of a counter", LONG]
LEAKING = [
    ("How do I reverse a string in place?", "body", "answer"),
    ("title", "so: how do i\nreverse a string, in place", "answer"),
    ("title", "please sum all values of a counter now", "answer"),
    ("title", "body", "said that brown fox jumps over the lazy dog while seven wizards quietly brew another one"),
]


@pytest.fixture
def benchmark(tmp_path):
    path = tmp_path / "held out.txt"
    path.write_text("\n".join(LINES))
    return path


@pytest.fixture
def make_dataset(tmp_path, benchmark):
    """A dataset of some rows, with the proofs of what LEAKING holds."""

    def make(*rows):
        kept = KeptTexts(tmp_path / "kept.jsonl")
        counts = keep_texts(kept.path, read_benchmark_texts(benchmark))
        finder = LeakFinder(kept)
        leaks = []
        for number, pair in enumerate(LEAKING):
            leak = finder.find(*pair)
            proof = {name: getattr(leak, name) for name in leak.__slots__}
            leaks.append({"site": "local", "question_id": number, "language": "c", **proof})
        folder = tmp_path / "dataset"
        with artifact.workspace(folder, kind="dataset", recipe={}, inputs=[]) as work:
            part = work.path / "data" / "c" / "train-00000-of-00001.parquet"
            part.parent.mkdir(parents=True)
            columns = dict.fromkeys(SCHEMA.names)
            texts = [
                {**columns, "question_id": 90 + number, "title": title, "question": question, "answer": answer}
                for number, (title, question, answer) in enumerate(rows)
            ]
            pq.write_table(pa.Table.from_pylist(texts, schema=SCHEMA), part)
            write_leakage(work.path / "leakage.json", [digest_input(benchmark)], counts, leaks)
            work.finish({})
        return folder

    return make


def outcomes(checks):
    return {check.subject: check.outcome for check in checks}


def edit(folder, number, **changes):
    path = folder / "leakage.json"
    leakage = json.loads(path.read_text())
    leakage["removed"][number].update(changes)
    leakage["hits"] = count_hits(leakage["removed"])
    path.write_text(json.dumps(leakage))


def test_with_one_of_two_benchmarks_at_hand_only_its_own_items_are_checked(make_dataset, benchmark):
    folder = make_dataset(("a", "b", "c"))
    leakage = json.loads((folder / "leakage.json").read_text())
    leakage["checked_against"].append({"name": "other.txt", "size": 1, "sha256": "00" * 32})
    (folder / "leakage.json").write_text(json.dumps(leakage))
    edit(folder, 3, benchmark="other.txt")
    checks = check_leakage(folder, [benchmark])
    expected = {"leakage proofs": "ok", "leakage items": "ok", "leakage search": "not checked"}
    assert outcomes(checks) == expected
    assert checks[-1].detail == "1 benchmarks are not at hand"


def test_leakage_json_counts_hits_and_says_what_was_not_checked(make_dataset, benchmark):
    leakage = json.loads((make_dataset(("a", "b", "c")) / "leakage.json").read_text())
    assert leakage["checked_against"] == [
        {"name": "held out.txt", "size": 154, "sha256": digest_input(benchmark).sha256}
    ]
    assert leakage["texts_looked_for"] == {"held out.txt": 3}
    assert leakage["texts_too_short"] == {}
    assert leakage["hits"] == {"held out.txt": {"13-gram": 1, "exact": 1, "short": 1, "substring": 1}}
    assert [leak["question_id"] for leak in leakage["removed"]] == [0, 1, 2, 3]
    assert leakage["removed"][1]["evidence"] == "how do i\nreverse a string, in place"
    assert any("too short" in line for line in leakage["not_checked"])


def test_the_certificate_names_benchmarks_digests_and_hits(make_dataset, benchmark):
    lines = certificate(json.loads((make_dataset(("a", "b", "c")) / "leakage.json").read_text()))
    assert f"| held out.txt | `{digest_input(benchmark).sha256}` |" in lines
    assert "| held out.txt | 3 | 0 | 1 | 1 | 1 | 1 | 0 |" in lines
    assert "Not checked:" in lines
    assert not any("\n" in line for line in lines)


def test_a_dataset_without_benchmarks_says_so(tmp_path):
    leakage = write_leakage(tmp_path / "leakage.json", [], TextCounts({}, {}), [])
    assert certificate(leakage) == ["Not checked against any benchmark."]
    assert check_leakage(tmp_path) == [Check("leakage proofs", "ok", "0 checked")]


def test_true_proofs_hold_and_a_fresh_search_finds_nothing(make_dataset, benchmark):
    folder = make_dataset(("a clean title", "a clean body", "a clean answer"))
    assert check_leakage(folder, [benchmark]) == [
        Check("leakage proofs", "ok", "4 checked"),
        Check("leakage items", "ok", "4 checked"),
        Check("leakage search", "ok", "nothing found in 1 rows"),
    ]


def test_without_the_benchmarks_the_proofs_alone_are_checked(make_dataset, tmp_path):
    folder = make_dataset(("a", "b", "c"))
    other = tmp_path / "other.txt"
    other.write_text("another benchmark")
    for at_hand in ([], [other]):
        assert outcomes(check_leakage(folder, at_hand)) == {"leakage proofs": "ok", "leakage search": "not checked"}


def test_a_row_that_still_leaks_fails_the_search(make_dataset, benchmark):
    folder = make_dataset(("clean", "b", "c"), ("t", f"x {LONG} y", "a"))
    checks = {check.subject: check for check in check_leakage(folder, [benchmark])}
    assert checks["leakage search"] == Check(
        "leakage search", "failed", "question 91 holds held out.txt line/3 (substring)"
    )


@pytest.mark.parametrize(
    ("number", "changes", "failed"),
    [
        (0, {"evidence": "something else"}, {"leakage proofs"}),
        (1, {"matched": "How do I reverse a list in place"}, {"leakage proofs", "leakage items"}),
        (
            1,
            {"matched": "another text of six words", "evidence": "another text of six words"},
            {"leakage proofs", "leakage items"},
        ),
        (2, {"rule": "exact"}, {"leakage items"}),
        (2, {"rule": "invented"}, {"leakage proofs", "leakage items"}),
        (3, {"matched": "fox jumps over"}, {"leakage proofs", "leakage items"}),
        (3, {"item": "line/1"}, {"leakage items"}),
        (0, {"item": "line/9"}, {"leakage items"}),
        (0, {"benchmark": "other"}, {"leakage items"}),
        (0, {"field": "nowhere"}, {"leakage proofs"}),
        (0, {"evidence": None}, {"leakage proofs"}),
    ],
)
def test_an_edited_entry_fails(make_dataset, benchmark, number, changes, failed):
    folder = make_dataset(("a", "b", "c"))
    edit(folder, number, **changes)
    checks = outcomes(check_leakage(folder, [benchmark]))
    assert {subject for subject, outcome in checks.items() if outcome == "failed"} == failed


def test_a_file_that_counts_wrongly_or_is_no_leakage_json_fails(make_dataset):
    folder = make_dataset(("a", "b", "c"))
    path = folder / "leakage.json"
    leakage = json.loads(path.read_text())
    for broken in ({**leakage, "removed": leakage["removed"][1:]}, {"removed": []}, [], {**leakage, "removed": [3]}):
        path.write_text(json.dumps(broken))
        assert outcomes(check_leakage(folder)) == {"leakage": "failed"}
    path.unlink()
    assert outcomes(check_leakage(folder)) == {"leakage": "failed"}


def test_a_proof_that_was_redacted_holds_and_tells_no_secret(tmp_path):
    secret = "write to jane.doe@acme-corp.com when the parser of the old build server fails at night"
    rows = [row for n in range(1, 21, 2) for row in (question(n, accepted=n + 1), answer(n + 1, n))]
    rows += [question(51, accepted=52, Body=f"<p>{secret}</p>"), answer(52, 51)]
    (tmp_path / "bench.txt").write_text(secret + "\n")
    dump, out = write_dump(tmp_path / "Posts.xml", rows), tmp_path / "out"
    options = {"config": build_config({"redact": True}), "run": RunConfig(jobs=1)}
    build_dataset(BuildRequest(dumps=(str(dump),), out=out, benchmarks=(tmp_path / "bench.txt",), **options))
    assert "jane.doe" not in (out / "leakage.json").read_text(encoding="utf-8")
    assert json.loads((out / "leakage.json").read_text(encoding="utf-8"))["removed"][0]["question_id"] == 51
    assert {check.outcome for check in check_leakage(out, [tmp_path / "bench.txt"])} == {"ok"}
