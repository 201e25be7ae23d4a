"""Ordered words beside ordered words, and beside numbers: likelihoods against per cent.

A word is never stretched to a number. Two words are compared by weighted kappa over all levels of
the scale, those included that nobody used. A word and a number are compared by their ranks; or by
words again, after the number has been cut into levels where the data say (`monotone_fit`).

Words of the scale that mean "not known" are missing, not a level.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.alpha import gathered
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.nominal import linear_interval
from visionhub.analysis.paired import agreement_weights, kappa_of
from visionhub.analysis.ranks import RankPairs, rank_pairs
from visionhub.analysis.resample import (
    DEFAULT,
    Floats,
    Integers,
    Resampling,
    Statistic,
    Sums,
    estimate,
    ratio,
)

Sources: TypeAlias = ArrayLike | None
Words: TypeAlias = Sequence[Any] | NDArray[Any]
Scheme: TypeAlias = Literal["linear", "quadratic"]
Fit: TypeAlias = Literal["equipercentile", "isotonic"]

UNKNOWN = frozenset({"UNKNOWN"})
RESAMPLED = 2000  # different pairs of values up to which ranks are resampled
SEVERAL = 2
ONE_LEVEL = "both used one level only: kappa is undefined"
CONSTANT = "one of the two never varies: it has no ranks"


def weighted_kappa(
    first: Words,
    second: Words | None = None,
    *,
    weights: Scheme = "quadratic",
    levels: Sequence[Hashable] | None = None,
    unknown: Collection[Hashable] = UNKNOWN,
    sources: Sources = None,
    how: Resampling = DEFAULT,
    analytic: bool = False,
) -> Estimate:
    """Weighted kappa (Cohen 1968): of a (q, q) table, or of two raters' words of the same units.

    weights: of levels i and j, 1 - (|i - j| / (q - 1))^k; k is 1 for linear, 2 for quadratic.
    levels: all of them in order, which words need; whole numbers have all from the least to the
    greatest by themselves. unknown: words that are missing ratings. analytic: the large-sample
    interval (Fleiss, Cohen & Everitt 1969), for independent units.

    >>> round(weighted_kappa([[11, 3, 1], [2, 8, 2], [0, 1, 9]], weights="linear").value, 4)
    0.6967
    >>> words = ["LIKELY", "UNLIKELY", "UNKNOWN", "VERY_LIKELY"]
    >>> other = ["LIKELY", "POSSIBLE", "LIKELY", "VERY_LIKELY"]
    >>> scale = ["VERY_UNLIKELY", "UNLIKELY", "POSSIBLE", "LIKELY", "VERY_LIKELY"]
    >>> round(weighted_kappa(words, other, levels=scale).value, 4)
    0.8571
    """
    if second is None:
        table = np.asarray(first)
        if table.ndim != SEVERAL or table.shape[0] != table.shape[1]:
            raise ValueError(
                f"a table of two raters is square, this one is {table.shape}: two rows?"
            )
        data = Sums.counted(np.eye(table.size), table.ravel().astype(np.int64))
        q = len(table)
    else:
        scale = _levels(first, second, unknown) if levels is None else levels
        q = len(scale)
        one, two = _places(first, scale, unknown), _places(second, scale, unknown)
        both = (one >= 0) & (two >= 0)
        by = None if sources is None else np.asarray(sources)[both]
        data = gathered(np.eye(q * q), (one * q + two)[both], by)
    matrix = agreement_weights(weights, range(q))

    def kappa(cells: Floats) -> Floats:
        return kappa_of(cells.reshape(*cells.shape[:-1], q, q), matrix)

    if analytic:
        return _analytic(data, q, weights, how.level)
    return estimate(data, kappa, how, limits=(-1.0, 1.0), why=ONE_LEVEL)


def kappa_standard_error(table: ArrayLike, weights: Scheme | None = None) -> float | None:
    """Large-sample standard error of kappa of a table (Fleiss, Cohen & Everitt 1969, equation 13).

    weights: None for plain kappa. None where kappa is undefined.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    cells = np.asarray(table, dtype=np.float64)
    matrix = None if weights is None else agreement_weights(weights, range(len(cells)))
    if not cells.sum() or math.isnan(float(kappa_of(cells, matrix))):
        return None
    return float(cohens_kappa(cells, wt=weights).std_kappa)


def _analytic(data: Sums, q: int, weights: Scheme, level: float) -> Estimate:
    from scipy import stats

    if data.sourced:
        raise ValueError("the analytic interval is of independent units: leave `sources` out")
    cells = data.total.reshape(q, q)
    error = kappa_standard_error(cells, weights)
    if error is None:
        return not_estimable(ONE_LEVEL if data.n else "nothing to compare", data.n, data.n)
    value = float(kappa_of(cells, agreement_weights(weights, range(q))))
    found = Estimate(value, n=data.n, clusters=data.n, level=level)
    if error == 0 or math.isnan(error):
        return found.because("too little varies for an interval")
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    method = "large-sample variance (Fleiss, Cohen & Everitt 1969)"
    return replace(found, low=value - half, high=min(1.0, value + half), method=method)


def _levels(first: Words, second: Words, unknown: Collection[Hashable]) -> Sequence[int]:
    """Whole numbers from the least to the greatest."""
    met = {x for row in (first, second) for x in row if not _missing(x, unknown)}
    if any(isinstance(x, str) or float(x) != int(x) for x in met):
        raise ValueError("name all `levels` in their order, also those that nobody used")
    return range(int(min(met, default=0)), int(max(met, default=0)) + 1)


def _missing(word: object, unknown: Collection[Hashable]) -> bool:
    return word is None or word != word or word in unknown  # noqa: PLR0124 (nan is not itself)


def _places(words: Words, levels: Sequence[Hashable], unknown: Collection[Hashable]) -> Integers:
    """(n,) places of words on the scale, -1 where missing."""
    import pandas as pd

    column = words if isinstance(words, np.ndarray) else np.fromiter(words, object, len(words))
    numbers, met = pd.factorize(column)
    place = {level: number for number, level in enumerate(levels)}
    names = [-1 if _missing(word, unknown) else place.get(word, -2) for word in met.tolist()]
    if -2 in names:  # noqa: PLR2004
        strange = met.tolist()[names.index(-2)]
        raise ValueError(f"{strange!r} is none of the levels {list(levels)}")
    places: Integers = np.array([*names, -1], dtype=np.int64)[numbers]
    return places


@dataclass(frozen=True)
class _Both:
    """A variable with levels beside one with numbers, of the units that have both."""

    pairs: RankPairs
    which: Integers
    levels: Integers  # (K,) the places on the scale that occur, in order
    sources: Sources

    @classmethod
    def of(
        cls,
        first: Words,
        second: ArrayLike,
        levels: Sequence[Hashable] | None,
        unknown: Collection[Hashable],
        sources: Sources,
    ) -> _Both:
        y = np.array(second, dtype=np.float64)
        if levels is None:
            x = np.array(first, dtype=np.float64)
        else:
            places = _places(first, levels, unknown)
            x = np.where(places >= 0, places, np.nan)
        if x.shape != y.shape:
            raise ValueError(f"{len(x)} words or numbers beside {len(y)}")
        kept = ~(np.isnan(x) | np.isnan(y))
        by = None if sources is None else np.asarray(sources)[kept]
        pairs, which = rank_pairs(x[kept], y[kept])
        return cls(pairs, which, np.unique(x[kept]).astype(np.int64), by)

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
    n = len(both.which)
    if both.constant:
        return not_estimable(CONSTANT if n else "nothing to compare", n, n)
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
    n = len(both.which)
    if both.constant:
        return not_estimable(CONSTANT if n else "nothing to compare", n, n)
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
    n = len(both.which)
    cut = int(np.searchsorted(both.levels, place))  # the first level that occurs there or above
    if cut in (0, len(both.levels)):
        side = "below" if cut == 0 else "at or above"
        return not_estimable(f"no word is {side} {level}" if n else "nothing to compare", n, n)

    def auc(weights: Floats) -> Floats:
        return both.pairs.auc(weights, cut)

    if both.small:
        return both.estimate(auc, how, (0.0, 1.0))
    influence = both.pairs.auc_influence(both.counts, cut)
    return both.linear(float(auc(both.counts)), influence, how, (0.0, 1.0))


@dataclass(frozen=True)
class MonotoneFit:
    """Words beside levels that were fitted to numbers.

    kappa: weighted kappa of both, over units that the fit had not seen. cuts: of each half that was
    learnt from, (q - 1,) the number from which on each level but the first is given, or inf.
    """

    kappa: Estimate
    cuts: tuple[Floats, ...]
    levels: tuple[Hashable, ...]


def monotone_fit(
    words: Words,
    numbers: ArrayLike,
    levels: Sequence[Hashable],
    *,
    fit: Fit = "equipercentile",
    weights: Scheme = "quadratic",
    unknown: Collection[Hashable] = UNKNOWN,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> MonotoneFit:
    """Weighted kappa of words and numbers, after a monotone mapping from number to level.

    The mapping is learnt on one half of the sources (of the units, without them) and judged on the
    other, both ways, so that it cannot flatter itself; the halves are drawn by `how.seed`. Kappa is
    the mean of both halves' own (of their cells together it would be too low: where one half has
    more of a level, the other has less). The interval takes the cuts as given.

    fit: "equipercentile" cuts numbers so that each level has the share that the word has: linking
    of scales, symmetric in both (Kolen & Brennan 2014, "Test Equating, Scaling, and Linking",
    section 2.5). "isotonic" gives each number the median of the words there, by isotonic
    distributional regression (Henzi, Ziegel & Gneiting 2021): the best guess of the word, which
    leaves rare levels out. Neither assumes that levels lie equally far apart.
    """
    q = len(levels)
    x, y = _places(words, levels, unknown), np.array(numbers, dtype=np.float64)
    kept = (x >= 0) & ~np.isnan(y)
    x, y = x[kept], y[kept]
    by = np.arange(len(x)) if sources is None else np.asarray(sources)[kept]
    names, place = np.unique(by, return_inverse=True)
    if len(names) < SEVERAL:
        none = not_estimable("one source cannot be divided into halves", len(x), len(names))
        return MonotoneFit(none, (), tuple(levels))
    order = np.random.default_rng(how.seed).permutation(len(names))
    half = (order < len(names) // 2)[place]
    learn = _equipercentile if fit == "equipercentile" else _isotonic
    cuts = (learn(x[half], y[half], q), learn(x[~half], y[~half], q))
    fitted = np.where(
        half, np.searchsorted(cuts[1], y, side="right"), np.searchsorted(cuts[0], y, side="right")
    )
    data = gathered(np.eye(2 * q * q), (half * q + x) * q + fitted, None if sources is None else by)
    matrix = agreement_weights(weights, range(q))

    def kappa(sums: Floats) -> Floats:
        cells = sums.reshape(*sums.shape[:-1], 2, q, q)
        units = cells.sum((-2, -1))
        return ratio((kappa_of(cells, matrix) * units).sum(-1), units.sum(-1))

    why = f"in a half of the data {ONE_LEVEL}"
    return MonotoneFit(estimate(data, kappa, how, limits=(-1.0, 1.0), why=why), cuts, tuple(levels))


def _equipercentile(x: Integers, y: Floats, q: int) -> Floats:
    """(q - 1,) cuts between numbers with as many units below as there are words below the level.

    Equal numbers stay together, on the side where that puts fewer out of place.
    """
    names, counts = np.unique(y, return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)])
    wanted = np.searchsorted(np.sort(x), np.arange(1, q))
    at = np.searchsorted((below[1:] + below[:-1]) / 2, wanted, side="left")
    return _between(names, at)


def _isotonic(x: Integers, y: Floats, q: int) -> Floats:
    """(q - 1,) cuts where isotonic shares of words at a level or above reach a half."""
    from sklearn.isotonic import isotonic_regression

    names, place, counts = np.unique(y, return_inverse=True, return_counts=True)
    cuts = []
    for level in range(1, q):
        share = np.bincount(place, x >= level) / counts
        cuts.append(int(np.searchsorted(isotonic_regression(share, sample_weight=counts), 0.5)))
    return _between(names, np.array(cuts, dtype=np.int64))


def _between(names: Floats, at: Integers) -> Floats:
    """Cuts halfway between neighbouring numbers; -inf below all and inf above."""
    edges = np.concatenate([[-np.inf], (names[1:] + names[:-1]) / 2, [np.inf]])
    return edges[at]
