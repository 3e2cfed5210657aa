"""The picture of a run: loss, learning rate and speed over its steps, drawn from ``training.jsonl``."""

import json
from pathlib import Path

from procqa.figure import GREY, INK, figure

PANELS = {
    "loss": ("loss: mean since the last logged step", "nats", "#c8553d"),
    "learning_rate": ("learning rate", "rate", "#f2a541"),
    "pairs_per_s": ("speed", "pairs a second", "#1f6f8b"),
}
"""What is drawn of a line of the log: the title of its axes, its unit, and its colour."""

ROWS, LEFT_INCHES, BELOW_INCHES = 4, 1.0, 0.45
"""Height of each panel, and the room for the names of the axes."""


def draw_curve(path: Path, log: Path) -> None:
    """Draw a log of at least one line; equal logs give equal bytes."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    steps = [line["step"] for line in lines]
    with figure(path, [ROWS] * len(PANELS), left_inches=LEFT_INCHES, below_inches=BELOW_INCHES) as drawn:
        for axes, (name, (title, unit, colour)) in zip(drawn.axes, PANELS.items(), strict=True):
            values = [line[name] for line in lines]
            axes.plot(steps, values, color=colour, linewidth=1.2, marker=".", markersize=3, clip_on=False)
            axes.set_title(title, loc="left", fontsize=10, color=INK)
            axes.set_ylabel(unit, fontsize=8)
            axes.set_xlim(0, 1.03 * steps[-1])  # room for the last number
            axes.set_ylim(0, 1.05 * max(values) or 1)
            axes.locator_params(axis="x", integer=True)
            axes.grid(axis="y", color=GREY, linewidth=0.5)
            axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
            axes.tick_params(labelsize=8)
        drawn.axes[-1].set_xlabel("optimiser steps", fontsize=9)
