"""The demonstration: real, openly licensed photographs, asked about without a key or a GPU."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from visionhub.archives import pull
from visionhub.engine.plan import DEFAULT_TASKS
from visionhub.engine.progress import Progress
from visionhub.facade import Study
from visionhub.report.contact import contact_sheet
from visionhub.report.files import whole
from visionhub.schema import Task
from visionhub.store.study import StudyFile
from visionhub.weights import Archive, WeightFile

# scikit-image carries sample photographs. Its wheels differ between platforms, the photographs do
# not: the files' own hashes pin them.
PAGE = "contact-sheet.html"
ARCHIVE = Archive("scikit-image", "0.26.0", "", 13_711_217)


@dataclass(frozen=True)
class Photograph:
    """A sample photograph, with who made it available as scikit-image's documentation says."""

    file: WeightFile
    credit: str


def _photo(name: str, sha256: str, size: int, credit: str) -> Photograph:
    return Photograph(WeightFile(f"skimage/data/{name}", sha256, size), credit)


PHOTOGRAPHS = (
    _photo(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        791_555,
        "Eileen Collins, NASA, public domain",
    ),
    _photo(
        "camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        139_512,
        "Lav Varshney, CC0",
    ),
    _photo(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        240_512,
        "Stefan van der Walt, CC0",
    ),
    _photo(
        "clock_motion.png",
        "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
        58_784,
        "Stefan van der Walt, public domain",
    ),
    _photo(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        466_706,
        "Rachel Michetti, CC0",
    ),
    _photo(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        112_525,
        "SpaceX, public domain",
    ),
    _photo(
        "text.png",
        "bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1",
        42_704,
        "Wikipedia, public domain",
    ),
)


def photographs(folder: Path, announce: Callable[[str], None]) -> list[Path]:
    """Fetch the sample photographs into a folder, once; their paths.

    Raises ModelError when they cannot be fetched or differ from their hashes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {photo.file: folder / photo.file.name for photo in PHOTOGRAPHS}
    if absent := [file for file, place in places.items() if not place.exists()]:
        for file, path in zip(absent, pull(ARCHIVE, absent, announce), strict=True):
            shutil.copyfile(path, places[file])
    credits_ = "\n".join(f"{photo.file.name}: {photo.credit}" for photo in PHOTOGRAPHS)
    with whole(folder / "CREDITS.txt") as out:
        out.write(f"{credits_}\n".encode())
    return list(places.values())


def demonstrate(
    folder: Path, announce: Callable[[str], None], watch: Callable[[Progress], None]
) -> tuple[Study, Progress]:
    """Photographs -> study -> page, all below `folder`.

    The page shows the faces: the one that can be recognised is in an official portrait.
    """
    paths = photographs(folder / "photos", announce)
    study = Study(folder / "study.db")
    tasks = (*DEFAULT_TASKS, Task.PEOPLE)
    progress = study.annotate(paths, tasks=tasks, announce=announce, watch=watch)
    with StudyFile(study.path) as opened:
        contact_sheet(opened, folder / PAGE, limit=len(paths), sort="path", show_faces=True)
    return study, progress


def next_steps(study: Study, folder: Path) -> str:
    """What to look at and what to type next."""
    name = shlex.quote(str(study.path))
    picture = shlex.quote(str(folder / "photos" / "astronaut.png"))
    program = shlex.quote(_program())
    return (
        f"The page:  {folder / PAGE}   (open it in a browser)\n"
        f"The study: {study.path}   (SQLite: any tool opens it)\n\n"
        f"Next:\n"
        f"  {program} show {picture} --study {name} --out annotated.png\n"
        f"  {program} status {name}\n"
        f"  {program} export {name} --format csv --out tables\n"
        f"and with your own photographs:\n"
        f"  {program} annotate path/to/photos --study my.db"
    )


def _program() -> str:
    """What to type for visionhub: its path when it is not the one that the shell finds."""
    here = Path(sys.argv[0])
    found = shutil.which("visionhub")
    return "visionhub" if found and Path(found).samefile(here) else str(here)
