"""Intraclass correlations of numbers, one-way and two-way, with F intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from visionhub.analysis.continuous import (
    CONSTANT,
    ROUNDING,
    complete,
    sums_of,
)
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import Column, clusters_of
from visionhub.analysis.rated import Sources
from visionhub.analysis.resample import DEFAULT, Floats, Resampling, estimate, ratio

# Shrout & Fleiss' names (1979) and others' for the names of McGraw & Wong (1996).
FORMS: Mapping[str, tuple[str, str]] = {
    "one-way": ("ICC(1)", "ICC(1,1)"),
    "agreement": ("ICC(A,1)", "ICC(2,1)"),
    "consistency": ("ICC(C,1)", "ICC(3,1)"),
    "one-way mean": ("ICC(k)", "ICC(1,k)"),
    "agreement mean": ("ICC(A,k)", "ICC(2,k)"),
    "consistency mean": ("ICC(C,k)", "ICC(3,k)"),
}
UNBOUNDED = "the units' means are all the same: the correlation of means has no lower bound"
NO_SHARE = "raters differ within units more than units do: no variance of units is left to share"
NO_F = "the units, or the raters, do not differ: F gives no interval"
NO_FREE = "hardly a degree of freedom is left: F gives no interval"
NO_END = "units differ too little beside the raters' error: F gives no lower end, and no interval"


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
            bias = ratio(self.columns - self.error, n)
            mean = self.rows + bias
            both = self.rows + (k - 1) * self.error + k * bias
            # The estimated variance of a mean can be 0 or less: no share of it can be taken then.
            total = mean if form.endswith("mean") else both
            least = ROUNDING * (self.rows + self.columns + self.error)
            return ratio(self.rows - self.error, np.where(total > least, total, 0.0))
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


def icc_anova(ratings: Column) -> Anova:
    """The mean squares and F tests behind `icc` (Shrout & Fleiss 1979, table 3)."""
    from scipy import stats

    table, _ = complete(ratings, None)
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
    ratings: Column,
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
    theirs, from F; by bootstrap where `sources` are given or `bootstrap` is wanted. Not estimable
    where nothing varies, or where the estimated variance that it is a share of is not above 0.

    >>> data = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> found = icc(data, "ICC(2,1)")
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2898, 0.0188, 0.7611)
    """
    table, by = complete(ratings, sources)
    n, k = table.shape
    kind = _form(form, k)
    if n < 2 or k < 2:  # noqa: PLR2004
        few = "an intraclass correlation needs two units and two raters"
        return not_estimable(few, n, clusters_of(by, n))
    moments = _moments(table)
    squares = Squares.of(moments.sum(axis=0))
    why = CONSTANT
    if squares.within > 0:
        why = NO_SHARE if kind.startswith("agreement") else UNBOUNDED
    if bootstrap or by is not None:
        data, limits = sums_of(moments, by), (-math.inf, 1.0)
        return estimate(data, lambda sums: Squares.of(sums).icc(kind), how, limits=limits, why=why)
    value = float(squares.icc(kind))
    if math.isnan(value):
        return not_estimable(why, n, n)
    found = Estimate(value, n=n, clusters=n, level=how.level)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = _f_interval(squares, kind, how.level)
    if low == -math.inf:
        return found.because(NO_END)
    if not (math.isfinite(low) and math.isfinite(high)):
        return found.because(NO_F)
    if not low <= value <= high:  # Satterthwaite's approximation fails where a weight is negative
        return found.because(NO_FREE)
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
    """McGraw & Wong 1996, tables 7 and 8; nan where F is without bound, -inf where an end is."""
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
    if not form.endswith("mean"):
        return low, high
    if low * (k - 1) <= -1:  # Spearman & Brown's formula has a pole there
        return -math.inf, math.nan
    return low * k / (1 + low * (k - 1)), high * k / (1 + high * (k - 1))
