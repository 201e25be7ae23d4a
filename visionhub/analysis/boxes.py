"""Boxes as arrays: their form, their areas, and how much two of them have in common.

A box is x_min, y_min, x_max, y_max, in ratios of the image as in a study; any other unit will do
where both sides have it. Edges have no width: the box from 0 to 5 is 5 wide, not 6 as in the
benchmarks of the years before COCO.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

PIECE = 1 << 17  # pairs that are looked at together, so that they stay in the processor's cache
_SIDES = 4


@dataclass(frozen=True)
class Boxes:
    """The boxes that one rater drew on many images, image after image.

    image: (n,) numbers from 0, ascending; an image without a box does not occur. boxes: (n, 4).
    category: (n,) numbers of what the boxes show, None where that is not known or no matter.
    """

    image: Integers
    boxes: Floats
    category: Integers | None = None

    @classmethod
    def of(cls, image: ArrayLike, boxes: ArrayLike, category: ArrayLike | None = None) -> Boxes:
        """From lists or arrays; ValueError where they do not belong together."""
        found = cls(
            _whole(image, "images"),
            as_boxes(boxes),
            None if category is None else _whole(category, "categories"),
        )
        sizes = {len(found.image), len(found.boxes)}
        sizes |= set() if found.category is None else {len(found.category)}
        if len(sizes) > 1:
            raise ValueError(f"columns of different length: {sorted(sizes)}")
        if len(found.image) and (found.image[0] < 0 or (np.diff(found.image) < 0).any()):
            raise ValueError("boxes must be in the order of their images, which count from 0")
        return found

    def __len__(self) -> int:
        return len(self.image)

    def counts(self, images: int) -> Integers:
        """(images,) how many boxes each image has. ValueError where one lies beyond them."""
        if len(self) and self.image[-1] >= images:
            raise ValueError(f"a box of image {self.image[-1]}, but there are {images} images")
        return np.bincount(self.image, minlength=images)

    def take(self, which: Bools | Integers) -> Boxes:
        """Some of the boxes, by mask or ascending positions."""
        category = None if self.category is None else self.category[which]
        return Boxes(self.image[which], self.boxes[which], category)


def categorised(raters: Sequence[Boxes]) -> bool:
    """Whether raters say what their boxes show. ValueError when only some of them do."""
    known = {rater.category is not None for rater in raters}
    if len(known) > 1:
        raise ValueError("some raters have categories, others have not")
    return known == {True}


def as_boxes(values: ArrayLike) -> Floats:
    """Make (n, 4) numbers of anything that is boxes: none, one or many. ValueError otherwise."""
    boxes = np.asarray(values, dtype=np.float64)
    if not boxes.size:
        return np.zeros((0, _SIDES))
    if boxes.shape == (_SIDES,):
        boxes = boxes[None]
    if boxes.ndim != 2 or boxes.shape[1] != _SIDES:  # noqa: PLR2004
        raise ValueError(f"boxes are rows of four numbers, not of shape {boxes.shape}")
    if not np.isfinite(boxes).all():
        raise ValueError("a box with a side that is no number")
    return boxes


def from_xywh(boxes: ArrayLike) -> Floats:
    """Turn x, y, width, height into x_min, y_min, x_max, y_max.

    >>> from_xywh([1, 2, 3, 4]).tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    found = as_boxes(boxes)
    return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)


def areas(boxes: ArrayLike) -> Floats:
    """(n,) areas; 0 of a box that ends before it begins.

    >>> areas([[0, 0, 2, 3], [5, 5, 4, 9]]).tolist()
    [6.0, 0.0]
    """
    found = as_boxes(boxes)
    sides: Floats = np.clip(found[:, 2:] - found[:, :2], 0, None)
    return sides[:, 0] * sides[:, 1]


def iou(a: ArrayLike, b: ArrayLike) -> Floats:
    """Intersection over union of each box of `a` with each of `b`: (n, m).

    Jaccard (1901) of areas, as in Everingham et al. (2010), section 4.2, without their extra pixel.
    A box without area has nothing in common with any, itself included: 0.

    >>> iou([0, 0, 2, 2], [[1, 1, 3, 3], [0, 0, 2, 2], [1, 1, 1, 1]]).round(4).tolist()
    [[0.1429, 1.0, 0.0]]
    """
    first, second = as_boxes(a), as_boxes(b)
    return shares(
        intersections(first[:, None], second[None]), areas(first)[:, None], areas(second)[None]
    )


def paired_iou(a: ArrayLike, b: ArrayLike) -> Floats:
    """Intersection over union of the boxes of `a` with those of `b`, one by one: (n,).

    >>> paired_iou([[0, 0, 2, 2]], [[1, 1, 3, 3]]).round(4).tolist()
    [0.1429]
    """
    first, second = as_boxes(a), as_boxes(b)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} boxes cannot be paired with {len(second)}")
    return shares(intersections(first, second), areas(first), areas(second))


def intersections(a: Floats, b: Floats) -> Floats:
    """Areas that boxes have in common; any leading axes, by numpy's rules."""
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    common: Floats = np.maximum(width, 0) * np.maximum(height, 0)
    return common


def shares(common: Floats, a: Floats, b: Floats) -> Floats:
    """Areas in common over areas of the union; 0 where the union has none."""
    union = a + b - common
    share: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return share


def pairs_within(a: Integers, b: Integers) -> Iterator[tuple[Integers, Integers]]:
    """All pairs of positions in two ascending columns that hold the same number, some at a time.

    >>> [(i.tolist(), j.tolist()) for i, j in pairs_within(np.array([3, 4]), np.array([3, 3, 5]))]
    [([0, 0], [0, 1])]
    """
    first = np.searchsorted(b, a)
    many = np.searchsorted(b, a, side="right") - first
    ends = np.cumsum(many)
    first -= ends - many
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(PIECE, total, PIECE)).tolist()
    for low, high in pairwise(sorted({0, *cuts, len(a)})):
        i = np.repeat(np.arange(low, high), many[low:high])
        start = int(ends[low] - many[low])
        yield i, np.repeat(first[low:high], many[low:high]) + np.arange(start, start + len(i))


def _whole(values: ArrayLike, what: str) -> Integers:
    numbers = np.asarray(values)
    if not numbers.size:
        return np.zeros(0, dtype=np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iub":
        raise ValueError(f"{what} are one row of whole numbers")
    return numbers.astype(np.int64, copy=False)
