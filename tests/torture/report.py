"""What the parts of the torture report: titles with rows of figures, each judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. count: of how many things. wanted: what it has to be, in words."""

    what: str
    figure: str
    count: str
    wanted: str
    ok: bool


@dataclass(slots=True)
class Section:
    """The figures of one part. notes: what a reader must know beside them."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def none(self, what: str, found: int, of: object) -> None:
        """A count of faults, which has to be 0; `of`: among how many things they were sought."""
        self.rows.append(Row(what, f"{found:,}", _said(of), "0", found == 0))

    def least(self, what: str, found: int, least: int, of: object = "") -> None:
        """A count of what was tried, which has to reach `least`."""
        self.rows.append(Row(what, f"{found:,}", _said(of), f">= {least:,}", found >= least))

    def most(self, what: str, found: float, most: float, of: object = "") -> None:
        """A measure that may not pass `most`."""
        self.rows.append(Row(what, _said(found), _said(of), f"<= {_said(most)}", found <= most))

    def told(self, what: str, figure: object, of: object = "") -> None:
        """A figure that is told and not judged."""
        self.rows.append(Row(what, _said(figure), _said(of), "", ok=True))

    def holds(self, what: str, figure: object, wanted: str, *, ok: bool, of: object = "") -> None:
        """A figure that the part itself has judged."""
        self.rows.append(Row(what, _said(figure), _said(of), wanted, ok))

    @property
    def missed(self) -> list[Row]:
        """What is not as it has to be."""
        return [row for row in self.rows if not row.ok]


def markdown(section: Section) -> Iterator[str]:
    """A section as lines of Markdown, its columns aligned for readers of plain text."""
    head = ("what", "figure", "of", "wanted", "")
    table = [(r.what, r.figure, r.count, r.wanted, "" if r.ok else "MISSED") for r in section.rows]
    widths = [max(len(row[at]) for row in (head, *table)) for at in range(len(head))]
    yield f"## {section.title}"
    yield ""
    for row in (head, tuple("-" * width for width in widths), *table):
        cells = " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {cells} |"
    yield ""
    for note in section.notes:
        yield f"- {note}"
    if section.notes:
        yield ""


def _said(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:,.3g}"
        if value < 1000
        else f"{value:,.0f}"
    )
