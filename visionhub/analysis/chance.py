"""Agreement beyond chance, of any raters and with gaps; and its linearised variance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from visionhub.analysis.estimate import LEVEL, Estimate, not_estimable
from visionhub.analysis.given import clusters_of, sources_of
from visionhub.analysis.paired import (
    ROUNDING,
    TABLE,
    Weights,
    agreement_weights,
    corrected,
)
from visionhub.analysis.rated import PAIR, Rated, Ratings, Sources, gathered, patterns
from visionhub.analysis.resample import (
    FEWEST,
    Floats,
    Integers,
    Resampling,
    Sums,
    estimate,
    ratio,
)

Coefficient: TypeAlias = Literal["percent", "fleiss", "conger", "gwet", "brennan_prediger"]
ALONE = "no unit has two ratings"
CONSTANT = "all ratings are one category: nothing is left to agree about beyond chance"
ANONYMOUS = "who gave which rating is not known, and the expected agreement needs it"


def linear_interval(
    found: Estimate,
    influence: Floats,
    data: Sums,
    limits: tuple[float, float],
    *,
    lost: int = 1,
) -> tuple[Estimate, float | None]:
    """An interval from the linearised statistic, and its standard error; for any size of data.

    influence: (G,) what each source adds to n times the value, of mean 0; as many sources are like
    it as `data` says. Variance sum(influence^2) G / (G - lost) / n^2, t with G - 1 degrees of
    freedom (Gwet 2014, chapter 5; of sources: Binder 1983).
    """
    from scipy import stats

    alike = np.ones(len(influence)) if data.alike is None else data.alike
    many = data.clusters
    if many < FEWEST:
        few = f"{many} {'source' if data.sourced else 'unit'}{'s' * (many > 1)}: no interval"
        return found.because(few), None
    error = math.sqrt((alike * influence**2).sum() * many / (many - lost)) / data.n
    if error < ROUNDING or found.value is None:
        return found.because("too little varies for an interval"), error
    half = float(stats.t.ppf((1 + found.level) / 2, many - 1)) * error
    low, high = max(limits[0], found.value - half), min(limits[1], found.value + half)
    method = f"linearised variance of {'sources' if data.sourced else 'units'}, t({many - 1})"
    return replace(found, low=low, high=high, method=method), error


@dataclass(frozen=True)
class _Agreement:
    """A coefficient as a function of sums of `moments`, (..., 2 + q + raters q)."""

    coefficient: Coefficient
    weights: Floats
    raters: int

    def moments(self, codes: Integers) -> Floats:
        """Of each unit: share of agreeing pairs, whether it has a pair, shares, who said what."""
        said = (codes[:, :, None] == np.arange(len(self.weights))).astype(np.float64)
        counts = said.sum(axis=1)
        rated = counts.sum(axis=1)
        agreed = (counts * (counts @ self.weights - np.diag(self.weights))).sum(axis=1)
        share = np.nan_to_num(ratio(agreed, rated * (rated - 1)))
        shares = ratio(counts, rated[:, None])
        return np.column_stack([share, rated >= PAIR, shares, said.reshape(len(codes), -1)])

    def __call__(self, sums: Floats) -> Floats:
        """(...,) the coefficient."""
        return corrected(ratio(sums[..., 0], sums[..., 1]), self.expected(sums))

    def expected(self, sums: Floats) -> Floats:
        """(...,) agreement by chance."""
        w, q = self.weights, len(self.weights)
        pi = self._shares(sums)
        if self.coefficient == "fleiss":
            return np.asarray(((pi @ w) * pi).sum(-1))
        if self.coefficient == "gwet":
            return ratio(w.sum() * (pi * (1 - pi)).sum(-1), q * (q - 1))
        if self.coefficient == "conger":
            own = self._own(sums)
            apart = ((own @ w) * (own.sum(-2, keepdims=True) - own)).sum((-2, -1))
            return ratio(apart, self.raters * (self.raters - 1))
        level = w.sum() / q**2 if self.coefficient == "brennan_prediger" else 0.0
        return np.full(pi.shape[:-1], level)

    def influence(self, sums: Floats, total: Floats) -> Floats:
        """(G,) Gwet's linearised values less the coefficient (2014, sections 5.3 and 5.4).

        As in his tables the number of units with two ratings is taken as fixed. Linear in `sums`,
        so that sources' sums give the sums of their units' values.
        """
        value, by_chance = float(self(total)), float(self.expected(total))
        shares = slice(2, 2 + len(self.weights))
        units, n = sums[:, shares].sum(-1), total[shares].sum()
        left = 1 - by_chance
        pairs = n / total[1] * (sums[:, 0] - by_chance * sums[:, 1]) / left - value * units
        return np.asarray(pairs - (1 - value) / left * self._chance(sums, total))

    def _chance(self, sums: Floats, total: Floats) -> Floats:
        """(G,) the same of the expected agreement."""
        w, q, r = self.weights, len(self.weights), self.raters
        pi, shares = self._shares(total), sums[:, 2 : 2 + q]
        away = shares - shares.sum(-1, keepdims=True) * pi
        if self.coefficient == "fleiss":
            return np.asarray(away @ (2 * w @ pi))
        if self.coefficient == "gwet":
            return np.asarray(away @ (1 - 2 * pi) * w.sum() / (q * (q - 1)))
        if self.coefficient == "conger":
            own, said = self._own(total), sums[:, 2 + q :].reshape(-1, r, q)
            part = total[2 : 2 + q].sum() / total[2 + q :].reshape(r, q).sum(-1)
            off = (said - said.sum(-1, keepdims=True) * own) * part[:, None]
            others = (own.sum(0) - own) @ w
            return np.asarray((off * others).sum((1, 2)) * 2 / (r * (r - 1)))
        return np.zeros(len(sums))

    def _shares(self, sums: Floats) -> Floats:
        shares = sums[..., 2 : 2 + len(self.weights)]
        return ratio(shares, shares.sum(-1, keepdims=True))

    def _own(self, sums: Floats) -> Floats:
        """(..., r, q) each rater's own shares of categories."""
        q = len(self.weights)
        said = sums[..., 2 + q :].reshape(*sums.shape[:-1], self.raters, q)
        return ratio(said, said.sum(-1, keepdims=True))


def choose(
    ratings: Rated, coefficient: Coefficient, weights: Weights, sources: Sources, complete: bool
) -> tuple[Sums, _Agreement] | Estimate:
    """The sums of a set of ratings with their function; or why there is no value."""
    given = Ratings.of(ratings)
    if sources is not None and given.counts is not None:
        raise ValueError(TABLE)
    by = sources_of(sources, len(given.codes))
    there = given.codes >= 0
    kept = there.all(axis=1) if complete else there.any(axis=1)
    by = None if by is None else by[kept]
    n = int(kept.sum()) if given.counts is None else int(given.counts[kept].sum())
    size = n, clusters_of(by, n)
    if coefficient == "conger" and not given.named:
        return not_estimable(ANONYMOUS, *size)
    codes = given.codes[kept][:, there.any(axis=0)]
    counts = None if given.counts is None else given.counts[kept]
    paired = (codes >= 0).sum(axis=1) >= PAIR
    if not (paired if counts is None else paired & (counts > 0)).any():
        return not_estimable(ALONE, *size)
    matrix = agreement_weights(weights, given.categories)
    statistic = _Agreement(coefficient, matrix, codes.shape[1])
    if counts is not None:
        return Sums.counted(statistic.moments(codes), counts), statistic
    rows, which = patterns(codes)
    return gathered(statistic.moments(rows), which, by), statistic


def estimated(
    ratings: Rated,
    coefficient: Coefficient,
    weights: Weights,
    sources: Sources,
    how: Resampling,
    complete: bool = False,
) -> Estimate:
    """A coefficient; its interval by resampling units, or their sources."""
    chosen = choose(ratings, coefficient, weights, sources, complete)
    if isinstance(chosen, Estimate):
        return chosen
    limits = (0.0 if coefficient == "percent" else -1.0, 1.0)
    return estimate(*chosen, how, limits=limits, why=CONSTANT)


@dataclass(frozen=True)
class Linearised:
    """A coefficient with its analytic interval, and what it is made of (None where undefined)."""

    estimate: Estimate
    standard_error: float | None
    observed: float | None
    expected: float | None


def linearised(
    ratings: Rated,
    coefficient: Coefficient = "gwet",
    *,
    weights: Weights = None,
    sources: Sources = None,
    level: float = LEVEL,
    complete: bool = False,
) -> Linearised:
    """A coefficient with Gwet's standard error and interval, which take units as the sample.

    coefficient: percent, fleiss, conger (of two raters Cohen's), gwet (AC1, with weights AC2) or
    brennan_prediger. complete: of units only that all have rated. The interval ends at -1 and 1. As
    in Gwet's formulas, the variance of a table's coefficient is divided by n, of others by n - 1.

    >>> found = linearised(Ratings.of_table([[13, 0, 0], [0, 20, 7], [0, 4, 56]]), "gwet")
    >>> round(found.estimate.value, 5), round(found.standard_error, 5)
    (0.84933, 0.04322)
    """
    given = Ratings.of(ratings)
    chosen = choose(given, coefficient, weights, sources, complete)
    if isinstance(chosen, Estimate):
        return Linearised(chosen, None, None, None)
    data, statistic = chosen
    total = data.total
    observed, value = float(ratio(total[0], total[1])), float(statistic(total))
    expected = float(statistic.expected(total))
    if math.isnan(value):
        none = not_estimable(CONSTANT, data.n, data.clusters)
        return Linearised(none, None, observed, None if math.isnan(expected) else expected)
    found = Estimate(value, n=data.n, clusters=data.clusters, level=level)
    limits = (0.0 if coefficient == "percent" else -1.0, 1.0)
    influence, lost = statistic.influence(data.sums, total), int(given.counts is None)
    found, error = linear_interval(found, influence, data, limits, lost=lost)
    return Linearised(found, error, observed, expected)
