"""``procqa show``: what a folder holds."""

from pathlib import Path
from typing import Any

import click

from procqa.cli.common import json_option, print_json

_SHOWN_CHARS = 600


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--language", help="of a dataset: show a pair in this language")
@json_option
def command(folder: Path, language: str | None, as_json: bool) -> None:
    """Look into a dataset, an encoder or an index: counts, recipe, inputs, and a pair of a dataset."""
    from procqa.artifact import load_manifest

    manifest = load_manifest(folder)
    description: dict[str, Any] = {
        "folder": str(folder),
        "kind": manifest.kind,
        "sha256": manifest.sha256,
        "size_bytes": sum(entry["size"] for entry in manifest.files.values()),
        "inputs": [{"name": entry.name, "size": entry.size, "sha256": entry.sha256} for entry in manifest.inputs],
        "recipe": manifest.recipe,
        "counts": manifest.counts,
    }
    if manifest.kind == "dataset":
        description["example"] = _example(folder, language)
    if as_json:
        print_json(description)
    else:
        _print(description)


def _example(folder: Path, language: str | None) -> dict[str, Any] | None:
    """The first pair of a dataset, texts shortened."""
    from procqa.dataset.schema import read_rows

    row = next(read_rows(folder, language=language, batch_rows=1), None)
    if row is None:
        return None
    return {name: value[:_SHOWN_CHARS] if isinstance(value, str) else _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:  # Any: a value of an Arrow row
    """A value as JSON can hold it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _print(description: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    size = f"{description['size_bytes'] / (1 << 20):,.1f} MB"
    heading = f"{description['kind']} {description['sha256'][:12]}, {size}: {description['folder']}"
    console.print(Text(heading, style="bold"))
    table = Table(show_header=False)
    for part in ("inputs", "recipe", "counts"):
        value = description[part]
        entries = {entry["name"]: entry["sha256"][:12] for entry in value} if part == "inputs" else value
        for name, entry in entries.items():
            table.add_row(part, name, Text(str(entry)))
    console.print(table)
    example = description.get("example")
    if example:
        console.print(Text(f"\n{example['title']}\n", style="bold"))
        console.print(Text(f"{example['question']}\n\n→ {example['answer']}"))
        authors = f"{example['question_author']} and {example['answer_author']}, {example['answer_licence']}"
        console.print(Text(f"\n{authors}, {example['question_url'] or example['site']}", style="dim"))
