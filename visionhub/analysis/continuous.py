"""How far two raters' numbers agree: concordance, equal numbers, mean differences.

A correlation alone hides that one rater is always higher; these do not. Rows are units, columns
raters; a unit that lacks a number is left out.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import Column, numbers_of, sources_of
from visionhub.analysis.rated import Sources
from visionhub.analysis.resample import DEFAULT, Floats, Integers, Resampling, Sums, estimate, ratio

FEWEST = 3  # units for intervals, limits of agreement and their trend
ROUNDING = 1e-12  # share of a sum of squares that is nothing
CONSTANT = "all numbers are the same: there is no variance to share"


def complete(values: Column, sources: Sources) -> tuple[Floats, Integers | None]:
    """(n, k) numbers of the units that have them all, with the numbers of their sources."""
    table = numbers_of(values)
    if table.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"numbers are units x raters, these have {table.ndim} dimensions")
    kept, by = ~np.isnan(table).any(axis=1), sources_of(sources, len(table))
    return table[kept], None if by is None else by[kept]


def paired_numbers(
    first: Column, second: Column, sources: Sources
) -> tuple[Floats, Integers | None]:
    """(n, 2) numbers of the units that both have given one, with the numbers of their sources."""
    one, two = numbers_of(first), numbers_of(second)
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"two rows of numbers of one length, not {one.shape} and {two.shape}")
    return complete(np.stack([one, two], axis=1), sources)


def sums_of(moments: Floats, sources: Integers | None) -> Sums:
    """By source; or by equal units, of which counts have many, so that millions are soon drawn."""
    if sources is not None or not len(moments):
        return Sums.of(moments, sources)
    rows, counts = np.unique(moments, axis=0, return_counts=True)
    return Sums.counted(rows, counts) if len(rows) < len(moments) / 2 else Sums.of(moments)


def lin_ccc(
    first: ArrayLike,
    second: ArrayLike,
    *,
    sources: Sources = None,
    how: Resampling = DEFAULT,
    analytic: bool = False,
) -> Estimate:
    """Lin's concordance correlation (1989): 2 s_xy / (s_x^2 + s_y^2 + (mean difference)^2).

    Variances are divided by n, as his are. analytic: his interval by the Z transformation, with the
    variance as corrected in 2000; for independent units.

    >>> round(lin_ccc([1, 2, 3, 4], [1.1, 2.3, 2.9, 4.4]).value, 4)
    0.9749
    """
    table, by = paired_numbers(first, second, sources)
    table = table - table.mean(axis=0).mean() if len(table) else table
    x, y = table.T
    data = sums_of(np.stack([x, y, x * x, y * y, x * y, np.ones(len(x))], axis=1), by)
    if not analytic:
        return estimate(data, ccc_of, how, limits=(-1.0, 1.0), why=CONSTANT)
    n = data.n
    value = float(ccc_of(data.total)) if n else math.nan
    if math.isnan(value):
        return not_estimable(CONSTANT if n else "nothing to compare", n, data.clusters)
    found = Estimate(value, n=n, clusters=data.clusters, level=how.level)
    if by is not None or n < FEWEST or abs(value) == 1 or not (x.std() and y.std()):
        return found.because("Lin's interval is of three independent units that vary, or more")
    return _lin_interval(found, x, y)


def ccc_of(sums: Floats) -> Floats:
    """(...,) concordance of (..., 6) sums of x, y, x^2, y^2, x y and 1."""
    n = sums[..., 5]
    mean_x, mean_y = ratio(sums[..., 0], n), ratio(sums[..., 1], n)
    both = ratio(sums[..., 4], n) - mean_x * mean_y
    spread = ratio(sums[..., 2] + sums[..., 3], n) - 2 * mean_x * mean_y
    least = ROUNDING * ratio(sums[..., 2] + sums[..., 3], n)
    return ratio(2 * both, np.where(spread > least, spread, 0.0))


def _lin_interval(found: Estimate, x: Floats, y: Floats) -> Estimate:
    """Lin 1989, section 3; variance of the Z transform as corrected in Biometrics 56:324 (2000)."""
    from scipy import stats

    c, r = found.value or 0.0, float(np.corrcoef(x, y)[0, 1])
    shift = (x.mean() - y.mean()) ** 2 / (x.std() * y.std())
    bias = 2 * x.std() * y.std() / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)  # c / r
    variance = (1 - r**2) * bias**2 / (1 - c**2)
    variance += 2 * c**2 * bias * (1 - c) * shift / (1 - c**2) ** 2
    variance -= c**2 * bias**2 * shift**2 / (2 * (1 - c**2) ** 2)
    half = stats.norm.ppf((1 + found.level) / 2) * math.sqrt(max(variance, 0.0) / (found.n - 2))
    low, high = math.tanh(math.atanh(c) - half), math.tanh(math.atanh(c) + half)
    return replace(found, low=low, high=high, method="Z transformation (Lin 1989, 2000)")


def exact_match(
    first: ArrayLike, second: ArrayLike, *, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Share of units with the very same number, of counts for one.

    >>> exact_match([1, 2, 0, 3], [1, 2, 1, 3]).value
    0.75
    """
    table, by = paired_numbers(first, second, sources)
    same = (table[:, 0] == table[:, 1]).astype(np.float64)
    return _mean(same, by, how, (0.0, 1.0))


def mean_absolute_error(
    first: ArrayLike, second: ArrayLike, *, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Mean of |first - second|, in the numbers' own unit.

    >>> mean_absolute_error([1, 2, 0, 3], [1, 4, 1, 3]).value
    0.75
    """
    table, by = paired_numbers(first, second, sources)
    return _mean(np.abs(table[:, 0] - table[:, 1]), by, how, (0.0, math.inf))


def _mean(
    values: Floats, sources: Integers | None, how: Resampling, limits: tuple[float, float]
) -> Estimate:
    """A mean with its interval."""

    def mean(sums: Floats) -> Floats:
        return ratio(sums[..., 0], sums[..., 1])

    data = sums_of(np.stack([values, np.ones(len(values))], axis=1), sources)
    return estimate(data, mean, how, limits=limits)
