"""`visionhub doctor`: what this machine has, and what is missing."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer


def doctor(
    study: Annotated[Path | None, typer.Option("--study", "-s", help="Also check a study.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check Python, SQLite, picture formats, extras, model weights and, if named, a study."""
    from visionhub.report.health import findings

    found = findings(study)
    if json:
        typer.echo(json_module.dumps([vars(finding) for finding in found], indent=2))
    else:
        for finding in found:
            typer.echo(f"{'ok  ' if finding.ok else 'NOTE'}  {finding.subject}: {finding.says}")
    raise typer.Exit(1 if any(finding.broken for finding in found) else 0)
