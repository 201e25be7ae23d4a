"""How far raters agree about categories, beyond what chance would give them.

Ratings are units by raters; None and nan are missing. Missing ratings are dealt with as in Gwet
(2014, "Handbook of Inter-Rater Reliability", 4th edition, chapters 2 to 6): observed agreement is
the mean over units with two ratings or more of the share of pairs that agree, and what is expected
by chance comes from all ratings. Coefficients are (observed - expected) / (1 - expected).

Rare categories give a low kappa beside a high AC1 (Feinstein & Cicchetti 1990): show the cells and
the prevalence beside either.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from visionhub.analysis.alpha import Rated, Ratings, Rows, Sources, coded, gathered, pair, patterns
from visionhub.analysis.estimate import LEVEL, Estimate, not_estimable
from visionhub.analysis.paired import (
    ROUNDING,
    Test,
    Weights,
    ac1_of,
    agreement_weights,
    bias_index,
    binary_agreement,
    brennan_prediger_of,
    corrected,
    kappa_of,
    negative_agreement,
    percent_agreement_of,
    positive_agreement,
    prevalence_index,
    scott_pi_of,
)
from visionhub.analysis.resample import (
    DEFAULT,
    FEWEST,
    Floats,
    Integers,
    Resampling,
    Sums,
    estimate,
    ratio,
)

__all__ = [
    "Coefficient",
    "Linearised",
    "Ratings",
    "ac1_of",
    "agreement_weights",
    "bias_index",
    "binary_agreement",
    "brennan_prediger",
    "brennan_prediger_of",
    "category_kappas",
    "coded",
    "cohen_kappa",
    "conger_kappa",
    "fleiss_kappa",
    "fleiss_test",
    "gwet_ac1",
    "gwet_ac2",
    "kappa_of",
    "linear_interval",
    "linearised",
    "negative_agreement",
    "pabak",
    "percent_agreement",
    "percent_agreement_of",
    "positive_agreement",
    "prevalence_index",
    "scott_pi",
    "scott_pi_of",
]

Coefficient: TypeAlias = Literal["percent", "fleiss", "conger", "gwet", "brennan_prediger"]

PAIR = 2
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


def _choose(
    ratings: Rated, coefficient: Coefficient, weights: Weights, sources: Sources, complete: bool
) -> tuple[Sums, _Agreement] | Estimate:
    """The sums of a set of ratings with their function; or why there is no value."""
    given = Ratings.of(ratings)
    if sources is not None and given.counts is not None:
        raise ValueError("a table does not tell units apart: give ratings beside their sources")
    if coefficient == "conger" and not given.named:
        return not_estimable(ANONYMOUS, len(given.codes))
    there = given.codes >= 0
    kept = there.all(axis=1) if complete else there.any(axis=1)
    codes = given.codes[kept][:, there.any(axis=0)]
    counts = None if given.counts is None else given.counts[kept]
    paired = (codes >= 0).sum(axis=1) >= PAIR
    if not (paired if counts is None else paired & (counts > 0)).any():
        return not_estimable(ALONE, len(codes))
    matrix = agreement_weights(weights, given.categories)
    statistic = _Agreement(coefficient, matrix, codes.shape[1])
    if counts is not None:
        return Sums.counted(statistic.moments(codes), counts), statistic
    rows, which = patterns(codes)
    by = None if sources is None else np.asarray(sources)[kept]
    return gathered(statistic.moments(rows), which, by), statistic


def _estimated(
    ratings: Rated,
    coefficient: Coefficient,
    weights: Weights,
    sources: Sources,
    how: Resampling,
    complete: bool = False,
) -> Estimate:
    chosen = _choose(ratings, coefficient, weights, sources, complete)
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
    chosen = _choose(given, coefficient, weights, sources, complete)
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


def percent_agreement(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Share of pairs of raters that agree, averaged over units."""
    return _estimated(ratings, "percent", weights, sources, how)


def fleiss_kappa(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Fleiss' kappa (1971), with missing ratings as in Gwet 2014, section 2.5; of two, Scott's pi.

    >>> round(fleiss_kappa([[1, 1, 1], [1, 2, 2], [2, 2, 2], [1, 1, 2]]).value, 4)
    0.3333
    """
    return _estimated(ratings, "fleiss", weights, sources, how)


def conger_kappa(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Conger's kappa (1980): Cohen's for any number of raters, each with shares of its own."""
    return _estimated(ratings, "conger", weights, sources, how)


def gwet_ac1(ratings: Rated, *, sources: Sources = None, how: Resampling = DEFAULT) -> Estimate:
    """Gwet's AC1 (2008): expected agreement is sum(pi (1 - pi)) / (q - 1).

    q counts the categories that occur; `Ratings.of(ratings, categories)` names all possible ones.

    >>> round(gwet_ac1([["a", "a"], ["a", "b"], ["b", "b"], ["a", "a"]]).value, 4)
    0.5294
    """
    return _estimated(ratings, "gwet", None, sources, how)


def gwet_ac2(
    ratings: Rated,
    weights: Weights = "quadratic",
    *,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Gwet's AC2: AC1 with weights for near misses (Gwet 2014, section 4.4)."""
    return _estimated(ratings, "gwet", weights, sources, how)


def brennan_prediger(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Brennan & Prediger's coefficient (1981), or Randolph's free-marginal kappa: chance is 1/q."""
    return _estimated(ratings, "brennan_prediger", weights, sources, how)


def cohen_kappa(
    first: Rows,
    second: Rows = None,
    *,
    weights: Weights = None,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Cohen's kappa (1960; weights: 1968) of a square table, or of two raters' rows of ratings.

    Units that one of them has not rated are left out.

    >>> round(cohen_kappa([[45, 15], [25, 15]]).value, 4)
    0.1304
    >>> round(cohen_kappa(["a", "b", "b", "a"], ["a", "b", "a", "a"]).value, 4)
    0.5
    """
    return _estimated(pair(first, second), "conger", weights, sources, how, complete=True)


def scott_pi(
    first: Rows,
    second: Rows = None,
    *,
    weights: Weights = None,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Scott's pi (1955), of what `cohen_kappa` takes."""
    return _estimated(pair(first, second), "fleiss", weights, sources, how, complete=True)


def pabak(
    first: Rows, second: Rows = None, *, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Prevalence- and bias-adjusted kappa (Byrt, Bishop & Carlin 1993): (q observed - 1)/(q - 1).

    >>> round(pabak([[80, 5], [10, 5]]).value, 4)
    0.7
    """
    ratings = pair(first, second)
    return _estimated(ratings, "brennan_prediger", None, sources, how, complete=True)


def category_kappas(
    ratings: Rated, *, sources: Sources = None, how: Resampling = DEFAULT
) -> dict[Hashable, Estimate]:
    """Fleiss' kappa of each category against all others (Fleiss 1971, equation 23)."""
    given = Ratings.of(ratings)
    missing = given.codes < 0
    found = {}
    for number, name in enumerate(given.categories):
        codes = np.where(missing, -1, given.codes == number)
        one = Ratings(codes, (False, True), given.counts, given.named)
        found[name] = fleiss_kappa(one, sources=sources, how=how)
    return found


def fleiss_test(ratings: Rated) -> Test:
    """Whether Fleiss' kappa differs from 0, by its variance if it were (Fleiss, Nee & Landis 1979).

    For units that all raters have rated; others are left out.
    """
    from scipy import stats

    chosen = _choose(ratings, "fleiss", None, None, complete=True)
    if isinstance(chosen, Estimate):
        return Test(None, None, chosen.n, "z", chosen.reason)
    data, statistic = chosen
    r, n, value = statistic.raters, data.n, float(statistic(data.total))
    p = data.total[2 : 2 + len(statistic.weights)] / n
    spread = (p * (1 - p)).sum()
    if math.isnan(value):
        return Test(None, None, n, "z", CONSTANT)
    skew = (p * (1 - p) * (1 - 2 * p)).sum()
    z = value / math.sqrt(2 * (spread**2 - skew) / (spread**2 * n * r * (r - 1)))
    return Test(z, float(2 * stats.norm.sf(abs(z))), n, "z, variance of kappa 0")
