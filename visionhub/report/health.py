"""What this machine has: each finding says what it means and what to do."""

from __future__ import annotations

import difflib
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from visionhub import __version__, registry
from visionhub.errors import ModelError, VisionHubError
from visionhub.images import decoder_version
from visionhub.places import ABSENT, FOLDER, cache_folder, offline_folder, verified, whereabouts
from visionhub.provider import installed, variable
from visionhub.store.ballast import SIZE, SPARE
from visionhub.store.filesystem import mount_at
from visionhub.store.journal import wal_is_safe
from visionhub.store.study import StudyFile
from visionhub.weights import ModelCard

EXTRAS = {
    "embedded": ("ai_edge_litert", "onnxruntime", "rapidocr"),
    "google": ("google.cloud.vision",),
    "aws": ("boto3",),
    "torch": ("torch", "torchvision"),
    "analysis": ("pandas", "pyarrow"),
    "vectors": ("onnxruntime", "tokenizers"),
}
PREFIX = "VISIONHUB_"
VARIABLES = (FOLDER, "VISIONHUB_DEBUG", "VISIONHUB_SANDBOX", "VISIONHUB_STATE")  # of no provider
OF_TESTS = ("VISIONHUB_SHARED",)  # the project's own tests and benchmarks read it


@dataclass(frozen=True)
class Finding:
    """`ok` is False for what is missing or limits; `broken` for what stops the work."""

    subject: str
    says: str
    ok: bool = True
    broken: bool = False


def findings(study: Path | None = None) -> list[Finding]:
    """Everything worth knowing, in reading order."""
    found = [
        Finding(
            "visionhub", f"{__version__} on Python {platform.python_version()}, {sys.platform}"
        ),
        _sqlite(),
        _disk(study if study is not None else Path("study.db")),
        Finding("pictures", decoder_version()),
        *_extras(),
        *_providers(),
        *_models(),
        *_variables(),
    ]
    return found + ([_study(study)] if study is not None else [])


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if wal_is_safe():
        says = (
            "a study gets a write-ahead log, with one writer or several (this version is free of "
            "the WAL-reset bug); readers never wait"
        )
    else:
        says = (
            "has the WAL-reset bug (fixed in 3.51.3), which damages a write-ahead log that several "
            "write: a study gets the rollback journal, with one writer or several; safe, and a "
            "reader may wait a moment for the writer"
        )
    return Finding("SQLite", f"{version}: {says}")


def _disk(study: Path) -> Finding:
    """Whether a study can be written where it lies, or would lie."""
    folder = study.resolve().parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("disk", f"{folder}: {error.strerror}", ok=False)
    mount = mount_at(study)
    kind = f"{mount.kind}, mounted at {mount.point}" if mount else "a kind that is not told here"
    says = f"{folder}: {kind}; {free / 1e9:.1f} GB free"
    if mount is not None and mount.network:
        advice = "a network file system: studies are read there, but written on a local disk only"
        return Finding("disk", f"{says}; {advice}", ok=False)
    if free < SIZE + SPARE:
        return Finding("disk", f"{says}; a paid run needs {(SIZE + SPARE) / 1e9:.2f}", ok=False)
    return Finding("disk", says)


def _extras() -> Iterator[Finding]:
    for extra, modules in EXTRAS.items():
        absent = [module for module in modules if not installed([module])]
        if absent:
            lacking = ", ".join(absent)
            advice = f"{lacking} not installed: pip install 'visionhub[{extra}]' when you need it"
            yield Finding(f"extra {extra}", advice, ok=False)
        else:
            yield Finding(f"extra {extra}", "installed")


def _providers() -> Iterator[Finding]:
    for name in registry.names():
        try:
            tasks = ", ".join(registry.load(name).tasks)
        except VisionHubError as error:
            yield Finding(f"provider {name}", str(error), ok=False)
        else:
            yield Finding(f"provider {name}", tasks)


def _models() -> Iterator[Finding]:
    usable = [cls for cls in registry.installed().values() if installed(cls.requires)]
    cards = [card for cls in usable for card in cls.models]
    defaults = [card for card in cards if card.default and not card.sensitive]
    absent = [card for card in defaults if whereabouts(card) == ABSENT]
    folder = offline_folder()
    if folder is not None and not folder.is_dir():
        yield Finding("model weights", f"VISIONHUB_MODELS names no folder: {folder}", ok=False)
    wrong = [said for card in defaults if card not in absent for said in _wrong(card)]
    yield from (Finding("model weights", said, ok=False, broken=True) for said in wrong)
    if not absent:
        if not wrong:
            places = ", ".join(sorted({whereabouts(card) for card in defaults}))
            says = (
                f"all {len(defaults)} default models, checked ({places}; cache: {cache_folder()})"
            )
            yield Finding("model weights", says)
        return
    size = sum(a.size for a in {card.archive for card in absent}) / 1e6
    names = ", ".join(card.name for card in absent)
    advice = f"{names} not pulled ({size:.0f} MB): visionhub models pull, or the first use does it"
    yield Finding("model weights", advice, ok=False)


def _wrong(card: ModelCard) -> Iterator[str]:
    for file in card.files:
        try:
            verified(file)
        except (ModelError, OSError) as error:
            yield str(error)


def _variables() -> Iterator[Finding]:
    """Settings in the environment that nothing reads; their values may be secret."""
    classes = registry.installed()
    known = {*VARIABLES, *OF_TESTS}
    for name, cls in classes.items():
        known |= {*cls.variables, *(variable(name, setting) for setting in cls.settings)}
    broken = tuple(variable(name, "") for name in registry.names() if name not in classes)
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(broken):
            alike = {one.removeprefix(PREFIX) for one in known}
            near = difflib.get_close_matches(name.removeprefix(PREFIX), alike, 1, cutoff=0.7)
            meant = f": is {PREFIX}{near[0]} meant?" if near else ""
            yield Finding("environment", f"nothing reads the variable {name}{meant}", ok=False)


def _study(path: Path) -> Finding:
    try:
        with StudyFile(path) as study:
            said = study.query("PRAGMA integrity_check").rows[0][0]
            images = study.query("SELECT count(*) FROM images").rows[0][0]
    except VisionHubError as error:
        return Finding("study", str(error), ok=False, broken=True)
    size = path.stat().st_size / 1e6
    says = f"{path}: {images} images, {size:.1f} MB, integrity {said}"
    return Finding("study", says, ok=said == "ok", broken=said != "ok")
