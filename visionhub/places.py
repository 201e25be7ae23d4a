"""Where weights lie on this machine: found, checked, read.

A file is looked for in the folder that VISIONHUB_MODELS names, then in the user's cache, then
inside the package that is its archive, where somebody happens to have that installed. Folder and
cache hold `<sha256>/<name>`, so the cache of one machine can be copied as the folder of another.
"""

from __future__ import annotations

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

from visionhub.download import sha256_of
from visionhub.errors import ModelError
from visionhub.weights import ModelCard, WeightFile

FOLDER = "VISIONHUB_MODELS"
ABSENT = "not pulled"


def cache_folder() -> Path:
    """Where pulled weights are kept; it need not exist yet."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("visionhub")) / "models"


def offline_folder() -> Path | None:
    """Read VISIONHUB_MODELS; while it names a folder, nothing is ever downloaded."""
    named = os.environ.get(FOLDER)
    return Path(named).expanduser() if named else None


def locate(file: WeightFile) -> Path | None:
    """Where the file lies on this machine; None when it does not.

    In the folder any file of that name counts, at any depth; of several, the one that is right.
    Unchecked, unless it is in an installed package: another version may hold another file.
    """
    folder = offline_folder()
    found = _in_folder(file, folder) if folder else None
    cached = cache_folder() / file.sha256 / file.name
    try:
        return found or (cached if cached.is_file() else _installed(file))
    except PermissionError:  # a cache that this user may not enter holds nothing for them
        return _installed(file)


def _in_folder(file: WeightFile, folder: Path) -> Path | None:
    exact = folder / file.sha256 / file.name
    if exact.is_file():
        return exact
    named = sorted(p for p in folder.rglob("*") if p.name == file.name and p.is_file())
    if len(named) > 1:  # names such as model.onnx repeat from model to model
        return next((path for path in named if sha256_of(path) == file.sha256), named[0])
    return named[0] if named else None


def _installed(file: WeightFile) -> Path | None:
    """Look where the archive's package is installed; finding it runs nothing of it."""
    spec = find_spec(file.member.partition("/")[0])
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder).parent / file.member
        if path.is_file() and path.stat().st_size == file.size and sha256_of(path) == file.sha256:
            return path
    return None


def whereabouts(card: ModelCard) -> str:
    """Where a card's files lie: `cached`, `folder`, `installed` with a package, or `not pulled`.

    Unchecked; of files that lie apart the first tells.
    """
    paths = [path for path in map(locate, card.files) if path]
    if len(paths) < len(card.files):
        return ABSENT
    folder = offline_folder()
    if all(map(in_cache, paths)):
        return "cached"
    return "folder" if folder and paths[0].is_relative_to(folder) else "installed"


def in_cache(path: Path) -> bool:
    """Whether a file is ours to replace."""
    return path.is_relative_to(cache_folder())


def verified(file: WeightFile) -> Path:
    """Where the file lies, once its content is what the card says; ModelError otherwise."""
    path = locate(file)
    if path is None:  # somebody emptied the cache this moment
        raise ModelError(f"{file.name} has vanished from {cache_folder()}: run the command again")
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
        cure = "run  visionhub models pull  to replace it" if in_cache(path) else "replace it"
        differs = f"expected SHA-256 {file.sha256}, found {found}"
        raise ModelError(f"{path} is not the file that its model card names: {differs}; {cure}")
