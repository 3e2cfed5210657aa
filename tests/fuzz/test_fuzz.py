"""Each fuzzer for a moment; ``python -m tests.fuzz`` runs them for longer."""

import pytest

from tests.fuzz.targets import TARGETS, Target


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_short_run_finds_no_crash_and_no_lost_row(target: Target):
    target.run(examples=60, number=1)
