"""A table that says which answer is about which image."""

from __future__ import annotations

import os
import sqlite3

from visionhub.engine.documents import Row, rows
from visionhub.engine.flow import batched
from visionhub.engine.kept import Document
from visionhub.engine.matching import ROWS, Images, Matched
from visionhub.engine.sources import shown
from visionhub.errors import UsageError


class Pairs:
    """Rows of such a table, kept in a temporary file. Use it in one thread.

    Several rows for one answer are the images of a call, in their order.
    """

    def __init__(self, path: str) -> None:
        self._sql = sqlite3.connect("", isolation_level=None)
        self._sql.execute("CREATE TABLE pairs (name TEXT, answer TEXT, image TEXT, folder TEXT)")
        for chunk in batched(rows(path), ROWS):
            self._sql.execute("BEGIN")
            values = [_values(path, row) for row in chunk]
            self._sql.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?)", values)
            self._sql.execute("COMMIT")
        self._sql.execute("CREATE INDEX pairs_name ON pairs(name)")

    def close(self) -> None:
        """Remove the temporary file."""
        self._sql.close()

    def match(self, document: Document, place: int, of: int, images: Images) -> Matched | None:
        """The image of the answer at this place in a document; None when the table has no row."""
        for answer in dict.fromkeys((document.source, document.file)):
            found = self._rows(answer)
            if not found:
                continue
            if len(found) != of:
                why = f"the table gives it {len(found)} images, and it holds {of} answers"
                return Matched(reason=why)
            return _image(*found[place], images)
        return None

    def _rows(self, answer: str) -> list[tuple[str, str]]:
        """(image, folder) of an answer: by its path, else by its name if that is in one folder."""
        sql = "SELECT answer, image, folder FROM pairs WHERE name = ? ORDER BY rowid"
        found = self._sql.execute(sql, (_text(os.path.basename(answer)),)).fetchall()  # noqa: PTH119
        exact = [row for row in found if row[0] == _text(os.path.realpath(answer))]
        one = len({row[0] for row in found}) == 1
        return [(row[1], row[2]) for row in exact or (found if one else [])]


def _values(path: str, row: Row) -> tuple[str, str, str, str]:
    if row.answer.lstrip()[:1] in ("{", "["):
        raise UsageError(
            f"--match {shown(path)}: its answers are JSON and no names of files: give the table "
            f"itself in place of the answers."
        )
    answer = os.path.join(row.folder, row.answer.strip())  # noqa: PTH118
    name = os.path.basename(answer)  # noqa: PTH119
    return _text(name), _text(os.path.realpath(answer)), _text(row.image.strip()), _text(row.folder)


def _text(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _image(image: str, folder: str, images: Images) -> Matched:
    path = os.path.join(folder, image)  # noqa: PTH118
    return Matched(path) if image and os.path.isfile(path) else images.called(image)  # noqa: PTH113
