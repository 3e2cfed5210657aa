"""Records ``procqa demo`` as a picture for the README: ``python -m docs.picture``.

The demo runs for real; only the paths of the machine it ran on are shortened.
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from rich.console import Console
from rich.text import Text

from procqa.bundled import sample_dump

PICTURE = Path(__file__).parent / "images/demo.svg"
COLUMNS = 132


def record() -> str:
    """What the demo prints, with its colours."""
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-m", "procqa", "demo"]
    printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
    return printed.replace(str(sample_dump()), "Posts.xml").replace(sysconfig.get_path("stdlib"), "/usr/lib/python3.11")


def draw(printed: str) -> str:
    """The text as SVG that loads no font from elsewhere and names each part the same in every recording."""
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"))  # noqa: SIM115
    console.print(Text.from_ansi("$ procqa demo\n" + printed), soft_wrap=False)
    svg = console.export_svg(title="procqa demo", unique_id="demo")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw(record()), encoding="utf-8")
