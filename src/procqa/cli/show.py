"""``procqa show``: what a folder holds."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from procqa.cli.common import attribution_lines, json_option, print_json
from procqa.errors import ConfigError
from procqa.text import one_line, visible

_SHOWN_CHARS = 600
_SHORTENED = ("title", "question", "answer")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--language", help="of a dataset: show a pair in this language")
@json_option
def command(folder: Path, language: str | None, as_json: bool) -> None:
    """Look into any folder procqa made: counts, recipe, inputs, a pair of a dataset, the verdicts of a study."""
    from procqa.manifest import load_manifest
    from procqa.studies.results import KIND

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
        description["example"] = _example(folder, language, manifest.counts.get("languages", ()))
    if manifest.kind == KIND:
        _show_study(description, folder, as_json=as_json)
        return
    example = description.get("example")
    if as_json:
        if example is not None:
            description["example"] = {name: _plain(value) for name, value in example.items()}
        print_json(description)
    else:
        _print(description)
        if example is not None:
            _print_example(example, folder)


def _show_study(description: dict[str, Any], folder: Path, *, as_json: bool) -> None:
    """A study has its statement as its recipe, which its page shows; here are its question, scale and verdicts."""
    from procqa.cli.report import print_verdicts
    from procqa.studies.report.words import tell_verdicts
    from procqa.studies.results import load_found

    found = load_found(folder)
    told = tell_verdicts(found)
    if as_json:
        verdicts = [{"claim": one.claim["sentence"], "verdict": one.verdict, "said": one.said} for one in told]
        print_json({**description, "verdicts": verdicts})
        return
    asked = {name: found.study[name] for name in ("name", "title", "question", "scale", "commit")}
    counts = {"runs": len(found.runs), "processor hours": f"{found.cpu_hours:.2f}"}
    _print({**description, "recipe": asked, "counts": counts})
    print_verdicts(told)


def _example(folder: Path, language: str | None, held: Collection[str]) -> dict[str, Any] | None:
    """The first pair of a dataset, texts shortened and its attribution whole."""
    from procqa.dataset.schema import read_rows

    if language is not None and language not in held:
        raise ConfigError(f"--language must be one of {', '.join(held)}, which the dataset holds, got {language!r}")
    row = next(read_rows(folder, language=language, batch_rows=1), None)
    if row is None:
        return None
    return {name: value[:_SHOWN_CHARS] if name in _SHORTENED else value for name, value in row.items()}


def _plain(value: Any) -> Any:  # Any: a value of an Arrow row
    """A value as JSON can hold it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _print(description: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    size = f"{description['size_bytes'] / (1 << 20):,.1f} MB"
    heading = f"{description['kind']} {description['sha256'][:12]}, {size}: {description['folder']}"
    console.print(Text(one_line(heading), style="bold"))
    table = Table(show_header=False)
    for part in ("inputs", "recipe", "counts"):
        value = description[part]
        entries = [(entry["name"], entry["sha256"][:12]) for entry in value] if part == "inputs" else value.items()
        for name, entry in entries:
            table.add_row(part, Text(one_line(name)), Text(one_line(str(entry))))
    console.print(table, soft_wrap=False)


def _print_example(example: dict[str, Any], folder: Path) -> None:
    """Print a pair with who wrote its two sides; what strangers wrote has no power over the terminal.

    Raises:
        ArtifactError: the pair does not say who wrote it.
    """
    from rich.console import Console
    from rich.text import Text

    from procqa.index.documents import row_document

    document = row_document(dict(example), folder)
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"\n{one_line(document.title)}\n", style="bold"))
    console.print(Text(f"{visible(document.question)}\n\n→ {visible(document.answer)}\n"))
    for line in attribution_lines(document.attribution, document.place):
        console.print(Text(line, style="dim"))
