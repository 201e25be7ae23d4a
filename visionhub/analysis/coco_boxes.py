"""Boxes in pixels as COCO writes them, gold and found ones, and how a study's boxes become such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.boxes import Bools, Floats, Integers, as_boxes


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
        image, category, boxes, area, crowd = _columns(rows, 5)
        return cls(
            np.array(image, dtype=np.int64),
            np.array(category, dtype=np.int64),
            as_boxes(boxes),
            np.array(area, dtype=np.float64),
            np.array(crowd, dtype=np.bool_),
        )

    @classmethod
    def of_ratios(
        cls,
        image: ArrayLike,
        category: ArrayLike,
        boxes: ArrayLike,
        sizes: ArrayLike,
        crowd: ArrayLike | None = None,
    ) -> Truths:
        """From a study's boxes, x_min, y_min, x_max, y_max in ratios.

        sizes: (n, 2) width and height in pixels of the image that each box is in. The area of a
        thing is taken to be its box's, because a study does not know better.
        """
        pixels = _pixels(boxes, sizes)
        return cls(
            np.asarray(image, dtype=np.int64),
            np.asarray(category, dtype=np.int64),
            pixels,
            pixels[:, 2] * pixels[:, 3],
            np.zeros(len(pixels), bool) if crowd is None else np.asarray(crowd, dtype=np.bool_),
        )


@dataclass(frozen=True)
class Detections:
    """Found boxes, one a row, as in `Truths`. score: (n,) on any scale, the higher the surer."""

    image: Integers
    category: Integers
    boxes: Floats
    score: Floats

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, Sequence[float], float]]) -> Detections:
        """From (image, category, box, score) rows."""
        image, category, boxes, score = _columns(rows, 4)
        return cls(
            np.array(image, dtype=np.int64),
            np.array(category, dtype=np.int64),
            as_boxes(boxes),
            np.array(score, dtype=np.float64),
        )

    @classmethod
    def of_ratios(
        cls,
        image: ArrayLike,
        category: ArrayLike,
        boxes: ArrayLike,
        score: ArrayLike,
        sizes: ArrayLike,
    ) -> Detections:
        """From a study's boxes, as in `Truths.of_ratios`."""
        return cls(
            np.asarray(image, dtype=np.int64),
            np.asarray(category, dtype=np.int64),
            _pixels(boxes, sizes),
            np.asarray(score, dtype=np.float64),
        )


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Turn rows into columns, `width` empty ones when there is no row."""
    table = list(rows)
    return [[row[at] for row in table] for at in range(width)]


def _pixels(boxes: ArrayLike, sizes: ArrayLike) -> Floats:
    """Ratios to x, y, width, height in pixels."""
    found = as_boxes(boxes)
    scaled = found * np.tile(np.asarray(sizes, dtype=np.float64).reshape(len(found), 2), 2)
    return np.concatenate([scaled[:, :2], scaled[:, 2:] - scaled[:, :2]], axis=1)
