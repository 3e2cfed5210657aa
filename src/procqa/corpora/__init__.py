"""Benchmarks and code corpora in their published layouts."""
