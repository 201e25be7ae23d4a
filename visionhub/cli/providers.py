"""`visionhub providers`: who can be asked what."""

from __future__ import annotations

from typing import Annotated

import typer


def providers(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List installed providers with their tasks, scales, floors, vocabularies and parameters."""
    from visionhub.report.offered import offered
    from visionhub.report.terminal import Section, write, write_json

    rows = offered()
    cells = [list(row.values()) for row in rows]
    write_json(rows) if json else write([Section("", tuple(rows[0]), cells)])
