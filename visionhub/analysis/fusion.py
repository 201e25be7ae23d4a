"""Weighted boxes fusion: one box in the place of several, and how sure it is.

Solovyev, Wang & Gabruseva, "Weighted boxes fusion: Ensembling boxes from different object detection
models", Image and Vision Computing 107 (2021), section 3. Boxes of one label, surest first, each
join the fused box that they overlap most with, if by more than a threshold, or found a new one. A
fused box lies at the mean of its members' sides, weighted by their scores. The last two kinds of
confidence are those of the authors' published code.

A box is compared with what was fused before it, so that the boxes of one image and label are gone
through one by one: a loop over places in their order. All images take each step together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.boxes import Floats, Integers, areas, as_boxes, intersections, shares

PIECE = 1 << 19  # numbers that are worked on at a time
OUTSIDE = 1e-9  # how far outside the image rounding may lie

Confidence: TypeAlias = Literal["avg", "max", "box_and_model_avg", "absent_model_aware_avg"]


class Fused(NamedTuple):
    """Fused boxes, surest first: (n, 4) sides in ratios, (n,) confidences and labels."""

    boxes: Floats
    scores: Floats
    labels: NDArray[Any]


def weighted_boxes_fusion(
    boxes_list: Sequence[ArrayLike],
    scores_list: Sequence[ArrayLike],
    labels_list: Sequence[ArrayLike] | None = None,
    weights: ArrayLike | None = None,
    iou_thr: float = 0.55,
    skip_box_thr: float = 0.0,
    conf_type: Confidence = "avg",
    allows_overflow: bool = False,
) -> Fused:
    """Fuse the boxes of several models for one image.

    boxes_list: (n, 4) boxes of each model, in ratios; scores_list and labels_list likewise, and
    without labels all boxes have one. weights: of the models. iou_thr: what a box must exceed to
    join. skip_box_thr: boxes of a lower score are left out. allows_overflow: whether `avg` may
    exceed 1, where a model has several boxes in a place. Of equally sure boxes the later one comes
    first, as in the authors' code; a box without area joins nothing and stays. ValueError for sides
    outside the image, which that code cuts off, and for columns of different length.

    >>> fused = weighted_boxes_fusion([[[0, 0, 0.4, 0.6]], [[0, 0, 0.2, 0.6]]], [[0.9], [0.3]],
    ...                               iou_thr=0.4)
    >>> fused.boxes.round(3).tolist(), fused.scores.round(3).tolist()
    ([[0.0, 0.0, 0.35, 0.6]], [0.6])
    """
    sizes = [len(as_boxes(boxes)) for boxes in boxes_list]
    boxes = inside(np.concatenate([np.zeros((0, 4)), *map(as_boxes, boxes_list)]))
    labels_list = [np.zeros(n, dtype=int) for n in sizes] if labels_list is None else labels_list
    scores, labels = _column(scores_list, sizes), _column(labels_list, sizes)
    if not np.isfinite(scores.astype(np.float64)).all():
        raise ValueError("a score that is no number")
    model, weight = np.repeat(np.arange(len(sizes)), sizes), model_weights(weights, len(sizes))
    kept = np.flatnonzero(scores >= skip_box_thr)
    names, first, number = np.unique(labels[kept], return_index=True, return_inverse=True)
    met = np.argsort(first)
    group = np.argsort(met)[number]  # labels are gone through as they are met
    weighted = scores[kept] * weight[model[kept]]
    order = np.lexsort((-kept, -weighted, group))
    at = kept[order]
    clusters = fuse(Parts(group[order], boxes[at], weighted[order], model[at], weight), iou_thr)
    sure = clusters.confidence(conf_type, allows_overflow=allows_overflow)
    best = np.lexsort((-np.arange(len(sure)), -sure))
    return Fused(clusters.boxes[best], sure[best], names[met][clusters.group[best]])


@dataclass(frozen=True)
class Parts:
    """Boxes to be fused, those of a group together, and surest first.

    group: (n,) ascending numbers of what is fused by itself, an image or a label of one. weighted:
    (n,) scores times the weights of their models. model: (n,) numbers from 0. weight: (models,).
    """

    group: Integers
    boxes: Floats
    weighted: Floats
    model: Integers
    weight: Floats


@dataclass(frozen=True)
class Clusters:
    """Fused boxes by group, in the order in which they were founded.

    cluster: (n,) to which of them each part belongs. group: (c,); boxes: (c, 4).
    """

    parts: Parts
    cluster: Integers
    group: Integers
    boxes: Floats

    def confidence(self, kind: Confidence, *, allows_overflow: bool = False) -> Floats:
        """How sure each fused box is: (c,).

        avg: the members' mean, times how many of the models are among them (section 3 of the paper;
        with overflow, times how many members there are), by the sum of weights; max: the largest,
        by the largest weight; box_and_model_avg: the members' mean by weight, times the share of
        weight of their models; absent_model_aware_avg: the same mean, with 0 of absent models.
        """
        if kind not in get_args(Confidence):
            raise ValueError(f"{kind} is none of {', '.join(get_args(Confidence))}")
        weight, total = self.parts.weight, self._sum(self.parts.weighted)
        weights, everyone = self._sum(weight[self.parts.model]), float(weight.sum())
        if kind == "max":
            return self.parts.weighted[_first(self.cluster)] / float(weight.max())
        if kind == "box_and_model_avg":
            return total / weights * self._own() / everyone
        if kind == "absent_model_aware_avg":
            return total / (weights + everyone - self._own())
        members = self._sum(np.ones(len(self.cluster)))
        among = members if allows_overflow else np.minimum(members, len(weight))
        return total / members * among / everyone

    def raters(self) -> Integers:
        """How many models have a box in each: (c,)."""
        return np.bincount(self._pairs()[0], minlength=len(self.group))

    def _own(self) -> Floats:
        """The weights of the models that have a box in each, together."""
        cluster, model = self._pairs()
        return np.bincount(cluster, self.parts.weight[model], len(self.group)).astype(np.float64)

    def _pairs(self) -> tuple[Integers, Integers]:
        """Which models have a box in which cluster, each pair once."""
        many = len(self.parts.weight)
        pairs = np.sort(self.cluster * many + self.parts.model)
        cluster, model = np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], many)
        return cluster, model

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self.cluster, values, len(self.group)).astype(np.float64)


def fuse(parts: Parts, threshold: float) -> Clusters:
    """Fuse the boxes of each group. ValueError when the threshold is not from 0 to 1."""
    if not 0 <= threshold <= 1:
        raise ValueError(f"a threshold of {threshold}: it must be from 0 to 1")
    slot = np.zeros(len(parts.group), dtype=np.int64)
    for rows in _rows(parts.group):
        there = rows >= 0
        slot[rows[there]] = _slots(parts, rows, threshold)[there]
    start = _starts(parts.group)
    founded = np.maximum.reduceat(slot, start) + 1 if len(start) else start
    size = np.diff(np.append(start, len(slot)))
    cluster = np.repeat(np.cumsum(founded) - founded, size) + slot
    pull = np.where(np.bincount(cluster, parts.weighted)[cluster] > 0, parts.weighted, 1.0)
    sides = [np.bincount(cluster, pull * side) for side in parts.boxes.T]
    boxes = np.stack(sides, axis=1) / np.bincount(cluster, pull)[:, None]
    return Clusters(parts, cluster, parts.group[_first(cluster)], boxes)


def _first(cluster: Integers) -> Integers:
    """The first, hence surest, member of each cluster."""
    first = np.zeros(int(cluster.max()) + 1 if len(cluster) else 0, dtype=np.int64)
    first[cluster[::-1]] = np.arange(len(cluster))[::-1]  # what is written last stays
    return first


def _starts(group: Integers) -> Integers:
    """Where each group begins."""
    return np.flatnonzero(np.diff(group, prepend=group[:1] - 1))


def _rows(group: Integers) -> Iterator[Integers]:
    """Positions of the boxes of some groups at a time, a row a group, the largest first.

    A row is filled with -1 beyond the group's end.
    """
    start = _starts(group)
    size = np.diff(np.append(start, len(group)))
    order = np.argsort(-size, kind="stable")
    low = 0
    while low < len(order):
        places = np.arange(size[order[low]])
        some = order[low : low + max(1, PIECE // (8 * len(places)))]
        low += len(some)
        yield np.where(places < size[some, None], start[some, None] + places, -1)


def _slots(parts: Parts, rows: Integers, threshold: float) -> Integers:
    """Which fused box of its group each box joins, or founds: numbers in order of founding."""
    fused, pulled = np.zeros((2, *rows.shape, 4))
    mass, extent = np.zeros((2, *rows.shape))
    slots = np.zeros(rows.shape, dtype=np.int64)
    used = np.zeros(len(rows), dtype=np.int64)
    for place in range(rows.shape[1]):
        who = np.arange(np.count_nonzero(rows[:, place] >= 0))
        box, weight = parts.boxes[rows[who, place]], parts.weighted[rows[who, place]]
        known = np.s_[: len(who), : max(1, int(used.max()))]
        common = intersections(fused[known], box[:, None])
        share = shares(common, extent[known], areas(box)[:, None])
        best = share.argmax(axis=1)
        joins = share[who, best] > threshold
        slot = np.where(joins, best, used[who])
        mass[who, slot] += weight
        pulled[who, slot] += weight[:, None] * box
        moved = np.where(joins[:, None], fused[who, slot], box)
        heavy = (joins & (mass[who, slot] > 0))[:, None]
        fused[who, slot] = np.divide(pulled[who, slot], mass[who, slot, None], moved, where=heavy)
        extent[who, slot] = areas(fused[who, slot])
        used[who] += ~joins
        slots[who, place] = slot
    return slots


def inside(boxes: Floats) -> Floats:
    """The same boxes. ValueError where one is not in ratios, or ends before it begins."""
    wrong = (boxes < -OUTSIDE) | (boxes > 1 + OUTSIDE)
    if wrong.any():
        raise ValueError(f"a box outside the image: {boxes[wrong.any(axis=1)][0].tolist()}")
    turned = (boxes[:, :2] > boxes[:, 2:]).any(axis=1)
    if turned.any():
        raise ValueError(f"a box that ends before it begins: {boxes[turned][0].tolist()}")
    return boxes


def model_weights(weights: ArrayLike | None, models: int) -> Floats:
    """One weight above 0 for each model, 1 where none are given. ValueError otherwise."""
    given = np.ones(models) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != (models,) or not (given > 0).all():
        raise ValueError(f"{models} weights above 0 are wanted, not {given.tolist()}")
    return given


def _column(values: Sequence[ArrayLike], sizes: Sequence[int]) -> NDArray[Any]:
    columns = [np.asarray(value).ravel() for value in values]
    if [len(column) for column in columns] != list(sizes):
        raise ValueError("boxes, scores and labels of different length")
    return np.concatenate(columns) if sum(sizes) else np.zeros(0)
