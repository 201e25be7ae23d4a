"""Opening, locking and reading a study file.

Durability: `synchronous=FULL`. The write-ahead log is used only where the SQLite library is free of
the WAL-reset bug (fixed in 3.51.3, 3.50.7 and 3.44.6); elsewhere the rollback journal in TRUNCATE
mode, in which a reader may make the writer wait for a moment but nothing can be corrupted.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from visionhub.errors import StudyError
from visionhub.store.opening import (
    APPLICATION_ID,
    BUSY_SECONDS,
    check_file,
    check_version,
    connect,
    create,
    is_older,
    lock,
)
from visionhub.store.table import Table


def wal_is_safe(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite library is free of the WAL-reset bug."""
    return version >= (3, 51, 3) or any(
        fixed <= version < (fixed[0], fixed[1] + 1, 0) for fixed in ((3, 50, 7), (3, 44, 6))
    )


STREAMED = 1000  # rows held at a time
LOOKS, PAUSE = 6, 0.2  # at a study that seems older, and seconds between them


class StudyFile:
    """An open study. Use it in one thread; open another for another thread or process.

    Raises StudyError when the file is absent (and not `write`), is no study, was written by a
    newer visionhub, cannot be created, or is being written by another process.
    """

    def __init__(self, path: str | os.PathLike[str], *, write: bool = False) -> None:
        self.path = Path(path)
        self.writing = threading.Lock()  # one transaction at a time, whichever connection it is on
        with explained(self.path):
            check_file(self.path, write=write)
        if not write and is_older(self.path):
            _bring_up_to_date(self.path)
        self._lock = lock(self.path) if write else None
        try:
            with explained(self.path):
                if write:
                    create(self.path)
                    _migrate(self.path)
                self.connection = connect(self.path, write=write)
                if write:
                    self._log()
        except BaseException:
            self._unlock()
            raise

    def _log(self) -> None:
        self.connection.execute("PRAGMA synchronous = FULL")
        journal = "WAL" if wal_is_safe() else "TRUNCATE"
        self.connection.execute(f"PRAGMA journal_mode = {journal}")

    def close(self) -> None:
        """Close the connection and let another writer in.

        A writer leaves one plain file: with a write-ahead log, or an empty journal beside it, a
        study could not be read from a read-only place, and would be copied in part.
        """
        if self._lock is not None:
            with suppress(sqlite3.Error):  # a reader is there: the next writer does it
                self.connection.execute("PRAGMA busy_timeout = 0")
                self.connection.execute("PRAGMA journal_mode = DELETE")
        self.connection.close()
        self._unlock()

    def __enter__(self) -> StudyFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Starts IMMEDIATE: a deferred one fails at its first write when busy."""
        with self.writing, explained(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # a full disk has rolled back already
                    self.connection.execute("ROLLBACK")
                raise

    def query(self, sql: str, values: Sequence[Any] = ()) -> Table:
        """The result of one SELECT."""
        with explained(self.path):
            cursor = self.connection.execute(sql, values)
            return Table([column[0] for column in cursor.description or ()], cursor.fetchall())

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of one SELECT, one at a time, for results that do not fit into memory."""
        with explained(self.path):
            cursor = self.connection.execute(sql, values)
            # Not `yield from`: it would close the cursor of an abandoned stream, perhaps after
            # the study itself.
            while rows := cursor.fetchmany(STREAMED):
                yield from rows


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into one sentence that names the study."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.IntegrityError) as error:
        advice = _advice(str(error))
        raise StudyError(f"The study {str(path)!r}: {error}. {advice}".rstrip()) from error
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB:
            raise StudyError(
                f"{str(path)!r} is no study (no SQLite file): name another."
            ) from error
        raise StudyError(f"The study {str(path)!r} is damaged or no study: {error}.") from error
    except OSError as error:
        raise StudyError(f"The study {str(path)!r}: {error.strerror or error}.") from error


def _advice(message: str) -> str:
    for fragment, advice in (
        ("full", "Free some space; what was committed is safe, and the same command goes on."),
        ("readonly", "It was opened for reading only, or the file or its folder is not writable."),
        ("locked", "Another program is using it; close that and run the command again."),
        ("unable to open", "Check that its folder exists and that you may write there."),
        ("no such table", "It holds no such table: see `visionhub export --help` for the names."),
    ):
        if fragment in message:
            return advice
    return ""


def _bring_up_to_date(path: Path) -> None:
    """A reader needs the tables of this visionhub too.

    A study that another process is just making looks like an older one for a moment.
    """
    for left in reversed(range(LOOKS)):
        try:
            StudyFile(path, write=True).close()
        except StudyError as error:
            if not left:
                raise StudyError(
                    f"The study {str(path)!r} was written by an older visionhub and has to be "
                    f"brought up to date, which failed: {error} A copy in a folder of yours will "
                    "do."
                ) from error
            time.sleep(PAUSE)
        if not is_older(path):
            return


def _migrate(path: Path) -> None:
    from sqlite_utils import Database

    from visionhub.store.migrations import migrations

    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        check_version(connection, path)
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(connection))
    finally:
        connection.close()
