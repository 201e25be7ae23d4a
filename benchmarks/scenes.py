"""Labels, objects, people and safe search: the picture as a whole, and the things in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import truth
from benchmarks.asked import Answers, Asked, Rows
from benchmarks.figures import Figure, recall_precision, share
from visionhub.analysis.boxes import Floats
from visionhub.analysis.coco import Detections, average_precision
from visionhub.analysis.greedy import found_and_missed
from visionhub.analysis.resample import Resampling
from visionhub.schema import Task

ORDINARY = ("imagenet", "coco", "faces", "exif", "dated", "protest", "cloud")
LIKELY = 0.5


def labels(asked: Asked, images: Path) -> Iterator[Figure]:
    """Share of photographs whose class is the first label, and among the first five."""
    folder = images / "imagenet"
    wanted = {folder / row["file"]: row for row in truth.rows(folder / "labels.csv")}
    files = asked.cut(wanted)
    answers = asked.ask(Task.LABELS, files, parameters={"labels.min_score": "0.001"})
    ranks = [_rank(answers[file], wanted[file]) for file in files]
    for name, most in (("top-1", 1), ("top-5", 5)):
        hits = sum(rank <= most for rank in ranks)
        yield share("labels", "imagenet, 1,000 classes", name, hits, len(files))


def _rank(found: Rows, true: Mapping[str, str]) -> float:
    """Where the true class stands, from 1; infinity when it is not named at all."""
    identifiers = (true["wnid"], true["class_index"])
    ranks = [at for at, row in enumerate(found, 1) if row["vendor_id"] in identifiers]
    return min(ranks, default=float("inf"))


def objects(asked: Asked, images: Path) -> Iterator[Figure]:
    """COCO average precision, with the interval of a bootstrap over photographs."""
    coco = truth.Coco.read(images / "coco")
    files = asked.cut(coco.images)
    answers = asked.ask(Task.OBJECTS, files, parameters={"objects.min_score": "0.01"})
    found = Detections.of(
        (about["id"], coco.categories[row["name"]], pixels(row, about), row["score"])
        for file in files
        for about in [coco.images[file]]
        for row in answers[file]
        if row["name"] in coco.categories
    )
    ids = [coco.images[file]["id"] for file in files]
    measured = average_precision(coco.truths(files), found, ids, how=Resampling(300))
    for name, key in (("AP@[.5:.95]", "AP"), ("AP50", "AP50")):
        value = measured.figures[key]
        yield Figure(
            *("objects", coco.described(files), name, value.value, len(ids)),
            low=value.low,
            high=value.high,
        )


def people(asked: Asked, images: Path) -> Iterator[Figure]:
    """The box around a pose's points against COCO's box of the person; crowds do not count."""
    coco = truth.Coco.read(images / "coco")
    files = asked.cut(coco.images)
    answers = asked.ask(Task.PEOPLE, files)
    for least in (0.5, 0.3):
        counts = _persons(coco, files, answers, least).tolist()
        yield from recall_precision(
            "people", coco.described(files), counts, ("persons", "poses"), least
        )


def _persons(
    coco: truth.Coco, files: Sequence[Path], answers: Answers, least: float
) -> NDArray[np.int_]:
    """Count persons found and missed, and poses that are of nobody."""
    counts = np.zeros(3, dtype=int)
    for file in files:
        persons = [t for t in coco.things[file] if t["category_id"] == coco.categories["person"]]
        crowd = np.array([bool(person["iscrowd"]) for person in persons], dtype=bool)
        found = boxes([pixels(row, coco.images[file]) for row in answers[file]])
        true = boxes([person["bbox"] for person in persons])
        counts += found_and_missed(found, true, crowd, crowd=crowd, least=least)
    return counts


def safe_search(asked: Asked, images: Path) -> Iterator[Figure]:
    """Share of ordinary photographs that any category flags; nobody has labelled them."""
    sets = [name for name in ORDINARY if (images / name).is_dir()]
    files = [file for name in sets for file in asked.cut(truth.pictures(images / name))]
    answers = asked.ask(Task.SAFE_SEARCH, files)
    flagged = sum(any((row["score"] or 0) > LIKELY for row in answers[file]) for file in files)
    name = f"presumed false alarms: a score above {LIKELY}"
    photographs = "ordinary ones, nobody labelled them"
    yield share("safe_search", photographs, name, flagged, len(files))


def pixels(row: Mapping[str, Any], size: Mapping[str, Any]) -> list[float]:
    """Turn a stored box, in ratios, into x, y, width, height in pixels of the photograph."""
    left, top = row["x_min"] * size["width"], row["y_min"] * size["height"]
    right, bottom = row["x_max"] * size["width"], row["y_max"] * size["height"]
    return [left, top, right - left, bottom - top]


def boxes(rows: Sequence[Sequence[float]]) -> Floats:
    """Stack boxes as (n, 4), also when there is none."""
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
