"""An index that is served while it may be updated: the manifest says when to open it anew."""

import logging
import threading
from pathlib import Path

from procqa.errors import ProcqaError
from procqa.manifest import MANIFEST
from procqa.search.searcher import Searcher

logger = logging.getLogger(__name__)


class LiveSearcher:
    """The searcher of an index as it stands now, safe to use from several threads.

    ``opened`` counts how often an index was opened, the first time included; ``is_stale`` says that what lies in
    the folder now cannot be served, or is gone, so that an older index answers.

    Raises:
        ArtifactError: the folder is no index, or its encoder cannot be loaded.
    """

    def __init__(self, index: Path) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._seen = self._signature()
        self._searcher = _open(index)
        self.opened = 1
        self.is_stale = False

    @property
    def latest(self) -> Searcher:
        """The searcher that is open, without a look at the disk."""
        return self._searcher

    def current(self) -> Searcher:
        """The searcher; after an update one caller opens the new index, the others go on with the old.

        An index that cannot be opened is reported in the log, and the old one goes on answering.
        """
        signature = self._signature()
        if signature != self._seen and self._lock.acquire(blocking=False):
            try:
                self._replace(signature)
            finally:
                self._lock.release()
        return self._searcher

    def _replace(self, signature: tuple[int, ...]) -> None:
        try:
            self._searcher = _open(self._index)
            self.opened += 1
            self.is_stale = False
            logger.info("serving the updated index, %d documents", len(self._searcher))
        except ProcqaError as error:
            self.is_stale = True
            logger.warning("the updated index cannot be served, the old one stays: %s", error)
        self._seen = signature

    def _signature(self) -> tuple[int, ...]:
        """What changes when the manifest is replaced; empty while there is none."""
        try:
            found = (self._index / MANIFEST).stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size


def _open(index: Path) -> Searcher:
    searcher = Searcher.open(index, with_encoder=True)
    searcher.warm()
    return searcher
