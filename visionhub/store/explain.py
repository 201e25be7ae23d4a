"""What went wrong with a study, in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visionhub.errors import StudyError, StudyFull
from visionhub.store.ballast import FULL, is_full

ORDINARY = (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.IntegrityError)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into one sentence that names the study.

    StudyFull when the disk has no room, else StudyError.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(path, error) from error
    except OSError as error:
        kind = StudyFull if error.errno in FULL else StudyError
        raise kind(f"The study {str(path)!r}: {error.strerror or error}.") from error


def _explanation(path: Path, error: sqlite3.Error) -> StudyError:
    code = getattr(error, "sqlite_errorcode", 0)
    kind = code & 0xFF  # what is above tells more of the same
    full = kind == sqlite3.SQLITE_FULL
    if full or (kind == sqlite3.SQLITE_IOERR and is_full(path.resolve().parent)):
        return StudyFull(
            f"The study {str(path)!r}: its disk is full. Free some space; what was committed is "
            f"safe, and the same command goes on."
        )
    if kind == sqlite3.SQLITE_NOTADB:
        return StudyError(f"{str(path)!r} is no study (no SQLite file): name another.")
    if isinstance(error, ORDINARY):
        return StudyError(f"The study {str(path)!r}: {error}. {_advice(str(error))}".rstrip())
    return StudyError(f"The study {str(path)!r} is damaged or no study: {error}.")


def _advice(message: str) -> str:
    for fragment, advice in (
        ("readonly", "It was opened for reading only, or the file or its folder is not writable."),
        ("locked", "Another program is using it; close that and run the command again."),
        ("unable to open", "Check that its folder exists and that you may write there."),
        ("no such table", "It holds no such table: see `visionhub export --help` for the names."),
        ("disk I/O", "Its disk or file system failed; what was committed is safe."),
    ):
        if fragment in message:
            return advice
    return ""
