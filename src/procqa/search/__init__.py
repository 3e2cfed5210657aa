"""Answers with author and licence: the searcher and its HTTP page."""
