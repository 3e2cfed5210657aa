"""Numbers that can be trusted: tasks, rankers, metrics, intervals."""
