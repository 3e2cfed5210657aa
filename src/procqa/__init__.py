"""procqa: programming questions and answers, from dump to dataset, encoder, scores and search."""

__version__ = "0.1.0"
__all__ = ["__version__"]
