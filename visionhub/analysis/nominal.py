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
from dataclasses import replace

import numpy as np

from visionhub.analysis.chance import CONSTANT, choose, estimated
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.mcnemar import Test
from visionhub.analysis.paired import Weights
from visionhub.analysis.rated import Rated, Ratings, Rows, Sources, pair
from visionhub.analysis.resample import DEFAULT, Resampling

OTHER = "the other category"


def percent_agreement(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Share of pairs of raters that agree, averaged over units with two ratings or more.

    Its n, interval and error are of all units with a rating, as in Gwet (2014, section 5.3) and R's
    irrCAC: whether a unit has a pair is left to chance too.
    """
    return estimated(ratings, "percent", weights, sources, how)


def fleiss_kappa(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Fleiss' kappa (1971), with missing ratings as in Gwet 2014, section 2.5; of two, Scott's pi.

    >>> round(fleiss_kappa([[1, 1, 1], [1, 2, 2], [2, 2, 2], [1, 1, 2]]).value, 4)
    0.3333
    """
    return estimated(ratings, "fleiss", weights, sources, how)


def conger_kappa(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Conger's kappa (1980): Cohen's for any number of raters, each with shares of its own."""
    return estimated(ratings, "conger", weights, sources, how)


def gwet_ac1(ratings: Rated, *, sources: Sources = None, how: Resampling = DEFAULT) -> Estimate:
    """Gwet's AC1 (2008): expected agreement is sum(pi (1 - pi)) / (q - 1).

    q counts the categories that occur; `Ratings.of(ratings, categories)` names all possible ones.

    >>> round(gwet_ac1([["a", "a"], ["a", "b"], ["b", "b"], ["a", "a"]]).value, 4)
    0.5294
    """
    return estimated(ratings, "gwet", None, sources, how)


def gwet_ac2(
    ratings: Rated,
    weights: Weights = "quadratic",
    *,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Gwet's AC2: AC1 with weights for near misses (Gwet 2014, section 4.4)."""
    return estimated(ratings, "gwet", weights, sources, how)


def brennan_prediger(
    ratings: Rated, *, weights: Weights = None, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Brennan & Prediger's coefficient (1981), or Randolph's free-marginal kappa: chance is 1/q."""
    return estimated(ratings, "brennan_prediger", weights, sources, how)


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
    return estimated(pair(first, second), "conger", weights, sources, how, complete=True)


def scott_pi(
    first: Rows,
    second: Rows = None,
    *,
    weights: Weights = None,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Scott's pi (1955), of what `cohen_kappa` takes."""
    return estimated(pair(first, second), "fleiss", weights, sources, how, complete=True)


def pabak(
    first: Rows, second: Rows = None, *, sources: Sources = None, how: Resampling = DEFAULT
) -> Estimate:
    """Prevalence- and bias-adjusted kappa (Byrt, Bishop & Carlin 1993): (q observed - 1)/(q - 1).

    q counts the categories that occur, and is 2 at least: they define it for yes and no.

    >>> round(pabak([[80, 5], [10, 5]]).value, 4)
    0.7
    """
    ratings = pair(first, second)
    if len(ratings.categories) == 1:  # another was possible, though nobody chose it
        ratings = replace(ratings, categories=(*ratings.categories, OTHER))
    return estimated(ratings, "brennan_prediger", None, sources, how, complete=True)


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

    chosen = choose(ratings, "fleiss", None, None, complete=True)
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
