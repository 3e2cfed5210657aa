"""What a build remembers: the round trip by any ranges of buckets, and when a state is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset import shuffle
from procqa.dataset.shuffle import Share
from procqa.dataset.spill import ROW_BUCKETS
from procqa.dataset.state import (
    KEPT,
    STATE,
    OldState,
    content_digest,
    describe,
    open_old_state,
    outcome_of,
    reason_of,
    sort_threads,
    state_folder,
    write_state,
)
from procqa.errors import ArtifactError
from procqa.manifest import Input, Manifest
from procqa.pairs.rules import FUNNEL

ABOUT = {"procqa": "x"}


def states_of(rows):
    """Threads of (site, thread, outcome), each with a digest and content of its own."""
    states = np.zeros(len(rows), dtype=STATE)
    for place, (site, thread, outcome) in enumerate(rows):
        states[place] = site, outcome, thread, 2**64 - 1 - place, (place + 1, 2**64 - 1 - place)
    return states[sort_threads(states)]


def cut(states, groups):
    """The threads of each range of buckets."""
    bucket = shuffle.bucket_of(states["thread"], ROW_BUCKETS)
    return [states[(bucket >= group.start) & (bucket < group.stop)] for group in groups]


def groups_of(cuts):
    cuts = sorted(cuts)
    return [range(low, high) for low, high in zip([0, *cuts], [*cuts, ROW_BUCKETS], strict=True)]


def write(folder: Path, states, groups, *, signed: bool) -> Path:
    """Write a state from the files of tasks, the signature of a thread its id and place."""
    files, signatures = [], []
    for number, part in enumerate(cut(states, groups)):
        files.append(folder / f"{number}.npy")
        np.save(files[-1], part)
        if signed:
            kept = part[part["outcome"] == KEPT]
            signatures.append(folder / f"{number}.signed.npy")
            np.save(signatures[-1], np.stack([kept["thread"] % 1_000, kept["site"]], axis=1).astype(np.uint32))
    write_state(folder / "state", files, signatures, ABOUT)
    return folder / "state"


THREADS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 300) | st.integers(1, 2**63 - 1), st.sampled_from([KEPT, 0, 5])),
    max_size=40,
    unique_by=lambda row: row[:2],
)
CUTS = st.lists(st.integers(0, ROW_BUCKETS), max_size=4)


@settings(max_examples=30)
@given(THREADS, CUTS, CUTS, st.integers(1, 3), st.booleans())
def test_threads_are_read_again_by_any_shares_of_the_buckets(tmp_path_factory, rows, written, read, of, signed):
    states, groups = states_of(rows), groups_of(read)
    folder = write(tmp_path_factory.mktemp("state"), states, groups_of(written), signed=signed)
    old = OldState(folder, ("a", "b", "c"), (1, -2, 0))
    shares = [Share(group, number, of) for group in groups for number in range(of)]
    for share in shares:
        (held,) = cut(states, [share.buckets])
        expected = held[share.holds(held["thread"])]
        threads = old.read(share)
        assert threads.states.tobytes() == expected.tobytes()
        keys = [
            ((1, -2, 0)[site], thread)
            for site, thread in zip(*(expected[n].tolist() for n in ("site", "thread")), strict=True)
        ]
        assert threads.place == {key: row for row, key in enumerate(keys)}
        for row in np.flatnonzero(expected["outcome"] == KEPT).tolist():
            signature = threads.signature(row)
            wanted = [int(expected["thread"][row]) % 1_000, int(expected["site"][row])] if signed else None
            assert (None if signature is None else signature.tolist()) == wanted
    kept = json.loads((folder / "state.json").read_text())
    assert kept["about"] == ABOUT
    assert set(kept["files"]) == {"threads.npy", *(["signatures.npy"] if signed else [])}


def test_a_state_written_again_is_the_new_one(tmp_path):
    for rows in ([(0, 5, KEPT), (0, 6, 3)], [(0, 5, 2)]):
        folder = write(tmp_path, states_of(rows), groups_of([]), signed=rows[0][2] == KEPT)
        threads = OldState(folder, ("a",), (0,)).read(Share(range(ROW_BUCKETS)))
        assert sorted(threads.states[["site", "thread", "outcome"]].tolist()) == sorted(rows)
    assert sorted(path.name for path in folder.iterdir()) == ["state.json", "threads.npy"]


def test_threads_lie_by_bucket_then_site_then_id():
    states = states_of([(1, 7, 0), (0, 7, 0), (0, 2**40, 0), (1, 3, 0), (0, 3, 0)])
    buckets = shuffle.bucket_of(states["thread"], ROW_BUCKETS)
    keys = list(zip(buckets.tolist(), states["site"].tolist(), states["thread"].tolist(), strict=True))
    assert keys == sorted(keys)


def test_every_reason_has_its_outcome():
    assert [reason_of(outcome_of(reason)) for reason in (*FUNNEL, None)] == [*FUNNEL, None]
    assert outcome_of(None) == 255


def test_the_digest_of_texts_tells_them_apart_and_where_each_ends():
    digests = [
        content_digest(*texts) for texts in ((b"a", b"b", b""), (b"ab", b"", b""), (b"a", b"", b"b"), (b"", b"", b""))
    ]
    assert len(set(digests)) == 4
    assert all(any(digest) and max(digest) < 2**64 for digest in digests)
    assert content_digest(b"a", b"b") == content_digest(b"a", b"b")


# Refusals.

RECIPE = {"languages": ("c", "go"), "answers": "accepted", "sites": ["b.com", "a.com", "b.com"]}
BENCHMARK = Input("cosqa.json", 5, "0b")
INPUTS = (Input("Posts.xml", 3, "00"), BENCHMARK)
MANIFEST = Manifest(
    kind="dataset", sha256="", inputs=INPUTS, recipe=json.loads(json.dumps(RECIPE)), counts={}, files={}
)
ABOUT_OLD = describe(RECIPE, INPUTS, [BENCHMARK])


def old_dataset(folder, about=ABOUT_OLD, redactions=None):
    """The place of a dataset that has a state beside it."""
    np.save(folder / "0.npy", states_of([(0, 5, KEPT), (1, 6, 2)]))
    if redactions is not None:
        (folder / "old.redactions.jsonl").write_text(redactions)
    map_of = None if redactions is None else folder / "old.redactions.jsonl"
    write_state(state_folder(folder / "old"), [folder / "0.npy"], [], about, map_of)
    return folder / "old"


def open_old(dataset, *, manifest=MANIFEST, recipe=RECIPE, sites=("a.com",), benchmarks=(BENCHMARK,)):
    return open_old_state(dataset, manifest, recipe, list(sites), list(benchmarks))


def test_a_state_of_the_same_recipe_is_opened_with_its_sites_numbered_anew(tmp_path):
    dataset = old_dataset(tmp_path)
    old = open_old(dataset, sites=["b.com", "c.com"])
    assert old == OldState(tmp_path / "old.state", ("a.com", "b.com"), (-1, 0))
    assert old.read(Share(range(ROW_BUCKETS))).place.keys() == {(-1, 5), (0, 6)}
    assert open_old(dataset, recipe={**RECIPE, "sites": ["d.com"]}, sites=["d.com"]).sites == (-1, -2)


@pytest.mark.parametrize(
    "content", [None, "{", "", "[]", "{}", '{"about": {}, "files": {}}', '{"about": 3, "files": 3}']
)
def test_without_a_state_there_is_nothing_to_go_on_from(tmp_path, content):
    if content is not None:
        old_dataset(tmp_path)
        (tmp_path / "old.state/state.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"must have its state beside it, old\.state, .* build without --since"):
        open_old(tmp_path / "old")


@pytest.mark.parametrize("changes", [{"procqa": "0.0.0"}, {"recipe": {}}, {"inputs": []}, {"inputs": "x"}])
def test_a_state_of_another_dataset_or_version_is_refused(tmp_path, changes):
    dataset = old_dataset(tmp_path, ABOUT_OLD | changes)
    with pytest.raises(ArtifactError, match=r"must belong to .* and to this version of procqa: build without --since"):
        open_old(dataset)


def test_a_state_is_known_by_its_dataset_and_not_by_its_name(tmp_path):
    other = replace(MANIFEST, inputs=(Input("Posts.xml", 3, "01"), BENCHMARK))
    with pytest.raises(ArtifactError, match="must belong to"):
        open_old(old_dataset(tmp_path), manifest=other)


@pytest.mark.parametrize("changes", [{"answers": "best"}, {"languages": ("c",)}, {"more": 1}])
def test_a_dataset_of_another_recipe_is_refused(tmp_path, changes):
    with pytest.raises(ArtifactError, match="must be of the same recipe to build since it: build without --since"):
        open_old(old_dataset(tmp_path), recipe=RECIPE | changes)


@pytest.mark.parametrize("benchmarks", [[], [BENCHMARK, BENCHMARK], [Input("cosqa.json", 5, "0c")]])
def test_a_dataset_checked_against_other_benchmarks_is_refused(tmp_path, benchmarks):
    with pytest.raises(ArtifactError, match=r"must be checked against the same benchmarks .* build without --since"):
        open_old(old_dataset(tmp_path), benchmarks=benchmarks)


@pytest.mark.parametrize("name", ["old.state/threads.npy", "old.redactions.jsonl"])
def test_a_state_that_was_changed_or_lost_a_file_is_refused(tmp_path, name):
    dataset = old_dataset(tmp_path, redactions="{}")
    assert open_old(dataset).sites == (0, -2)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ArtifactError, match="its bytes were changed: build without --since"):
        open_old(dataset)
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match="must be there to build since its dataset"):
        open_old(dataset)
