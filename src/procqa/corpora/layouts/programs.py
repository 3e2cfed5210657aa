"""POJ-104, CodeNet and Rosetta Code: programs, many of them for one problem."""

from collections.abc import Iterator
from pathlib import Path

from procqa.corpora.layouts.rows import Row, id_of, read_rows, text_of
from procqa.errors import BenchmarkError


def read_rosetta(path: Path) -> Iterator[Row]:
    """Rosetta Code's programs, each a solution of its group's task."""
    for where, row in read_rows(path):
        task = id_of(row, "task", where)
        yield Row(
            id=f"{task}/{id_of(row, 'file', where)}",
            language=text_of(row, "language", where),
            document=text_of(row, "code", where),
            group=task,
        )


def read_poj104(path: Path) -> Iterator[Row]:
    """POJ-104's programs, each a solution of the problem that its label names.

    Source: microsoft/CodeXGLUE: Code-Code/Clone-detection-POJ-104/README.md.
    """
    for where, row in read_rows(path):
        yield Row(id=id_of(row, "index", where), document=text_of(row, "code", where), group=id_of(row, "label", where))


def read_codenet(path: Path) -> Iterator[Row]:
    """CodeNet's programs as UniXcoder selects them, each a solution of the problem that its label names.

    Source: microsoft/CodeBERT: UniXcoder/downstream-tasks/zero-shot-search/dataset/preprocess.py.
    """
    for where, row in read_rows(path):
        if row.get("func") == "":
            raise BenchmarkError(
                f"{where} must have the program as 'func', but it is empty, as in the list of ids that UniXcoder "
                "ships: fill it in from Project CodeNet with its preprocess.py"
            )
        problem = id_of(row, "label", where)
        yield Row(id=f"{problem}/{id_of(row, 'index', where)}", document=text_of(row, "func", where), group=problem)
