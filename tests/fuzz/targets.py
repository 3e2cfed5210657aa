"""What is fuzzed: each target is a strategy for inputs and a check that none of them may fail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.dump.random_posts import POST
from tests.fuzz import archives, bodies, rows


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is fuzzed.

    Args:
        speed: examples relative to the others, by how long one takes.
    """

    name: str
    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    speed: float = 1.0

    def run(self, *, examples: int, number: int) -> None:
        """Check so many inputs; the same number gives the same ones. What fails is shrunk and raised."""

        @seed(number)
        @settings(
            max_examples=max(1, int(examples * self.speed)),
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(self.inputs)
        def check(value: Any) -> None:
            self.check(value)

        check()


TARGETS = (
    Target("rows", rows.DUMP, rows.check_rows, 0.5),
    Target("neighbours", rows.MUTATED_ROW, rows.check_neighbours),
    Target("tables beside posts", rows.SIDE_ROWS, rows.check_side_tables),
    Target("bodies", bodies.BODY, bodies.check_body),
    Target("ways of bodies", bodies.USUAL_BODY, bodies.check_ways, 2.0),
    Target("words and code", POST, bodies.check_words_and_code, 0.3),
    Target("code", bodies.CODE, bodies.check_code),
    Target("html tags", bodies.BODY, bodies.check_html_tags),
    Target("tags of posts", bodies.TAG_LISTS, bodies.check_post_tags),
    Target("archives", archives.broken_archives(), archives.check_archive, 0.2),
)
"""Everything that reads what strangers wrote."""
