"""`visionhub providers`: who can be asked what."""

from __future__ import annotations

from typing import Annotated

import typer


def providers(
    names: Annotated[
        list[str] | None, typer.Argument(help="Providers to show in full; without any, a table.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List tasks by provider; or one provider's parameters, settings, floors and price lines."""
    from visionhub.report.offered import offered, sections
    from visionhub.report.terminal import write, write_json

    chosen = tuple(names or ())
    write_json(offered(chosen)) if json else write(sections(chosen))
