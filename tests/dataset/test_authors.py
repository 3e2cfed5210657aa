"""Names of authors from a Users table: found, not found, not asked for."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset.authors import OWNER, fill_names, join_owners, keep_names


def owners_of(*users):
    return np.array(list(users), dtype=OWNER)


def fill(folder, rows):
    """The names of rows of (what the row says, site, owner or None)."""
    names, sites, ids = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    says, asked = pa.chunked_array([pa.array(names, pa.string())]), pa.chunked_array([pa.array(ids, pa.int64())])
    return fill_names(folder, says, np.array(sites, dtype=np.int64), asked).to_pylist()


def test_owners_of_several_files_are_joined_sorted_and_each_once(tmp_path):
    files = [owners_of((0, -1), (0, 7), (1, 2)), owners_of(), owners_of((0, 7), (1, 1)), owners_of((2, 5))]
    for number, owners in enumerate(files):
        np.save(tmp_path / f"{number}.npy", owners)
    joined = join_owners([tmp_path / f"{number}.npy" for number in range(4)])
    assert joined.tolist() == [(0, -1), (0, 7), (1, 1), (1, 2), (2, 5)]
    assert join_owners([]).tolist() == []


def test_a_name_is_found_by_site_and_id_and_what_a_row_says_stays(tmp_path):
    owners = owners_of((0, -1), (0, 5), (0, 6), (1, 5), (1, 9))
    users = [(0, [(5, "Ann"), (4, "Nobody asks"), (-1, "Community")]), (1, [(5, "Bj\u00f6rn \U0001f600"), (9, "")])]
    assert keep_names(tmp_path, owners, users) == 4
    rows = [
        *[("user 5", 0, 5), ("user 5", 1, 5), ("user 6", 0, 6), ("Written", 0, None), ("user -1", 0, -1)],
        *[("user 5", 2, 5), ("deleted user", 0, None), ("user 9", 1, 9), ("user 4", 0, 4)],
    ]
    assert fill(tmp_path, rows) == [
        *["Ann", "Bj\u00f6rn \U0001f600", "user 6", "Written", "Community"],
        *["user 5", "deleted user", "", "user 4"],
    ]


def test_without_any_known_user_all_stays_as_it_is(tmp_path):
    for owners in (owners_of(), owners_of((0, 5))):
        assert keep_names(tmp_path, owners, [(0, [(4, "Ann")])]) == 0
        assert fill(tmp_path, [("user 5", 0, 5), ("user 4", 0, 4)]) == ["user 5", "user 4"]
    assert fill(tmp_path, []) == []


def test_names_kept_again_in_the_same_folder_are_the_new_ones(tmp_path):
    for name in ("Ann", "Beatrix"):
        keep_names(tmp_path, owners_of((0, 5)), [(0, [(5, name)])])
        assert fill(tmp_path, [("user 5", 0, 5)]) == [name]


USER = st.tuples(st.integers(0, 3), st.integers(-2, 9) | st.sampled_from([2**63 - 1, -(2**63) + 1]))


@settings(max_examples=60)
@given(st.dictionaries(USER, st.text(st.characters(codec="utf-8"), max_size=4)), st.lists(USER), st.lists(USER))
def test_names_are_filled_as_by_a_dictionary(tmp_path_factory, users, owners, rows):
    folder = tmp_path_factory.mktemp("names")
    owners = sorted(set(owners))
    by_site = [(site, [(number, name) for (of, number), name in users.items() if of == site]) for site in range(4)]
    known = {owner: users[owner] for owner in owners if owner in users}
    assert keep_names(folder, owners_of(*owners), by_site) == len(known)
    filled = fill(folder, [(f"user {number}", site, number) for site, number in rows])
    assert filled == [known.get((site, number), f"user {number}") for site, number in rows]
