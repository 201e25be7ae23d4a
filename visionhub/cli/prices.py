"""`visionhub prices`: what the services charge, as far as it is known."""

from __future__ import annotations

from typing import Annotated

import typer

from visionhub.cli.options import PricesOption


def prices(
    own: PricesOption = None,
    toml: Annotated[bool, typer.Option("--toml", help="Print a file to edit.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the prices that quotes and caps go by, with their sources and age."""
    from datetime import UTC, datetime

    from visionhub.report.prices import editable, listed, sections, table_of
    from visionhub.report.terminal import write, write_json

    table = table_of(own)
    if toml:
        typer.echo(editable(table), nl=False)
        return
    found = listed(table, datetime.now(UTC).date())
    write_json(found) if json else write(sections(found))
