"""Average precision of a model's boxes against gold, as the COCO detection challenge defines it.

Protocol: Lin et al., "Microsoft COCO: Common Objects in Context" (2014), and the challenge's page
on detection evaluation: overlaps .50 to .95 in steps of .05, precision at 101 points of recall, at
most 100 detections a photograph and category, crowds ignored, sizes by the annotation's area.

It needs scores and is not symmetric: between two raters of equal standing it says nothing; there,
use `matching`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.boxes import Bools, Floats, Integers, pairs_within
from visionhub.analysis.coco_boxes import Detections, Truths
from visionhub.analysis.coco_curves import Curves, Marks
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.given import sources_of
from visionhub.analysis.greedy import give, paired_overlaps
from visionhub.analysis.resample import DEFAULT, Resampling, Sums, estimates, ratio

__all__ = ["Detections", "Evaluation", "Precision", "Truths", "average_precision"]

LEAST = np.linspace(0.5, 0.95, 10)
MOST = (1, 10, 100)
AREAS = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
SIZES = tuple(AREAS)[1:]
FIGURES = (
    *("AP", "AP50", "AP75", *(f"AP_{size}" for size in SIZES)),
    *(*(f"AR{most}" for most in MOST), *(f"AR_{size}" for size in SIZES)),
)
RECALLED = [(0, 1), (0, 10), (0, 100), (1, 100), (2, 100), (3, 100)]  # area and MOST, as in FIGURES
HALF, THREE_QUARTERS = 0, 5  # where .50 and .75 lie in LEAST
PIECE = 1 << 20  # numbers that are worked on at a time


@dataclass(frozen=True)
class Precision:
    """The challenge's twelve figures by name, and AP by category, with intervals.

    A category that the gold has no box of is not estimable, and no part of the figures.
    """

    figures: Mapping[str, Estimate]
    categories: Mapping[int, Estimate]


def average_precision(
    truths: Truths,
    found: Detections,
    images: ArrayLike,
    sources: ArrayLike | None = None,
    how: Resampling = DEFAULT,
) -> Precision:
    """Measure a model against gold; intervals by resampling the photographs' sources.

    images: the photographs that count, each once, with or without boxes; what lies in others is
    left out. sources: where each of `images` comes from, None for independent photographs. A draw
    needs a number a photograph: 2,000 draws of 10,000 photographs are 160 MB.
    """
    evaluation = Evaluation(truths, found, images)
    data = _memberships(np.asarray(images), sources)
    why = "nothing of this kind is annotated"
    values = estimates(data, evaluation.measures, how, limits=(0, 1), why=why)
    figures, categories = values[: len(FIGURES)], values[len(FIGURES) :]
    return Precision(
        dict(zip(FIGURES, figures, strict=True)),
        dict(zip(evaluation.categories.tolist(), categories, strict=True)),
    )


def _memberships(images: Integers, sources: ArrayLike | None) -> Sums:
    """What a source adds: each of its photographs once."""
    from scipy.sparse import csr_array

    n = len(images)
    _, place = np.unique(images, return_inverse=True)
    named = sources_of(sources, n)
    source = place if named is None else named
    units = np.bincount(source)
    sums = csr_array((np.ones(n), (source, place)), shape=(len(units), n))
    return Sums(sums, units, sourced=sources is not None)


class Evaluation:
    """Detections compared with the truth of the same photographs.

    images: those that count, ascending. All figures are functions of how often each is counted. No
    loop runs over photographs or categories, but over turns: the best box of each chooses first.
    """

    def __init__(self, truths: Truths, found: Detections, images: ArrayLike) -> None:
        self.images = np.unique(np.asarray(images, dtype=np.int64))
        if len(self.images) < np.size(images):
            raise ValueError("a photograph is named twice")
        if not np.isfinite(found.score).all():
            raise ValueError("a score that is no number")
        self.categories = np.union1d(truths.category, found.category)
        self._curves = self._compare(truths, found)

    def summary(self, images: ArrayLike | None = None) -> dict[str, float | None]:
        """The challenge's twelve figures; None where nothing of a size was annotated.

        images: photographs to count instead of all, repeated ones as often as they are named.

        >>> truths = Truths.of([(1, 7, [0, 0, 50, 50], 2500, False)])
        >>> found = Detections.of([(1, 7, [0, 0, 50, 40], 0.9)])
        >>> round(Evaluation(truths, found, [1]).summary()["AP"], 3)
        0.7
        """
        counts = np.ones(len(self.images))
        if images is not None:
            if not np.isin(images, self.images).all():
                raise ValueError("a photograph that is not of those compared")
            at = np.searchsorted(self.images, images)
            counts = np.bincount(at, minlength=len(counts)).astype(np.float64)
        values = self.measures(counts)[: len(FIGURES)].tolist()
        return {
            name: None if np.isnan(value) else value
            for name, value in zip(FIGURES, values, strict=True)
        }

    def measures(self, counts: Floats) -> Floats:
        """Figures, then the AP of each category, nan where undefined: (..., 12 + categories).

        counts: (..., images) how often each photograph is counted.
        """
        rows = counts.reshape(math.prod(counts.shape[:-1]), -1).T
        step = max(1, PIECE // max(1, len(self._curves.curve)))
        parts = [self._some(rows[:, at : at + step]) for at in range(0, rows.shape[1], step)]
        return np.concatenate(parts, axis=1).T.reshape(*counts.shape[:-1], -1)

    def _some(self, counts: Floats) -> Floats:
        precision, recall = self._curves.averages(counts)
        parts = [
            precision[:, 0].mean(axis=1)[:, None],
            precision[:, 0, [HALF, THREE_QUARTERS]],
            precision[:, 1:].mean(axis=2),
            recall,
        ]
        values = np.concatenate(parts, axis=1)
        known = ~np.isnan(values)
        means = ratio(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))
        return np.concatenate([means, values[:, 0]])

    def _compare(self, truths: Truths, found: Detections) -> Curves:
        true, thing = self._cases(truths, np.arange(len(truths.image)))
        seen, case = self._cases(found, -found.score)
        turn = np.arange(len(case)) - np.searchsorted(case, case)
        seen, case, turn = (column[turn < MOST[-1]] for column in (seen, case, turn))
        ignored = truths.crowd[true] | _outside(truths.area[true])
        pairs = _overlapping(case, thing, found.boxes[seen], truths.boxes[true], truths.crowd[true])
        given = give(turn, *pairs, LEAST, ignored, truths.crowd[true])
        passed = _passed(given, ignored, found.boxes[seen])
        # Best scored first, equals in the order of photographs; categories apart.
        order = np.lexsort((-found.score[seen], case // len(self.images)))
        given, passed = given[:, :, order], passed[:, :, order]
        marks = Marks(
            *np.divmod(case[order], len(self.images)),
            turn[order],
            (given >= 0) & ~passed,
            ~passed,
            *np.divmod(thing, len(self.images)),
            ~ignored,
        )
        shape = (len(self.categories), len(AREAS), len(LEAST), len(self.images))
        return Curves(marks, shape, RECALLED)

    def _cases(
        self, boxes: Truths | Detections, order: Floats | Integers
    ) -> tuple[Integers, Integers]:
        """Rows of the photographs that count, by category, photograph and `order`; which these are.

        A case is a category and a photograph, as one number.
        """
        rows = np.flatnonzero(np.isin(boxes.image, self.images))
        photograph = np.searchsorted(self.images, boxes.image[rows])
        category = np.searchsorted(self.categories, boxes.category[rows])
        case = category * len(self.images) + photograph
        by = np.lexsort((order[rows], case))
        return rows[by], case[by]


def _outside(sizes: Floats) -> Bools:
    """Which sizes lie outside each range of `AREAS`, both ends of which are in it: (4, n)."""
    return np.stack([(sizes < low) | (sizes > high) for low, high in AREAS.values()])


def _overlapping(
    case: Integers, thing: Integers, found: Floats, true: Floats, crowd: Bools
) -> tuple[Integers, Integers, Floats]:
    """Pairs of a found and a true box of one case that overlap by half or more."""
    some: list[tuple[Integers, Integers, Floats]] = []
    for i, j in pairs_within(case, thing):
        overlap = paired_overlaps(found[i], true[j], crowd[j])
        at = np.flatnonzero(overlap >= LEAST[0])
        some.append((i[at], j[at], overlap[at]))
    none = np.zeros(0, dtype=np.int64)
    i, j = (np.concatenate([none, *(piece[at] for piece in some)]) for at in (0, 1))
    return i, j, np.concatenate([np.zeros(0), *(piece[2] for piece in some)])


def _passed(given: Integers, ignored: Bools, boxes: Floats) -> Bools:
    """Found boxes that do not count: given an ignored true one, or given none and of odd size."""
    # One more at the end, for the position -1: no true box, hence nothing ignored.
    padded = np.append(ignored, np.zeros((len(ignored), 1), dtype=bool), axis=1)
    odd = _outside(boxes[:, 2] * boxes[:, 3])[:, None]
    passed: Bools = padded[np.arange(len(ignored))[:, None, None], given] | ((given < 0) & odd)
    return passed
