r"""Limits of agreement of two raters' numbers, and how they change with size (Bland \& Altman)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.continuous import FEWEST, ROUNDING, paired_numbers
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import clusters_of
from visionhub.analysis.rated import Sources
from visionhub.analysis.resample import DEFAULT, Floats, Integers, Resampling, Sums, estimate, ratio

Z = 1.96  # Bland & Altman's; not the quantile, which is a little less


@dataclass(frozen=True)
class BlandAltman:
    """Differences of two raters. bias: their mean; lower, upper: limits of agreement.

    trend: slope of the difference on the mean of both, 0 where disagreement does not grow; p_trend
    of no trend. sd: of the differences. Standard errors: of the bias; of a limit; and of a limit as
    approximated in 1986, sqrt(3 sd^2 / n). None where undefined.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate
    trend: Estimate
    p_trend: float | None
    sd: float | None
    se_bias: float | None
    se_limit: float | None
    se_limit_1986: float | None


def bland_altman(
    first: ArrayLike,
    second: ArrayLike,
    *,
    z: float = Z,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> BlandAltman:
    """Limits of agreement: mean difference (first less second) and z standard deviations around it.

    Bland & Altman 1986 and 1999 (sections 2 and 4): intervals by t with n - 1 degrees of freedom;
    variance of a limit s^2 (1/n + z^2 / (2 (n - 1))). With `sources` intervals are by bootstrap;
    the limits are then still those of single images, whatever source they come from.

    >>> found = bland_altman([10, 12, 9, 14, 11], [11, 12, 8, 12, 10])
    >>> round(found.bias.value, 2), round(found.lower.value, 2), round(found.upper.value, 2)
    (0.6, -1.63, 2.83)
    """
    from scipy import stats

    table, by = paired_numbers(first, second, sources)
    n = len(table)
    if n < FEWEST:
        few = f"{n} unit{'s' * (n != 1)}: limits of agreement need {FEWEST}"
        none = not_estimable(few, n, clusters_of(by, n))
        return BlandAltman(none, none, none, none, None, None, None, None, None)
    apart, middle = table[:, 0] - table[:, 1], table.mean(axis=1)
    bias, sd = float(apart.mean()), float(apart.std(ddof=1))
    errors = (
        sd / math.sqrt(n),
        sd * math.sqrt(1 / n + z**2 / (2 * (n - 1))),
        math.sqrt(3 * sd**2 / n),
    )
    line = None if np.ptp(middle) == 0 else stats.linregress(middle, apart)
    p_trend = None if line is None or sd == 0 or by is not None else float(line.pvalue)
    if by is not None:
        found = _by_source(apart, middle, by, z, how)
        return BlandAltman(*found, p_trend, sd, *errors)
    t = float(stats.t.ppf((1 + how.level) / 2, n - 1))
    method = f"t({n - 1})"
    centre = _t(bias, t * errors[0], n, method, how.level)
    lower = _t(bias - z * sd, t * errors[1], n, method, how.level)
    upper = _t(bias + z * sd, t * errors[1], n, method, how.level)
    if line is None:
        trend = not_estimable("all means are the same: no trend", n, n)
    else:
        half = float(stats.t.ppf((1 + how.level) / 2, n - 2)) * float(line.stderr)
        trend = _t(float(line.slope), half, n, f"least squares, t({n - 2})", how.level)
    return BlandAltman(centre, lower, upper, trend, p_trend, sd, *errors)


def _t(value: float, half: float, n: int, method: str, level: float) -> Estimate:
    if not half > 0:
        return Estimate(value, n=n, clusters=n, level=level).because("all differences are the same")
    return Estimate(value, value - half, value + half, n, n, method, level=level)


def _by_source(
    apart: Floats, middle: Floats, sources: Integers, z: float, how: Resampling
) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """Bias, limits and trend as functions of sums."""
    start, centre = apart.mean(), middle.mean()
    d, m = apart - start, middle - centre
    data = Sums.of(np.stack([d, m, d * d, m * m, d * m, np.ones(len(d))], axis=1), sources)

    def limit(side: int) -> Estimate:
        def value(sums: Floats) -> Floats:
            n = sums[..., 5]
            spread = ratio(sums[..., 2] - ratio(sums[..., 0] ** 2, n), n - 1)
            away = side * z * np.sqrt(np.maximum(spread, 0.0))
            return np.asarray(start + ratio(sums[..., 0], n) + away)

        return estimate(data, value, how)

    def slope(sums: Floats) -> Floats:
        n = sums[..., 5]
        across = sums[..., 3] - ratio(sums[..., 1] ** 2, n)
        together = sums[..., 4] - ratio(sums[..., 0] * sums[..., 1], n)
        return ratio(together, np.where(across > ROUNDING * sums[..., 3], across, 0.0))

    why = "all means are the same: no trend"
    return limit(0), limit(-1), limit(1), estimate(data, slope, how, why=why)
