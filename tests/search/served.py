"""A server in a process of its own, and what a client sees of it."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

from procqa.encoder.model import open_encoder
from procqa.index.build import build_index
from tests.index.small import ROWS, to_row, write_dataset, write_encoder

HOSTILE = to_row(
    70,
    "rust",
    "</title><script>alert('title')</script> map",
    '<img src=x onerror=alert(1)> [x](javascript:alert(1))\n\n```rust\nlet x = "</code><script>";\n```',
    answer_author="<b>Mallory</b>",
    answer_author_url="javascript:alert('author')",
    answer_licence='CC BY-SA 4.0" onclick="alert(1)',
    question_url='https://a.example/" onmouseover="alert(1)',
)


def write_index(folder: Path) -> Path:
    """An index of six documents with vectors."""
    model = write_encoder(folder / "model")
    dataset = write_dataset(folder / "d", [*ROWS, HOSTILE])
    build_index([dataset], folder / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    return folder / "i"


class Served:
    """A server in a process of its own; its log is JSON, for its standard error is no terminal."""

    def __init__(self, index: Path, *options: str) -> None:
        # A file and no pipe: nobody reads a pipe meanwhile, and a full one would stop the server.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in __exit__
        self.process = subprocess.Popen(
            [sys.executable, "-m", "procqa", "serve", str(index), "--port", "0", *options], stderr=self._log
        )
        self.client = httpx.Client(timeout=30)
        while not (lines := self.said()):
            assert self.process.poll() is None
            time.sleep(0.05)
        assert "serving http://" in lines[0], lines
        self.url = json.loads(lines[0])["url"]
        self.client.base_url = self.url

    def said(self) -> list[str]:
        """The whole lines that the server has written."""
        text = Path(f"/proc/self/fd/{self._log.fileno()}").read_text(encoding="utf-8")
        return text.splitlines()[: text.count("\n")]

    @property
    def port(self) -> int:
        return int(httpx.URL(self.url).port or 80)

    def get(self, path: str, **parameters: Any) -> Any:
        return self.client.get(path, params=parameters)

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no server behind a test that failed."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.client.close()
        self._log.close()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]]]:
        """End the server: its exit status, and the lines of its log since the first."""
        self.client.close()
        self.process.send_signal(number)
        status = self.process.wait(timeout=30)
        return status, [json.loads(line) for line in self.said()[1:] if line.startswith("{")]


def worse_than_info(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a log that somebody should read."""
    return [line for line in log if line["level"] != "info"]


class Page(HTMLParser):
    """The tags of a page, and the titles of its hits."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.titles: list[str] = []
        self.text = ""
        self._in_title = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "h2":
            self._in_title = True
            self.titles.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "h2"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_title:
            self.titles[-1] += data
