"""Two raters, or two times, on the same units: measures of their cells, and tests of a change.

Measures are functions of cells with any number of leading axes, so that one call gives those of
thousands of labels, or of all bootstrap draws.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.estimate import Estimate
from visionhub.analysis.given import numbers_of, sources_of
from visionhub.analysis.rated import Ratings, Rows, Sources, gathered, pair
from visionhub.analysis.resample import DEFAULT, Floats, Resampling, Sums, estimate, ratio

Weights: TypeAlias = str | ArrayLike | None

ROUNDING = 1e-12  # 1 minus the expected agreement, below which it is 0
SQUARE = 2
TABLE = "a table does not tell units apart: give ratings beside their sources"


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
    at = numbers_of(categories if numeric and weights != "ordinal" else range(q))
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


def _binary_sums(name: str, given: Ratings, positive: Hashable, sources: Sources) -> Sums:
    """Of (4,) cells yes-yes, yes-no, no-yes, no-no."""
    if given.counts is not None:
        if sources is not None:
            raise ValueError(TABLE)
        if len(given.categories) != SQUARE:
            raise ValueError(f"{name} is of 2 x 2 tables, yes before no")
        return Sums.counted(np.eye(4), given.counts)
    _check_positive(positive, given.categories)
    kept = (given.codes >= 0).all(axis=1)
    no = np.array([one != positive for one in given.categories], dtype=np.int64)
    by = sources_of(sources, len(given.codes))
    by = None if by is None else by[kept]
    return gathered(np.eye(4), no[given.codes[kept]] @ np.array([2, 1]), by)


def _check_positive(positive: Hashable, categories: Sequence[Hashable]) -> None:
    """Of one category all may have said no; but nobody who did not say so calls it that."""
    others = set(categories) - {False} if positive is True else categories[1:]
    if positive not in categories and others:
        raise ValueError(f"say which of {list(categories)} is `positive`")


def _binary(
    name: str, first: Rows, second: Rows, positive: Hashable, sources: Sources, how: Resampling
) -> Estimate:
    """A measure of `binary_agreement` with its interval."""
    data = _binary_sums(name, pair(first, second), positive, sources)
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
