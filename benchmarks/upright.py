"""Orientation: one picture stored in eight ways must get one answer; and what EXIF says is kept."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks import truth
from benchmarks.asked import Answers, Asked, Rows
from benchmarks.figures import Figure, share
from benchmarks.scenes import boxes, pixels
from visionhub.analysis.boxes import Floats
from visionhub.analysis.greedy import overlaps, pair
from visionhub.schema import Task

Pairs: TypeAlias = Sequence[tuple[Path, Path]]
RATIOS = {"width": 1.0, "height": 1.0}
ROUNDED = 1e-5  # degrees, to which positions in the truth are rounded
GIVEN = "exif, one scene in several orientations"
MADE = "coco, turned without loss"
MADE_FROM = 3  # photographs
SURE = 0.5  # the score of objects that do not come and go with a trifle
ORIENTATION = 0x0112  # the EXIF tag
# How an upright picture is stored in each orientation (CIPA DC-008, 4.6.5): undone on display.
TURNS = {
    1: None,
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_90",
    7: "TRANSVERSE",
    8: "ROTATE_270",
}


def orientation(asked: Asked, images: Path) -> Iterator[Figure]:
    """Agreement of each file of a group with the one that is stored upright."""
    given = _pairs(truth.rows(images / "exif/truth.csv"), images / "exif")
    yield from _agreement(asked, GIVEN, given)
    with tempfile.TemporaryDirectory() as folder:
        originals = truth.pictures(images / "coco")[:MADE_FROM]
        made = [pair_ for file in originals for pair_ in turned(file, Path(folder))]
        yield from _agreement(asked, MADE, made)


def _agreement(asked: Asked, name: str, pairs: Pairs) -> Iterator[Figure]:
    files = sorted({file for both in pairs for file in both})
    if asked.offers(Task.LABELS):
        yield _labels(asked.ask(Task.LABELS, files), name, pairs)
    if asked.offers(Task.OBJECTS):
        yield from _objects(asked.ask(Task.OBJECTS, files), name, pairs)


def turned(file: Path, folder: Path) -> list[tuple[Path, Path]]:
    """Store one picture in all eight EXIF orientations without loss; pair each with the first."""
    from PIL import Image

    files = []
    with Image.open(file) as opened:
        upright = opened.convert("RGB")
    for orientation, undo in TURNS.items():
        stored = upright if undo is None else upright.transpose(Image.Transpose[undo])
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        files.append(folder / f"{file.stem}_{orientation}.png")
        stored.save(files[-1], exif=exif)
    return [(files[0], other) for other in files[1:]]


def _pairs(rows: Sequence[Mapping[str, str]], folder: Path) -> list[tuple[Path, Path]]:
    """Pair each file with its group's reference: stored upright, else of lowest orientation."""
    groups: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        if row["same_scene_group"]:
            groups.setdefault(row["same_scene_group"], []).append(row)
    pairs = []
    for group in groups.values():
        first = min(group, key=lambda row: (row["orientation"] != "1", row["orientation"]))
        others = (row for row in group if row is not first)
        pairs += [(folder / first["file"], folder / row["file"]) for row in others]
    return pairs


def _labels(answers: Answers, photographs: str, pairs: Pairs) -> Figure:
    def top(file: Path) -> list[str]:
        return [row["name"] for row in answers[file][:1]]

    hits = sum(top(first) == top(other) for first, other in pairs)
    return share("orientation", photographs, "top-1 label as in the upright file", hits, len(pairs))


def _objects(answers: Answers, photographs: str, pairs: Pairs) -> Iterator[Figure]:
    def names(file: Path, least: float) -> Counter[str]:
        return Counter(row["name"] for row in answers[file] if row["score"] >= least)

    for least, which in ((0.0, "all objects"), (SURE, f"objects of a score from {SURE}")):
        hits = sum(names(first, least) == names(other, least) for first, other in pairs)
        name = f"{which} as in the upright file"
        yield share("orientation", photographs, name, hits, len(pairs))
    found = [iou for first, other in pairs for iou in _matched(answers[first], answers[other])]
    mean = float(np.mean(found)) if found else None
    yield Figure(
        "orientation", photographs, "mean IoU of matched objects", mean, len(found), "boxes"
    )


def _matched(first: Rows, other: Rows) -> Iterator[float]:
    """Overlaps, from .5, of boxes that bear one name in both answers."""
    for name in {row["name"] for row in first}:
        overlap = overlaps(_ratios(other, name), _ratios(first, name))
        none = np.zeros(overlap.shape[1], dtype=bool)
        [given] = pair(overlap, np.array([0.5]), none, none)
        yield from (float(overlap[at, box]) for at, box in enumerate(given) if box >= 0)


def _ratios(rows: Rows, name: str) -> Floats:
    return boxes([pixels(row, RATIOS) for row in rows if row["name"] == name])


def facts(asked: Asked, images: Path) -> Iterator[Figure]:
    """Size, time, camera and place as stored in the study, where the truth knows them."""
    folder = images / "exif"
    rows = {folder / row["file"]: row for row in truth.rows(folder / "truth.csv")}
    files = list(rows)
    asked.ask(next(task for task in Task if asked.offers(task)), files)
    stored = asked.facts(files)
    checks = {
        "width and height of the upright picture": ("upright_width", _size),
        "date and time taken": ("datetime_original", _taken),
        "camera make and model": ("model", _camera),
        "position": ("gps_lat", _position),
    }
    for name, (column, right) in checks.items():
        known = [file for file in files if rows[file][column]]
        hits = sum(right(rows[file], stored[file]) for file in known)
        yield share("facts", "exif", name, hits, len(known))
    blank = [file for file in files if not rows[file]["gps_lat"]]
    invented = sum(stored[file]["latitude"] is not None for file in blank)
    yield share("facts", "exif", "position stored where the file has none", invented, len(blank))


def _size(true: Mapping[str, str], stored: Mapping[str, Any]) -> bool:
    sides = (int(true["upright_width"]), int(true["upright_height"]))
    return sides == (stored["width"], stored["height"])


def _taken(true: Mapping[str, str], stored: Mapping[str, Any]) -> bool:
    day, _, time = true["datetime_original"].partition(" ")
    return bool(stored["taken_at"] == f"{day.replace(':', '-')}T{time}")


def _camera(true: Mapping[str, str], stored: Mapping[str, Any]) -> bool:
    return (true["make"], true["model"]) == (stored["make"], stored["model"])


def _position(true: Mapping[str, str], stored: Mapping[str, Any]) -> bool:
    there = (stored["latitude"], stored["longitude"])
    return None not in there and bool(
        np.allclose(there, (float(true["gps_lat"]), float(true["gps_lon"])), rtol=0, atol=ROUNDED)
    )
