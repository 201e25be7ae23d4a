"""The crosswalk's file: CSV that a spreadsheet opens, read strictly, always written the same."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from visionhub.errors import UsageError

COLUMNS = (
    "vocabulary_a",
    "label_a",
    "vocabulary_b",
    "label_b",
    "relation",
    "source",
    "score",
    "decision",
    "version",
)
NEEDED = ("label_a", "label_b", "relation")


def written(rows: Sequence[Sequence[str]]) -> str:
    """Rows of all columns as text."""
    out = io.StringIO()
    plain = csv.writer(out, lineterminator="\n")
    quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(COLUMNS)
    for row in rows:  # a lone carriage return, which a reader takes for a line's end, is not quoted
        (quoted if any("\r" in cell for cell in row) else plain).writerow(row)
    return out.getvalue()


def parsed(
    text: str, where: str, relations: Sequence[str], decisions: Sequence[str]
) -> Iterator[Mapping[str, str]]:
    """Rows by column, checked. Raises UsageError: one sentence, with the number of the line."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        header = _header(next(reader, []), where)
        for cells in filter(None, reader):
            line = f"{where}, line {reader.line_num}"
            yield _row(cells, header, (relations, decisions), line)
    except csv.Error as error:
        _refuse(f"{where}, line {reader.line_num}", f"it is no CSV ({error})")


def _header(names: Sequence[str], where: str) -> Sequence[str]:
    if len(names) == 1 and ";" in names[0]:
        _refuse(f"{where}, line 1", "columns are separated by commas here, not by semicolons")
    known = ", ".join(COLUMNS)
    if names and not set(names) & set(COLUMNS):
        _refuse(f"{where} is no crosswalk", f"its first line has none of the columns {known}")
    for name in names:
        if name not in COLUMNS:
            _refuse(f"{where}, line 1", f"no crosswalk has a column {name!r}, but {known}")
        if names.count(name) > 1:
            _refuse(f"{where}, line 1", f"there are two columns {name}")
    for name in NEEDED:
        if name not in names:
            _refuse(f"{where}, line 1", f"the column {name} is missing")
    return names


def _row(
    cells: Sequence[str],
    header: Sequence[str],
    words: tuple[Sequence[str], Sequence[str]],
    line: str,
) -> Mapping[str, str]:
    if len(cells) != len(header):
        _refuse(line, f"{len(cells)} cells under {len(header)} columns")
    row = dict(zip(header, cells, strict=True))
    for name in ("label_a", "label_b"):
        if not row[name].strip():
            _refuse(line, f"{name} is empty")
    relations, decisions = words
    if row["relation"] not in relations:
        said = row["relation"]
        _refuse(line, f"relation {said!r}: choose one of {', '.join(relations)}")
    if row.get("decision", "") not in decisions:
        known = ", ".join(word for word in decisions if word)
        _refuse(line, f"decision {row['decision']!r}: choose one of {known}, or leave it empty")
    if row.get("score") and not _is_number(row["score"]):
        _refuse(line, f"score {row['score']!r} is no number")
    return row


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _refuse(where: str, what: str) -> NoReturn:
    raise UsageError(f"{where}: {what}.")
