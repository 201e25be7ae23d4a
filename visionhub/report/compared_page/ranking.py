"""Which photographs a page shows: those on which raters are most apart, of each task its share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from visionhub.analysis.compare import Comparison, Part
from visionhub.analysis.frames import Floats, Integers
from visionhub.analysis.part import Apart, mean_apart
from visionhub.report.compared_page.said import TABLES

Order = tuple[Integers, Floats]  # ids of images, ascending, and how far apart raters are


@dataclass(frozen=True)
class Ranking:
    """The photographs of a page, those on which raters are most apart first.

    images: (k,) ids; overall: (k,) the mean over tasks of the mean over pairs. tasks, columns: (c,)
    what is apart, with its task. distances: (k, c), nan where a pair has not answered both. of: how
    many photographs could have been chosen.
    """

    images: Integers
    overall: Floats
    tasks: tuple[str, ...]
    columns: tuple[Apart, ...]
    distances: Floats
    of: int

    @classmethod
    def of_most(cls, found: Comparison, most: int) -> Ranking:
        """At most so many photographs, in turn from the order of all tasks and that of each."""
        parts = shown_parts(found)
        means = [mean_apart(part.apart) for part in parts]
        images, overall = _mean(means)
        chosen = _in_turn([(images, overall), *means], most)
        at = np.searchsorted(images, chosen)
        order = np.lexsort((chosen, -overall[at]))
        chosen, at = chosen[order], at[order]
        columns = [one for part in parts for one in part.apart]
        distances = np.full((len(chosen), len(columns)), np.nan)
        for number, one in enumerate(columns):
            distances[:, number] = _of(one, chosen)
        tasks = tuple(part.task for part in parts for _ in part.apart)
        return cls(chosen, overall[at], tasks, tuple(columns), distances, len(images))

    def columns_of(self, part: Part) -> list[int]:
        """Numbers of the columns of a task."""
        return [at for at, task in enumerate(self.tasks) if task == part.task]


def shown_parts(found: Comparison) -> list[Part]:
    """The tasks of which photographs are shown: those with distances that can be told."""
    return [part for part in found.parts if part.apart and part.task in TABLES]


def _mean(orders: Sequence[Order]) -> Order:
    """The mean of several over the images that each has."""
    if not orders:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    every = np.concatenate([images for images, _ in orders])
    images, place = np.unique(every, return_inverse=True)
    total = np.bincount(place, np.concatenate([distance for _, distance in orders]))
    return images, total / np.bincount(place)


def _in_turn(orders: Sequence[Order], most: int) -> Integers:
    """The first of each order, then the second of each, until there are enough."""
    heads = [_first(order, most) for order in orders]
    found = dict.fromkeys(_alternating(heads))
    return np.array(list(found)[:most], dtype=np.int64)


def _first(order: Order, most: int) -> list[int]:
    images, distance = order
    place = np.lexsort((images, -distance))[:most]
    return [int(one) for one in images[place]]


def _alternating(lists: Sequence[Sequence[int]]) -> Iterable[int]:
    for row in zip_longest(*lists):
        yield from (one for one in row if one is not None)


def _of(one: Apart, images: Integers) -> Floats:
    """(k,) a pair's distances about some images, nan where it has none."""
    if not len(one.images):
        return np.full(len(images), np.nan)
    order = np.argsort(one.images)
    place = order[np.minimum(np.searchsorted(one.images, images, sorter=order), len(order) - 1)]
    return np.where(one.images[place] == images, one.distance[place], np.nan)
