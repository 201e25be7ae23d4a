"""Tables for a terminal or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from visionhub.report.plain import plain

if TYPE_CHECKING:
    from rich.table import Table

UNWRAPPED = 100_000  # columns: in a pipe a row is a line, however long


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a table under it (of plain values), and notes. `right` names numeric columns."""

    title: str
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[object]] = ()
    notes: tuple[str, ...] = ()
    right: tuple[str, ...] = ()


def write(sections: Iterable[Section], *, to_stderr: bool = False) -> None:
    """Print sections to standard output or error. What cells hold is never read as markup."""
    from rich.console import Console
    from rich.text import Text

    console = Console(markup=False, highlight=False, emoji=False, stderr=to_stderr)
    if not console.is_terminal:
        console.width = UNWRAPPED
    for section in sections:
        if section.title:
            console.print(Text(plain(section.title), style="bold"))
        if section.rows:
            console.print(_table(section))
        for note in section.notes:
            console.print(Text(f"  {plain(note)}"))
        console.print()


def write_json(value: object) -> None:
    """Print one JSON document, in ASCII: control characters are escaped like everything else."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def _table(section: Section) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=True, show_edge=False, header_style="dim")
    for column in section.columns:
        side = "right" if column in section.right else "left"
        table.add_column(column, justify=side, overflow="fold", no_wrap=side == "right")  # type: ignore[arg-type]
    for row in section.rows:
        table.add_row(*(Text("" if cell is None else plain(cell)) for cell in row))
    return table
