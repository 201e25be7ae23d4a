"""Krippendorff's alpha of ratings, for any raters, gaps and distance.

alpha = 1 - observed / expected disagreement (Krippendorff 2011, "Computing Krippendorff's
Alpha-Reliability"; 2004, "Content Analysis", chapter 11). Units with fewer than two ratings are
left out. It depends on the data through sums alone: disagreements within units, and how often each
value was used; so expected disagreement, and an ordinal distance, are computed anew in each draw.

Some packages leave 1 / (m - 1) out for complete data of more than two raters: theirs is another
number. Gwet's "ordinal weights" are another coefficient than the ordinal metric here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.alpha_metrics import Fixed, Ordinal, interval, nominal, pairs_of, table_of
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import numbers_of, sources_of
from visionhub.analysis.paired import TABLE
from visionhub.analysis.rated import (
    PAIR,
    Names,
    Rated,
    Ratings,
    Sources,
    gathered,
    patterns,
)
from visionhub.analysis.resample import DEFAULT, Floats, Integers, Resampling, estimate, ratio

Distance: TypeAlias = Callable[[Any, Any], float]
Metric: TypeAlias = Literal["nominal", "ordinal", "interval", "ratio"]

MOST = 5000  # different values whose distances are kept as a table
MOST_PAIRS = 20_000  # different pairs of ranks that are followed through the draws
MANY = f"more than {MOST:,} different values, or {MOST_PAIRS:,} pairs of them: put them in groups"
UNPAIRED = "no unit has two ratings"
CONSTANT = "all values are the same: no disagreement is to be expected"


def _pairable(given: Ratings) -> tuple[Integers, NDArray[np.bool_]]:
    """Codes of the units with two ratings or more, in order within each; and which these are."""
    kept = (given.codes >= 0).sum(axis=1) >= PAIR
    if given.counts is not None:
        kept &= given.counts > 0
    codes = np.sort(given.codes[kept], axis=1)
    return codes[:, (codes >= 0).any(axis=0)], kept


def _alpha(
    given: Ratings,
    metric: Fixed | Callable[[Integers], Ordinal],
    sources: Sources,
    how: Resampling,
) -> Estimate:
    """Alpha with its interval."""
    by = sources_of(sources, len(given.codes)) if given.counts is None else None
    codes, kept = _pairable(given)
    if not len(codes):
        return not_estimable(UNPAIRED)
    rows, which = patterns(codes)
    statistic = metric if isinstance(metric, Fixed) else metric(rows)
    moments = statistic.moments(rows)
    if given.counts is None:
        data = gathered(moments, which, None if by is None else by[kept])
    elif sources is not None:
        raise ValueError(TABLE)
    else:
        data = gathered(moments, np.repeat(which, given.counts[kept]))
    if isinstance(statistic, Ordinal) and len(statistic.lower) > MOST_PAIRS:
        value = float(statistic(data.total))  # all differ, so there is one
        return Estimate(value, n=data.n, clusters=data.clusters, level=how.level).because(MANY)
    return estimate(data, statistic, how, limits=(-math.inf, 1.0), why=CONSTANT)


def krippendorff_alpha(
    ratings: Rated,
    metric: Metric | Distance = "nominal",
    *,
    levels: Names = None,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Krippendorff's alpha of (units, raters) ratings.

    metric: nominal; ordinal, in the order of `levels` or of numbers; interval; ratio; or a function
    of two values, whose result is the distance as it is used (the named ones are squared
    differences). sources: (units,) where units come from. Not estimable where all values are the
    same.

    >>> data = [[1, 1, None], [2, 2, 2], [3, 3, 2], [4, None, 4]]
    >>> round(krippendorff_alpha(data, "interval").value, 4)
    0.9135
    """
    given = Ratings.of(ratings, levels)
    names = given.categories
    if not callable(metric) and metric not in ("nominal", "ordinal", "interval", "ratio"):
        raise ValueError(f"a metric is nominal, ordinal, interval, ratio or a function: {metric!r}")
    if not len(names):
        return not_estimable(UNPAIRED)
    if metric == "ordinal":
        if levels is None and not isinstance(ratings, Ratings):
            _numbers(names, metric)
        return _alpha(given, lambda rows: Ordinal(len(names), rows), sources, how)
    if metric == "interval":
        return _alpha(given, interval(_numbers(names, metric)), sources, how)
    if len(names) > MOST:
        return not_estimable(MANY, len(given.codes), len(given.codes))
    if metric == "nominal":
        return _alpha(given, nominal(len(names)), sources, how)
    distances = _ratio(_numbers(names, metric)) if metric == "ratio" else _distances(names, metric)
    return _alpha(given, table_of(distances), sources, how)


def _numbers(names: Sequence[Any], metric: str) -> Floats:
    if any(isinstance(name, str) for name in names):
        raise ValueError(f"the {metric} metric is for numbers; words have an order by `levels`")
    return numbers_of(names)


def _ratio(values: Floats) -> Floats:
    """(K, K) distances of the ratio metric: ((c - k) / (c + k))^2."""
    if (values < 0).any():
        raise ValueError("the ratio metric is for values of 0 and above")
    share = ratio(values[:, None] - values, values[:, None] + values)
    return np.nan_to_num(share) ** 2


def _distances(names: Sequence[Any], distance: Distance) -> Floats:
    """(K, K) distances of values, each pair asked once."""
    table = np.zeros((len(names), len(names)))
    for i, one in enumerate(names):
        for j in range(i):
            table[i, j] = table[j, i] = distance(one, names[j])
            if not math.isfinite(table[i, j]):
                raise ValueError(f"the distance of {one!r} and {names[j]!r} is {table[i, j]}")
    return table


def alpha_of_distances(
    values: ArrayLike,
    distances: ArrayLike,
    *,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Alpha of (units, raters) numbers of values, -1 missing, whose distances are a (K, K) table.

    >>> distances = [[0, 1, 1], [1, 0, 0.5], [1, 0.5, 0]]
    >>> round(alpha_of_distances([[0, 0], [1, 1], [2, 1]], distances).value, 3)
    0.737
    """
    table = numbers_of(distances)
    if table.ndim != PAIR or table.shape[0] != table.shape[1]:
        raise ValueError("distances are a (K, K) table")
    if table.diagonal().any() or not np.allclose(table, table.T):
        raise ValueError("distances are symmetric, and 0 between a value and itself")
    codes = _whole_below(numbers_of(values), len(table))
    return _alpha(Ratings(codes, tuple(range(len(table)))), table_of(table), sources, how)


def _whole_below(numbers: Floats, k: int) -> Integers:
    """(units, raters) numbers of values, -1 where missing."""
    numbers = np.nan_to_num(numbers, nan=-1.0)
    if numbers.ndim != PAIR:
        raise ValueError(f"values are units x raters, these have {numbers.ndim} dimensions")
    if (numbers % 1).any() or ((numbers < -1) | (numbers >= k)).any():
        raise ValueError(f"values are whole numbers from 0 to {k - 1}, or -1 where missing")
    return numbers.astype(np.int64)


def coincidence_matrix(ratings: Rated, categories: Names = None) -> tuple[Floats, tuple[Any, ...]]:
    """How often each value met each other within units, (K, K); and the values.

    o_ck = sum over units of (pairs c, k) / (m - 1) (Krippendorff 2011, section C).
    """
    given = Ratings.of(ratings, categories)
    codes, kept = _pairable(given)
    counts = np.ones(len(codes)) if given.counts is None else given.counts[kept]
    matrix = np.zeros((len(given.categories),) * 2)
    for at, first, second, share in pairs_of(codes):
        np.add.at(matrix, (first, second), share * counts[at] / 2)
    return matrix + matrix.T, given.categories
