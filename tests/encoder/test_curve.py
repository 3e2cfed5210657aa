import json
from pathlib import Path

import pytest

from procqa.encoder.curve import draw_curve
from procqa.manifest import load_manifest


def log(path: Path, *losses: float) -> Path:
    lines = [
        {"step": 10 * place, "loss": loss, "learning_rate": 0.0, "pairs_per_s": 5_000.0}
        for place, loss in enumerate(losses, start=1)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("losses", [(2.0,), (3.0, 2.5, 0.0)])
def test_equal_logs_give_equal_pictures_of_one_line_too(losses: tuple[float, ...], tmp_path: Path):
    for name in ("one.png", "other.png"):
        draw_curve(tmp_path / name, log(tmp_path / "log", *losses))
    draw_curve(tmp_path / "third.png", log(tmp_path / "log", *losses, 9.0))
    one, other, third = ((tmp_path / f"{name}.png").read_bytes() for name in ("one", "other", "third"))
    assert one.startswith(b"\x89PNG")
    assert one == other != third


def test_an_encoder_folder_has_its_curve_which_its_digest_does_not_cover(static_folder: Path):
    manifest = load_manifest(static_folder)
    assert manifest.files["curve.png"]["size"] == (static_folder / "curve.png").stat().st_size
    assert "](curve.png)" in (static_folder / "README.md").read_text(encoding="utf-8")
