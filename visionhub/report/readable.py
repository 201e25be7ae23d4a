"""Reading a study from Python: its tables, and any SELECT."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from visionhub.errors import StudyError
from visionhub.store.rows import TABLES
from visionhub.store.study import StudyFile
from visionhub.store.table import Table

RAW_TABLES = (
    "marks",
    "images",
    "paths",
    "renderings",
    "questions",
    "requests",
    "runs",
    "status",
    "canary_images",
    "canaries",
)
MONEY_TABLES = (
    "ledger",  # the view v_ledger: a row for each request of each attempt
    "accounts",
    "attempts",
    "charges",
    "usage",
    "owners",
    "price_tables",
    "price_lines",
    "model_versions",
)


def words(given: str | Sequence[str]) -> tuple[str, ...]:
    """A sequence of words; a single text is one, or several with commas between."""
    if isinstance(given, str):
        return tuple(word.strip() for word in given.split(",") if word.strip())
    return tuple(given)


def items(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """One path or rater, or many, as text; a comma is part of a name."""
    if isinstance(given, str | os.PathLike):
        return (os.fspath(given),)
    return tuple(os.fspath(item) for item in given)


class Readable:
    """A study file that is opened for each call, for reading only."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def table(self, name: str, *, current: bool = True) -> Table:
        """One table of the study, such as labels, objects, faces, text_lines or status.

        With `current` (the default) the annotation tables carry path, image, provider and revision,
        and hold each provider's current answer only; without, every answer that was ever stored.
        """
        known = (*TABLES, *RAW_TABLES, *MONEY_TABLES)
        if name not in known:
            raise StudyError(f"There is no table {name!r}: choose from {', '.join(known)}.")
        with StudyFile(self._file) as study:
            view = f"v_{name}"
            exists = study.query("SELECT 1 FROM sqlite_master WHERE name = ?", (view,))
            return study.query(f"SELECT * FROM {view if current and len(exists) else name}")

    def overview(self, limit: int = 20) -> Table:
        """The first images, a row each, with what was found in them."""
        from visionhub.report.found import found

        with StudyFile(self._file) as study:
            return found(study, limit)

    def query(self, sql: str, values: Sequence[Any] = ()) -> Table:
        """The result of one SELECT on the study; the file is opened read-only."""
        with StudyFile(self._file) as study:
            return study.query(sql, values)

    def schema(self) -> Table:
        """Members of stored answers that no table of leaves holds: new since the adapter was made.

        One row for each provider, task, path and revision, with how many answers have it and when
        the first of them came. `visionhub schema` shows what becomes of all other members.
        """
        from visionhub.report.mapping import news

        with StudyFile(self._file) as study:
            return news(study)
