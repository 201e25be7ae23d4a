"""`visionhub show`: what a study says about one photograph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from visionhub.cli.options import spared
from visionhub.cli.progress import noting


def show(
    image: Annotated[
        str, typer.Argument(help="A file, its SHA-256 or the start of it, or an image's number.")
    ],
    study: Annotated[Path, typer.Option("--study", "-s", help="The study file.")] = Path(
        "study.db"
    ),
    out: Annotated[
        Path | None,
        typer.Option(
            help="Draw boxes, points and names on the photograph: .png, .jpg or .webp.",
            callback=spared,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show everything that a study says about one photograph."""
    from visionhub.report.drawing import draw_report
    from visionhub.report.find import find_image
    from visionhub.report.shown import ImageReport
    from visionhub.report.terminal import write, write_json
    from visionhub.store.study import StudyFile

    with StudyFile(study) as opened:
        report = ImageReport(opened, find_image(opened, image))
        if out is not None:
            draw_report(opened, report, out)
            noting(as_json=json)(f"Drawn: {out}")
        write_json(report.as_json()) if json else write(report.sections())
