"""`visionhub demo`: see the main job done on real photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("demo"),
) -> None:
    """Annotate a few openly licensed photographs with the embedded models: no key, no GPU."""
    from visionhub.cli.console import print_table
    from visionhub.cli.watch import ProgressLine, note
    from visionhub.demo import demonstrate

    line = ProgressLine()
    study, progress = demonstrate(out, note, line.show)
    line.end(progress)
    print_table(study.overview())
    typer.echo(f"\nThe study: {study.path}")
    typer.echo("Next, with your own photographs:  visionhub annotate path/to/photos --study my.db")
