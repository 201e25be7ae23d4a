"""`visionhub schema`: what becomes of the members of answers, and which of them are new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    study: Annotated[
        Path | None,
        typer.Argument(help="A study file: list what is new in its answers.", show_default=False),
    ] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", "-p", help="Only this provider.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", "-t", help="Only this task.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which column each member of an answer fills, or why it is dropped; or what is new."""
    from visionhub.report.mapping import chosen, news, news_section, rows, sections
    from visionhub.report.terminal import write, write_json
    from visionhub.store.study import StudyFile

    if study is None:
        found = chosen(provider)
        write_json(rows(found, task)) if json else write(sections(found, task))
        return
    with StudyFile(study) as opened:
        new = news(opened, provider, task)
    write_json(list(new)) if json else write([news_section(new, str(study))])
