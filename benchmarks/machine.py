"""What a measurement ran on: processor, cores, memory, Python and package versions; no host name, no path."""

import importlib.metadata
import platform
import re
from pathlib import Path
from typing import Any

from procqa.doctor import memory_bytes, usable_cores

PACKAGES = (
    "procqa",
    "faiss-cpu",
    "lxml",
    "numba",
    "numpy",
    "openvino",
    "py7zr",
    "pyarrow",
    "selectolax",
    "sentence-transformers",
    "tantivy",
    "tokenizers",
    "torch",
    "transformers",
)


def describe_machine() -> dict[str, Any]:
    """The machine as a JSON object; a package that is not installed is None."""
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "memory_bytes": memory_bytes(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in PACKAGES},
    }


def cpu_name() -> str:
    """The processor's name as the system gives it, or its architecture."""
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        match = None
    return match[1].strip() if match else platform.processor() or platform.machine()


def package_version(name: str) -> str | None:
    """The installed version of a distribution."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
