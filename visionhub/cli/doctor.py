"""`visionhub doctor`: what this machine has, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    study: Annotated[Path | None, typer.Argument(help="A study to check too.")] = None,
    named: Annotated[
        Path | None, typer.Option("--study", "-s", help="The same, as other commands take it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check Python, SQLite, picture formats, extras, model weights and, if named, a study."""
    from visionhub.report.health import findings
    from visionhub.report.terminal import write_json

    found = findings(_one(study, named))
    if json:
        write_json([vars(finding) for finding in found])
    for finding in () if json else found:
        typer.echo(f"{'ok  ' if finding.ok else 'NOTE'}  {finding.subject}: {finding.says}")
    raise typer.Exit(1 if any(finding.broken for finding in found) else 0)


def _one(study: Path | None, named: Path | None) -> Path | None:
    """The study, however it was named; UsageError for two."""
    if study is not None and named is not None and study != named:
        from visionhub.errors import UsageError

        raise UsageError(f"Two studies are named, {str(study)!r} and {str(named)!r}: check one.")
    return named if study is None else study
