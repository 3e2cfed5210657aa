"""How long a run is: its steps, from what it is to see.

A learning rate that falls to 0 must know its end before the first step. A batch is a function of seed and step, so
what a run will see is counted by drawing its batches without training on them, and the last one is the first with
which enough was seen. Source: ours, docs/decisions/0021.
"""

from collections.abc import Callable, Sized
from itertools import count
from typing import TypeVar

from procqa.config import MAX_STEPS, TrainConfig
from procqa.encoder.batches import Batches
from procqa.encoder.sampling import Sampler
from procqa.errors import ConfigError

_FIRST_STEPS = 256

Drawn = TypeVar("Drawn", bound=Sized)
"""Something with as many batches as steps."""


def count_steps(config: TrainConfig, pairs: int, make: Callable[[int], Batches]) -> int:
    """The steps of a run: as many as are asked for, or the fewest that see its epochs or its tokens.

    Args:
        config: with one of steps, epochs and tokens.
        pairs: of all streams; an epoch has seen as many.
        make: the batches of a run of some steps; those of a longer one begin with them.

    Raises:
        ConfigError: it would take more steps than a run may have.
    """
    if config.epochs is not None:
        goal = config.epochs * pairs
        return _first_step(make, lambda batches, step: len(batches.draw(step)), goal, f"epochs {config.epochs}")
    if config.tokens is not None:
        return _first_step(make, _read, config.tokens, f"tokens {config.tokens}")
    assert config.steps is not None
    return config.steps


def steps_for_pairs(goal: int, make: Callable[[int], Sampler]) -> int:
    """The fewest steps that see so many pairs.

    Args:
        make: what draws the batches of a run of some steps.

    Raises:
        ConfigError: see ``count_steps``.
    """
    return _first_step(make, lambda sampler, step: len(sampler.draw(step)), goal, f"{goal} pairs")


def _first_step(make: Callable[[int], Drawn], see: Callable[[Drawn, int], int], goal: int, what: str) -> int:
    """The steps after which as much was seen as is wanted."""
    seen = step = 0
    for doubled in count():
        batches = make(min(_FIRST_STEPS << doubled, MAX_STEPS))
        while step < len(batches):
            seen += see(batches, step)
            step += 1
            if seen >= goal:
                return step
        if step == MAX_STEPS:
            break
    raise ConfigError(
        f"{what} must be seen within {MAX_STEPS} steps, but so many see {seen / goal:.0%} of it: ask for less"
    )


def _read(batches: Batches, step: int) -> int:
    before = batches.tokens_seen
    batches[step]
    return batches.tokens_seen - before
