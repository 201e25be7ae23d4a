"""`visionhub doctor`: what this machine has, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    study: Annotated[Path | None, typer.Option("--study", "-s", help="Also check a study.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check Python, SQLite, picture formats, extras, model weights and, if named, a study."""
    from visionhub.report.health import findings
    from visionhub.report.terminal import write_json

    found = findings(study)
    if json:
        write_json([vars(finding) for finding in found])
    for finding in () if json else found:
        typer.echo(f"{'ok  ' if finding.ok else 'NOTE'}  {finding.subject}: {finding.says}")
    raise typer.Exit(1 if any(finding.broken for finding in found) else 0)
