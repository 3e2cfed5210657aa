"""The log beside a folder: what is appended is told again, and a line cut short is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.journal import append_log, last_logged, log_of


def test_the_last_of_a_name_is_told(tmp_path):
    out = tmp_path / "out"
    append_log(out, {"cost": {"seconds": 1}}, {"other": 1}, {"cost": {"seconds": 2}})
    append_log(out, {"other": {"a": "\u00e4"}})
    append_log(out)
    assert last_logged(out, "cost") == {"seconds": 2}
    assert last_logged(out, "other") == {"a": "\u00e4"}
    assert last_logged(out, "absent") is None
    assert len((tmp_path / "out.log.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def test_without_a_log_nothing_is_told(tmp_path):
    assert last_logged(tmp_path / "out", "cost") is None


def test_the_log_of_a_link_stands_beside_what_it_names(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far/real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far/real")
    append_log(tmp_path / "link", {"cost": {"seconds": 1}})
    assert log_of(tmp_path / "link") == (tmp_path / "far").resolve() / "real.log.jsonl"
    assert last_logged(tmp_path / "far/real", "cost") == {"seconds": 1}


@pytest.mark.parametrize("broken", [b'{"cost": {"sec', b"", b"\n", b"\xff\xfe\n", b"{}\n", b'{"cost"\n'])
def test_a_broken_line_is_passed_over(tmp_path, broken):
    out = tmp_path / "out"
    append_log(out, {"cost": {"seconds": 1}})
    with log_of(out).open("ab") as stream:
        stream.write(broken)
    assert last_logged(out, "cost") == {"seconds": 1}


def test_a_line_cut_short_takes_no_later_line_with_it(tmp_path):
    out = tmp_path / "out"
    append_log(out, {"cost": {"seconds": 1}})
    log_of(out).write_bytes(log_of(out).read_bytes() + b'{"cost": {"sec')
    append_log(out, {"cost": {"seconds": 3}})
    assert last_logged(out, "cost") == {"seconds": 3}


VALUES = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(["cost", "stage"]), VALUES), max_size=6))
def test_any_entries_are_told_again(tmp_path_factory, entries):
    out = tmp_path_factory.mktemp("log") / "out"
    for name, value in entries:
        append_log(out, {name: value})
    for wanted in ("cost", "stage"):
        assert last_logged(out, wanted) == next((value for name, value in entries[::-1] if name == wanted), None)
