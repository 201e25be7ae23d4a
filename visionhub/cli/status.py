"""`visionhub status`: what is answered in a study, what is missing, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def status(
    study: Annotated[Path, typer.Argument(help="The study file.")] = Path("study.db"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show coverage and missingness by task, provider, status and reason."""
    from visionhub.report.coverage import coverage
    from visionhub.report.standing import sections
    from visionhub.report.terminal import write, write_json
    from visionhub.store.study import StudyFile

    with StudyFile(study) as opened:
        found = coverage(opened)
    write_json(found) if json else write(sections(found))
