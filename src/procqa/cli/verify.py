"""``procqa verify``: a folder against its manifest, down to the dump."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from procqa.cli.common import json_option, print_json
from procqa.errors import ArtifactError
from procqa.text import one_line

if TYPE_CHECKING:
    from procqa.chain import Check


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="where an input of the chain is: a dump, a benchmark, a dataset; may be repeated",
)
@json_option
def command(folder: Path, inputs: tuple[Path, ...], as_json: bool) -> None:
    """Check every byte of a folder procqa made, and its inputs as far as they are at hand."""
    from procqa.chain import verify
    from procqa.corpora.sources import is_input
    from procqa.manifest import load_manifest

    checks = verify(folder, inputs, matches=is_input)
    # What a folder claims of itself can be proven only of rows that are what the manifest says.
    prove = _prover(load_manifest(folder).kind)
    if prove is not None and all(check.outcome != "failed" for check in checks):
        checks += prove(folder, inputs)
    failed = [check for check in checks if check.outcome == "failed"]
    if as_json:
        print_json({"folder": str(folder), "ok": not failed, "checks": [dataclasses.asdict(check) for check in checks]})
    else:
        for check in checks:
            if check.outcome != "ok":
                click.echo(one_line(f"{check.outcome}: {check.subject}: {check.detail}"))
        click.echo(f"{sum(check.outcome == 'ok' for check in checks)} of {len(checks)} checks passed")
    if failed:
        raise ArtifactError(
            f"{folder} must be as its manifest says, but {len(failed)} of {len(checks)} checks failed:"
            f" {failed[0].subject}: {failed[0].detail}"
        )


def _prover(kind: str) -> Callable[[Path, Sequence[Path]], list["Check"]] | None:
    """What proves again what a folder of a kind says of itself."""
    if kind == "dataset":
        from procqa.dataset.checks import check_dataset

        return check_dataset
    if kind == "negatives":
        from procqa.encoder.negatives import check_negatives

        return check_negatives
    if kind == "study":
        from procqa.studies.checks import check_study

        return check_study
    return None
