"""The console for tables: wide enough in a pipe to keep a row on a line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from visionhub.store.table import Table

PIPE_WIDTH = 160


def console() -> Console:
    """A console on stdout; rich leaves colours out by itself for NO_COLOR and for pipes."""
    from rich.console import Console

    return Console(
        width=None if sys.stdout.isatty() else PIPE_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
    )


def print_table(rows: Table) -> None:
    """Print a table; empty cells stay empty, control characters of outside text are escaped."""
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(*rows.columns)
    for row in rows.rows:
        drawn.add_row(*(Text(_cell(value)) for value in row))
    console().print(drawn)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
