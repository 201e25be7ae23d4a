"""Waiting for a study that another program has locked: for long amid a run, and not in silence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

LONG = 300  # seconds: what is in hand has to be stored, and an export may read for so long
SHORT = 10  # seconds, where nothing is lost by giving up
SILENT = 3  # seconds after which it is told that somebody is waited for


def wait_up_to(connection: sqlite3.Connection, seconds: float) -> None:
    """How long a connection waits for others' locks from now on."""
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def is_busy(error: sqlite3.Error) -> bool:
    """Whether an error says that another connection holds a lock."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


class Patience:
    """Begins and ends the transactions of a study; `say` is told when that takes long."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path, self._say = path, say

    def execute(self, connection: sqlite3.Connection, statement: str) -> None:
        """Do BEGIN or COMMIT, which may be tried again when they found the study locked.

        What stands between them waits as long, in silence: it is rare that it has to.
        """
        wait_up_to(connection, SILENT)
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            self._say(
                f"WARNING another program has locked the study {str(self._path)!r}: waiting for "
                f"it, {LONG // 60} minutes at most, with what has to be stored. Close it, or let "
                f"it finish."
            )
            wait_up_to(connection, LONG)
            connection.execute(statement)
        finally:
            wait_up_to(connection, LONG)
