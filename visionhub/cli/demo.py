"""`visionhub demo`: see the main job done on real photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("demo"),
) -> None:
    """Annotate a few openly licensed photographs with the embedded models: no key, no GPU."""
    from visionhub.cli.progress import note, showing
    from visionhub.demo import demonstrate, next_steps
    from visionhub.report.terminal import Section, write

    with showing() as show:
        study, _ = demonstrate(out, note, show)
    found = study.overview()
    write([Section("What was found", tuple(found.columns), found.rows)])
    typer.echo(next_steps(study, out))
