"""`visionhub demo`: see the main job done on real photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("demo"),
) -> None:
    """Annotate a few openly licensed photographs with the embedded models: no key, no GPU."""
    from visionhub.cli.watch import ProgressLine, note
    from visionhub.demo import demonstrate, next_steps
    from visionhub.report.terminal import Section, write

    line = ProgressLine()
    study, progress = demonstrate(out, note, line.show)
    line.end(progress)
    found = study.overview()
    write([Section("What was found", tuple(found.columns), found.rows)])
    typer.echo(next_steps(study, out))
