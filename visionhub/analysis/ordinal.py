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
from numpy.typing import ArrayLike

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import Column, counts_of, numbers_of, sources_of
from visionhub.analysis.paired import agreement_weights, corrected, kappa_of
from visionhub.analysis.rated import Sources, gathered
from visionhub.analysis.resample import (
    DEFAULT,
    Floats,
    Integers,
    Resampling,
    Sums,
    estimate,
    ratio,
)
from visionhub.analysis.scale import UNKNOWN, Words, both_places, levels_of

Scheme: TypeAlias = Literal["linear", "quadratic"]

SEVERAL = 2
ONE_LEVEL = "both used one level only: kappa is undefined"
MOST = 1000  # levels that occur: more are numbers, and no scale
NOTHING = 1e-8  # a standard error that is rounding
DENSE = 30  # levels up to which their sums are no sparse table


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
    greatest by themselves. More than 1,000 levels that occur are a ValueError: quadratic kappa of
    numbers is `lin_ccc`. unknown: words that are missing ratings. analytic: the large-sample
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
        if sources is not None:
            raise ValueError("a table does not tell units apart: give words beside their sources")
        cells = _Cells.of_table(first, weights)
    else:
        cells = _Cells.of(first, second, levels, unknown, weights, sources)
    if analytic:
        return cells.analytic(weights, how.level)
    return estimate(cells.data, cells.kappa, how, limits=(-1.0, 1.0), why=ONE_LEVEL)


@dataclass(frozen=True)
class _Cells:
    """Pairs of levels that two raters gave.

    at: (q,) where the levels that occur lie on the scale; matrix: (q, q) how far they agree. pairs:
    (2, P) numbers of both levels of each pair that occurs. data: sums of how far the two agree, and
    of how often the first, and the second, gave each level, (1 + 2 q).
    """

    at: Integers
    matrix: Floats
    pairs: Integers
    data: Sums

    @classmethod
    def of_table(cls, table: Column, weights: Scheme) -> _Cells:
        counts = _counts(table)
        pairs = np.array(np.nonzero(counts))
        at, matrix = np.arange(len(counts)), agreement_weights(weights, range(len(counts)))
        ones, many = np.ones(pairs.shape[1], dtype=np.int64), counts[counts > 0]
        return cls(at, matrix, pairs, Sums(_moments(pairs, matrix), ones, many))

    @classmethod
    def of(
        cls,
        first: Words,
        second: Words,
        levels: Sequence[Hashable] | None,
        unknown: Collection[Hashable],
        weights: Scheme,
        sources: Sources,
    ) -> _Cells:
        scale = levels_of(first, second, unknown) if levels is None else levels
        places = np.stack(both_places(first, second, scale, unknown))
        both = (places >= 0).all(axis=0)
        numbers = sources_of(sources, places.shape[1])
        used, codes = np.unique(places[:, both], return_inverse=True)
        if len(used) > MOST:
            raise ValueError(f"{len(used)} levels, more than {MOST}: compare numbers by lin_ccc")
        at = used if levels is not None else np.array(scale, dtype=np.int64)[used]
        matrix = agreement_weights(weights, at.tolist())
        q, (one, two) = max(len(used), 1), codes.reshape(2, -1)
        keys, which = np.unique(one * q + two, return_inverse=True)
        pairs, by = np.stack([keys // q, keys % q]), None if numbers is None else numbers[both]
        return cls(at, matrix, pairs, gathered(_moments(pairs, matrix), which, by))

    def kappa(self, sums: Floats) -> Floats:
        """(...,) weighted kappa."""
        q = len(self.at)
        n = sums[..., 1 : 1 + q].sum(-1)
        rows, columns = (ratio(sums[..., k : k + q], n[..., None]) for k in (1, 1 + q))
        return corrected(ratio(sums[..., 0], n), ((rows @ self.matrix) * columns).sum(-1))

    def analytic(self, weights: Scheme, level: float) -> Estimate:
        """With the large-sample interval."""
        from scipy import stats

        data, q = self.data, len(self.at)
        if data.sourced:
            raise ValueError("the analytic interval is of independent units: leave `sources` out")
        cells = np.zeros((q, q))
        cells[tuple(self.pairs)] = data.alike
        error = _standard_error(cells, self.at, weights)
        if error is None:
            return not_estimable(ONE_LEVEL if data.n else "nothing to compare", data.n, data.n)
        value = float(self.kappa(data.total))
        found = Estimate(value, n=data.n, clusters=data.n, level=level)
        if error == 0:
            return found.because("too little varies for an interval")
        half = float(stats.norm.ppf((1 + level) / 2)) * error
        low, high = max(-1.0, value - half), min(1.0, value + half)
        method = "large-sample variance (Fleiss, Cohen & Everitt 1969)"
        return replace(found, low=low, high=high, method=method)


def _moments(pairs: Integers, matrix: Floats) -> Any:  # noqa: ANN401 (scipy's or numpy's)
    """(P, 1 + 2 q) how far the levels of a pair agree, and which they are."""
    from scipy import sparse

    ones, q = np.ones(pairs.shape[1]), len(matrix)
    each = [sparse.coo_array((ones, (np.arange(len(ones)), k)), (len(ones), q)) for k in pairs]
    table = sparse.hstack([sparse.coo_array(matrix[tuple(pairs)][:, None]), *each]).tocsr()
    return table.toarray() if q <= DENSE else table


def _counts(table: Column) -> Integers:
    """(q, q) counts of units."""
    cells = counts_of(numbers_of(table), "cells of a table")
    if cells.ndim != SEVERAL or cells.shape[0] != cells.shape[1]:
        raise ValueError(f"a table of two raters is square, this one is {cells.shape}: two rows?")
    return cells


def kappa_standard_error(table: ArrayLike, weights: Scheme | None = None) -> float | None:
    """Large-sample standard error of kappa of a table (Fleiss, Cohen & Everitt 1969, equation 13).

    weights: None for plain kappa. None where kappa is undefined.
    """
    cells = _counts(table).astype(np.float64)
    return _standard_error(cells, np.arange(len(cells)), weights)


def _standard_error(cells: Floats, at: Integers, weights: Scheme | None) -> float | None:
    """The same of levels that lie at (q,) places."""
    from statsmodels.stats.inter_rater import cohens_kappa

    matrix = None if weights is None else agreement_weights(weights, at.tolist())
    if not cells.sum() or math.isnan(float(kappa_of(cells, matrix))):
        return None
    places = None if weights is None else at
    with np.errstate(divide="ignore", invalid="ignore"):  # of a variance that rounding puts at 0
        error = float(cohens_kappa(cells, weights=places, wt=weights).std_kappa)
    return error if error > NOTHING else 0.0
