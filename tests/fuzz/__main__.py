"""The fuzzers for as long as one likes: ``python -m tests.fuzz --minutes 10``.

Prints a line now and then, and for each target that failed its input and the number that gives it again
(``--seed``). Exit status 1 if any failed.
"""

import argparse
import sys
import time
import traceback

from tests.fuzz.targets import TARGETS

EXAMPLES = 500
SECONDS_BETWEEN_LINES = 30


def main() -> int:
    """Run all targets in turn until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="number of the first round")
    parser.add_argument("--target", action="append", choices=[target.name for target in TARGETS])
    chosen = parser.parse_args()
    targets = [target for target in TARGETS if chosen.target is None or target.name in chosen.target]
    start, number, n_inputs, failed = time.monotonic(), chosen.seed, 0, set()
    said = start
    while targets and time.monotonic() - start < chosen.minutes * 60:
        for target in targets:
            try:
                target.run(examples=EXAMPLES, number=number)
            except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
                traceback.print_exc()
                _say(f"FAILED: {target.name}, --seed {number}")
                failed.add(target.name)
            n_inputs += int(EXAMPLES * target.speed)
        targets = [target for target in targets if target.name not in failed]
        number += 1
        if time.monotonic() - said > SECONDS_BETWEEN_LINES:
            said = time.monotonic()
            _say(f"{(said - start) / 60:.1f} min: {n_inputs:,} inputs, failed: {', '.join(failed) or 'none'}")
    _say(f"seeds {chosen.seed} to {number - 1}: {n_inputs:,} inputs, failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
