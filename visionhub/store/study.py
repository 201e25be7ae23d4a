"""Opening, locking and reading a study file."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from visionhub.errors import StudyError
from visionhub.store import journal
from visionhub.store.entering import enter
from visionhub.store.explain import explained
from visionhub.store.filesystem import refuse_network
from visionhub.store.opening import check_file, connect, is_older
from visionhub.store.patience import LONG, SHORT, Patience, wait_up_to
from visionhub.store.table import Table

STREAMED = 1000  # rows held at a time
LOOKS, PAUSE = 6, 0.2  # at a study that seems older, and seconds between them


class StudyFile:
    """An open study. Use it in one thread; open another for another thread or process.

    write: to have it alone; with `shared`, together with other processes that say the same.
    announce: told when a transaction waits long for another program's lock. Raises StudyError when
    the file is absent (and not `write`), is no study, was written by a newer visionhub, cannot be
    created, lies on a network file system (and `write`), is being written by another process, or is
    locked by another program for more than ten seconds.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        write: bool = False,
        shared: bool = False,
        announce: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.path = Path(path)
        self.patience = Patience(self.path, announce)
        self.writing = threading.Lock()  # one transaction at a time, whichever connection it is on
        self._lock: sqlite3.Connection | None = None
        with explained(self.path):
            check_file(self.path, write=write)
            older = not write and is_older(self.path)
        if write:
            refuse_network(self.path)
            with explained(self.path):
                self._lock = enter(self.path, shared=shared)
        elif older:
            _bring_up_to_date(self.path)
        try:
            with explained(self.path):
                self.connection = self._connect() if write else connect(self.path, write=False)
        except BaseException:
            self._unlock()
            raise

    def second(self) -> sqlite3.Connection:
        """Open a second connection for writing, as durable as the first, for use in any thread.

        One thread at a time. Close it before the study, which cannot leave one plain file else.
        """
        with explained(self.path):
            return self._connect(threads=True)

    def _connect(self, *, threads: bool = False) -> sqlite3.Connection:
        connection = connect(self.path, write=True, threads=threads)
        try:
            journal.join(connection, self.path)
            wait_up_to(connection, LONG)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the connection and let other writers in."""
        if self._lock is not None:
            journal.leave(self.connection)
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
            self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Starts IMMEDIATE: a deferred one fails at its first write when busy."""
        with self.writing, explained(self.path):
            try:
                # In here: a Ctrl-C that came while it waited is raised as soon as it returns, and
                # a transaction that stayed open would hold up every process, this one included.
                self.patience.execute(self.connection, "BEGIN IMMEDIATE")
                yield self.connection
                self.patience.execute(self.connection, "COMMIT")
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


def _bring_up_to_date(path: Path) -> None:
    """A reader needs the tables of this visionhub too.

    A study that another process is just making looks like an older one for a moment.
    """
    until = time.monotonic() + SHORT
    for left in reversed(range(LOOKS)):
        try:
            StudyFile(path, write=True).close()
        except StudyError as error:
            if not left or time.monotonic() > until:
                raise StudyError(
                    f"The study {str(path)!r} was written by an older visionhub and has to be "
                    f"brought up to date, which failed: {error} A copy in a folder of yours will "
                    "do."
                ) from error
            time.sleep(PAUSE)
        with explained(path):
            if not is_older(path):
                return
