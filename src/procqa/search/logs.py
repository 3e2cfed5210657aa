"""The log of a server: one line a record on standard error, as JSON for programs or as text for people.

What a record is told with ``extra={"facts": {…}}`` stands in its line as further keys. No query is ever logged.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from procqa.config.search import LogForm


def write_logs(form: LogForm) -> None:
    """Send what the process logs to standard error: all that procqa says, and the warnings of others."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("procqa").setLevel(logging.INFO)


def describe(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says of a record: time, level and message, its facts, and a traceback where there is one."""
    line = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "message": record.getMessage().strip(),
        **getattr(record, "facts", {}),
    }
    if record.exc_info is not None and record.exc_info[1] is not None:
        line["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
    return line


class JsonLines(logging.Formatter):
    """A record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return json.dumps(describe(record), ensure_ascii=True, default=str)


class TextLines(logging.Formatter):
    """A record as a line for people; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = describe(record)
        trace = line.pop("traceback", "")
        head = f"{line.pop('time')[11:23]} {line.pop('level')}: {line.pop('message')}"
        facts = " ".join(f"{name}={value if isinstance(value, int) else ascii(value)}" for name, value in line.items())
        return f"{head}  {facts}".rstrip() + (f"\n{trace}" if trace else "")
