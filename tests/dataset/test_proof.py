"""The proof of the splits: a planted overlap is counted, and a claim that does not hold fails."""

import json

import pytest

from procqa.chain import Check
from procqa.dataset.checks import check_dataset
from procqa.dataset.proof import check_splits, proof_lines, prove_splits, write_proof
from tests.dataset.small import row, twelve_rows, write_parts

NAMES = ("train", "validation", "test")


def counts(of_kind):
    return [of_kind[name] for name in (*NAMES, "in_several")]


def write(folder, parts, split="time"):
    write_parts(folder, parts)
    proof = prove_splits(folder, split=split)
    write_proof(folder, proof)
    return proof


def outcomes(folder):
    return {check.subject: check.outcome for check in check_splits(folder)}


def test_rows_of_their_own_stand_in_one_split_each(tmp_path):
    proof = write(tmp_path, twelve_rows() | twelve_rows("go", first=50), "author")
    assert list(proof) == ["split", "threads", "clusters", "askers"]
    assert counts(proof["threads"]) == counts(proof["askers"]) == [20, 2, 2, 0]
    assert counts(proof["clusters"]) == [0, 0, 0, 0]
    assert set(check_splits(tmp_path)) == {Check(f"splits: {kind}", "ok") for kind in ("threads", "clusters", "askers")}
    assert json.loads((tmp_path / "splits.json").read_text()) == proof


@pytest.mark.parametrize("split", ["time", "hash"])
def test_askers_are_told_of_only_where_the_split_is_by_them(tmp_path, split):
    assert list(write(tmp_path, twelve_rows(), split)) == ["split", "threads", "clusters"]


PLANTED = {
    "threads": {"question_id": 10},
    "clusters": {"duplicate_cluster": 3},
    "askers": {"question_author_url": "https://stackoverflow.com/users/1"},
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_overlap_is_counted_and_fails(tmp_path, kind):
    parts = twelve_rows()
    parts["python", "train"][0] |= PLANTED[kind]
    parts["python", "train"][1] |= PLANTED[kind]
    parts["go", "test"] = [row(90, **PLANTED[kind])]
    proof = write(tmp_path, parts, "author")
    assert {name: proof[name]["in_several"] for name in PLANTED} == dict.fromkeys(PLANTED, 0) | {kind: 1}
    failed = [check for check in check_splits(tmp_path) if check.outcome == "failed"]
    assert failed == [Check(f"splits: {kind}", "failed", "1 stand in several splits")]


def test_the_same_number_on_another_site_is_another_thread_and_a_name_another_asker(tmp_path):
    parts = {
        ("c", "train"): [row(1, question_author_url=None, question_author="Ann")],
        ("c", "test"): [row(1, site="superuser.com", question_author_url=None, question_author="Ann")],
    }
    proof = write(tmp_path, parts, "author")
    assert counts(proof["threads"]) == counts(proof["askers"]) == [1, 0, 1, 0]


def test_two_askers_of_one_name_are_told_apart_by_their_pages(tmp_path):
    page = "https://stackoverflow.com/users/"
    parts = {
        ("c", split): [row(n, question_author="Ann", question_author_url=f"{page}{n}")] for n, split in enumerate(NAMES)
    }
    assert counts(write(tmp_path, parts, "author")["askers"]) == [1, 1, 1, 0]


def test_clusters_are_counted_once_each(tmp_path):
    parts = {
        ("c", "train"): [row(n, duplicate_cluster=n // 2) for n in range(6)],
        ("c", "test"): [row(9, duplicate_cluster=None)],
    }
    assert counts(write(tmp_path, parts)["clusters"]) == [3, 0, 0, 0]


def test_an_edited_claim_fails(tmp_path):
    proof = write(tmp_path, twelve_rows())
    proof["threads"]["train"] = 11
    write_proof(tmp_path, proof)
    assert outcomes(tmp_path) == {"splits: threads": "failed", "splits: clusters": "ok"}
    (failed,) = [check.detail for check in check_splits(tmp_path) if check.outcome == "failed"]
    assert failed == "splits.json does not tell what data/ holds"


def test_a_claim_that_leaves_out_a_kind_fails(tmp_path):
    proof = write(tmp_path, twelve_rows(), "author")
    del proof["askers"]
    write_proof(tmp_path, proof)
    assert outcomes(tmp_path)["splits: askers"] == "failed"


def test_rows_moved_to_another_split_fail_though_none_stands_in_two(tmp_path):
    parts = twelve_rows()
    write(tmp_path, parts)
    moved = {
        ("python", "train"): parts["python", "train"][:-1] + parts["python", "test"],
        ("python", "test"): parts["python", "train"][-1:],
    }
    write_parts(tmp_path, moved)
    assert counts(prove_splits(tmp_path, split="time")["threads"]) == [10, 1, 1, 0]
    assert outcomes(tmp_path) == {"splits: threads": "failed", "splits: clusters": "ok"}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"split": 1}', '{"split": "time", "threads": 3}'])
def test_a_claim_that_cannot_be_read_fails_and_is_no_error(tmp_path, content):
    write(tmp_path, twelve_rows())
    (tmp_path / "splits.json").write_text(content)
    assert "failed" in outcomes(tmp_path).values()


def test_a_built_dataset_proves_its_splits_and_that_it_is_clean(sample_dataset):
    checks = check_dataset(sample_dataset, [])
    assert {check.outcome for check in checks} == {"ok"}
    assert {"splits: threads", "splits: clusters"} <= {check.subject for check in checks}


def test_a_folder_that_claims_nothing_is_not_checked(tmp_path):
    write_parts(tmp_path, twelve_rows())
    assert outcomes(tmp_path) == {}


def test_the_proof_is_told_in_sentences(tmp_path):
    parts = {("c", "train"): [row(n) for n in range(1, 1_202)], ("c", "test"): [row(7, duplicate_cluster=1)]}
    assert proof_lines(write(tmp_path, parts)) == (
        "threads: 1,201 in train, 0 in validation, 1 in test, 1 in several",
        "clusters: 0 in train, 0 in validation, 1 in test, 0 in several",
    )
