"""What lies in a folder: images, what is passed over, and what cannot be looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from visionhub.decode import FORMATS, sniff
from visionhub.files import reason_of

PassOver: TypeAlias = Callable[[str], None]
Folder: TypeAlias = tuple[int, int]  # device and inode: the same under every name

# Names that a person would call images. Those of formats that are not decoded are among them, so
# that they leave a row with a reason.
DECODED = "jpg jpeg jpe jfif mpo png apng webp gif bmp dib tif tiff avif avifs heic heif hif"
NOT_DECODED = (
    "jp2 j2k jpx jxl psd tga ico svg eps sgi pcx ppm pgm pbm pnm exr dng cr2 cr3 nef arw raf pef"
)
IMAGE_SUFFIXES = frozenset(f".{suffix}" for suffix in f"{DECODED} {NOT_DECODED}".split())
# Never opened to see what they are: closing a database that a thread of this process writes to
# would drop its locks, and the study itself may lie among the photographs.
DATABASE_SUFFIXES = frozenset({".db", ".db3", ".sqlite", ".sqlite3"})


@dataclass(frozen=True, slots=True)
class Found:
    """A file to look at, or one (or a folder) that cannot be looked at.

    path: as `os.fsdecode` gives it; bytes that are no UTF-8 are surrogates, `open` takes them.
    problem: one of the reasons of `visionhub.decode` (missing, no_access, not_a_file,
        symlink_loop), or empty_cell for a row of a table without a path.
    given: the cell of a table that named it, as it stands there; None for other sources.
    """

    path: str
    problem: str | None = None
    given: str | None = None


def look(path: str) -> tuple[Found, Folder | None]:
    """One path, followed through links: a file, or a folder's identity beside it."""
    try:
        state = os.stat(path)  # noqa: PTH116 (text with surrogates, in the hot path)
        readable = os.access(path, os.R_OK)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return Found(path, reason_of(error)), None
    if stat.S_ISDIR(state.st_mode):
        return Found(path), (state.st_dev, state.st_ino)
    if not stat.S_ISREG(state.st_mode):
        return Found(path, "not_a_file"), None
    return Found(path, None if readable else "no_access"), None


@dataclass(slots=True)
class _Level:
    """A folder that is being searched, with what is left of it."""

    path: str
    identity: Folder
    names: Iterator[tuple[str, bool]]  # and whether it is a plain file


def walk(folder: str, pass_over: PassOver) -> Iterator[Found]:
    """Everything below a folder in the order of its names' bytes, hidden names included.

    Links are followed; one that leads to a folder it lies in is a problem, not a loop. Files are
    told by their name, others by their first bytes; what is neither goes to `pass_over`.
    The names of the folders on the way down are held, no others.
    """
    levels: list[_Level] = []  # no recursion: folders may be nested deeper than Python calls
    yield from _enter(folder, levels)
    while levels:
        name, plain = next(levels[-1].names, ("", False))
        if not name:
            levels.pop()
            continue
        path = os.path.join(levels[-1].path, name)  # noqa: PTH118
        if plain:  # spares most files a stat; one that may not be read says so when it is
            yield from _kept(Found(path), pass_over)
        elif os.path.isdir(path):  # noqa: PTH112
            yield from _enter(path, levels)
        else:
            yield from _kept(look(path)[0], pass_over)


def _enter(path: str, levels: list[_Level]) -> Iterator[Found]:
    """Go down into a folder; a row for one that cannot be entered."""
    found, identity = look(path)
    if identity is None or any(level.identity == identity for level in levels):
        yield Found(path, found.problem or "symlink_loop")
        return
    try:
        with os.scandir(path) as entries:
            plain = {entry.name: entry.is_file(follow_symlinks=False) for entry in entries}
    except OSError as error:
        yield Found(path, reason_of(error))
        return
    names = sorted(plain.items(), key=lambda item: os.fsencode(item[0]))
    levels.append(_Level(path, identity, iter(names)))


def _kept(found: Found, pass_over: PassOver) -> Iterator[Found]:
    """The file, when it is an image by name or by its first bytes, or nobody can say."""
    suffix = os.path.splitext(found.path)[1].lower()  # noqa: PTH122
    if suffix in IMAGE_SUFFIXES or found.problem in ("no_access", "symlink_loop"):
        yield found
    elif found.problem is not None or suffix in DATABASE_SUFFIXES:
        pass_over(found.path)
    else:
        try:
            with open(found.path, "rb") as file:  # noqa: PTH123
                image = sniff(file.read(32)) in FORMATS
        except OSError as error:
            yield Found(found.path, reason_of(error))
            return
        if image:
            yield found
        else:
            pass_over(found.path)
