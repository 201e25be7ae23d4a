"""`visionhub providers`: who can be asked what."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer


def providers(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List installed providers with their tasks, scales, floors, vocabularies and parameters."""
    from rich.table import Table

    from visionhub.cli.console import console
    from visionhub.report.offered import offered

    rows = offered()
    if json:
        typer.echo(json_module.dumps(rows, indent=2))
        return
    table = Table("provider", "task", "scale", "floor", "vocabulary", "parameters", "sensitive")
    for row in rows:
        table.add_row(*row.values())
    console().print(table)
