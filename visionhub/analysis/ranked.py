"""Ordered words beside numbers, by their ranks: correlations, and how well cuts are told apart."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.chance import linear_interval
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import Column, clusters_of, items_of, sources_of
from visionhub.analysis.ranks import RankPairs, rank_pairs
from visionhub.analysis.rated import Sources, gathered
from visionhub.analysis.resample import (
    DEFAULT,
    Floats,
    Integers,
    Resampling,
    Statistic,
    estimate,
)
from visionhub.analysis.scale import UNKNOWN, Words, places_of, same_length

RESAMPLED = 2000  # different pairs of values up to which ranks are resampled
CONSTANT = "one of the two never varies: it has no ranks"


@dataclass(frozen=True)
class _Both:
    """A variable with levels beside one with numbers, of the units that have both."""

    pairs: RankPairs
    which: Integers
    levels: Floats  # (K,) the numbers, or places on the scale, that occur, in order
    sources: Integers | None

    @classmethod
    def of(
        cls,
        first: Words,
        second: ArrayLike,
        levels: Sequence[Hashable] | None,
        unknown: Collection[Hashable],
        sources: Sources,
    ) -> _Both:
        y = orderly(second)
        if levels is None:
            x = orderly(first)
        else:
            places = places_of(first, levels, unknown)
            x = np.where(places >= 0, places, np.nan)
        same_length(x, y, "words or numbers")
        kept = ~(np.isnan(x) | np.isnan(y))
        numbers = sources_of(sources, len(kept))
        pairs, which = rank_pairs(x[kept], y[kept])
        return cls(pairs, which, np.unique(x[kept]), None if numbers is None else numbers[kept])

    def nothing(self, reason: str) -> Estimate:
        """No value, for a reason; or because no unit has both."""
        n = len(self.which)
        return not_estimable(reason if n else "nothing to compare", n, clusters_of(self.sources, n))

    @property
    def counts(self) -> Floats:
        """(P,) how often each pair of values occurs."""
        return np.bincount(self.which, minlength=len(self.pairs.x)).astype(np.float64)

    @property
    def small(self) -> bool:
        """Whether the patterns are few enough to be resampled."""
        return len(self.pairs.x) <= RESAMPLED

    def estimate(
        self, statistic: Statistic, how: Resampling, limits: tuple[float, float]
    ) -> Estimate:
        """By resampling units or their sources."""
        from scipy import sparse

        data = gathered(sparse.eye_array(len(self.pairs.x)).tocsr(), self.which, self.sources)
        return estimate(data, statistic, how, limits=limits, why=CONSTANT)

    def linear(
        self, value: float, influence: Floats, how: Resampling, limits: tuple[float, float]
    ) -> Estimate:
        """By the linearised statistic, which is what resampling millions would give."""
        data = gathered(influence[:, None], self.which, self.sources)
        found = Estimate(value, n=data.n, clusters=data.clusters, level=how.level)
        return linear_interval(found, np.asarray(data.sums)[:, 0], data, limits)[0]

    @property
    def constant(self) -> bool:
        """Whether one of the two never varies."""
        return not len(self.which) or not self.pairs.x.any() or not self.pairs.y.any()


def orderly(values: Column) -> Floats:
    """(n,) numbers whose order counts, nan where missing; they may be infinite.

    >>> orderly([3, None, float("inf")])
    array([ 3., nan, inf])
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf" and not np.ma.isMA(values):
        numbers = values.astype(np.float64)
    else:
        numbers = np.array(items_of(values), dtype=np.float64)  # None becomes nan
    if numbers.ndim != 1:
        raise ValueError(f"numbers are one for each unit, these have {numbers.ndim} dimensions")
    return numbers


def spearman(
    first: Words,
    second: ArrayLike,
    *,
    levels: Sequence[Hashable] | None = None,
    unknown: Collection[Hashable] = UNKNOWN,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Spearman's rank correlation; of numbers, or of words in the order of `levels` and numbers.

    Up to 2,000 different pairs of values units (or `sources`) are resampled; beyond, the interval
    is from the linearised statistic, as `method` then says. Missing on either side: left out.

    >>> round(spearman([1, 2, 3, 4], [10, 30, 20, 40]).value, 4)
    0.8
    """
    both = _Both.of(first, second, levels, unknown, sources)
    if both.constant:
        return both.nothing(CONSTANT)
    if both.small:
        return both.estimate(both.pairs.spearman, how, (-1.0, 1.0))
    value = float(both.pairs.spearman(both.counts))
    return both.linear(value, both.pairs.spearman_influence(both.counts), how, (-1.0, 1.0))


def kendall_tau_b(
    first: Words,
    second: ArrayLike,
    *,
    levels: Sequence[Hashable] | None = None,
    unknown: Collection[Hashable] = UNKNOWN,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Kendall's tau-b (1945), which allows for ties; of what `spearman` takes, in the same ways.

    >>> round(kendall_tau_b(["a", "b", "b", "c"], [1, 2, 3, 3], levels="abc").value, 4)
    0.8
    """
    both = _Both.of(first, second, levels, unknown, sources)
    if both.constant:
        return both.nothing(CONSTANT)
    if both.small:
        return both.estimate(both.pairs.kendall, how, (-1.0, 1.0))
    value, influence = both.pairs.kendall_influence(both.counts)
    return both.linear(value, influence, how, (-1.0, 1.0))


def auc_by_cut(
    words: Words,
    numbers: ArrayLike,
    levels: Sequence[Hashable],
    *,
    unknown: Collection[Hashable] = UNKNOWN,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> dict[Hashable, Estimate]:
    """Of each level but the first: how well the number tells words at or above it from those below.

    The area under the curve: the chance that a number there is the higher, ties by half (Hanley &
    McNeil 1982). Intervals as of `spearman`; linearised ones are DeLong's (1988).

    >>> found = auc_by_cut(["no", "maybe", "yes", "no"], [10, 40, 90, 50], ["no", "maybe", "yes"])
    >>> {level: one.value for level, one in found.items()}
    {'maybe': 0.75, 'yes': 1.0}
    """
    both = _Both.of(words, numbers, levels, unknown, sources)
    return {level: _auc(both, place, level, how) for place, level in enumerate(levels) if place}


def _auc(both: _Both, place: int, level: Hashable, how: Resampling) -> Estimate:
    cut = int(np.searchsorted(both.levels, place))  # the first level that occurs there or above
    if cut in (0, len(both.levels)):
        side = "below" if cut == 0 else "at or above"
        return both.nothing(f"no word is {side} {level}")

    def auc(weights: Floats) -> Floats:
        return both.pairs.auc(weights, cut)

    if both.small:
        return both.estimate(auc, how, (0.0, 1.0))
    influence = both.pairs.auc_influence(both.counts, cut)
    return both.linear(float(auc(both.counts)), influence, how, (0.0, 1.0))
