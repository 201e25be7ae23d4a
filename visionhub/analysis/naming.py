"""Which image of a study a cell of somebody's table means."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
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

    A cell or a file name counts where one image alone has it.
    """

    def __init__(self, study: StudyFile) -> None:
        self._beside = Beside(study.path)
        self._paths: dict[str, int] = {}
        self._given: dict[str, int] = {}
        self._files: dict[str, int] = {}
        self._hashes: dict[str, int] = {}
        for image_id, sha256 in study.stream("SELECT id, sha256 FROM images"):
            self._hashes[sha256] = image_id
        rows = "SELECT image_id, path, given FROM paths WHERE image_id IS NOT NULL ORDER BY id"
        for image_id, path, given in study.stream(rows):
            self._paths[path] = image_id
            _alone(self._files, os.path.basename(path), image_id)  # noqa: PTH119 (a million)
            if given:
                _alone(self._given, given, image_id)

    def find(self, cell: str, folder: str = "") -> int | None:
        """The image that a cell means; folder: of the table, from which its paths may start."""
        beside = printable(self._beside(os.path.join(folder, cell)))[0]  # noqa: PTH118
        for known, text in (
            (self._hashes, cell.lower()),
            (self._paths, beside),
            (self._paths, cell),
            (self._given, cell),
            (self._files, os.path.basename(cell)),  # noqa: PTH119
        ):
            if text in known:
                return None if known[text] == SEVERAL else known[text]
        return None


def _alone(known: dict[str, int], name: str, image: int) -> None:
    """Note whose name it is; SEVERAL when it is two images'."""
    known[name] = image if known.get(name, image) == image else SEVERAL


def image_column(path: str, option: str) -> str:
    """The column of a table that names images; UsageError when it has none of COLUMNS.

    option: what named the table, for the sentence.
    """
    for name in COLUMNS:
        try:
            next(iter(rows_of(path, (name,))), None)
        except UsageError as error:
            if "there is no column" not in str(error):
                raise UsageError(f"{option} {error}") from None
        else:
            return name
    raise UsageError(
        f"{option} {path}: a column that names images is needed: {', '.join(COLUMNS)}."
    )


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
        rows = study.stream(
            "SELECT image_id, path FROM paths WHERE image_id IS NOT NULL ORDER BY id"
        )
        return _numbered(FOLDER, ((image, os.path.dirname(path)) for image, path in rows))  # noqa: PTH120
    path, colon, column = given.rpartition(":")
    if not colon or not path:
        raise UsageError(f"--source {given}: write it as TABLE.csv:COLUMN, or {FOLDER}.")
    names, folder = Names(study), str(Path(path).parent)
    images = image_column(path, "--source")
    try:
        sources = _numbered(column, _met(names, folder, rows_of(path, (images, column))))
    except UsageError as error:
        raise UsageError(f"--source {error}") from None
    if not sources.of_image:
        raise UsageError(f"--source {given}: none of its rows names an image of the study.")
    return sources


def _met(
    names: Names, folder: str, rows: Iterable[tuple[int, tuple[str, ...]]]
) -> Iterator[tuple[int, str]]:
    """Images and their sources; a row without a source says nothing."""
    for _, (cell, source) in rows:
        found = names.find(cell.strip(), folder) if source.strip() else None
        if found is not None:
            yield found, source.strip()


def _numbered(name: str, rows: Iterable[tuple[int, str]]) -> Sources:
    numbers: dict[str, int] = {}
    found: dict[int, int] = {}
    for image, source in rows:
        found.setdefault(image, numbers.setdefault(source, len(numbers)))
    return Sources(name, found)
