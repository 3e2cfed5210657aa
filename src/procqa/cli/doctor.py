"""``procqa doctor``: say what is installed and works."""

from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click

from procqa.cli.common import json_option, print_json
from procqa.doctor import Report, examine
from procqa.errors import ProcqaError

COLOURS = {"ok": "green", "absent": "yellow", "broken": "red"}
ORDER = {outcome: place for place, outcome in enumerate(COLOURS)}


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Say what is installed and works, and what to do about the rest.

    Looks at Python, every package of the base install and of the extras, programs that make reading faster,
    the shipped files, and the machine. No network. The status is 0 when the base install works, else 1.
    """
    report = examine(Path())
    if as_json:
        print_json({"ok": report.ok, "procqa": report.version, "findings": [asdict(each) for each in report.findings]})
    else:
        print_table(report)
    if not report.ok:
        broken = ", ".join(each.subject for each in report.findings if each.needed and each.outcome != "ok")
        raise ProcqaError(f"the base install must work, but these do not: {broken}; follow the advice beside them")


def print_table(report: Report) -> None:
    """Print the findings as one table on standard output; packages that are well share a line."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    columns = ("part", "state", Column("what", overflow="fold"), Column("to do", overflow="fold"))
    table = Table(*columns, title=f"procqa {report.version}", title_justify="left")
    for group, findings in groupby(report.findings, key=lambda finding: finding.group):
        by_outcome = sorted(findings, key=lambda finding: ORDER[finding.outcome])
        for outcome, alike in groupby(by_outcome, key=lambda finding: finding.outcome):
            rows = list(alike)
            what = ", ".join(f"{each.subject} {each.detail}" for each in rows)
            advice = "\n".join(dict.fromkeys(each.advice for each in rows if each.advice))
            table.add_row(group, f"[{COLOURS[outcome]}]{outcome}", escape(what), escape(advice))
        table.add_section()
    Console().print(table)
