"""What every worker of a build needs, made ready by importing this: modules, and the kernels of usual posts.

The server that forks the workers imports it once for all of them, while the first blocks are read; `make setup`
imports it so that the first build compiles nothing.
"""

import contextlib

import numpy as np
import pyarrow as pa

from procqa.dataset import collect, runs, scan  # noqa: F401 - importing them is what this is for
from procqa.dataset.columnar import integers
from procqa.dataset.convert import to_pair
from procqa.dataset.schema import SCHEMA
from procqa.dataset.secrets import find_secrets
from procqa.dataset.statistics import describe_table
from procqa.dump.blocks import Block
from procqa.dump.body import to_markdown
from procqa.dump.columns import read_columns
from procqa.dump.posts import to_post, to_records

_ROW = b'<row Id="1" PostTypeId="1" CreationDate="2020-01-01T00:00:00.000" Title="Why?" Body="&lt;p&gt;x&lt;/p&gt;" />'


def _run_kernels() -> None:
    """Take posts the whole way: numba loads, or compiles, a kernel when it is first called with arrays of a kind."""
    rows = read_columns(Block(0, 0, _ROW + _ROW))
    every = np.arange(len(rows.posts))
    records, texts = rows.take(every, np.ones(len(every), dtype=bool))
    post = to_post(to_records(records)[0], texts.tobytes()[: len(texts) // 2], site="local")
    pair = to_pair(post, post, "c", post.title, to_markdown(post.body_html), "x@example.com")
    batch = runs.to_batch([runs.OrderedPair(pair, 0, 0)])
    # As a part is made: what was taken from a table lies in memory that can be written.
    table = pa.Table.from_batches([batch]).take(integers([0])).combine_chunks()
    describe_table("c", "test", table.select(SCHEMA.names))
    find_secrets(pair.answer)


# Where that fails the first task says why, in a process that can tell it.
with contextlib.suppress(ImportError, OSError, RuntimeError, ValueError):
    _run_kernels()
