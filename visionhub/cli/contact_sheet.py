"""`visionhub contact-sheet`: photographs and what was seen in them, on one page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from visionhub.cli.options import spared


class Sort(StrEnum):
    """Orders of a contact sheet."""

    ADDED = "added"
    PATH = "path"
    TAKEN = "taken"
    RESULTS = "results"
    PROBLEMS = "problems"


def contact_sheet(
    study: Annotated[Path, typer.Argument(help="The study file.")] = Path("study.db"),
    out: Annotated[Path, typer.Option(help="The page to write.", callback=spared)] = Path(
        "contact-sheet.html"
    ),
    limit: Annotated[int, typer.Option(min=1, help="At most so many photographs.")] = 200,
    sort: Annotated[Sort, typer.Option(help="Which come first.")] = Sort.ADDED,
    show_faces: Annotated[
        bool, typer.Option("--show-faces", help="Do not blur faces: mind who will see the page.")
    ] = False,
) -> None:
    """Write one self-contained HTML page of photographs with their annotations."""
    from visionhub.report.contact import contact_sheet as write_page
    from visionhub.report.plain import counted
    from visionhub.store.study import StudyFile

    with StudyFile(study) as opened:
        counts = write_page(opened, out, limit=limit, sort=sort.value, show_faces=show_faces)
    typer.echo(f"{counts.photographs} of {counted(counts.of, 'photograph')}: {out}")
    if counts.unsearched:
        typer.echo(
            f"{counted(counts.unsearched, 'photograph')} not searched for faces, blurred as a "
            f"whole: annotate with -t faces, or use --show-faces.",
            err=True,
        )
