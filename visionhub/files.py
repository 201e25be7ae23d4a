"""Read a file whose name somebody else chose: regular, readable, of bearable size, or a reason."""

from __future__ import annotations

import errno
import os
import stat

from visionhub.decode import MAX_FILE_BYTES
from visionhub.errors import UnreadableImage


def read(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes; UnreadableImage when there is no regular, readable file of bearable size."""
    try:
        found = os.stat(path)  # noqa: PTH116 (paths are text with surrogates, not Path objects)
        if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
            raise UnreadableImage("not_a_file", "it is not a regular file")
        if found.st_size > MAX_FILE_BYTES:
            raise UnreadableImage("too_large", f"{found.st_size} bytes; {MAX_FILE_BYTES} are read")
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read(found.st_size + 1)  # one more byte: whether it grows meanwhile
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UnreadableImage(reason_of(error), str(error)) from error
    if len(data) > found.st_size:  # read to its end, it could be of any size
        raise UnreadableImage("changed", "the file grew while it was read; run again")
    return data


def reason_of(error: OSError | ValueError) -> str:
    """The reason word for a path that the operating system did not open."""
    if getattr(error, "errno", None) == errno.ELOOP:
        return "symlink_loop"
    missing = (FileNotFoundError, NotADirectoryError, ValueError)
    return "missing" if isinstance(error, missing) else "no_access"
