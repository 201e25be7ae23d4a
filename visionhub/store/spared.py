"""What no file that is written may take the place of: databases, and what lies beside them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from visionhub.store import locks

BESIDE = ("-journal", "-wal", "-shm", locks.END)
"""How names end of what SQLite and visionhub keep beside a database."""


def lost_with(path: Path) -> Path | None:
    """The database that writing a file `path` would destroy or damage; None for none.

    Studies are not told from other databases: none is a report of ours.
    """
    if is_database(path):
        return path
    for end in BESIDE:
        base = path.with_name(path.name.removesuffix(end)) if path.name != end else path
        if base != path and is_database(base):
            return base
    return None


def is_database(path: Path) -> bool:
    """Whether a file is a database; one that SQLite cannot look into counts as one.

    Only SQLite may open it: see `visionhub.store.opening`.
    """
    if not path.is_file() or path.stat().st_size <= 1:  # SQLite takes these for empty databases
        return False
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_NOTADB
    return True
