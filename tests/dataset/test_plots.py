import struct

from procqa.dataset.plots import draw_funnel, draw_lengths
from procqa.dataset.statistics import describe_table
from tests.dataset.small import row, table

TALLY = {
    "questions": 1_000,
    "kept": {"python": 300, "c": 1},
    "dropped": {"no wanted language": {"none": 600}, "question too short": {"python": 99}},
}


def size(path):
    """Width and height of a PNG."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:])


def test_pictures_are_wide_enough_to_read_and_equal_for_equal_numbers(tmp_path):
    stats = [describe_table("python", "train", table([row(n, answer="a " * n * 90) for n in range(1, 30)]))]
    for name in ("one", "other"):
        draw_funnel(tmp_path / f"{name}-funnel.png", TALLY, ["question too short", "no wanted language"])
        draw_lengths(tmp_path / f"{name}-lengths.png", stats)
    for what in ("funnel", "lengths"):
        assert size(tmp_path / f"one-{what}.png")[0] == 1_200
        assert (tmp_path / f"one-{what}.png").read_bytes() == (tmp_path / f"other-{what}.png").read_bytes()
        assert b"Software" not in (tmp_path / f"one-{what}.png").read_bytes()


def test_the_order_of_the_rules_shows(tmp_path):
    draw_funnel(tmp_path / "one.png", TALLY, ["question too short", "no wanted language"])
    draw_funnel(tmp_path / "other.png", TALLY, ["no wanted language", "question too short"])
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "other.png").read_bytes()


def test_many_languages_and_none_are_drawn_too(tmp_path):
    many = {"questions": 40, "kept": {f"language{n}": n for n in range(1, 30)}, "dropped": {}}
    draw_funnel(tmp_path / "many.png", many)
    draw_funnel(tmp_path / "none.png", {"questions": 0, "kept": {}, "dropped": {}})
    draw_lengths(tmp_path / "empty.png", [describe_table("c", "test", table([]))])
    assert size(tmp_path / "many.png")[1] < 1_400
