"""`visionhub import-bodies`: raw answers that were received earlier, into a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from visionhub.cli.options import spared


def import_bodies(
    answers: Annotated[
        list[str],
        typer.Argument(
            help="Files and folders of raw answers: one JSON an image, JSON lines, lists, or CSV "
            "files with columns answer and image."
        ),
    ],
    provider: Annotated[str, typer.Option("--provider", "-p", help="Who had answered.")],
    images: Annotated[
        list[str],
        typer.Option(help="The images that they are about: a folder or file; repeat it."),
    ],
    study: Annotated[Path, typer.Option("--study", "-s", help="The study file.")] = Path(
        "study.db"
    ),
    collection: Annotated[
        str | None,
        typer.Option(help="A name for these answers. Default: that of their folder."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--tasks",
            "-t",
            help="What they had been asked for, comma-separated: an empty answer then means none "
            "found. Default: what each says something about.",
        ),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(help="A CSV file with columns answer (names of files) and image."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="How answers' files are named: '{stem}_vision.json'; {name}, {sha256}."),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(help="The day (YYYY-MM-DD) of answers that do not tell when they came."),
    ] = None,
    sensitive: Annotated[
        str | None,
        typer.Option(help="Sensitive attributes and tasks to take by name, such as age,gender."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write what is not imported into this CSV file.", callback=spared),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Put raw answers of earlier runs into a study, with their dates; nothing is sent."""
    from visionhub.cli.importing import Wanted, run_import

    wanted = Wanted(
        answers=answers,
        provider=provider,
        images=images,
        collection=collection,
        tasks=task or (),
        match=match,
        pattern=pattern,
        received=date,
        sensitive=sensitive or (),
    )
    raise typer.Exit(run_import(study, wanted, report, as_json=json))
