from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from procqa.config import RunConfig
from procqa.dataset.duplicates import Task, choose_bands, find_clusters, least_equal, miss_probability
from procqa.dataset.minhash import EMPTY, PERMUTATIONS, sign
from procqa.errors import ArtifactError, ConfigError
from procqa.workers import open_workers

Signatures = NDArray[np.uint32]
CERTAIN = (0.76, 0.8, 0.85, 0.9, 1.0)
"""Similarities at which no pair can be missed."""


def random_signatures(generator: np.random.Generator, n: int) -> Signatures:
    return generator.integers(0, EMPTY, (n, PERMUTATIONS), np.uint32)


def families(seed: int, *, n: int, n_families: int, most_changed: int) -> Signatures:
    """Signatures that differ from that of their family in 0 to ``most_changed`` entries."""
    generator = np.random.default_rng(seed)
    signatures = random_signatures(generator, n_families)[generator.integers(0, n_families, n)]
    for signature in signatures:
        n_changed = generator.integers(0, most_changed + 1)
        places = generator.permutation(PERMUTATIONS)[:n_changed]
        signature[places] = generator.integers(0, EMPTY, n_changed, np.uint32)
    return signatures


def write(folder: Path, parts: Iterable[Signatures]) -> list[Path]:
    paths = []
    for number, part in enumerate(parts):
        paths.append(folder / f"part-{number}.npy")
        np.save(paths[-1], part)
    return paths


def cluster(folder: Path, signatures: Signatures, similarity: float, **given: int) -> list[int]:
    limits = {"memory_bytes": 1 << 20, **given}
    paths = write(folder, [signatures])
    return find_clusters(paths, folder / "scratch", map, similarity=similarity, **limits).tolist()


def components(n: int, is_near: Callable[[int, int], bool]) -> list[int]:
    """Labels by their definition: all pairs are asked."""
    labels = list(range(n))
    for i in range(n):
        for j in range(i):
            if labels[i] != labels[j] and is_near(i, j):
                low, high = sorted((labels[i], labels[j]))
                labels = [low if label == high else label for label in labels]
    return [label if labels.count(label) > 1 else -1 for label in labels]


def compare_all(signatures: Signatures, similarity: float) -> list[int]:
    is_empty = (signatures == EMPTY).all(axis=1)
    equal = (signatures[:, None] == signatures[None]).mean(axis=2)
    near = (equal >= similarity) & ~is_empty[:, None] & ~is_empty
    return components(len(signatures), lambda i, j: bool(near[i, j]))


@pytest.mark.parametrize("similarity", CERTAIN)
@settings(max_examples=8)
@given(seed=st.integers(0, 1 << 30), most_changed=st.sampled_from([5, 16, 25, 40]))
def test_clusters_are_the_components_that_comparing_all_pairs_gives(similarity, seed, most_changed, tmp_path_factory):
    signatures = families(seed, n=150, n_families=30, most_changed=most_changed)
    signatures[[3, 70]] = EMPTY
    labels = cluster(tmp_path_factory.mktemp("all"), signatures, similarity)
    assert labels == compare_all(signatures, similarity)


@pytest.mark.parametrize("similarity", [0.5, 0.6, 0.7, 0.75])
def test_low_similarities_find_what_lies_clearly_above_them(similarity, tmp_path):
    # Members of a family agree in 104 entries at the least, those of two in none.
    signatures = families(1, n=300, n_families=40, most_changed=12)
    assert cluster(tmp_path, signatures, similarity) == compare_all(signatures, similarity)


@pytest.mark.parametrize("similarity", [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, *CERTAIN, 0.95, 0.99])
def test_bands_miss_a_pair_at_the_threshold_with_a_chance_of_one_in_a_hundred_at_most(similarity):
    bounds = np.array(choose_bands(similarity))
    assert (bounds[0], len(bounds) <= PERMUTATIONS + 1) == (0, True)
    assert bounds[-1] <= PERMUTATIONS
    assert (np.diff(bounds) >= 3).all()
    generator = np.random.default_rng(2)
    agree = np.argsort(generator.random((4_000, PERMUTATIONS)), axis=1) < least_equal(similarity)
    bands = [agree[:, low:high].all(axis=1) for low, high in pairwise(bounds)]
    missed = 1 - np.mean(np.any(bands, axis=0))
    assert missed <= (0 if similarity > 0.75 else 0.01 + 0.006)  # four standard errors


def test_the_chance_of_a_miss_is_the_share_of_arrangements_without_a_whole_band():
    # One band of all but one entry: missed unless the entry that differs is the one outside.
    assert miss_probability(PERMUTATIONS - 1, 1, PERMUTATIONS - 1) == 1 - 1 / PERMUTATIONS
    assert miss_probability(PERMUTATIONS, 3, 5) == 0
    assert miss_probability(4, 2, 5) == 1


@pytest.mark.parametrize(
    ("similarity", "least"), [(0.5, 64), (0.55, 71), (0.7, 90), (0.75, 96), (0.8, 103), (0.9, 116), (1.0, 128)]
)
def test_near_signatures_agree_in_at_least_the_similarity(similarity, least):
    assert least_equal(similarity) == least


def test_a_chain_is_one_cluster_named_after_its_first_row(tmp_path):
    signatures = random_signatures(np.random.default_rng(0), 7)
    for row in (3, 5, 6):
        before = {3: 1, 5: 3, 6: 5}[row]
        signatures[row] = signatures[before]
        signatures[row, 20 * before : 20 * before + 20] += 1
    assert cluster(tmp_path, signatures, 0.8) == [-1, 1, -1, 1, -1, 1, 1]


def test_pairs_without_a_signature_are_near_no_other_though_theirs_are_equal(tmp_path):
    signatures = np.array([sign("too", "short", "!"), sign("one two", "three", "four five")] * 2)
    assert cluster(tmp_path, signatures, 0.5) == [-1, 1, -1, 1]


@settings(max_examples=10)
@given(seed=st.integers(0, 1 << 30), memory_bytes=st.integers(1 << 15, 1 << 24), cut=st.integers(0, 120))
def test_neither_memory_nor_the_cut_into_files_nor_their_order_changes_a_cluster(
    seed, memory_bytes, cut, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("order")
    signatures = families(seed, n=120, n_families=25, most_changed=20)
    labels = cluster(folder, signatures, 0.8)
    parts = write(folder, [signatures[:cut], signatures[cut:]])
    again = find_clusters(parts, folder / "again", map, similarity=0.8, memory_bytes=memory_bytes)
    assert again.tolist() == labels
    turned = find_clusters(parts[::-1], folder / "turned", map, similarity=0.8, memory_bytes=memory_bytes)
    back = np.concatenate([turned[120 - cut :], turned[: 120 - cut]]).tolist()
    assert components(120, lambda i, j: back[i] == back[j] != -1) == labels


@settings(max_examples=10)
@given(seed=st.integers(0, 1 << 30))
def test_a_label_is_the_first_row_that_has_it(seed, tmp_path_factory):
    labels = cluster(tmp_path_factory.mktemp("first"), families(seed, n=100, n_families=20, most_changed=25), 0.8)
    assert all(label == -1 or (labels[label] == label and labels.index(label) == label) for label in labels)
    assert all(label == -1 or labels.count(label) > 1 for label in labels)


def test_workers_in_processes_find_the_same(tmp_path):
    signatures = families(4, n=2_000, n_families=300, most_changed=20)
    paths = write(tmp_path, [signatures[:700], signatures[700:]])
    with open_workers(RunConfig(jobs=2)) as workers:
        labels = find_clusters(paths, tmp_path / "two", workers.run, similarity=0.8, memory_bytes=1 << 20)
    assert labels.tolist() == find_clusters(paths, tmp_path / "one", map, similarity=0.8, memory_bytes=1 << 20).tolist()


def dying_run(n_left: int) -> Callable[[Callable[[Task], None], Iterable[Task]], Iterator[None]]:
    """A run that finishes some tasks, then leaves half of the next one's file and dies."""
    left = n_left

    def run(task: Callable[[Task], None], items: Iterable[Task]) -> Iterator[None]:
        nonlocal left
        for item in items:
            if left == 0:
                outputs = item.plan.links if task.__name__ == "write_links" else item.plan.chunks
                outputs[item.number].with_name(f"{outputs[item.number].name}.new").write_bytes(b"\x93NUMPY half")
                raise KeyboardInterrupt
            left -= 1
            yield task(item)

    return run


@pytest.mark.parametrize("n_finished", [0, 5, 20, 40, 63])
def test_a_killed_run_goes_on_where_it_was_and_ends_with_the_same_labels(n_finished, tmp_path):
    paths = write(tmp_path, [families(6, n=200, n_families=50, most_changed=20)])
    whole = find_clusters(paths, tmp_path / "whole", map, similarity=0.8, memory_bytes=1 << 24)
    with pytest.raises(KeyboardInterrupt):
        find_clusters(paths, tmp_path / "killed", dying_run(n_finished), similarity=0.8, memory_bytes=1 << 24)
    n_tasks = 0

    def run(task: Callable[[Task], None], items: Iterable[Task]) -> Iterator[None]:
        nonlocal n_tasks
        for item in items:
            n_tasks += 1
            yield task(item)

    again = find_clusters(paths, tmp_path / "killed", run, similarity=0.8, memory_bytes=1 << 24)
    assert again.tolist() == whole.tolist()
    n_chunks, n_buckets = 16, 16  # 200 rows make chunks of 13
    assert n_tasks == 2 * (n_chunks + n_buckets) - n_finished


def test_a_finished_run_leaves_no_keys_and_is_not_done_again(tmp_path):
    signatures = families(7, n=50, n_families=9, most_changed=9)
    labels = cluster(tmp_path, signatures, 0.8)
    assert list((tmp_path / "scratch").rglob("keys-*")) == []

    def no_task(task: Callable[[Task], None], items: Iterable[Task]) -> Iterator[None]:
        raise AssertionError("nothing is left to run")

    again = find_clusters(
        [tmp_path / "part-0.npy"], tmp_path / "scratch", no_task, similarity=0.8, memory_bytes=1 << 20
    )
    assert again.tolist() == labels


def test_a_thousand_equal_texts_are_one_star_and_keep_their_neighbours(tmp_path):
    generator = np.random.default_rng(8)
    signatures = np.repeat(random_signatures(generator, 1), 1_003, axis=0)
    signatures[500, :25] += 1  # near all others
    signatures[501, :26] += 1  # one entry too far from them, but near the one before
    signatures[502, :60] += 9  # near none
    labels = cluster(tmp_path, signatures, 0.8, window=16)
    assert labels == [0] * 502 + [-1] + [0] * 500


def test_in_a_crowd_larger_than_the_window_near_rows_are_found_by_their_other_bands(tmp_path):
    generator = np.random.default_rng(9)
    signatures = random_signatures(generator, 600)
    signatures[:, :4] = 1  # the first band of all
    signatures[550] = signatures[20]
    signatures[550, 100:124] += 1
    assert cluster(tmp_path, signatures, 0.8, window=8) == [20 if row in (20, 550) else -1 for row in range(600)]


def test_a_cluster_larger_than_the_window_stays_whole(tmp_path):
    signatures = families(10, n=500, n_families=1, most_changed=8)
    assert cluster(tmp_path, signatures, 0.8, window=8) == [0] * 500


def test_no_rows_make_no_labels(tmp_path):
    paths = write(tmp_path, [random_signatures(np.random.default_rng(0), 0)] * 2)
    assert find_clusters(paths, tmp_path / "scratch", map, similarity=0.8, memory_bytes=1 << 20).shape == (0,)
    assert find_clusters([], tmp_path / "scratch", map, similarity=0.8, memory_bytes=1 << 20).shape == (0,)


@pytest.mark.parametrize("similarity", [0.49, 1.01, float("nan")])
def test_a_similarity_out_of_range_is_refused(similarity, tmp_path):
    with pytest.raises(ConfigError, match=r"similarity must lie in \[0.5, 1\]"):
        find_clusters([], tmp_path, map, similarity=similarity, memory_bytes=1 << 20)


def test_what_cannot_be_read_or_written_is_one_sentence(tmp_path):
    with pytest.raises(ArtifactError, match="near-duplicates need signatures that can be read"):
        find_clusters([tmp_path / "absent.npy"], tmp_path / "s", map, similarity=0.8, memory_bytes=1 << 20)
    paths = write(tmp_path, [random_signatures(np.random.default_rng(0), 4)])
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ArtifactError, match="file that can be written"):
        find_clusters(paths, tmp_path / "file", map, similarity=0.8, memory_bytes=1 << 20)
