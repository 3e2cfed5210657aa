"""What only the whole dump can tell of an id, against a dictionary of all its rows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset import shuffle
from procqa.dataset.resolve import ResolveTask, merge, resolve_ids
from procqa.dataset.spill import KEY_BUCKETS
from procqa.dump.posts import POST

Q, A, W = shuffle.QUESTION, shuffle.ANSWER, shuffle.WANTED


def resolve(folder, *spills):
    """Resolve the keys of some spills, each with the index of its site."""
    by_site = {}
    for number, (site, keys) in enumerate(spills):
        path = folder / f"{number}.spill"
        nothing = np.empty(0, dtype=POST), np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.int64)
        shuffle.write_rows(path, *nothing, np.array(keys, dtype=shuffle.KEY))
        by_site.setdefault(site, []).append(path)
    sites = tuple((site, tuple(paths)) for site, paths in sorted(by_site.items()))
    return merge(resolve_ids(ResolveTask(bucket, sites)) for bucket in range(KEY_BUCKETS))


def test_an_id_in_two_threads_belongs_to_the_latest(tmp_path):
    keys = [(A, 7, 1, 100, 5), (A, 7, 2, 200, 5), (A, 8, 1, 100, 5), (A, 8, 1, 200, 6)]
    assert resolve(tmp_path, (0, keys)).moved == {(0, 7, 1)}


def test_of_equal_activity_the_greater_digest_wins(tmp_path):
    keys = [(A, 7, 1, 100, 2**64 - 1), (A, 7, 2, 100, 6), (Q, 7, 7, 100, 5)]
    assert resolve(tmp_path, (0, keys)).moved == {(0, 7, 2), (0, 7, 7)}


def test_accepted_ids_that_are_no_answer_of_their_question_are_told_apart(tmp_path):
    keys = [(Q, 1, 1, 0, 0), (Q, 2, 2, 0, 0), (Q, 3, 3, 0, 0), (Q, 4, 4, 0, 0), (A, 5, 1, 0, 0)]
    wanted = [(W, 5, 1, 0, 0), (W, 5, 2, 0, 0), (W, 4, 3, 0, 0), (W, 99, 4, 0, 0)]
    assert resolve(tmp_path, (0, keys + wanted)).misplaced == {
        (0, 2, 5): "accepted answer belongs to another question",
        (0, 3, 4): "accepted id is a question",
    }


def test_the_ids_of_another_site_say_nothing(tmp_path):
    ours, theirs = [(A, 7, 1, 100, 5), (W, 8, 1, 0, 0)], [(A, 7, 2, 200, 5), (Q, 8, 8, 0, 0)]
    resolved = resolve(tmp_path, (0, ours), (1, theirs), (1, [(A, 7, 3, 300, 5)]))
    assert (resolved.moved, resolved.misplaced) == ({(1, 7, 2)}, {})


def test_nothing_to_resolve_is_nothing(tmp_path):
    resolved = resolve(tmp_path, (0, [(W, 5, 1, 0, 0)]))
    assert (resolved.moved, resolved.misplaced) == (frozenset(), {})


SMALL = st.integers(1, 3)
POSTS = st.tuples(st.sampled_from([Q, A]), SMALL, SMALL, SMALL, st.just(0))
WANTED = st.tuples(st.just(W), SMALL, SMALL, st.just(0), st.just(0))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 1), st.lists(POSTS | WANTED, max_size=6)), max_size=3))
def test_any_keys_resolve_as_by_a_dictionary(tmp_path_factory, spills):
    digest = iter(range(100))
    spills = [(site, [(*key[:4], next(digest) if key[0] != W else 0) for key in keys]) for site, keys in spills]
    rows = [(site, *key) for site, keys in spills for key in keys]
    last = {}
    for site, kind, number, thread, activity, mark in rows:
        if kind != W and (activity, mark) > last.get((site, number), (0, 0, -1, 0))[:2]:
            last[site, number] = (activity, mark, thread, kind)
    moved = {
        (site, number, thread)
        for site, kind, number, thread, *_ in rows
        if kind != W and last[site, number][2] != thread
    }
    reasons = {}
    for site, kind, number, thread, *_ in rows:
        if kind == W and (site, number) in last:
            *_, place, is_answer = last[site, number]
            if is_answer == Q:
                reasons[site, thread, number] = "accepted id is a question"
            elif place != thread:
                reasons[site, thread, number] = "accepted answer belongs to another question"
    resolved = resolve(tmp_path_factory.mktemp("keys"), *spills)
    assert (resolved.moved, resolved.misplaced) == (moved, reasons)
