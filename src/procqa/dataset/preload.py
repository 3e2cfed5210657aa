"""What every worker of a build needs, made ready by importing this: modules, and the kernels of usual posts.

The server that forks the workers imports it once for all of them, while the first blocks are read.
"""

import contextlib

from procqa.dataset import collect, runs, scan  # noqa: F401 - importing them is what this is for
from procqa.dataset.word_counts import BYTE_CLASSES, count_words
from procqa.dump.blocks import Block
from procqa.dump.body import to_markdown
from procqa.dump.columns import read_columns

_ROW = b'<row Id="1" PostTypeId="2" ParentId="1" CreationDate="2020-01-01T00:00:00.000" Body="&lt;p&gt;x&lt;/p&gt;" />'


def _run_kernels() -> None:
    """Call each kernel once: numba loads what it has compiled when it is first called."""
    import numpy as np

    rows = read_columns(Block(0, 0, _ROW))
    every = np.arange(len(rows.posts))
    _, texts = rows.take(every, np.ones(len(every), dtype=bool))
    runs.count_texts([to_markdown(texts.tobytes().decode())])
    count_words(texts, np.array([0, len(texts)]), BYTE_CLASSES)


# Where that fails the first task says why, in a process that can tell it.
with contextlib.suppress(ImportError, OSError, RuntimeError, ValueError):
    _run_kernels()
