"""Whether two raters, or two dates, differ in how often they say yes; many tests at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.estimate import LEVEL, Estimate
from visionhub.analysis.given import counts_of, numbers_of
from visionhub.analysis.proportions import newcombe_paired
from visionhub.analysis.resample import Floats, ratio

McNemarMethod: TypeAlias = Literal["auto", "exact", "mid-p", "chi-squared", "corrected"]
METHODS = get_args(McNemarMethod)
CHANGED = "units that changed"
UNITS_BY_RATERS = 2
EXACT = 25  # units that changed: with fewer, the exact test


@dataclass(frozen=True, slots=True)
class Test:
    """A test of "no difference". statistic, p_value: None where there is none; `reason` says why.

    n: how many units it rests on. difference: between the first and the second share, where known.
    """

    statistic: float | None
    p_value: float | None
    n: int
    method: str
    reason: str = ""
    difference: Estimate | None = None

    __test__ = False  # it is no test of this project's, whatever its name


def mcnemar_p(b: ArrayLike, c: ArrayLike, method: McNemarMethod = "auto") -> Floats:
    """(...,) p-values of McNemar's test for many pairs of counts at once; nan where b + c is 0.

    b, c: units that were yes, then no; no, then yes. exact: two-sided binomial. mid-p: each side
    less half the probability of what was seen, so 1 - f / 2 where b is c (Fagerland, Lydersen &
    Laake 2013; twice the smaller side, as in R's exact2x2, is 1 there). chi-squared: (b - c)^2 /
    (b + c) (McNemar 1947); corrected: (|b - c| - 1)^2 / (b + c) (Edwards 1948). auto: exact where
    b + c < 25, else mid-p. Raises ValueError of what is no count, and of any other method.
    """
    from scipy import stats

    _check_method(method)
    b, c = counts_of(b, CHANGED), counts_of(c, CHANGED)
    more, fewer = np.maximum(b, c).astype(np.float64), np.minimum(b, c).astype(np.float64)
    n = more + fewer
    if method in ("chi-squared", "corrected"):
        return np.asarray(stats.chi2.sf(_chi_squared(more, fewer, method), 1), dtype=np.float64)
    exact = np.minimum(1.0, 2 * stats.binom.cdf(fewer, n, 0.5))
    middle = exact - stats.binom.pmf(fewer, n, 0.5) * np.where(more == fewer, 0.5, 1.0)
    use = {"exact": np.ones(n.shape, bool), "mid-p": np.zeros(n.shape, bool), "auto": n < EXACT}
    return np.where(n > 0, np.where(use[method], exact, middle), np.nan)


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"a method is {', '.join(METHODS)}, not {method!r}")


def _chi_squared(more: Floats, fewer: Floats, method: str) -> Floats:
    away = more - fewer - (method == "corrected")
    return ratio(np.maximum(away, 0.0) ** 2, more + fewer)


def mcnemar(
    table: ArrayLike,
    c: int | None = None,
    *,
    method: McNemarMethod = "auto",
    level: float = LEVEL,
) -> Test:
    """Whether as many units changed in one direction as in the other.

    table: 2 x 2 counts, or b with `c` beside it. Methods as of `mcnemar_p`. Of a table also the
    difference of the two shares, with Newcombe's interval for pairs. Raises ValueError as they do.

    >>> test = mcnemar([[794, 150], [86, 570]], method="chi-squared")
    >>> round(test.statistic, 3), round(test.difference.value, 3)
    (17.356, 0.04)
    """
    cells = np.asarray(table)
    if cells.shape not in ((2, 2), ()) or (cells.ndim == 0) != (c is not None):
        raise ValueError("McNemar's test takes a 2 x 2 table, or two counts")
    _check_method(method)
    up, down = counts_of(np.array([cells, c]) if c is not None else cells[[0, 1], [1, 0]], CHANGED)
    up, down = int(up), int(down)  # else small types overflow
    difference = newcombe_paired(table, level=level) if c is None else None
    n = up + down
    if n == 0:
        return Test(None, None, 0, method, "no unit changed: there is nothing to test", difference)
    used = method if method != "auto" else "exact" if n < EXACT else "mid-p"
    statistic = None
    if used in ("chi-squared", "corrected"):
        statistic = float(_chi_squared(np.array(max(up, down)), np.array(min(up, down)), used))
    return Test(statistic, float(mcnemar_p(up, down, used)), n, used, "", difference)


def cochran_q(ratings: ArrayLike) -> Test:
    """Whether several raters say yes equally often about the same units (Cochran 1950).

    ratings: (units, raters) 1 or 0; units with a missing one (None, nan) are left out.
    """
    from statsmodels.stats.contingency_tables import cochrans_q

    values = numbers_of(ratings)
    values = values.reshape(0, 0) if not values.size else values
    if values.ndim != UNITS_BY_RATERS:
        raise ValueError(f"ratings are units x raters, these have {values.ndim} dimensions")
    values = values[~np.isnan(values).any(axis=1)]
    if not np.isin(values, (0, 1)).all():
        raise ValueError("Cochran's Q takes 1 for yes and 0 for no")
    varying = values.min(axis=1, initial=1) != values.max(axis=1, initial=0)
    method = f"Cochran's Q, chi-squared({max(values.shape[1] - 1, 0)})"
    if not varying.any():
        why = "no unit divides the raters: there is nothing to test"
        return Test(None, None, len(values), method, why)
    found = cochrans_q(values)
    return Test(float(found.statistic), float(found.pvalue), len(values), method)


def adjust(
    p_values: Sequence[float | None] | Floats, method: Literal["holm", "fdr_bh"] = "holm"
) -> Floats:
    """p-values that allow for how many tests were made; nan (and None) stay, and do not count.

    holm: Holm 1979, for the chance of any false alarm. fdr_bh: Benjamini & Hochberg 1995, for the
    share of false alarms.

    >>> adjust([0.01, 0.04, None])
    array([0.02, 0.04,  nan])
    """
    from statsmodels.stats.multitest import multipletests

    found = np.array([np.nan if p is None else p for p in p_values], dtype=np.float64)
    known = ~np.isnan(found)
    if known.any():
        found[known] = multipletests(found[known], method=method)[1]
    return found
