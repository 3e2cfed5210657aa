import struct
from pathlib import Path

import matplotlib

from procqa.figure import figure


def draw(path: Path) -> bytes:
    with figure(path, [2, 3], left_inches=1.0) as drawn:
        drawn.axes[1].plot([1, 2], [3, 4])
    return path.read_bytes()


def test_equal_numbers_give_equal_bytes_whatever_the_style_of_the_user(tmp_path: Path):
    plain = draw(tmp_path / "one.png")
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30}):
        assert draw(tmp_path / "other.png") == plain
    assert b"Software" not in plain


def test_height_grows_with_the_rows_of_the_axes(tmp_path: Path):
    assert struct.unpack(">II", draw(tmp_path / "one.png")[16:24]) == (1_200, 405)
