"""The published files of the benchmarks, one reader each: file → rows, lazily; relevance is decided elsewhere."""
