"""The error tree: every failure procqa explains, and nothing else.

ProcqaError
├── ConfigError (ValueError)     a setting is out of range
├── DumpError                    a dump cannot be read; .path, .offset in bytes
├── ArtifactError                a folder is missing, of another kind, or of another format version
├── BenchmarkError               benchmark data is absent or not in its published layout
├── QueryError (ValueError)      a request that cannot be answered
├── MissingExtra (ImportError)   an optional dependency is absent; .extra, the text is the pip line
└── ToldElsewhere                another process of the same run has said what failed

The sentence says what must hold, what came and what to do. Two places translate these errors: the
command line (ConfigError and QueryError exit 2, the others 1) and the server (QueryError is 400).
"""


class ProcqaError(Exception):
    """The root of every failure that procqa explains in one sentence."""


class ConfigError(ProcqaError, ValueError):
    """A setting is out of its range, or two settings contradict each other."""


class DumpError(ProcqaError):
    """A dump that cannot be read to its end.

    Args:
        sentence: what must hold, what came, what to do.
        path: the dump's name as the user gave it.
        offset: bytes into the decompressed stream, where that is known.
    """

    def __init__(self, sentence: str, *, path: str = "", offset: int | None = None) -> None:
        super().__init__(sentence)
        self.path = path
        self.offset = offset

    def __reduce__(self) -> tuple[object, ...]:
        """Keep path and offset when the error crosses a process border."""
        return _rebuild_dump_error, (str(self), self.path, self.offset)


def _rebuild_dump_error(sentence: str, path: str, offset: int | None) -> DumpError:
    return DumpError(sentence, path=path, offset=offset)


class ArtifactError(ProcqaError):
    """A folder that is missing, broken, of another kind, or of another format version."""


class BenchmarkError(ProcqaError):
    """Benchmark data that is absent or not in its published layout."""


class QueryError(ProcqaError, ValueError):
    """A request that cannot be answered: empty, too long, or out of range."""


class MissingExtra(ProcqaError, ImportError):
    """An optional dependency is not installed.

    Args:
        extra: the name of the extra that brings it, as in ``pip install 'procqa[train]'``.
        purpose: what needs it, as the subject of a sentence.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs a package that is not installed: pip install 'procqa[{extra}]'")
        self.extra = extra


class ToldElsewhere(ProcqaError):
    """Another process of the same run has said what failed, so this one says nothing."""
