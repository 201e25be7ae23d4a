"""Two raters' sets of things for the same images, matched once: every measure of a pair reads this.

A thing that only one gives is, for the other, below its threshold, below its ceiling (unknown), or
a plain "no": see `visionhub.analysis.censoring`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from visionhub.analysis.censoring import NO, UNKNOWN, YES, Cells
from visionhub.analysis.frames import Bools, Floats, Integers
from visionhub.analysis.given import sources_of
from visionhub.analysis.resample import Sums
from visionhub.analysis.sets import Overlaps, Sets, jaccard

STATES = 3
RETURNED = (-np.inf, -np.inf)  # thresholds: whatever a rater gave counts


@dataclass(frozen=True)
class Side:
    """One rater's sets. floor: the lowest score that it gives.

    ceiling: (n,) the score below which all lies that it has not given.
    """

    sets: Sets
    floor: float
    ceiling: Floats


@dataclass(frozen=True)
class Counted:
    """Things an image, (n,) each: both gave, one gave; and of these unknown for the other."""

    overlaps: Overlaps
    unknown: Integers

    def of(self, images: Integers) -> Counted:
        """Some of the images, by position."""
        o = self.overlaps
        some = Overlaps(o.both[images], o.first[images], o.second[images])
        return Counted(some, self.unknown[images])

    def bounds(self) -> tuple[Floats, Floats]:
        """(n,) the lowest and highest Jaccard that the censored scores leave possible.

        Among the things that either has named: what neither has, nobody can list.
        """
        o = self.overlaps
        union = o.first + o.second - o.both
        best = jaccard(o.both + self.unknown, union, o.both + self.unknown)
        return o.jaccard, best


@dataclass(frozen=True)
class Pair:
    """The union of two raters' (image, thing) rows, in order, and what each says about them.

    keys: (u,) image * things + thing. first, second: (u,) scores, nan where not given.
    """

    n: int
    things: int
    keys: Integers
    first: Floats
    second: Floats
    floors: tuple[float, float]
    ceilings: tuple[Floats, Floats]

    @classmethod
    def of(cls, one: Side, other: Side) -> Pair:
        """Match the rows of two raters."""
        # Two ascending runs, which a stable sort only has to merge.
        keys = np.sort(np.concatenate([one.sets.keys, other.sets.keys]), kind="stable")
        keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
        columns = []
        for side in (one, other):
            column = np.full(len(keys), np.nan)
            # A label without a score is given all the same: above any threshold.
            column[np.searchsorted(keys, side.sets.keys)] = np.nan_to_num(
                side.sets.score, nan=np.inf
            )
            columns.append(column)
        floors, ceilings = (one.floor, other.floor), (one.ceiling, other.ceiling)
        return cls(one.sets.n, one.sets.things, keys, columns[0], columns[1], floors, ceilings)

    @cached_property
    def image(self) -> Integers:
        """(u,) positions of images."""
        return self.keys // max(self.things, 1)

    @cached_property
    def thing(self) -> Integers:
        """(u,) numbers of things."""
        return self.keys % max(self.things, 1)

    def counted(self, cuts: tuple[float, float] = RETURNED) -> Counted:
        """Overlaps at two thresholds; without them, of what was returned."""
        first, second = (self._yes(side, cut) for side, cut in enumerate(cuts))
        unsure = [self._unknown(side, cut) for side, cut in enumerate(cuts)]
        tell = [first & second, first, second, (first & unsure[1]) | (second & unsure[0])]
        both, mine, theirs, unknown = (
            np.bincount(self.image[rows], minlength=self.n) for rows in tell
        )
        return Counted(Overlaps(both, mine, theirs), unknown)

    def cells(self, cuts: tuple[float, float] = RETURNED) -> Cells:
        """(things, 3, 3) counts of images for every thing."""
        states = [self._state(side, cut) for side, cut in enumerate(cuts)]
        code = (self.thing * STATES + states[0]) * STATES + states[1]
        met = np.bincount(code, minlength=self.things * STATES**2)
        # Images in which neither has the thing: all, less those of the union, by what is known.
        known = [self._absent(side, cut) for side, cut in enumerate(cuts)]
        kind = known[0] * STATES + known[1]
        everywhere = np.bincount(kind, minlength=STATES**2)
        listed = np.bincount(
            self.thing * STATES**2 + kind[self.image], minlength=self.things * STATES**2
        )
        shape = (self.things, STATES, STATES)
        rest = everywhere.reshape(STATES, STATES) - listed.reshape(shape)
        return Cells((met.reshape(shape) + rest).astype(np.float64))

    def _score(self, side: int) -> Floats:
        return (self.first, self.second)[side]

    def _yes(self, side: int, cut: float) -> Bools:
        return np.asarray(self._score(side) >= cut)  # nan is not

    def _unknown(self, side: int, cut: float) -> Bools:
        censored = self.ceilings[side] > self._least(side, cut)
        return np.isnan(self._score(side)) & censored[self.image]

    def _state(self, side: int, cut: float) -> Integers:
        return np.where(self._yes(side, cut), YES, np.where(self._unknown(side, cut), UNKNOWN, NO))

    def _absent(self, side: int, cut: float) -> Integers:
        """(n,) what it means that an image lacks a thing."""
        return np.where(self.ceilings[side] > self._least(side, cut), UNKNOWN, NO)

    def _least(self, side: int, cut: float) -> float:
        """The threshold; of what was returned it is the floor."""
        return self.floors[side] if cut == -np.inf else cut


def returned_by_source(pair: Pair, things: Integers, sources: Integers) -> Sums:
    """For `estimates`: (G, 1 + 3 T) images of each source, and both, first, second of each thing.

    Of what was returned. Sparse, because a source meets few things.
    """
    from scipy import sparse

    codes = sources_of(sources, pair.n)
    images = np.bincount(codes)
    column = np.full(pair.things, -1, dtype=np.int64)
    column[things] = 1 + 3 * np.arange(len(things))
    rows = np.flatnonzero(column[pair.thing] >= 0)
    first, second = ~np.isnan(pair.first[rows]), ~np.isnan(pair.second[rows])
    source, at = codes[pair.image[rows]], column[pair.thing[rows]]
    row = np.concatenate(
        [np.arange(len(images)), source[first & second], source[first], source[second]]
    )
    place = np.concatenate(
        [np.zeros(len(images)), at[first & second], at[first] + 1, at[second] + 2]
    ).astype(np.int64)
    value = np.concatenate([images, np.ones(len(row) - len(images))])
    table = sparse.csr_array((value, (row, place)), shape=(len(images), 1 + 3 * len(things)))
    return Sums(table, images, sourced=True)


def returned_cells(sums: Floats) -> Floats:
    """(..., T, 4) yes-yes, yes-no, no-yes, no-no out of sums of `returned_by_source`."""
    met = sums[..., 1:].reshape(*sums.shape[:-1], -1, 3)
    both, first, second = met[..., 0], met[..., 1], met[..., 2]
    rest = sums[..., :1] - first - second + both
    return np.stack([both, first - both, second - both, rest], axis=-1)
