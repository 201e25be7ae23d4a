"""What several raters see together, and how far each departs from it.

The consensus is made by weighted boxes fusion (`fusion`) of all raters' boxes of an image; of the
fused boxes those stand for which enough raters have a box. It does not depend on the order of
raters. A rater is part of the consensus that it is compared with, which flatters it, the more the
fewer raters there are; `left_out` compares it with what the others see together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.boxes import Boxes, Floats, Integers, categorised
from visionhub.analysis.fusion import Parts, fuse, inside, model_weights
from visionhub.analysis.matching import BoxAgreement, agreement, candidates
from visionhub.analysis.resample import DEFAULT, Resampling


@dataclass(frozen=True)
class Consensus:
    """Fused boxes of many images; how many raters have a box in each, and how sure each is: (n,).

    sure: the mean score of its boxes, weighted, with 0 for each rater who has none. With scores of
    1, and one box a rater, it is the share of raters who have one.
    """

    boxes: Boxes
    raters: Integers
    sure: Floats


def majority(raters: int) -> int:
    """The smallest number of raters that is more than half of them.

    >>> [majority(raters) for raters in (1, 2, 3, 4)]
    [1, 2, 2, 3]
    """
    return raters // 2 + 1


def consensus(
    raters: Sequence[Boxes],
    scores: Sequence[ArrayLike] | None = None,
    *,
    threshold: float = 0.55,
    quorum: int | None = None,
    weights: ArrayLike | None = None,
) -> Consensus:
    """Fuse the boxes of all raters, image by image, category by category where these are given.

    scores: (n,) of each rater's boxes, from 0 to 1. By default all are 1, because scores of
    different services are not on one scale. threshold: the IoU that a box must exceed to be the
    same as a fused one. quorum: how many raters must have a box, more than half by default.
    weights: of the raters.

    >>> one = Boxes.of([0, 0], [[0, 0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]])
    >>> other = Boxes.of([0], [[0, 0, 0.4, 0.5]])
    >>> consensus([one, other]).boxes.boxes.round(2).tolist()
    [[0.0, 0.0, 0.4, 0.45]]
    """
    quorum = majority(len(raters)) if quorum is None else quorum
    if not 1 <= quorum <= len(raters):
        raise ValueError(f"a quorum of {quorum} of {len(raters)} raters")
    parts, categories = _parts(raters, scores, model_weights(weights, len(raters)))
    clusters = fuse(parts, threshold)
    seen = clusters.raters()
    stands = np.flatnonzero(seen >= quorum)
    image, category = np.divmod(clusters.group[stands], len(categories))
    kinds = None if raters[0].category is None else categories[category]
    sure = clusters.confidence("absent_model_aware_avg")
    return Consensus(Boxes(image, clusters.boxes[stands], kinds), seen[stands], sure[stands])


def _parts(
    raters: Sequence[Boxes], scores: Sequence[ArrayLike] | None, weight: Floats
) -> tuple[Parts, Integers]:
    """All boxes as parts to fuse, by image and category; with the categories there are."""
    sizes = [len(rater) for rater in raters]
    model = np.repeat(np.arange(len(raters)), sizes)
    group = np.concatenate([rater.image for rater in raters])
    categories = np.zeros(1, dtype=np.int64)
    if categorised(raters):
        kinds = np.concatenate([r.category for r in raters if r.category is not None])
        categories = np.append(np.unique(kinds), 0)  # never none
        group = group * len(categories) + np.searchsorted(categories[:-1], kinds)
    boxes = inside(np.concatenate([rater.boxes for rater in raters]))
    weighted = weight[model] * _scores(scores, sizes)
    order = np.lexsort((_place(boxes), -weighted, group))
    parts = Parts(group[order], boxes[order], weighted[order], model[order], weight)
    return parts, categories


def _place(boxes: Floats) -> Floats:
    """A number by which equally sure boxes are put in order: it tells where they lie, not whose."""
    left, top, right, bottom = boxes.T
    place: Floats = left + np.sqrt(2) * top + np.sqrt(3) * right + np.sqrt(5) * bottom
    return place


def _scores(scores: Sequence[ArrayLike] | None, sizes: Sequence[int]) -> Floats:
    if scores is None:
        return np.ones(sum(sizes))
    columns = [np.asarray(column, dtype=np.float64) for column in scores]
    if [column.shape for column in columns] != [(size,) for size in sizes]:
        raise ValueError("each box of each rater has one score")
    sure = np.concatenate(columns)
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("scores are from 0 to 1")
    return sure


def departures(
    raters: Sequence[Boxes],
    images: int,
    scores: Sequence[ArrayLike] | None = None,
    *,
    least: float = 0.5,
    threshold: float = 0.55,
    quorum: int | None = None,
    left_out: bool = False,
    sources: Integers | None = None,
    how: Resampling = DEFAULT,
) -> list[BoxAgreement]:
    """How far each rater agrees with the consensus, at an IoU of `least`.

    Of each result, precision is the share of the rater's boxes that the consensus has, and recall
    the share of the consensus that the rater has. images: how many all raters have looked at.
    left_out: whether a rater has no part in what it is compared with; then there must be two or
    more. The rest is as in `consensus` (the quorum counts those who make it) and `agreement`.
    """
    found = []
    for at, rater in enumerate(raters):
        those = [n for n in range(len(raters)) if n != at or not left_out]
        sure = None if scores is None else [scores[n] for n in those]
        agreed = consensus([raters[n] for n in those], sure, threshold=threshold, quorum=quorum)
        pairs = candidates(rater, agreed.boxes, least)
        found += agreement(pairs, images, [least], sources, how)
    return found
