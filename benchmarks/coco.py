"""Average precision as the COCO detection challenge defines it.

Protocol: Lin et al., "Microsoft COCO: Common Objects in Context" (2014), and the challenge's page
on detection evaluation: overlaps .50 to .95 in steps of .05, precision at 101 points of recall, at
most 100 detections a photograph and category, crowds ignored, sizes by the annotation's area.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measures import Floats, overlaps, pair

LEAST = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 100
AREAS = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
HALF, THREE_QUARTERS = [0], [5]  # where .50 and .75 lie in LEAST

Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Truths:
    """Annotated boxes, one a row: boxes (n, 4) as x, y, width, height in pixels, all else (n,).

    area: of the thing itself, in square pixels, not of its box.
    """

    image: Integers
    category: Integers
    boxes: Floats
    area: Floats
    crowd: Bools

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, Sequence[float], float, bool]]) -> Truths:
        """From (image, category, box, area, crowd) rows."""
        image, category, boxes, area, crowd = columns(rows, 5)
        return cls(
            np.array(image, dtype=np.int64),
            np.array(category, dtype=np.int64),
            np.array(boxes, dtype=np.float64).reshape(-1, 4),
            np.array(area, dtype=np.float64),
            np.array(crowd, dtype=np.bool_),
        )


@dataclass(frozen=True)
class Detections:
    """Found boxes, one a row, as in `Truths`."""

    image: Integers
    category: Integers
    boxes: Floats
    score: Floats

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, Sequence[float], float]]) -> Detections:
        """From (image, category, box, score) rows."""
        image, category, boxes, score = columns(rows, 4)
        return cls(
            np.array(image, dtype=np.int64),
            np.array(category, dtype=np.int64),
            np.array(boxes, dtype=np.float64).reshape(-1, 4),
            np.array(score, dtype=np.float64),
        )


def columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Turn rows into columns, `width` empty ones when there is no row."""
    table = list(rows)
    return [[row[at] for row in table] for at in range(width)]


@dataclass(frozen=True)
class Compared:
    """One photograph and category: hits, ignored (10, d), scores (d,), and things to find."""

    hits: Bools
    ignored: Bools
    scores: Floats
    things: int


class Evaluation:
    """Detections compared with the truth of the same photographs.

    `images` are the photographs that count, with or without boxes.
    """

    def __init__(self, truths: Truths, found: Detections, images: Sequence[int]) -> None:
        self.truths, self.found = truths, found
        self.images = sorted(set(images))
        self._compared: dict[str, list[dict[int, Compared]]] = {}

    @cached_property
    def categories(self) -> list[int]:
        """All categories that are annotated or found."""
        return sorted({*self.truths.category.tolist(), *self.found.category.tolist()})

    def summary(self) -> dict[str, float]:
        """The challenge's twelve figures; nan where nothing of a size was annotated."""
        figures = {"AP": self.precision(), "AP50": self.precision(HALF)}
        figures["AP75"] = self.precision(THREE_QUARTERS)
        for area in ("small", "medium", "large"):
            figures[f"AP_{area}"] = self.precision(area=area)
        for most in (1, 10, 100):
            figures[f"AR{most}"] = self.recall(most)
        for area in ("small", "medium", "large"):
            figures[f"AR_{area}"] = self.recall(area=area)
        return figures

    def precision(
        self,
        levels: Sequence[int] = range(len(LEAST)),
        *,
        area: str = "all",
        images: Sequence[int] | None = None,
    ) -> float:
        """Mean precision over categories, overlaps and points of recall.

        images: photographs to count instead of all, repeated ones as often as they are named.
        """
        curves = [curve(parts, MOST)[0][levels] for parts in self._parts(area, images)]
        return float(np.mean(curves)) if curves else float("nan")

    def recall(self, most: int = MOST, *, area: str = "all") -> float:
        """Mean recall over categories and overlaps with at most so many boxes a photograph."""
        ends = [curve(parts, most)[1] for parts in self._parts(area, None)]
        return float(np.mean(ends)) if ends else float("nan")

    def _parts(self, area: str, images: Sequence[int] | None) -> Iterator[list[Compared]]:
        """For each category with anything to find: its comparisons, photograph by photograph."""
        if area not in self._compared:
            self._compared[area] = [self._category(c, AREAS[area]) for c in self.categories]
        wanted = self.images if images is None else images
        for by_image in self._compared[area]:
            parts = [by_image[image] for image in wanted if image in by_image]
            if any(part.things for part in parts):
                yield parts

    def _category(self, category: int, area: tuple[float, float]) -> dict[int, Compared]:
        here = self.truths.category == category
        there = self.found.category == category
        present = {*self.truths.image[here].tolist(), *self.found.image[there].tolist()}
        return {
            image: self._compare(
                np.flatnonzero(here & (self.truths.image == image)),
                np.flatnonzero(there & (self.found.image == image)),
                area,
            )
            for image in self.images
            if image in present
        }

    def _compare(
        self, true: NDArray[np.intp], found: NDArray[np.intp], area: tuple[float, float]
    ) -> Compared:
        found = found[np.argsort(-self.found.score[found], kind="stable")[:MOST]]
        boxes, crowd = self.found.boxes[found], self.truths.crowd[true]
        ignored = crowd | outside(self.truths.area[true], area)
        overlap = overlaps(boxes, self.truths.boxes[true], crowd)
        given = pair(overlap, LEAST, ignored, crowd)
        # One more at the end, for the position -1: no true box, hence nothing ignored.
        passed = np.append(ignored, False)[given]
        odd_size = outside(boxes[:, 2:].prod(axis=1), area)
        passed |= (given < 0) & odd_size
        return Compared(given >= 0, passed, self.found.score[found], int((~ignored).sum()))


def outside(sizes: Floats, area: tuple[float, float]) -> Bools:
    """Which sizes lie outside a range that includes both ends."""
    low, high = area
    return np.asarray((sizes < low) | (sizes > high))


def curve(parts: Sequence[Compared], most: int) -> tuple[Floats, Floats]:
    """One category's precision at `RECALLS`, (10, 101), and its final recall, (10,).

    Precision is the highest at this recall or a larger one, and 0 where recall ends before.
    """
    scores = np.concatenate([part.scores[:most] for part in parts])
    order = np.argsort(-scores, kind="stable")
    hits = np.concatenate([part.hits[:, :most] for part in parts], axis=1)[:, order]
    ignored = np.concatenate([part.ignored[:, :most] for part in parts], axis=1)[:, order]
    right = np.cumsum(hits & ~ignored, axis=1, dtype=np.float64)
    wrong = np.cumsum(~hits & ~ignored, axis=1, dtype=np.float64)
    recall = right / sum(part.things for part in parts)
    precision = right / (right + wrong + np.spacing(1))
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    padded = np.pad(best, ((0, 0), (0, 1)))
    at = [np.searchsorted(row, RECALLS, side="left") for row in recall]
    ends = recall[:, -1] if recall.shape[1] else np.zeros(len(LEAST))
    return np.take_along_axis(padded, np.stack(at), axis=1), ends
