"""A query's result: columns and rows, shown well in a notebook, handed on to pandas or Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from visionhub.provider import import_extra

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20


class Table:
    """Rows of one query. `len`, iteration (dicts), `columns`, `rows` (tuples), `column(name)`."""

    def __init__(self, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        self.columns = list(columns)
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def __repr__(self) -> str:
        head = ", ".join(self.columns)
        return f"Table({len(self.rows)} rows: {head})"

    def column(self, name: str) -> list[Any]:
        """One column's values, in row order; KeyError when there is none of that name."""
        if name not in self.columns:
            raise KeyError(f"no column {name!r}: there are {', '.join(self.columns)}")
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def to_pandas(self) -> pd.DataFrame:
        """A pandas data frame; MissingExtra without the `analysis` extra."""
        frame: pd.DataFrame = import_extra("pandas", "analysis").DataFrame(
            self.rows, columns=self.columns
        )
        return frame

    def _repr_html_(self) -> str:
        """The first rows as an HTML table; everything is escaped, for labels come from outside."""
        head = "".join(f"<th>{escape(column)}</th>" for column in self.columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row)}</tr>"
            for row in self.rows[:SHOWN]
        )
        more = f"<p>{len(self.rows)} rows, {min(SHOWN, len(self.rows))} shown</p>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value) if not isinstance(value, bytes) else f"{len(value)} bytes"
