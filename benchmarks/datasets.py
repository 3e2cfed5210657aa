"""Datasets to search in and to train on, built from generated dumps that hold nothing but pairs."""

from pathlib import Path

from benchmarks.dumps import DENSE, write_dump
from procqa.config import RunConfig
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest

PAIR_BYTES = 3_100
"""What a pair of a dense dump takes there, on average."""


def dense_dataset(scratch: Path, *, documents: int, seed: int) -> Path:
    """A dataset of about so many pairs below a folder."""
    dump, out = scratch / "dense.xml", scratch / "dataset"
    write_dump(dump, size_bytes=documents * PAIR_BYTES, seed=seed, shape=DENSE)
    build_dataset(BuildRequest(dumps=(str(dump),), out=out, run=RunConfig(jobs=1)))
    dump.unlink()
    return out
