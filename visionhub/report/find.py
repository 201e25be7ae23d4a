"""Finding one image of a study from what a person types, and its photograph on the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from visionhub.errors import UnreadableImage, UsageError
from visionhub.files import read
from visionhub.images import sha256_of
from visionhub.store.items import Beside, printable
from visionhub.store.study import StudyFile

SHORTEST_PREFIX = 4  # hexadecimal digits
LONGEST_ID = 12  # decimal digits
# The path that stands for an image `i`: the first that it was found under.
FIRST_PATH = "(SELECT path FROM paths p WHERE p.image_id = i.id ORDER BY p.id LIMIT 1)"


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image of a study: its row, and its paths as the file system takes them, oldest first.

    given: the file that a person named it by, which need be none of these.
    """

    id: int
    sha256: str
    facts: dict[str, Any]
    paths: tuple[str, ...]
    given: str = ""

    @property
    def name(self) -> str:
        """The file's own name, or the start of the hash when no path is left."""
        return os.path.basename(self.paths[0]) if self.paths else self.sha256[:12]  # noqa: PTH119


@dataclass(frozen=True, slots=True)
class Photograph:
    """An image's file, read; or without `data` and with the reason why there is none."""

    path: str
    data: bytes = b""
    problem: str = ""


def find_image(study: StudyFile, typed: str) -> FoundImage:
    """The image that `typed` means: a file (by content), a stored path, a hash, an id, a file name.

    Raises UsageError when it is not in the study or when several are meant, and UnreadableImage
    when the study only knows that its file could not be read.
    """
    for ids in _candidates(study, typed):
        if len(ids) == 1:
            given = typed if Path(typed).is_file() else ""
            return replace(load_images(study, ids)[0], given=given)
        if ids:
            raise UsageError(
                f"{typed!r} fits several images of this study: give more of the path or the hash."
            )
    if re.fullmatch(rf"[0-9a-fA-F]{{1,{SHORTEST_PREFIX - 1}}}", typed):
        raise UsageError(
            f"{typed!r} is no image of the study {str(study.path)!r}, and too short for the start "
            f"of a hash: give at least {SHORTEST_PREFIX} digits of it."
        )
    raise UsageError(
        f"{typed!r} is not in the study {str(study.path)!r}: annotate it first, with  visionhub "
        f"annotate, or name another study with --study."
    )


def load_images(study: StudyFile, ids: Sequence[int]) -> list[FoundImage]:
    """Images by id, in that order, with their paths; ids that do not exist are left out."""
    marks = ", ".join("?" * len(ids))
    paths: dict[int, list[str]] = {}
    wanted = f"SELECT image_id, path, path_bytes FROM paths WHERE image_id IN ({marks}) ORDER BY id"
    for image_id, text, raw in study.query(wanted, ids).rows:
        path = os.fsdecode(raw) if raw else text
        paths.setdefault(image_id, []).append(Beside.located(study.path, path))
    rows = {
        row["id"]: row for row in study.query(f"SELECT * FROM images WHERE id IN ({marks})", ids)
    }
    return [
        FoundImage(key, row["sha256"], row, tuple(paths.get(key, ())))
        for key in ids
        if (row := rows.get(key))
    ]


def photograph(image: FoundImage) -> Photograph:
    """The image's file, from the first of its paths that still holds the same bytes."""
    tried = [_tried(image, path) for path in (*image.paths, image.given) if path]
    lost = Photograph("", problem="no path of it is left in the study")
    return next((found for found in tried if found.data), tried[0] if tried else lost)


def _tried(image: FoundImage, path: str) -> Photograph:
    try:
        data = read(path)
    except UnreadableImage as error:
        moved = error.reason == "missing"
        return Photograph(path, problem="the file has moved" if moved else str(error))
    if sha256_of(data) != image.sha256:
        return Photograph(path, problem="the file has changed since it was annotated")
    return Photograph(path, data)


def _candidates(study: StudyFile, typed: str) -> Iterable[list[int]]:
    """Ids that each reading of `typed` gives, the surest reading first."""
    if Path(typed).is_file():
        yield _ids(study, "SELECT id FROM images WHERE sha256 = ?", sha256_of(read(typed)))
    yield _by_path(study, typed)
    if typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_ID:
        yield _ids(study, "SELECT id FROM images WHERE id = ?", int(typed))
    if re.fullmatch(rf"[0-9a-fA-F]{{{SHORTEST_PREFIX},64}}", typed):
        start = typed.lower()
        sql = "SELECT id FROM images WHERE sha256 >= ? AND sha256 < ? LIMIT 2"
        yield _ids(study, sql, start, start + "g")
    name = re.sub(r"([\\%_])", r"\\\1", printable(typed)[0])
    sql = "SELECT DISTINCT image_id FROM paths WHERE path LIKE ? ESCAPE '\\' AND image_id NOT NULL"
    yield _ids(study, f"{sql} LIMIT 2", f"%/{name}")


def _by_path(study: StudyFile, typed: str) -> list[int]:
    beside = Beside(study.path)
    variants = [
        beside(typed),
        beside(os.path.normpath(typed)),
        beside(os.path.realpath(typed)),
        typed,
    ]
    texts = list(dict.fromkeys(printable(path)[0] for path in variants))
    marks = ", ".join("?" * len(texts))
    rows = study.query(f"SELECT image_id, problem FROM paths WHERE path IN ({marks})", texts).rows
    ids = {row[0] for row in rows if row[0] is not None}
    if rows and not ids:
        raise UnreadableImage(f"{typed!r} could not be read when it was annotated", rows[0][1])
    return sorted(ids)


def _ids(study: StudyFile, sql: str, *values: str | int) -> list[int]:
    return [row[0] for row in study.query(sql, values).rows]
