"""Space that a paid run keeps back, so that answers already paid for find room on a full disk."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

from visionhub.errors import StudyError, StudyFull

SIZE = 64 << 20  # bytes; answers in flight take well under one MB each
SPARE = 64 << 20  # bytes that must be free beside it, or a run is not worth beginning
PROBE = 1 << 20  # bytes that a disk which is not full has room for
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Ballast:
    """Bytes beside the study that are freed when the disk is full, or the run over.

    The file has no name, or one that vanishes with it: a run that is killed leaves nothing behind,
    and each of several processes has its own. Raises StudyFull when there is too little room for
    it and `SPARE`, because of the disk, a quota or a limit on the size of files.
    """

    def __init__(self, study: Path, size: int = SIZE) -> None:
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        folder = study.resolve().parent
        try:
            free = shutil.disk_usage(folder).free
            if free < size + SPARE:
                raise _too_little(folder, free, size)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it stays
            _fill(self._file, size)
        except OSError as error:
            self.release()
            if error.errno in FULL:
                why = error.strerror or str(error)
                raise _too_little(folder, shutil.disk_usage(folder).free, size, why) from error
            raise StudyError(f"Cannot write into {str(folder)!r}: {error.strerror}.") from error

    def release(self) -> bool:
        """Free the space, from any thread; whether there was some to free."""
        with self._lock:
            file, self._file = self._file, None
        if file is None:
            return False
        file.close()
        return True

    def __enter__(self) -> Ballast:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()


def is_full(folder: Path) -> bool:
    """Whether a small file finds no room: what SQLite calls an I/O error may be a full disk."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            _fill(probe, PROBE)
    except OSError as error:
        return error.errno in FULL
    return False


def _fill(file: IO[bytes], size: int) -> None:
    """Take the space, in blocks that are really there."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in FULL:
                raise
        if os.fstat(file.fileno()).st_blocks * 512 >= size:
            return
    file.seek(0)
    left = size
    while left > 0:  # a compressing file system would keep no room for zeros
        left -= file.write(os.urandom(min(PROBE, left)))
    os.fsync(file.fileno())


def _too_little(folder: Path, free: int, size: int, why: str = "") -> StudyFull:
    because = f" ({why})" if why else ""
    return StudyFull(
        f"The study's folder {str(folder)!r} has {free / 1e6:.0f} MB free{because} and a paid run "
        f"needs {(size + SPARE) / 1e6:.0f} MB: free some space, or name a study on another disk "
        f"with --study."
    )
