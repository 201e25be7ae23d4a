"""What was compared, for Python: the tables of --csv, each as one that shows itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visionhub.analysis.compare import Comparison
from visionhub.analysis.drift import Drift
from visionhub.errors import UsageError
from visionhub.report import compared_files, drifted_files
from visionhub.store.study import StudyFile
from visionhub.store.table import Table


@dataclass(repr=False)
class ComparisonTables(Comparison):
    """A comparison and its tables. file: the study, which is read again for the images' names."""

    file: Path = Path()

    def __repr__(self) -> str:
        return f"{super().__repr__()}, {_offer(compared_files.ABOUT)}"

    def table(self, name: str) -> Table:
        """One table, as `compare --csv` writes it. Raises UsageError for another name."""
        _check(name, compared_files.ABOUT)
        with StudyFile(self.file) as study:
            return _table(compared_files.all_tables(self, study)[name])


@dataclass(repr=False)
class DriftTables(Drift):
    """What has changed, and its tables. file: the study, which is read again for names."""

    file: Path = Path()

    def __repr__(self) -> str:
        return f"{super().__repr__()}, {_offer(drifted_files.ABOUT)}"

    def table(self, name: str) -> Table:
        """One table, as `drift --csv` writes it. Raises UsageError for another name."""
        _check(name, drifted_files.ABOUT)
        with StudyFile(self.file) as study:
            return _table(drifted_files.all_tables(self, study)[name])


def _offer(about: Mapping[str, str]) -> str:
    return f".table(name) with name one of: {', '.join(about)}"


def _check(name: str, about: Mapping[str, str]) -> None:
    if name not in about:
        raise UsageError(f"There is no table {name!r}: choose from {', '.join(about)}.")


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows of several kinds in one table: what a kind does not have is None."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return Table(columns, [tuple(row.get(column) for column in columns) for row in rows])
