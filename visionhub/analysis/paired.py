"""Two raters, or two times, on the same units: measures of their cells, and tests of a change.

Measures are functions of cells with any number of leading axes, so that one call gives those of
thousands of labels, or of all bootstrap draws.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.alpha import Rows, Sources, gathered, pair
from visionhub.analysis.estimate import LEVEL, Estimate
from visionhub.analysis.proportions import newcombe_paired
from visionhub.analysis.resample import DEFAULT, Floats, Resampling, Sums, estimate, ratio

Weights: TypeAlias = str | ArrayLike | None
McNemarMethod: TypeAlias = Literal["auto", "exact", "mid-p", "chi-squared", "corrected"]

EXACT = 25  # units that changed: with fewer, the exact test
ROUNDING = 1e-12  # 1 minus the expected agreement, below which it is 0
SQUARE = 2


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


def agreement_weights(weights: Weights, categories: Sequence[Hashable]) -> Floats:
    """(q, q) how far two categories agree, from 0 to 1.

    weights: None where only equal ones do; "linear", "quadratic" (by the categories' values where
    these are numbers, else by their places); "ordinal" (Gwet 2014, section 3.5: the pairs of
    categories between the two, as a share of all); or a symmetric matrix.
    """
    q = len(categories)
    if not isinstance(weights, str):
        matrix: Floats = np.eye(q) if weights is None else np.asarray(weights, dtype=np.float64)
        if matrix.shape != (q, q) or not np.allclose(matrix, matrix.T):
            raise ValueError(f"weights of {q} categories are a symmetric matrix of {q} x {q}")
        return matrix
    numeric = all(isinstance(name, (int, float, np.number)) for name in categories)
    at = np.array(categories if numeric and weights != "ordinal" else range(q), dtype=np.float64)
    far = np.abs(at[:, None] - at)
    powers = {"linear": far, "quadratic": far**2, "ordinal": far * (far + 1)}
    if weights not in powers:
        raise ValueError(f"weights are {', '.join(powers)} or a matrix, not {weights!r}")
    return np.asarray(1 - powers[weights] / max(float(powers[weights].max(initial=0)), ROUNDING))


def corrected(observed: ArrayLike, expected: ArrayLike) -> Floats:
    """(observed - expected) / (1 - expected); nan where all agreement is expected."""
    left = 1 - np.asarray(expected, dtype=np.float64)
    return ratio(np.asarray(observed) - expected, np.where(np.abs(left) < ROUNDING, 0.0, left))


def _shares(cells: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats, Floats]:
    """Observed agreement, both raters' shares (..., q), and the weights, of (..., q, q) cells."""
    table = np.asarray(cells, dtype=np.float64)
    w = np.eye(table.shape[-1]) if weights is None else np.asarray(weights, dtype=np.float64)
    n = table.sum((-2, -1))
    observed = ratio((table * w).sum((-2, -1)), n)
    return observed, ratio(table.sum(-1), n[..., None]), ratio(table.sum(-2), n[..., None]), w


def percent_agreement_of(cells: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """(...,) share of units on which two raters agree, of (..., q, q) cells."""
    return _shares(cells, weights)[0]


def kappa_of(cells: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """(...,) Cohen's kappa of (..., q, q) cells; weights: (q, q), 1 for full agreement.

    Cohen 1960, and 1968 for weights. nan where both use one category only.

    >>> kappa_of([[45, 15], [25, 15]]).round(4)
    np.float64(0.1304)
    """
    observed, rows, columns, w = _shares(cells, weights)
    return corrected(observed, ((rows @ w) * columns).sum(-1))


def scott_pi_of(cells: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """(...,) Scott's pi (1955): both raters are taken to use the categories alike."""
    observed, rows, columns, w = _shares(cells, weights)
    pi = (rows + columns) / 2
    return corrected(observed, ((pi @ w) * pi).sum(-1))


def ac1_of(cells: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """(...,) Gwet's AC1 (2008, equation 17), or AC2 with weights, of (..., q, q) cells."""
    observed, rows, columns, w = _shares(cells, weights)
    pi, q = (rows + columns) / 2, w.shape[0]
    return corrected(observed, ratio(w.sum() * (pi * (1 - pi)).sum(-1), q * (q - 1)))


def brennan_prediger_of(cells: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """(...,) Brennan & Prediger's coefficient (1981): PABAK where there are two categories."""
    observed, _, _, w = _shares(cells, weights)
    return corrected(observed, w.sum() / w.shape[0] ** 2)


def _table(cells: Floats) -> Floats:
    return cells.reshape(*cells.shape[:-1], SQUARE, SQUARE)


# Of (..., 4) counts yes-yes, yes-no, no-yes, no-no. Positive and negative agreement: Cicchetti &
# Feinstein 1990. PABAK, prevalence and bias index, with their signs: Byrt, Bishop & Carlin 1993.
BINARY: Mapping[str, Callable[[Floats], Floats]] = {
    "percent_agreement": lambda c: ratio(c[..., 0] + c[..., 3], c.sum(-1)),
    "cohen_kappa": lambda c: kappa_of(_table(c)),
    "gwet_ac1": lambda c: ac1_of(_table(c)),
    "pabak": lambda c: brennan_prediger_of(_table(c)),
    "positive_agreement": lambda c: ratio(2 * c[..., 0], 2 * c[..., 0] + c[..., 1] + c[..., 2]),
    "negative_agreement": lambda c: ratio(2 * c[..., 3], 2 * c[..., 3] + c[..., 1] + c[..., 2]),
    "prevalence_index": lambda c: ratio(c[..., 0] - c[..., 3], c.sum(-1)),
    "bias_index": lambda c: ratio(c[..., 1] - c[..., 2], c.sum(-1)),
}


def binary_agreement(cells: ArrayLike) -> dict[str, Floats]:
    """Every measure of 2 x 2 tables, by name, (...,); nan where undefined.

    cells: (..., 4) counts yes-yes, yes-no, no-yes, no-no.

    >>> {name: round(float(value), 3) for name, value in binary_agreement([80, 5, 10, 5]).items()}
    {'percent_agreement': 0.85, 'cohen_kappa': 0.318, 'gwet_ac1': 0.808, 'pabak': 0.7,
     'positive_agreement': 0.914, 'negative_agreement': 0.4, 'prevalence_index': 0.75,
     'bias_index': -0.05}
    """
    counts = np.asarray(cells, dtype=np.float64)
    return {name: measure(counts) for name, measure in BINARY.items()}


def _binary(
    name: str, first: Rows, second: Rows, positive: Hashable, sources: Sources, how: Resampling
) -> Estimate:
    """A measure of `binary_agreement` with its interval."""
    given = pair(first, second)
    if given.counts is not None:
        if len(given.categories) != SQUARE:
            raise ValueError(f"{name} is of 2 x 2 tables, yes before no")
        data = Sums.counted(np.eye(4), given.counts)
    else:
        if positive not in given.categories and set(given.categories) - {False}:
            raise ValueError(f"say which of {list(given.categories)} is `positive`")
        kept = (given.codes >= 0).all(axis=1)
        no = np.array([name != positive for name in given.categories], dtype=np.int64)
        by = None if sources is None else np.asarray(sources)[kept]
        data = gathered(np.eye(4), no[given.codes[kept]] @ np.array([2, 1]), by)
    lacking = {"positive_agreement": "neither said yes", "negative_agreement": "neither said no"}
    why = lacking.get(name, "nothing to compare")
    return estimate(data, BINARY[name], how, limits=(-1.0, 1.0), why=why)


def positive_agreement(
    first: Rows,
    second: Rows = None,
    *,
    positive: Hashable = True,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """2 a / (2 a + b + c): how often one said yes where the other did (Cicchetti & Feinstein 1990).

    Of a table [[a, b], [c, d]], yes before no; or of two rows of ratings, of which `positive` (True
    or 1) is yes.

    >>> round(positive_agreement([[80, 5], [10, 5]]).value, 4)
    0.9143
    """
    return _binary("positive_agreement", first, second, positive, sources, how)


def negative_agreement(
    first: Rows,
    second: Rows = None,
    *,
    positive: Hashable = True,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """2 d / (2 d + b + c): how often one said no where the other did; see `positive_agreement`."""
    return _binary("negative_agreement", first, second, positive, sources, how)


def prevalence_index(
    first: Rows,
    second: Rows = None,
    *,
    positive: Hashable = True,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """(a - d) / n, above 0 where yes prevails (Byrt, Bishop & Carlin 1993)."""
    return _binary("prevalence_index", first, second, positive, sources, how)


def bias_index(
    first: Rows,
    second: Rows = None,
    *,
    positive: Hashable = True,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """(b - c) / n, above 0 where the first said yes more often (Byrt, Bishop & Carlin 1993)."""
    return _binary("bias_index", first, second, positive, sources, how)


def mcnemar_p(b: ArrayLike, c: ArrayLike, method: McNemarMethod = "auto") -> Floats:
    """(...,) p-values of McNemar's test for many pairs of counts at once; nan where b + c is 0.

    b, c: units that were yes, then no; no, then yes. exact: two-sided binomial. mid-p: less half
    the probability of what was seen (Fagerland, Lydersen & Laake 2013). chi-squared: (b - c)^2 /
    (b + c) (McNemar 1947); corrected: (|b - c| - 1)^2 / (b + c) (Edwards 1948). auto: exact where
    b + c < 25, else mid-p.
    """
    from scipy import stats

    more, fewer = np.maximum(b, c).astype(np.float64), np.minimum(b, c).astype(np.float64)
    n = more + fewer
    if method in ("chi-squared", "corrected"):
        return np.asarray(stats.chi2.sf(_chi_squared(more, fewer, method), 1), dtype=np.float64)
    exact = np.minimum(1.0, 2 * stats.binom.cdf(fewer, n, 0.5))
    middle = np.minimum(1.0, 2 * stats.binom.cdf(fewer, n, 0.5) - stats.binom.pmf(fewer, n, 0.5))
    use = {"exact": np.ones(n.shape, bool), "mid-p": np.zeros(n.shape, bool), "auto": n < EXACT}
    return np.where(n > 0, np.where(use[method], exact, middle), np.nan)


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
    difference of the two shares, with Newcombe's interval for pairs.

    >>> test = mcnemar([[794, 150], [86, 570]], method="chi-squared")
    >>> round(test.statistic, 3), round(test.difference.value, 3)
    (17.356, 0.04)
    """
    cells = np.asarray(table)
    if cells.shape not in ((2, 2), ()) or (cells.ndim == 0) != (c is not None):
        raise ValueError("McNemar's test takes a 2 x 2 table, or two counts")
    up, down = (int(cells[0, 1]), int(cells[1, 0])) if c is None else (int(cells), c)
    difference = newcombe_paired(cells, level=level) if c is None else None
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

    values: NDArray[Any] = np.asarray(ratings, dtype=np.float64)
    values = values[~np.isnan(values).any(axis=1)]
    if not np.isin(values, (0, 1)).all():
        raise ValueError("Cochran's Q takes 1 for yes and 0 for no")
    varying = values.min(axis=1, initial=1) != values.max(axis=1, initial=0)
    method = f"Cochran's Q, chi-squared({values.shape[1] - 1})"
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
