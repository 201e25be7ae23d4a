"""Who may write to a study: several processes together, or one alone.

The lock is SQLite's own, on an empty database `<study>.lock` that nothing is ever written to: a
read transaction shares it, an exclusive one has it alone (sqlite.org/lockingv3.html). The operating
system frees it however a process ends, and it is the same on every system. The file stays: removing
it would let two writers lock two files of one name.

filelock's ReadWriteLock does the same, but in a folder that a group may write to it puts a hidden
folder with a second name of the lock beside the study; reading that name, as a search for pictures
does, drops the lock (sqlite.org/howtocorrupt.html, section 2.2), and a killed run leaves it behind.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from visionhub.errors import StudyError

END = ".lock"


def take(path: Path, *, shared: bool) -> sqlite3.Connection | None:
    """Lock a study until the connection is closed, in any thread; None when others are in the way.

    Raises StudyError where no lock can be had at all.
    """
    place = Path(f"{path.resolve()}{END}")  # a link to a study is the same study
    connection = None
    try:
        connection = sqlite3.connect(
            f"{place.as_uri()}?mode=rwc",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
        if not os.access(place, os.W_OK):  # SQLite would share it when asked to have it alone
            connection.close()
            raise refused(path, _because(place) or "the file is read-only")
        if shared:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        else:
            connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return None
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise StudyError(
                f"{str(place)!r} is no lock of visionhub: move it away, or choose another place "
                f"for the study with --study."
            ) from error
        raise refused(path, _because(place) or str(error)) from error
    return connection


def another(path: Path) -> StudyError:
    """What is said to a writer who comes at the wrong time."""
    return StudyError(
        f"Another visionhub process is writing to {str(path)!r}: wait for it, or give this "
        f"run a study of its own with --study."
    )


def refused(path: Path, why: str) -> StudyError:
    """What is said where no lock can lie."""
    return StudyError(
        f"Cannot write beside the study {str(path)!r}: {why}. Choose another place with --study."
    )


def _because(place: Path) -> str:
    """Ask the system, which tells more than SQLite; empty when it sees nothing wrong."""
    try:
        os.close(os.open(place, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        return error.strerror or str(error)
    return ""
