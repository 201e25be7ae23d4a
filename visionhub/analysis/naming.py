"""Which image of a study a cell of somebody's table means."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from visionhub.analysis.frames import Integers
from visionhub.engine.lists import rows_of
from visionhub.errors import UsageError
from visionhub.store.items import Beside, printable
from visionhub.store.study import StudyFile

COLUMNS = ("image", "path", "file", "filename", "file_name")  # the first that a table has
SEVERAL = -1
FOLDER = "folder"


class Names:
    """Images by everything that names them: hash, path, the cell that named a file, file name.

    A file name counts where one image alone has it.
    """

    def __init__(self, study: StudyFile) -> None:
        self._beside = Beside(study.path)
        self._ids: dict[str, int] = {}
        self._files: dict[str, int] = {}
        for image_id, sha256 in study.stream("SELECT id, sha256 FROM images"):
            self._ids[sha256] = image_id
        rows = "SELECT image_id, path, given FROM paths WHERE image_id IS NOT NULL ORDER BY id"
        for image_id, path, given in study.stream(rows):
            self._ids.setdefault(path, image_id)
            if given:
                self._ids.setdefault(given, image_id)
            name = os.path.basename(path)  # noqa: PTH119 (a million of them)
            self._files[name] = image_id if self._files.get(name, image_id) == image_id else SEVERAL

    def find(self, cell: str, folder: str = "") -> int | None:
        """The image that a cell means; folder: of the table, from which its paths may start."""
        for text in (cell, cell.lower()):
            if text in self._ids:
                return self._ids[text]
        path = printable(self._beside(os.path.join(folder, cell)))[0]  # noqa: PTH118
        found = self._ids.get(path) or self._files.get(os.path.basename(cell))  # noqa: PTH119
        return None if found in (None, SEVERAL) else found


def image_column(path: str) -> str:
    """The column of a table that names images; UsageError when it has none of COLUMNS."""
    for name in COLUMNS:
        try:
            next(iter(rows_of(path, (name,))), None)
        except UsageError as error:
            if "there is no column" not in str(error):
                raise
        else:
            return name
    raise UsageError(f"{path}: a column that names images is needed: {', '.join(COLUMNS)}.")


@dataclass(frozen=True)
class Sources:
    """Where images come from: accounts, outlets, cameras. Images of one source go together.

    name: what the sources are. Images of which none is known are a source each.
    """

    name: str
    of_image: dict[int, int]
    _alone: dict[int, int] = field(default_factory=dict)

    def __call__(self, images: Integers) -> Integers:
        """(n,) numbers of sources."""
        known = self.of_image
        return np.array([known.get(one, -one - 1) for one in images.tolist()], dtype=np.int64)


def read_sources(study: StudyFile, given: str) -> Sources:
    """From `folder` (each folder is a source) or `TABLE.csv:COLUMN`.

    Raises UsageError when the table or its columns are not there, or it names no image at all.
    """
    if given == FOLDER:
        rows = study.stream("SELECT image_id, path FROM paths WHERE image_id IS NOT NULL")
        return _numbered(FOLDER, ((image, os.path.dirname(path)) for image, path in rows))  # noqa: PTH120
    path, colon, column = given.rpartition(":")
    if not colon or not path:
        raise UsageError(f"--source {given}: write it as TABLE.csv:COLUMN, or {FOLDER}.")
    names, folder = Names(study), str(Path(path).parent)
    rows = rows_of(path, (image_column(path), column))
    met = (
        (found, source)
        for _, (cell, source) in rows
        if source and (found := names.find(cell, folder)) is not None
    )
    sources = _numbered(column, met)
    if not sources.of_image:
        raise UsageError(f"--source {given}: none of its rows names an image of the study.")
    return sources


def _numbered(name: str, rows: Iterable[tuple[int, str]]) -> Sources:
    numbers: dict[str, int] = {}
    found: dict[int, int] = {}
    for image, source in rows:
        found.setdefault(image, numbers.setdefault(source, len(numbers)))
    return Sources(name, found)
