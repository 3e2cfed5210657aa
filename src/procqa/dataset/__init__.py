"""The dataset: built from pairs, split, proven, and described."""
