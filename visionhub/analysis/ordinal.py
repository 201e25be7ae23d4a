"""Ordered words beside ordered words, and beside numbers: likelihoods against per cent.

A word is never stretched to a number. Two words are compared by weighted kappa over all levels of
the scale, those included that nobody used. A word and a number are compared by their ranks; or by
words again, after the number has been cut into levels where the data say (`monotone_fit`).

Words of the scale that mean "not known" are missing, not a level.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.paired import agreement_weights, kappa_of
from visionhub.analysis.rated import gathered
from visionhub.analysis.resample import (
    DEFAULT,
    Floats,
    Integers,
    Resampling,
    Sums,
    estimate,
)

Sources: TypeAlias = ArrayLike | None
Words: TypeAlias = Sequence[Any] | NDArray[Any]
Scheme: TypeAlias = Literal["linear", "quadratic"]

UNKNOWN = frozenset({"UNKNOWN"})
SEVERAL = 2
ONE_LEVEL = "both used one level only: kappa is undefined"


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
        scale = levels_of(first, second, unknown) if levels is None else levels
        q = len(scale)
        one, two = places_of(first, scale, unknown), places_of(second, scale, unknown)
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


def levels_of(first: Words, second: Words, unknown: Collection[Hashable]) -> Sequence[int]:
    """Whole numbers from the least to the greatest."""
    met = {x for row in (first, second) for x in row if not is_missing(x, unknown)}
    if any(isinstance(x, str) or float(x) != int(x) for x in met):
        raise ValueError("name all `levels` in their order, also those that nobody used")
    return range(int(min(met, default=0)), int(max(met, default=0)) + 1)


def is_missing(word: object, unknown: Collection[Hashable]) -> bool:
    """Whether a word is no level: None, nan, or one that means "not known"."""
    return word is None or word != word or word in unknown  # noqa: PLR0124 (nan is not itself)


def places_of(words: Words, levels: Sequence[Hashable], unknown: Collection[Hashable]) -> Integers:
    """(n,) places of words on the scale, -1 where missing."""
    import pandas as pd

    column = words if isinstance(words, np.ndarray) else np.fromiter(words, object, len(words))
    numbers, met = pd.factorize(column)
    place = {level: number for number, level in enumerate(levels)}
    names = [-1 if is_missing(word, unknown) else place.get(word, -2) for word in met.tolist()]
    if -2 in names:  # noqa: PLR2004
        strange = met.tolist()[names.index(-2)]
        raise ValueError(f"{strange!r} is none of the levels {list(levels)}")
    places: Integers = np.array([*names, -1], dtype=np.int64)[numbers]
    return places
