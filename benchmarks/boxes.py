"""Boxes of a whole study at once, beside loops over images: `make bench-boxes`.

Made scenes: two raters draw the same things a little differently, each misses some and adds some;
in every fourth image the things stand in a crowd and overlap. All in CPU time of this process; each
pair in turns (A B A B ...), after a turn that warms up. A loop goes over fewer images, because it
is slow; rates are images a CPU second.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import markdown
from benchmarks.truth import shared_folder
from visionhub.analysis.box_alpha import localise
from visionhub.analysis.boxes import Boxes
from visionhub.analysis.coco import FIGURES, Detections, Evaluation, Truths
from visionhub.analysis.consensus import consensus
from visionhub.analysis.matching import THRESHOLDS, candidates, match

IMAGES, LOOPED, MEAN, ROUNDS = 100_000, 5_000, 8, 7
CROWDED = 0.25  # of images
MISSED = ADDED = 0.12  # of boxes
MOVED, SCALED = 0.06, 0.08  # of a side, and of its logarithm


def scenes(images: int, raters: int, seed: int = 1) -> list[Boxes]:
    """The boxes of several raters: eight things an image on average."""
    random = np.random.default_rng(seed)
    image = np.repeat(np.arange(images), random.poisson(MEAN, images))
    n = len(image)
    sides = np.exp(random.normal(-1.6, 0.5, (n, 2))).clip(0.02, 0.8)
    crowded = (random.random(images) < CROWDED)[image, None]
    anchors = random.random((images, 2))[image]
    centres = np.where(crowded, anchors + random.normal(0, 0.15, (n, 2)), random.random((n, 2)))
    drawn = []
    for _ in range(raters):
        seen, made = random.random(n) > MISSED, random.random(n) < ADDED
        moved = centres[seen] + random.normal(0, MOVED, (seen.sum(), 2)) * sides[seen]
        scaled = sides[seen] * np.exp(random.normal(0, SCALED, (seen.sum(), 2)))
        where = np.concatenate([moved, random.random((made.sum(), 2))])
        half = np.concatenate([scaled, sides[made]]) / 2
        boxes = np.concatenate([where - half, where + half], axis=1).clip(0, 1)
        numbers = np.concatenate([image[seen], image[made]])
        order = np.argsort(numbers, kind="stable")
        drawn.append(Boxes(numbers[order], boxes[order]))
    return drawn


@dataclass(frozen=True)
class Pair:
    """Two ways to do one thing, each over a number of images. other: None where there is none."""

    name: str
    ours: Callable[[], float]
    images: int
    other: Callable[[], float] | None = None
    looped: int = 0

    def row(self, rounds: int) -> list[str]:
        """The rates and their ratio: medians, and the range of the ratio."""
        _seconds(self.ours), _seconds(self.other)
        times = [(_seconds(self.ours), _seconds(self.other)) for _ in range(rounds)]
        rates = [self.images / ours for ours, _ in times]
        spread = f"{statistics.median(rates):,.0f} [{min(rates):,.0f} to {max(rates):,.0f}]"
        if self.other is None:
            return [self.name, spread, "", ""]
        theirs = [self.looped / other for _, other in times]
        ratios = [a / b for a, b in zip(rates, theirs, strict=True)]
        middle = f"{statistics.median(ratios):.1f} [{min(ratios):.1f} to {max(ratios):.1f}]"
        return [self.name, spread, f"{statistics.median(theirs):,.0f}", middle]


def _seconds(function: Callable[[], float] | None) -> float:
    started = time.process_time()
    if function is not None:
        function()
    return time.process_time() - started


def together(a: Boxes, b: Boxes, thresholds: tuple[float, ...]) -> float:
    """The sum of IoU of all matchings."""
    found = candidates(a, b, min(thresholds))
    return sum(float(match(found, least).iou.sum()) for least in thresholds)


class Loop:
    """The same, image by image: IoU by numpy, the matching by scipy."""

    def __init__(self, a: Boxes, b: Boxes, images: int) -> None:
        self.pairs = [
            (a.boxes[slice(*at)], b.boxes[slice(*to)])
            for at, to in zip(_spans(a, images), _spans(b, images), strict=True)
        ]

    def run(self, thresholds: tuple[float, ...]) -> float:
        from scipy.optimize import linear_sum_assignment

        total = 0.0
        for mine, theirs in self.pairs:
            shared = _iou(mine, theirs)
            for least in thresholds:
                kept = np.where(shared >= least, shared, 0)
                total += float(kept[linear_sum_assignment(kept, maximize=True)].sum())
        return total


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """As short as it can be written, without the checks of the product's own."""
    near, far = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    common = (far - near).clip(0).prod(axis=2)
    own = (a[:, 2:] - a[:, :2]).prod(axis=1)[:, None] + (b[:, 2:] - b[:, :2]).prod(axis=1)
    return common / np.maximum(own - common, 1e-12)


def _spans(boxes: Boxes, images: int) -> Iterator[tuple[int, int]]:
    ends = np.cumsum(boxes.counts(max(images, int(boxes.image[-1]) + 1)))[:images].tolist()
    return zip([0, *ends], ends, strict=False)


def pairs(images: int, looped: int) -> Iterator[Pair]:
    """What is measured."""
    a, b, c = scenes(images, 3)
    loop = Loop(a, b, looped)
    part = [rater.take(rater.image < looped) for rater in (a, b)]
    for thresholds in (THRESHOLDS, (0.5,)):
        ours, theirs = together(*part, thresholds), loop.run(thresholds)
        if abs(ours - theirs) > 1e-6 * theirs:
            raise SystemExit(f"not the best matching: {ours} instead of {theirs}")
        at = ", ".join(f"{least:g}" for least in thresholds)
        yield Pair(
            f"matching at IoU {at} / numpy and scipy, image by image",
            lambda thresholds=thresholds: together(a, b, thresholds),
            images,
            lambda thresholds=thresholds: loop.run(thresholds),
            looped,
        )
    few = [rater.take(rater.image < images // 5) for rater in (a, b, c)]
    yield Pair("consensus of three raters", lambda: len(consensus(few).boxes), images // 5)
    yield Pair("things of three raters, for alpha", lambda: len(localise(few).image), images // 5)
    folder = shared_folder().parent / "known_answers"
    if folder.is_dir():
        yield _coco(folder)


def _coco(folder: Path) -> Pair:
    """The published example: 100 photographs, 839 true and 734 found boxes."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    gold = json.loads((folder / "13_coco_gt_100.json").read_text())
    found = json.loads((folder / "13_coco_dets_fakebbox.json").read_text())
    images = [image["id"] for image in gold["images"]]
    things = [
        (row["image_id"], row["category_id"], row["bbox"], row["area"], row["iscrowd"])
        for row in gold["annotations"]
    ]
    boxes = [(row["image_id"], row["category_id"], row["bbox"], row["score"]) for row in found]

    def ours() -> float:
        return Evaluation(Truths.of(things), Detections.of(boxes), images).summary()["AP"] or 0.0

    def theirs() -> float:
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO()
            truth.dataset = gold
            truth.createIndex()
            evaluation = COCOeval(truth, truth.loadRes([dict(row) for row in found]), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return float(evaluation.stats[0])

    name = f"COCO's {len(FIGURES)} figures / pycocotools"
    return Pair(name, ours, len(images), theirs, len(images))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--looped", type=int, default=LOOPED)
    given = parser.parse_args()
    rows = [pair.row(given.rounds) for pair in pairs(given.images, given.looped)]
    head = ["A / B", "A: images per CPU-s", "B: images per CPU-s", "rate of A / rate of B"]
    print(markdown(head, rows))
    machine = {"cpus": os.cpu_count(), "python": sys.version.split()[0], "rounds": given.rounds}
    print(json.dumps(machine))


if __name__ == "__main__":
    main()
