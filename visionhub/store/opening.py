"""Whose file it is, whether it may be opened, and by whom: all that precedes a study's first use.

The file is never opened but by SQLite: closing it elsewhere in this process would drop the locks of
a writer in another thread (sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from visionhub.errors import StudyError
from visionhub.store.patience import SHORT, is_busy

APPLICATION_ID = 0x76697368  # "vish": lets `file` and others tell a study from any database
SET = "visionhub"
MIGRATIONS = (
    "001_study",
    "002_views",
    "003_clouds",
    "004_ledger",
    "005_versions",
    "006_canaries",
    "007_named_caps",
)  # here, so that a reader need not load what applies them


def check_file(path: Path, *, write: bool) -> None:
    """Refuse what can be no study, before anything is made beside it."""
    if path.is_dir():
        raise StudyError(f"{str(path)!r} is a folder: name a study file, such as study.db.")
    if not path.exists():
        if write:
            return
        raise StudyError(
            f"There is no study {str(path)!r}: make one with `visionhub annotate`, or name another."
        )
    if not path.is_file():  # reading a pipe would wait for ever
        raise StudyError(f"{str(path)!r} is no regular file: name a study file, such as study.db.")
    if path.stat().st_size == 1:  # SQLite takes a single byte for an empty database
        raise StudyError(f"{str(path)!r} is no study (no SQLite file): name another.")
    if write:
        with closing(_open(path, "ro")) as connection:
            _check_owner(connection, path)


def _check_owner(connection: sqlite3.Connection, path: Path, *, empty: bool = True) -> None:
    """Refuse what another program wrote and, unless `empty`, what nobody has written to yet."""
    owner, tables = _owner_and_tables(connection, path)
    if owner == APPLICATION_ID and (tables or empty):
        return
    if tables:
        raise StudyError(f"{str(path)!r} is another program's database: name another file.")
    if not empty:
        raise StudyError(f"The study {str(path)!r} is empty: fill it with `visionhub annotate`.")


def create(path: Path) -> None:
    """Make an empty file: answers about people's photographs are readable by their owner only."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a study that a newer visionhub has migrated."""
    newer = _migrated(connection) - set(MIGRATIONS)
    if newer:
        raise StudyError(
            f"{str(path)!r} was written by a newer visionhub ({max(newer)}): upgrade with "
            f"pip install --upgrade visionhub."
        )


def is_older(path: Path) -> bool:
    """Whether a study lacks migrations of this visionhub; False for what is no study.

    Raises sqlite3.OperationalError when another program has locked it.
    """
    try:
        with closing(_open(path, "ro")) as connection:
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            return owner == APPLICATION_ID and not _migrated(connection) >= set(MIGRATIONS)
    except sqlite3.Error as error:  # said better by whoever opens it
        if is_busy(error):
            raise
        return False


def is_current(path: Path) -> bool:
    """Whether a study has all migrations of this visionhub, perhaps more, and nothing to undo.

    Raises sqlite3.OperationalError when another program has locked it.
    """
    try:
        with closing(_open(path, "ro")) as connection:
            return _migrated(connection) >= set(MIGRATIONS)
    except sqlite3.Error as error:  # absent, or cut off: whoever opens it for writing finds out
        if is_busy(error):
            raise
        return False


def _migrated(connection: sqlite3.Connection) -> set[str]:
    there = "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"
    if not connection.execute(there).fetchone():
        return set()
    found = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
    return {name for (name,) in connection.execute(found, (SET,))}


def connect(path: Path, *, write: bool, threads: bool = False) -> sqlite3.Connection:
    """Open a study that is there; with `threads`, for use in any thread, by one at a time."""
    connection = _open(path, "rw" if write else "ro", threads=threads)
    try:
        _check_owner(connection, path, empty=False)
        check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _open(path: Path, mode: str, *, threads: bool = False) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(
        address,
        uri=True,
        timeout=SHORT,
        isolation_level=None,
        check_same_thread=not threads,
    )


def _owner_and_tables(connection: sqlite3.Connection, path: Path) -> tuple[int, int]:
    """Whose file it is and how much is in it, at one moment: it may be coming into being.

    A write that was cut off (kill -9, power) is undone first. A connection that may not write
    cannot undo it, and would refuse to read until somebody writes.
    """
    ask = "SELECT application_id, (SELECT count(*) FROM sqlite_master) FROM pragma_application_id"
    try:
        owner, tables = connection.execute(ask).fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        with closing(_open(path, "rw")) as repairing:
            repairing.execute(ask).fetchone()
        owner, tables = connection.execute(ask).fetchone()
    return int(owner), int(tables)
