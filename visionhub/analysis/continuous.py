"""How far numbers agree: intraclass correlations, concordance, limits of agreement, counts.

A correlation alone hides that one rater is always higher; these do not. Rows are units, columns
raters; a unit that lacks a number is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.resample import DEFAULT, Floats, Integers, Resampling, Sums, estimate, ratio

Sources: TypeAlias = ArrayLike | None

# Shrout & Fleiss' names (1979) and others' for the names of McGraw & Wong (1996).
FORMS: Mapping[str, tuple[str, str]] = {
    "one-way": ("ICC(1)", "ICC(1,1)"),
    "agreement": ("ICC(A,1)", "ICC(2,1)"),
    "consistency": ("ICC(C,1)", "ICC(3,1)"),
    "one-way mean": ("ICC(k)", "ICC(1,k)"),
    "agreement mean": ("ICC(A,k)", "ICC(2,k)"),
    "consistency mean": ("ICC(C,k)", "ICC(3,k)"),
}
Z = 1.96  # Bland & Altman's; not the quantile, which is a little less
ROUNDING = 1e-12  # share of a sum of squares that is nothing
FEWEST = 3  # units for limits of agreement and their trend
CONSTANT = "all numbers are the same: there is no variance to share"
UNBOUNDED = "the units' means are all the same: the correlation of means has no lower bound"


def _complete(values: ArrayLike, sources: Sources) -> tuple[Floats, Integers | None]:
    """(n, k) numbers of the units that have them all, with their sources."""
    table = np.array(values, dtype=np.float64)  # None becomes nan
    if table.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"numbers are units x raters, these have {table.ndim} dimensions")
    kept = ~np.isnan(table).any(axis=1)
    return table[kept], None if sources is None else np.asarray(sources)[kept]


def _pair(first: ArrayLike, second: ArrayLike, sources: Sources) -> tuple[Floats, Integers | None]:
    one, two = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"two rows of numbers of one length, not {one.shape} and {two.shape}")
    return _complete(np.stack([one, two], axis=1), sources)


def _sums(moments: Floats, sources: Integers | None) -> Sums:
    """By source; or by equal units, of which counts have many, so that millions are soon drawn."""
    if sources is not None or not len(moments):
        return Sums.of(moments, sources)
    rows, counts = np.unique(moments, axis=0, return_counts=True)
    return Sums.counted(rows, counts) if len(rows) < len(moments) / 2 else Sums.of(moments)


@dataclass(frozen=True)
class Squares:
    """Mean squares of n units by k raters, each (...,) (McGraw & Wong 1996, table 2)."""

    n: Floats
    k: int
    rows: Floats  # between units
    columns: Floats  # between raters
    error: Floats
    within: Floats  # within units

    @classmethod
    def of(cls, sums: Floats) -> Squares:
        """From (..., k + 3) sums of: each rater's number; their squares; squared rows; one."""
        k = sums.shape[-1] - 3
        n = sums[..., -1]
        middle = ratio(sums[..., :k].sum(-1) ** 2, n * k)
        whole = sums[..., k] - middle
        rows = sums[..., k + 1] / k - middle
        columns = ratio((sums[..., :k] ** 2).sum(-1), n) - middle
        error = whole - rows - columns
        least = ROUNDING * sums[..., k]
        rows, columns, error, within = (
            np.where(square > least, square, 0.0) for square in (rows, columns, error, whole - rows)
        )
        free = (n - 1) * (k - 1)
        return cls(
            n,
            k,
            ratio(rows, n - 1),
            columns / (k - 1),
            ratio(error, free),
            ratio(within, n * (k - 1)),
        )

    def icc(self, form: str) -> Floats:
        """(...,) the correlation of one of `FORMS` (McGraw & Wong 1996, table 4)."""
        k, n = self.k, self.n
        if form.startswith("agreement"):
            bias = ratio(k * (self.columns - self.error), n)
            both = self.rows + (k - 1) * self.error + bias
            mean = self.rows + ratio(self.columns - self.error, n)
            return ratio(self.rows - self.error, mean if form.endswith("mean") else both)
        noise = self.within if form.startswith("one-way") else self.error
        both = self.rows if form.endswith("mean") else self.rows + (k - 1) * noise
        return ratio(self.rows - noise, both)


@dataclass(frozen=True)
class Anova:
    """Analysis of variance of n units by k raters: mean squares, F of units (None: no variance).

    f_one_way: of units against what is within units, degrees of freedom n - 1, n (k - 1).
    f_two_way: against what is left beside the raters' means, n - 1, (n - 1) (k - 1).
    """

    n: int
    k: int
    rows: float
    columns: float
    error: float
    within: float
    f_one_way: float | None
    f_two_way: float | None
    p_one_way: float | None
    p_two_way: float | None


def icc_anova(ratings: ArrayLike) -> Anova:
    """The mean squares and F tests behind `icc` (Shrout & Fleiss 1979, table 3)."""
    from scipy import stats

    table, _ = _complete(ratings, None)
    n, k = table.shape
    if n < 2 or k < 2:  # noqa: PLR2004
        raise ValueError("an analysis of variance needs two units and two raters")
    found = Squares.of(_moments(table).sum(axis=0))
    f = [float(found.rows / noise) if noise > 0 else None for noise in (found.within, found.error)]
    free = (n * (k - 1), (n - 1) * (k - 1))
    p = [
        None if x is None else float(stats.f.sf(x, n - 1, d)) for x, d in zip(f, free, strict=True)
    ]
    squares = (float(x) for x in (found.rows, found.columns, found.error, found.within))
    return Anova(n, k, *squares, *f, *p)


def _moments(table: Floats) -> Floats:
    """(n, k + 3) what a unit adds to `Squares.of`; taken from the mean, which changes nothing."""
    table = table - table.mean() if table.size else table
    squares, rows = (table**2).sum(axis=1), table.sum(axis=1) ** 2
    return np.column_stack([table, squares, rows, np.ones(len(table))])


def icc(
    ratings: ArrayLike,
    form: str = "ICC(A,1)",
    *,
    sources: Sources = None,
    how: Resampling = DEFAULT,
    bootstrap: bool = False,
) -> Estimate:
    """Intraclass correlation of (units, raters) numbers.

    form: ICC(1), ICC(A,1), ICC(C,1), ICC(k), ICC(A,k) or ICC(C,k) of McGraw & Wong (1996), or
    ICC(1,1), ICC(2,1), ICC(3,1), ICC(1,k), ICC(2,k), ICC(3,k) of Shrout & Fleiss (1979); A and 2
    count a rater's bias as disagreement, C and 3 do not, k is of the raters' mean. The interval is
    theirs, from F; by bootstrap where `sources` are given or `bootstrap` is wanted.

    >>> data = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> found = icc(data, "ICC(2,1)")
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2898, 0.0188, 0.7611)
    """
    table, by = _complete(ratings, sources)
    n, k = table.shape
    kind = _form(form, k)
    if n < 2 or k < 2:  # noqa: PLR2004
        return not_estimable("an intraclass correlation needs two units and two raters", n, n)
    moments = _moments(table)
    squares = Squares.of(moments.sum(axis=0))
    why = UNBOUNDED if squares.within > 0 else CONSTANT
    if bootstrap or by is not None:
        data, limits = _sums(moments, by), (-math.inf, 1.0)
        return estimate(data, lambda sums: Squares.of(sums).icc(kind), how, limits=limits, why=why)
    value = float(squares.icc(kind))
    if math.isnan(value):
        return not_estimable(why, n, n)
    found = Estimate(value, n=n, clusters=n, level=how.level)
    low, high = _f_interval(squares, kind, how.level)
    if not (math.isfinite(low) and math.isfinite(high)):
        return found.because("the units, or the raters, do not differ: F gives no interval")
    return replace(found, low=low, high=high, method="F distribution (McGraw & Wong 1996)")


def _form(form: str, k: int) -> str:
    """The name in `FORMS`, of any spelling: ICC(2,1), icc2, ICC(A,k), ICC3k, ICC(3,4)."""
    plain = form.upper().replace(" ", "").replace("(", "").replace(")", "").replace(",", "")
    spellings = {
        other.upper().replace("(", "").replace(")", "").replace(",", ""): kind
        for kind, names in FORMS.items()
        for other in names
    }
    spellings |= {f"ICC{n}": spellings[f"ICC{n}1"] for n in (1, 2, 3)}
    for name in (plain, plain.removesuffix(str(k)) + "K"):
        if name in spellings:
            return spellings[name]
    raise ValueError(
        f"{form!r} is none of {', '.join(n for names in FORMS.values() for n in names)}"
    )


def _f_interval(squares: Squares, form: str, level: float) -> tuple[float, float]:
    """McGraw & Wong 1996, tables 7 and 8; nan where F is without bound."""
    from scipy import stats

    if form.startswith("agreement"):
        return _agreement_interval(squares, form, level)
    k, n, top = squares.k, float(squares.n), (1 + level) / 2
    one_way = form.startswith("one-way")
    noise = float(squares.within if one_way else squares.error)
    free = n * (k - 1) if one_way else (n - 1) * (k - 1)
    if noise == 0 or squares.rows == 0:
        return math.nan, math.nan
    f = float(squares.rows) / noise
    ends = (f / stats.f.ppf(top, n - 1, free), f * stats.f.ppf(top, free, n - 1))
    if form.endswith("mean"):
        return float(1 - 1 / ends[0]), float(1 - 1 / ends[1])
    return float((ends[0] - 1) / (ends[0] + k - 1)), float((ends[1] - 1) / (ends[1] + k - 1))


def _agreement_interval(squares: Squares, form: str, level: float) -> tuple[float, float]:
    """The same of absolute agreement, with Satterthwaite's degrees of freedom."""
    from scipy import stats

    k, n, top = squares.k, float(squares.n), (1 + level) / 2
    rows, columns, error = float(squares.rows), float(squares.columns), float(squares.error)
    single = float(squares.icc("agreement"))
    if single == 1:
        return math.nan, math.nan
    a, b = k * single / n / (1 - single), 1 + k * single * (n - 1) / n / (1 - single)
    noise = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    if noise == 0:
        return math.nan, math.nan
    free = (a * columns + b * error) ** 2 / noise
    below, above = stats.f.ppf(top, n - 1, free), stats.f.ppf(top, free, n - 1)
    rest = k * columns + (k * n - k - n) * error
    low = float(n * (rows - below * error) / (below * rest + n * rows))
    high = float(n * (above * rows - error) / (rest + n * above * rows))
    if form.endswith("mean"):
        return low * k / (1 + low * (k - 1)), high * k / (1 + high * (k - 1))
    return low, high


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
    table, by = _pair(first, second, sources)
    table = table - table.mean(axis=0).mean() if len(table) else table
    x, y = table.T
    data = _sums(np.stack([x, y, x * x, y * y, x * y, np.ones(len(x))], axis=1), by)
    if not analytic:
        return estimate(data, ccc_of, how, limits=(-1.0, 1.0), why=CONSTANT)
    n = data.n
    value = float(ccc_of(data.total)) if n else math.nan
    if math.isnan(value):
        return not_estimable(CONSTANT, n, data.clusters)
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
    variance = (1 - r**2) * c**2 / ((1 - c**2) * r**2)
    variance += 2 * c**3 * (1 - c) * shift / (r * (1 - c**2) ** 2)
    variance -= c**4 * shift**2 / (2 * r**2 * (1 - c**2) ** 2)
    half = stats.norm.ppf((1 + found.level) / 2) * math.sqrt(max(variance, 0.0) / (found.n - 2))
    low, high = math.tanh(math.atanh(c) - half), math.tanh(math.atanh(c) + half)
    return replace(found, low=low, high=high, method="Z transformation (Lin 1989, 2000)")


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

    table, by = _pair(first, second, sources)
    n = len(table)
    if n < FEWEST:
        none = not_estimable(f"{n} units: limits of agreement need {FEWEST}", n, n)
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
    data = Sums.of(
        np.stack([d, m, d * d, m * m, d * m, np.ones(len(d))], axis=1), np.asarray(sources)
    )

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


def exact_match(
    first: ArrayLike, second: ArrayLike, *, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Share of units with the very same number, of counts for one.

    >>> exact_match([1, 2, 0, 3], [1, 2, 1, 3]).value
    0.75
    """
    table, by = _pair(first, second, sources)
    same = (table[:, 0] == table[:, 1]).astype(np.float64)
    return _mean(same, by, how, (0.0, 1.0))


def mean_absolute_error(
    first: ArrayLike, second: ArrayLike, *, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Mean of |first - second|, in the numbers' own unit.

    >>> mean_absolute_error([1, 2, 0, 3], [1, 4, 1, 3]).value
    0.75
    """
    table, by = _pair(first, second, sources)
    return _mean(np.abs(table[:, 0] - table[:, 1]), by, how, (0.0, math.inf))


def _mean(
    values: Floats, sources: Integers | None, how: Resampling, limits: tuple[float, float]
) -> Estimate:
    """A mean with its interval."""

    def mean(sums: Floats) -> Floats:
        return ratio(sums[..., 0], sums[..., 1])

    data = _sums(np.stack([values, np.ones(len(values))], axis=1), sources)
    return estimate(data, mean, how, limits=limits)
