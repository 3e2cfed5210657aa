"""A real browser for pages: Debian's Chromium, driven by playwright."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium, as make test does where it is root"
)


@contextmanager
def open_page(**options: Any) -> Iterator[tuple[Any, list[str]]]:
    """An empty page of a fresh browser, and whatever it complains of while it is used.

    Args:
        options: of the browser's context, such as ``viewport`` and ``color_scheme``.
    """
    from playwright.sync_api import sync_playwright

    complaints: list[str] = []
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(FLAGS), **options
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda request: complaints.append(f"loads {request.url}") if _is_remote(request.url) else None
        )
        try:
            yield page, complaints
        finally:
            context.close()


def _is_remote(url: str) -> bool:
    return not url.startswith(("file:", "data:", "about:", "http://127.0.0.1", "http://localhost"))
