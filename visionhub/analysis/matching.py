"""Which boxes of two raters are the same thing: the best one-to-one matching in each image.

Pairs of boxes with an intersection over union (IoU) of at least the threshold are candidates,
others are no pairs at all and displace nothing; where categories are given, both must be of one. Of
all sets of candidates in which no box occurs twice, the matching is one with the greatest sum of
IoU. It needs no scores and is symmetric, and so suits raters of equal standing; COCO's rule for a
model against gold is in `greedy`.

All images are matched at once: candidates are found by arrays, and `assignment` solves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.assignment import assign
from visionhub.analysis.boxes import (
    Bools,
    Boxes,
    Floats,
    Integers,
    areas,
    categorised,
    intersections,
    pairs_within,
    shares,
)
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.given import sources_of
from visionhub.analysis.resample import DEFAULT, Resampling, Sums, estimates, ratio

THRESHOLDS = (0.3, 0.5, 0.75)
SLACK = 1e-9  # what rounding may take from a share


@dataclass(frozen=True)
class Candidates:
    """Pairs that may be matched at any threshold from `least` on.

    i, j: (n,) positions in `a` and in `b`, ascending by i, then j. iou: (n,).
    """

    a: Boxes
    b: Boxes
    least: float
    i: Integers
    j: Integers
    iou: Floats


@dataclass(frozen=True)
class Matches:
    """Matched pairs: (n,) positions in `a` and in `b`, ascending by i, and their IoU."""

    i: Integers
    j: Integers
    iou: Floats


def candidates(a: Boxes, b: Boxes, least: float, *, same_category: bool = True) -> Candidates:
    """Find all pairs of one image with an IoU of `least` or more: once, for any threshold above.

    same_category: only those of one category, where both sides have categories. ValueError when one
    side has them and the other has not, or `least` is not above 0 and at most 1.

    >>> a = Boxes.of([0, 0, 2], [[0, 0, 4, 4], [1, 0, 5, 4], [0, 0, 1, 1]])
    >>> b = Boxes.of([0, 1], [[0, 0, 4, 4], [0, 0, 1, 1]])
    >>> candidates(a, b, 0.5).iou.tolist()
    [1.0, 0.6]
    """
    if not 0 < least <= 1:
        raise ValueError(f"a least IoU of {least}: it must be above 0, and at most 1")
    found = list(_Pairs(a, b, least, same_category and categorised([a, b])))
    none = np.zeros(0)
    i, j, shared = (
        np.concatenate([piece[at] for piece in found]) if found else none for at in range(3)
    )
    return Candidates(a, b, least, i.astype(np.int64), j.astype(np.int64), shared)


class _Pairs:
    """All pairs of boxes of one image that overlap enough, some boxes of `a` at a time."""

    def __init__(self, a: Boxes, b: Boxes, least: float, same: bool) -> None:
        self.a, self.b, self.least, self.same = a, b, least, same
        self.columns = [np.ascontiguousarray(boxes.boxes.T) for boxes in (a, b)]
        self.areas = areas(a.boxes), areas(b.boxes)

    def __iter__(self) -> Iterator[tuple[Integers, Integers, Floats]]:
        for i, j in pairs_within(self.a.image, self.b.image):
            yield self._overlapping(*self._alike(i, j))

    def _alike(self, i: Integers, j: Integers) -> tuple[Integers, Integers]:
        """Pairs of one category."""
        if not self.same or self.a.category is None or self.b.category is None:
            return i, j
        at = np.flatnonzero(self.a.category[i] == self.b.category[j])
        return i[at], j[at]

    def _overlapping(self, i: Integers, j: Integers) -> tuple[Integers, Integers, Floats]:
        """Pairs with enough in common.

        Two boxes share of their widths, and of their heights, no smaller a part than of their
        areas. That is cheaper to look at, and leaves few pairs.
        """
        for axis in (0, 1):
            i, j = self._near(i, j, axis)
        common = intersections(self.a.boxes[i], self.b.boxes[j])
        shared = shares(common, self.areas[0][i], self.areas[1][j])
        at = np.flatnonzero(shared >= self.least)
        return i[at], j[at], shared[at]

    def _near(self, i: Integers, j: Integers, axis: int) -> tuple[Integers, Integers]:
        """Pairs that share enough of their widths (axis 0) or heights (axis 1)."""
        a, b = self.columns
        low, high = a[axis][i], a[axis + 2][i]
        other_low, other_high = b[axis][j], b[axis + 2][j]
        common = np.minimum(high, other_high) - np.maximum(low, other_low)
        # Of lengths u and v the part s is shared: s / (u + v - s) >= least.
        part = self.least / (1 + self.least) * (1 - SLACK)
        at = np.flatnonzero(common >= part * ((high - low) + (other_high - other_low)))
        return i[at], j[at]


def match(found: Candidates, threshold: float | None = None) -> Matches:
    """Choose the matching of greatest total IoU among the candidates that reach a threshold.

    threshold: None is the candidates' own. ValueError when it is lower than that. Of equally good
    matchings the one that is chosen depends on the order of boxes.

    >>> a = Boxes.of([0, 0], [[0, 0, 4, 4], [1, 0, 5, 4]])
    >>> matched = match(candidates(a, a, 0.5), 0.7)
    >>> matched.i.tolist(), matched.j.tolist(), matched.iou.tolist()
    ([0, 1], [0, 1], [1.0, 1.0])
    """
    threshold = found.least if threshold is None else threshold
    if threshold < found.least:
        raise ValueError(f"candidates below {found.least} were not kept, {threshold} is too low")
    reach = np.flatnonzero(found.iou >= threshold)
    i, j, shared = found.i[reach], found.j[reach], found.iou[reach]
    chosen = assign(i, j, shared)
    return Matches(i[chosen], j[chosen], shared[chosen])


def moments(matched: Matches, a: Boxes, b: Boxes, images: int) -> Floats:
    """(images, 4) what each image contributes: matched, only in `a`, only in `b`, sum of IoU."""
    where = a.image[matched.i]
    hits = np.bincount(where, minlength=images)
    shared = np.bincount(where, matched.iou, images)
    return np.stack([hits, a.counts(images) - hits, b.counts(images) - hits, shared]).T


@dataclass(frozen=True)
class BoxAgreement:
    """How far two raters draw the same boxes, at one threshold.

    matched, only_a, only_b: boxes. images: in which at least one of the two drew a box; the
    estimates rest on these. both_empty: images in which both drew none, which agree and say nothing
    about boxes. precision: share of a's boxes that b has too; recall: share of b's boxes that a has
    too (a against b; for b against a the two change places). mean_iou: of matched pairs. quality:
    F1 times mean IoU, the panoptic quality of Kirillov et al. (2019), equation 1.
    """

    threshold: float
    matched: int
    only_a: int
    only_b: int
    images: int
    both_empty: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    mean_iou: Estimate
    quality: Estimate


WHY = {
    "precision": "the first rater drew no box",
    "recall": "the second rater drew no box",
    "f1": "neither rater drew a box",
    "mean_iou": "no two boxes are matched",
    "quality": "neither rater drew a box",
}


def agreement(
    found: Candidates,
    images: int,
    thresholds: Sequence[float] = THRESHOLDS,
    sources: ArrayLike | None = None,
    how: Resampling = DEFAULT,
) -> list[BoxAgreement]:
    """How far two raters agree on boxes at each threshold, all from the same bootstrap draws.

    images: how many both raters have looked at, those without a box included. sources: (images,)
    where each comes from; None for images that are independent.
    """
    by = sources_of(sources, images)
    parts = [moments(match(found, least), found.a, found.b, images) for least in thresholds]
    some = parts[0][:, :3].sum(axis=1) > 0
    table = np.concatenate([part.T for part in parts])[:, some].T
    data = Sums.of(table, None if by is None else by[some])
    values = estimates(data, _measures, how, limits=(0, 1))
    return [
        _agreement(least, part.sum(axis=0), some, values[at * len(WHY) : (at + 1) * len(WHY)])
        for at, (least, part) in enumerate(zip(thresholds, parts, strict=True))
    ]


def _agreement(
    threshold: float, total: Floats, some: Bools, values: Sequence[Estimate]
) -> BoxAgreement:
    hits, only_a, only_b = (int(number) for number in total[:3])
    told = [
        value if value.estimable or not value.n else replace(value, reason=why)
        for value, why in zip(values, WHY.values(), strict=True)
    ]
    drawn = int(some.sum())
    return BoxAgreement(threshold, hits, only_a, only_b, drawn, len(some) - drawn, *told)


def _measures(sums: Floats) -> Floats:
    """(..., 4 t) moments of t thresholds to (..., 5 t) measures in the order of `WHY`."""
    parts = sums.reshape(*sums.shape[:-1], -1, 4)
    hits, only_a, only_b, shared = np.moveaxis(parts, -1, 0)
    both = hits + (only_a + only_b) / 2
    measures = np.stack(
        [
            ratio(hits, hits + only_a),
            ratio(hits, hits + only_b),
            ratio(hits, both),
            ratio(shared, hits),
            ratio(shared, both),
        ],
        axis=-1,
    )
    return measures.reshape(*sums.shape[:-1], -1)
