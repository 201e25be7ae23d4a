"""Opening, locking and reading a study file.

Durability: `synchronous=FULL`. The write-ahead log is used only where the SQLite library is free of
the WAL-reset bug (fixed in 3.51.3, 3.50.7 and 3.44.6); elsewhere the rollback journal in TRUNCATE
mode, in which a reader may make the writer wait for a moment but nothing can be corrupted.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from visionhub.errors import StudyError
from visionhub.store.table import Table

if TYPE_CHECKING:
    from filelock import BaseFileLock

APPLICATION_ID = 0x76697368  # "vish": lets `file` and others tell a study from any database
BUSY_SECONDS = 300  # a reader may hold the writer up for as long as an export takes
SET = "visionhub"
MIGRATIONS = ("001_study", "002_views")  # here, so that a reader need not load what applies them


def wal_is_safe(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite library is free of the WAL-reset bug."""
    return version >= (3, 51, 3) or any(
        fixed <= version < (fixed[0], fixed[1] + 1, 0) for fixed in ((3, 50, 7), (3, 44, 6))
    )


class StudyFile:
    """An open study. Use it in one thread; open another for another thread or process.

    Raises StudyError when the file is absent (and not `write`), is no study, was written by a
    newer visionhub, cannot be created, or is being written by another process.
    """

    def __init__(self, path: str | os.PathLike[str], *, write: bool = False) -> None:
        self.path = Path(path)
        with explained(self.path):
            _check_file(self.path, write=write)
        self._lock = _lock(self.path) if write else None
        try:
            with explained(self.path):
                if write:
                    _create(self.path)
                    _migrate(self.path)
                self.connection = _connect(self.path, write=write)
        except BaseException:
            self._unlock()
            raise

    def close(self) -> None:
        """Close the connection and let another writer in."""
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
        with explained(self.path):
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
            yield from self.connection.execute(sql, values)


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
        ("readonly", "Make the file and its folder writable, or choose another with --study."),
        ("locked", "Another program is using it; close that and run the command again."),
        ("unable to open", "Check that its folder exists and that you may write there."),
        ("no such table", "It holds no such table: see `visionhub export --help` for the names."),
    ):
        if fragment in message:
            return advice
    return ""


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(f"{path.resolve()}.lock")  # a link to a study is the same study
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StudyError(
            f"Another visionhub process is writing to {str(path)!r}: wait for it, or give this "
            f"run a study of its own with --study."
        ) from error
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        why = getattr(error, "strerror", None) or error
        raise StudyError(
            f"Cannot write beside the study {str(path)!r}: {why}. Choose another place with "
            f"--study."
        ) from error
    return lock


def _check_file(path: Path, *, write: bool) -> None:
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
    """Refuse what another program wrote and, unless `empty`, what nobody has written to yet.

    The file is never opened but by SQLite: closing it elsewhere in this process would drop the
    locks of a writer in another thread (sqlite.org/howtocorrupt.html, 2.2).
    """
    owner, tables = _owner_and_tables(connection, path)
    if owner == APPLICATION_ID:
        return
    if tables:
        raise StudyError(f"{str(path)!r} is another program's database: name another file.")
    if not empty:
        raise StudyError(f"The study {str(path)!r} is empty: fill it with `visionhub annotate`.")


def _create(path: Path) -> None:
    """An empty file: answers about people's photographs are readable by their owner only."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _migrate(path: Path) -> None:
    from sqlite_utils import Database

    from visionhub.store.migrations import migrations

    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        _check_version(connection, path)
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(connection))
    finally:
        connection.close()


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a study that a newer visionhub has migrated."""
    if not connection.execute(
        "SELECT 1 FROM sqlite_master WHERE name='_sqlite_migrations'"
    ).fetchone():
        return
    found = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
    newer = [name for (name,) in connection.execute(found, (SET,)) if name not in MIGRATIONS]
    if newer:
        raise StudyError(
            f"{str(path)!r} was written by a newer visionhub ({newer[-1]}): upgrade with "
            f"pip install --upgrade visionhub."
        )


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    connection = _open(path, "rw" if write else "ro")
    try:
        _check_owner(connection, path, empty=False)
        _check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    connection.execute("PRAGMA foreign_keys = ON")
    if write:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_mode = {'WAL' if wal_is_safe() else 'TRUNCATE'}")
    return connection


def _open(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


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
