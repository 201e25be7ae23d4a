"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from visionhub.errors import UsageError, VisionHubError
from visionhub.store.spared import lost_with

WRONG_PATH = (FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` when the block ends well, and is gone otherwise.

    It is readable by its owner only, like the study itself: it tells about people's photographs.
    Raises UsageError where `path` cannot be a file or is a database (see `spare`), and
    VisionHubError when the system refuses (no permission, a full disk); both name the path.
    """
    temporary = None
    try:
        spare(path, f"Cannot write {str(path)!r}")
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".visionhub-")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        spare(path, f"Cannot write {str(path)!r}")  # the block may have made a study there
        Path(temporary).replace(path)
    except OSError as error:
        raise _refusal(f"Cannot write {str(path)!r}", error) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()


def spare(path: Path, what: str) -> None:
    """Raise UsageError where a file `path` would cost a study or any other database.

    what: what is refused, as the sentence begins.
    """
    database = lost_with(path)
    if database is not None:
        is_it = "it is" if database == path else f"it belongs to {str(database)!r},"
        raise UsageError(
            f"{what}: {is_it} a study or another SQLite database. Choose another name."
        )


def folder(path: Path) -> None:
    """Make a folder where there is none; raises as `whole` does."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refusal(f"Cannot make the folder {str(path)!r}", error) from error


def _refusal(what: str, error: OSError) -> VisionHubError:
    """A wrong path is the user's to mend; all else (permission, space, a lost disk) is not."""
    kind = UsageError if isinstance(error, WRONG_PATH) else VisionHubError
    return kind(f"{what}: {error.strerror or error}.")
