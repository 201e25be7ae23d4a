"""`visionhub reparse`: rebuild what is derived from what was received."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def reparse(
    study: Annotated[Path, typer.Argument(help="The study file.")] = Path("study.db"),
) -> None:
    """Rebuild labels, objects, faces and all other derived tables from the stored raw answers."""
    from visionhub.facade import Study

    counts = Study(study).reparse()
    for status, count in sorted(counts.items()):
        typer.echo(f"{status}: {count}")
    typer.echo(f"{sum(counts.values())} answers parsed again; nothing was sent.")
