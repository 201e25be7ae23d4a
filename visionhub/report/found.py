"""What a study found, a row an image: the short answer that a first run ends with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from visionhub.report.find import FIRST_PATH
from visionhub.store.study import StudyFile
from visionhub.store.table import Table

BEST = 2  # results a cell
_CELL = (
    "(SELECT group_concat(said, '; ') FROM (SELECT {said} AS said FROM v_{table} a WHERE "
    "a.image = i.sha256 {only} ORDER BY {order} LIMIT {best}))"
)
COLUMNS: Mapping[str, tuple[str, str, str, str]] = {
    "labels": ("labels", "name || printf(' %.2f', score)", "", "score DESC"),
    "objects": ("objects", "name || printf(' %.2f', score)", "", "score DESC"),
    "text": ("text_lines", "text", "AND level = 'line'", "rank"),
    "unsafe": ("safe_search", "category || printf(' %.2f', score)", "", "score DESC"),
}


def found(study: StudyFile, limit: int = 20) -> Table:
    """The first images with their best labels, objects, text and unsafe content.

    Faces and people are counted; what was not asked or failed is empty.
    """
    cells = [
        f"{_CELL.format(table=table, said=said, only=only, order=order, best=BEST)} AS {name}"
        for name, (table, said, only, order) in COLUMNS.items()
    ]
    counts = [
        f"(SELECT max(results) FROM status s WHERE s.image_id = i.id AND s.task = '{task}' AND "
        f"s.request_id IS NOT NULL) AS {task}"
        for task in ("faces", "people")
    ]
    columns = ", ".join([f"{FIRST_PATH} AS image", *cells, *counts])
    sql = f"SELECT {columns} FROM images i ORDER BY i.id LIMIT ?"
    table = study.query(sql, (limit,))
    rows = [(PurePath(row[0] or "").name, *row[1:]) for row in table.rows]
    return Table(table.columns, rows)
