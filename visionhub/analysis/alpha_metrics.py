"""Krippendorff's alpha as a function of sums, for each kind of distance; `alpha` makes use of it.

Rows are units' values, (P, raters) numbers from 0, ascending, and -1 where there is no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.rated import Moments
from visionhub.analysis.resample import Floats, Integers, ratio

ROUNDING = 1e-12  # of sums of squares: less is nothing


def pairs_of(rows: Integers) -> Iterator[tuple[Integers, Integers, Integers, Floats]]:
    """Pairs of values within units: where, the two values, and 2 / (m - 1), a column pair each."""
    share = 2 / np.maximum((rows >= 0).sum(axis=1) - 1, 1)
    for i in range(rows.shape[1]):
        for j in range(i + 1, rows.shape[1]):  # of sorted rows the second is there if the first is
            at = np.flatnonzero(rows[:, i] >= 0)
            yield at, rows[at, i], rows[at, j], share[at]


def used(rows: Integers, k: int) -> Moments:
    """(P, k) how often each value occurs in each row, as a sparse table."""
    from scipy import sparse

    at, column = np.nonzero(rows >= 0)
    shape = (len(rows), k)
    return sparse.coo_array((np.ones(len(at)), (at, rows[at, column])), shape=shape).tocsr()


@dataclass(frozen=True)
class Fixed:
    """Alpha as a function of sums, where the distance of two values does not depend on the data.

    between: distances of pairs of values. values: (P, c) what rows add to `expected`, which gives
    the distances of all pairs of values whatsoever from these sums and the number of values.
    """

    between: Callable[[Integers, Integers], Floats]
    values: Callable[[Integers], Moments]
    expected: Callable[[Floats, Floats], Floats]

    def moments(self, rows: Integers) -> Moments:
        """(P, 2 + c) disagreement within rows, ratings, and `values`."""
        from scipy import sparse

        apart = np.zeros(len(rows))
        for at, first, second, share in pairs_of(rows):
            apart[at] += share * self.between(first, second)
        own = np.column_stack([apart, (rows >= 0).sum(axis=1)])
        return sparse.hstack([sparse.csr_array(own), self.values(rows)]).tocsr()

    def __call__(self, sums: Floats) -> Floats:
        """(...,) alpha."""
        n = sums[..., 1]
        return 1 - ratio(sums[..., 0] * (n - 1), self.expected(sums[..., 2:], n))


def nominal(k: int) -> Fixed:
    """Any two of k values are equally far apart."""
    return Fixed(
        lambda first, second: (first != second).astype(np.float64),
        lambda rows: used(rows, k),
        lambda used, n: n**2 - (used**2).sum(-1),
    )


def interval(at: Floats) -> Fixed:
    """Squared differences of the values `at`, (k,)."""
    at = at - at.mean()
    return Fixed(
        lambda first, second: (at[first] - at[second]) ** 2,
        lambda rows: np.stack([(np.where(rows >= 0, at[rows], 0) ** e).sum(1) for e in (1, 2)], 1),
        lambda sums, n: _spread(n, sums[..., 0], sums[..., 1]),
    )


def table_of(distances: Floats) -> Fixed:
    """Any (k, k) distances."""
    return Fixed(
        lambda first, second: distances[first, second],
        lambda rows: used(rows, len(distances)),
        lambda used, n: ((used @ distances) * used).sum(-1),
    )


def _spread(n: Floats, sums: Floats, squares: Floats) -> Floats:
    """Squared differences of all ordered pairs of values; 0 where it is rounding."""
    whole = n * squares
    return np.where(whole - sums**2 > ROUNDING * whole, 2 * (whole - sums**2), 0.0)


class Ordinal:
    """Alpha with the ordinal metric, whose distances are of mid-ranks among all values.

    Sums: how often each value occurs, and how often each two (of `lower`, `upper`) met.
    """

    def __init__(self, k: int, rows: Integers) -> None:
        self.k = k
        met = [first * k + second for _, first, second, _ in pairs_of(rows)]
        keys = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *met]))
        self._keys = keys[keys // k != keys % k]
        self.lower, self.upper = self._keys // k, self._keys % k

    def moments(self, rows: Integers) -> Moments:
        """(P, k + pairs) of rows of pairable values."""
        from scipy import sparse

        met = sparse.csr_array((len(rows), len(self._keys)))
        for at, first, second, share in pairs_of(rows):
            differ = first != second
            place = np.searchsorted(self._keys, (first * self.k + second)[differ])
            met = met + sparse.coo_array((share[differ], (at[differ], place)), shape=met.shape)
        return sparse.hstack([used(rows, self.k), met]).tocsr()

    def __call__(self, sums: Floats) -> Floats:
        """(...,) alpha."""
        used, met = sums[..., : self.k], sums[..., self.k :]
        n = used.sum(-1)
        rank = np.cumsum(used, axis=-1) - used / 2
        apart = (met * (rank[..., self.lower] - rank[..., self.upper]) ** 2).sum(-1)
        spread = _spread(n, (used * rank).sum(-1), (used * rank**2).sum(-1))
        return 1 - ratio(apart * (n - 1), spread)
