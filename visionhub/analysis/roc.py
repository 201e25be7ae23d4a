"""How well scores tell yes from no: areas under curves, and whether two scores differ in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from visionhub.analysis.chance import linear_interval
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import Column, clusters_of, numbers_of, sources_of
from visionhub.analysis.ranked import orderly
from visionhub.analysis.ranks import rank_pairs
from visionhub.analysis.resample import DEFAULT, FEWEST, Floats, Integers, Resampling, Sums
from visionhub.analysis.scale import same_length

PAIR = 2
NOTHING = 1e-12  # a standard error that is rounding
FLAT = "too little varies for an interval: DeLong's variance is 0"
METHOD = "DeLong, DeLong & Clarke-Pearson 1988, normal"


@dataclass(frozen=True, slots=True)
class RocComparison:
    """Two scores of the same units, by the areas under their curves.

    difference: the first area less the second. se: its standard error; z, p_value (two-sided) of no
    difference. None where there is none; `reason` says why.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    se: float | None
    z: float | None
    p_value: float | None
    reason: str = ""


def roc_auc(
    truth: Column, scores: Column, *, sources: Column = None, how: Resampling = DEFAULT
) -> Estimate:
    """Area under the curve: the chance that a yes has the higher score than a no, ties by half.

    truth: 1 or True for yes, 0 or False for no, else a ValueError. A unit that lacks either is left
    out. The interval is DeLong's (DeLong, DeLong & Clarke-Pearson 1988) by mid-ranks (Sun & Xu
    2014), and ends at 0 and 1; with `sources` of the linearised area (as Obuchowski 1997 has it),
    by t. `how`: its level counts alone, nothing is resampled.

    >>> found = roc_auc([0, 0, 1, 1, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.2, 0.4])
    >>> round(found.value, 4), round(found.low, 4), found.high
    (0.8333, 0.4561, 1.0)
    """
    both = _Scored.of(truth, [scores], sources)
    return both.none() or both.area(0, how.level)


def compare_roc_auc(
    truth: Column,
    first: Column,
    second: Column,
    *,
    sources: Column = None,
    how: Resampling = DEFAULT,
) -> RocComparison:
    """Whether two scores of the same units tell yes from no equally well: DeLong's paired test.

    As `roc_auc`, over the units that have both scores. With `sources` z is compared with t.

    >>> truth, other = [0, 0, 1, 1, 0, 1], [0.3, 0.1, 0.2, 0.9, 0.8, 0.4]
    >>> found = compare_roc_auc(truth, [0.1, 0.4, 0.35, 0.8, 0.2, 0.4], other)
    >>> round(found.difference.value, 4), round(found.z, 4), round(found.p_value, 4)
    (0.1667, 0.4629, 0.6434)
    """
    both = _Scored.of(truth, [first, second], sources)
    if none := both.none():
        return RocComparison(none, none, none, None, None, None, none.reason)
    one, two = both.area(0, how.level), both.area(1, how.level)
    value = float(both.value(0) - both.value(1))
    influence = both.influence(0) - both.influence(1)
    difference, se = both.interval(value, influence, how.level, (-1.0, 1.0))
    if not se or not difference.method:
        return RocComparison(one, two, difference, se, None, None, difference.reason)
    return RocComparison(one, two, difference, se, value / se, both.p_value(value / se))


@dataclass(frozen=True)
class _Scored:
    """Units with their truth, (n,), and (n, s) scores; numbers of their sources."""

    yes: Integers
    scores: Floats
    sources: Integers | None

    @classmethod
    def of(cls, truth: Column, scores: list[Column], sources: Column) -> _Scored:
        said = numbers_of(truth)
        columns = [orderly(one) for one in scores]
        for column in columns:
            same_length(said, column, "truths or scores")
        if not np.isin(said[~np.isnan(said)], (0, 1)).all():
            raise ValueError("truth is 1 for yes and 0 for no, None where it is not known")
        table = np.column_stack([said, *columns])
        kept, by = ~np.isnan(table).any(axis=1), sources_of(sources, len(table))
        yes = table[kept, 0].astype(np.int64)
        return cls(yes, table[kept, 1:], None if by is None else by[kept])

    def none(self) -> Estimate | None:
        """Why there is no area; None where there is one."""
        n = len(self.yes)
        if 0 < self.yes.sum() < n:
            return None
        why = "every unit is a yes" if self.yes.any() else "no unit is a yes"
        return not_estimable(
            f"{why}: there are no two groups to tell apart" if n else "nothing to compare",
            n,
            clusters_of(self.sources, n),
        )

    def value(self, column: int) -> float:
        """The area of one score."""
        pairs, which = rank_pairs(self.yes, self.scores[:, column])
        return float(pairs.auc(np.bincount(which).astype(np.float64), 1))

    def influence(self, column: int) -> Floats:
        """(n,) what each unit adds to n times the area, less its mean: DeLong's components."""
        pairs, which = rank_pairs(self.yes, self.scores[:, column])
        return pairs.auc_influence(np.bincount(which).astype(np.float64), 1)[which]

    def area(self, column: int, level: float) -> Estimate:
        """The same with its interval."""
        return self.interval(self.value(column), self.influence(column), level, (0.0, 1.0))[0]

    def interval(
        self, value: float, influence: Floats, level: float, limits: tuple[float, float]
    ) -> tuple[Estimate, float | None]:
        """A value with its interval, and its standard error; None where neither can be had."""
        from scipy import stats

        n, by = len(self.yes), self.sources
        found = Estimate(value, n=n, clusters=clusters_of(by, n), level=level)
        if by is not None:
            data = Sums.of(influence, by)
            return linear_interval(found, np.asarray(data.sums)[:, 0], data, limits)
        sizes = np.bincount(self.yes, minlength=PAIR)
        if n < FEWEST or sizes.min() < PAIR:
            return found.because(f"{sizes[1]} yes, {sizes[0]} no: too few for an interval"), None
        lost = sizes / (sizes - 1)  # of each group one, as DeLong's covariances have it
        se = math.sqrt((influence**2 * lost[self.yes]).sum()) / n
        if se < NOTHING:
            return found.because(FLAT), 0.0
        half = float(stats.norm.ppf((1 + level) / 2)) * se
        low, high = max(limits[0], value - half), min(limits[1], value + half)
        return replace(found, low=low, high=high, method=METHOD), se

    def p_value(self, z: float) -> float:
        """Two-sided; of the normal, or of t where there are sources."""
        from scipy import stats

        if self.sources is None:
            return float(2 * stats.norm.sf(abs(z)))
        return float(2 * stats.t.sf(abs(z), clusters_of(self.sources, 0) - 1))
