"""Long tables: with a field to find rows by words, pages, and columns to sort by, for a script."""

from __future__ import annotations

from collections.abc import Sequence

from visionhub.report.card import safe

PAGE = 25  # rows that are shown at a time
FEW = 8  # rows that need no tools


def listing(table: str, rows: int, noun: str) -> str:
    """A table of so many rows with its tools; without a script all of it is there, without tools.

    noun: what a row is about, for the field's name. Columns whose `th` has `data-sort` can be
    sorted by: `number` by the cells' `data-v`, `text` by what they say.
    """
    if rows <= FEW:
        return f'<div class="wide">{table}</div>'
    return (
        f'<div class="listing" data-page="{PAGE}"><form class="tools" role="search" hidden>'
        f'<label>Find {safe(noun)} <input type="search" autocomplete="off" spellcheck="false">'
        '</label><span class="pager"><button type="button" data-step="-1">Previous</button> '
        '<output aria-live="polite"></output> '
        '<button type="button" data-step="1">Next</button></span></form>'
        f'<div class="wide">{table}</div></div>'
    )


def plain_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[str] = ()
) -> str:
    """A table of values that come from outside, escaped. numbers: columns that hold numbers."""
    head = "".join(
        f'<th scope="col" data-sort="{"number" if name in numbers else "text"}"'
        f"{_right(name, numbers)}>{safe(name)}</th>"
        for name in columns
    )
    body = "".join(
        "<tr>" + "".join(_cell(v, n, numbers) for v, n in zip(row, columns, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _right(name: str, numbers: Sequence[str]) -> str:
    return ' class="num"' if name in numbers else ""


def _cell(value: object, name: str, numbers: Sequence[str]) -> str:
    if name not in numbers:
        return f"<td>{safe(value, 600)}</td>"
    if value is None:
        return '<td class="num"></td>'
    text = f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
    return f'<td class="num" data-v="{value}">{text}</td>'
