"""Precision and recall of all categories, sizes and overlaps, however often a photograph counts.

A curve is one category at one range of sizes and one overlap. It changes its recall at hits only,
so that only hits are kept, and between two of them how many boxes came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from visionhub.analysis.boxes import Bools, Floats, Integers
from visionhub.analysis.resample import ratio

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Marks:
    """What became of found boxes, best scored first, and which true ones are there to be found.

    category, image: (d,) numbers from 0; turn: (d,) how many better ones its photograph and
    category have. hits, counted: (areas, levels, d). true_category, true_image: (g,); wanted:
    (areas, g).
    """

    category: Integers
    image: Integers
    turn: Integers
    hits: Bools
    counted: Bools
    true_category: Integers
    true_image: Integers
    wanted: Bools


class Curves:
    """Average precision and recall as functions of how often each photograph is counted.

    shape: how many categories, areas, levels and photographs there are. recalls: for which areas
    and numbers of boxes (a photograph and category) recall is wanted.
    """

    def __init__(
        self, marks: Marks, shape: tuple[int, int, int, int], recalls: list[tuple[int, int]]
    ) -> None:
        self.shape = categories, areas, levels, images = shape
        area, level, at = np.nonzero(marks.counted)
        curve = (marks.category[at] * areas + area) * levels + level
        order = np.argsort(curve, kind="stable")
        curve, at, hit = curve[order], at[order], marks.hits[area, level, at][order]
        self.curve, self.image = curve[hit], marks.image[at[hit]]
        self.starts = np.flatnonzero(np.diff(self.curve, prepend=-1))
        self.lengths = np.diff(np.append(self.starts, len(self.curve)))
        following: Integers = np.cumsum(hit) - hit  # the hit that each box comes before, or is
        led = np.append(self.curve, -1)[following] == curve
        self._came = _table(following[led], marks.image[at[led]], (len(self.curve), images))
        area, at = np.nonzero(marks.wanted)
        rows = marks.true_category[at] * areas + area
        self._wanted = _table(rows, marks.true_image[at], (categories * areas, images))
        self._areas = [area for area, _ in recalls]
        found = [(marks.hits[a] & (marks.turn < most)).mean(axis=0) for a, most in recalls]
        rows = np.concatenate([marks.category * len(recalls) + at for at in range(len(recalls))])
        shares = np.concatenate(found)
        columns = np.tile(marks.image, len(recalls))
        self._found = _table(rows, columns, (categories * len(recalls), images), shares)

    def averages(self, counts: Floats) -> tuple[Floats, Floats]:
        """Average precision, (categories, areas, levels, b), and recall, (categories, recalls, b).

        counts: (photographs, b). nan where there is nothing to be found.
        """
        categories, areas, levels, _ = self.shape
        draws = counts.shape[1]
        wanted = self._wanted @ counts
        right, came = self._summed(counts[self.image]), self._summed(self._came @ counts)
        precision = np.zeros((categories * areas, levels, draws))
        if len(self.starts):
            reached = self._passed(ratio(right, wanted[self.curve // levels]))
            heights = self._highest(right / (came + np.spacing(1))) * reached
            sums = np.add.reduceat(heights, self.starts, axis=0)
            precision[np.divmod(self.curve[self.starts], levels)] = sums / len(RECALLS)
        precision[np.broadcast_to((wanted == 0)[:, None], precision.shape)] = np.nan
        found = (self._found @ counts).reshape(categories, len(self._areas), draws)
        wanted = wanted.reshape(categories, areas, draws)[:, self._areas]
        return precision.reshape(categories, areas, levels, draws), ratio(found, wanted)

    def _summed(self, values: Floats) -> Floats:
        """Sums along each curve."""
        sums = np.cumsum(values, axis=0)
        before = np.append(np.zeros((1, sums.shape[1])), sums, axis=0)[self.starts]
        own: Floats = sums - np.repeat(before, self.lengths, axis=0)
        return own

    def _highest(self, precision: Floats) -> Floats:
        """The highest precision at each hit or a later one of its curve."""
        for low, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True):
            backwards = precision[low : low + length][::-1]
            backwards[:] = np.maximum.accumulate(backwards, axis=0)
        return precision

    def _passed(self, recall: Floats) -> Integers:
        """How many points of recall are reached at each hit."""
        reached = np.searchsorted(RECALLS, recall, side="right")
        passed = np.diff(reached, axis=0, prepend=0)
        passed[self.starts] = reached[self.starts]
        return passed


def _table(
    rows: Integers, columns: Integers, shape: tuple[int, int], values: Floats | None = None
) -> csr_array:
    """A sparse array: 1, or a value, for each row and column, added up where both occur again."""
    from scipy.sparse import csr_array

    values = np.ones(len(rows)) if values is None else values
    return csr_array((values, (rows, columns)), shape=shape)
