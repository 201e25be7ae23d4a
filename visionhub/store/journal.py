"""Which journal a study gets, so that what is committed stays, whoever else is writing.

Durability: `synchronous=FULL`. The write-ahead log is used only where the SQLite library is free of
the WAL-reset bug (fixed in 3.51.3, 3.50.7 and 3.44.6; sqlite.org/wal.html), which damages a study
that two connections write to. Elsewhere it is the rollback journal in TRUNCATE mode, in which a
reader may make the writer wait for a moment but nothing can be corrupted. A single writer gets no
log there either: a database browser heeds no lock of visionhub's, and a reader who is there when
the writer leaves would keep the log in place for the next writers.

The log is begun and ended only while one process has the study to itself; who joins others takes
what is there. So two Pythons with different SQLite libraries never write one log together.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from visionhub.errors import StudyError

WAIT = 10_000  # milliseconds for readers to leave when the journal changes


def wal_is_safe(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite library is free of the WAL-reset bug."""
    return version >= (3, 51, 3) or any(
        fixed <= version < (fixed[0], fixed[1] + 1, 0) for fixed in ((3, 50, 7), (3, 44, 6))
    )


def choose(connection: sqlite3.Connection) -> None:
    """Begin or end the write-ahead log, while no other process may write."""
    connection.execute(f"PRAGMA busy_timeout = {WAIT}")
    if wal_is_safe():
        with suppress(sqlite3.OperationalError):  # a reader is there: the old journal is safe too
            connection.execute("PRAGMA journal_mode = WAL")
    elif _mode(connection) == "wal":
        connection.execute("PRAGMA journal_mode = TRUNCATE")


def join(connection: sqlite3.Connection, path: Path) -> None:
    """Write durably, in the journal that the study has."""
    connection.execute("PRAGMA synchronous = FULL")
    if _mode(connection) != "wal":
        connection.execute("PRAGMA journal_mode = TRUNCATE")
    elif not wal_is_safe():
        raise StudyError(
            f"Another visionhub process is writing to {str(path)!r} with a write-ahead log, which "
            f"the SQLite {sqlite3.sqlite_version} of this Python cannot write safely: wait for it, "
            f"or use the same Python."
        )


def leave(connection: sqlite3.Connection) -> None:
    """Leave one plain file behind, unless others are at it: then the last of them does it.

    With a write-ahead log, or an empty journal beside it, a study could not be read from a
    read-only place, and would be copied in part.
    """
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE")


def _mode(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])
