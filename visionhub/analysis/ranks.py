"""Ranked lists that overlap, and ranks that go together.

Lists of labels: rank-biased overlap (Webber, Moffat & Zobel 2010, "A Similarity Measure for
Indefinite Rankings", ACM TOIS 28(4)), which weighs the top and knows that lists were cut. Three
numbers go by its name: the sum over what was seen, its least value, and the extrapolated one. Here
`ext` is for reporting, with `minimum` and `residual`: what unseen ranks could still add to it.

Ranks of two variables: Spearman's, Kendall's and the area under a curve, as functions of how often
each pair of values was met, so that they can be resampled; and their linearised forms for millions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.resample import Floats, Integers, ratio

Weights: TypeAlias = Any  # (..., P) how often each pattern was met

ROUNDING = 1e-12


def middles(weights: Weights, codes: Integers) -> tuple[Floats, Floats]:
    """(..., P) each pattern's share of the distribution below it, ties by half; and (..., K) sizes.

    codes: (P,) places of the patterns' values, from 0.
    """
    from scipy import sparse

    count = int(codes.max(initial=-1)) + 1
    shape = (len(codes), count)
    fold = sparse.coo_array((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=shape)
    sizes = np.asarray(weights @ fold.tocsr())
    middle = ratio(np.cumsum(sizes, axis=-1) - sizes / 2, sizes.sum(-1, keepdims=True))
    return middle[..., codes], sizes


@dataclass(frozen=True)
class RankPairs:
    """Pairs of values as patterns: (P,) places of both values, from 0; what they share is ranks."""

    x: Integers
    y: Integers

    def spearman(self, weights: Floats) -> Floats:
        """(...,) Spearman's correlation: Pearson's of mid-ranks."""
        f, g = middles(weights, self.x)[0], middles(weights, self.y)[0]
        n = weights.sum(-1)
        both, own, other = (
            ratio((weights * a * b).sum(-1), n) - 0.25 for a, b in ((f, g), (f, f), (g, g))
        )
        return ratio(both, np.sqrt(_positive(own) * _positive(other)))

    def kendall(self, weights: Floats) -> Floats:
        """(...,) Kendall's tau-b (1945); by a table of all pairs of patterns."""
        agree = np.sign(np.subtract.outer(self.x, self.x)) * np.sign(
            np.subtract.outer(self.y, self.y)
        )
        apart = (np.asarray(weights @ agree.astype(np.float64)) * weights).sum(-1)
        n = weights.sum(-1) ** 2
        x, y = (n - (middles(weights, codes)[1] ** 2).sum(-1) for codes in (self.x, self.y))
        return ratio(apart, np.sqrt(x * y))

    def auc(self, weights: Floats, cut: int) -> Floats:
        """(...,) chance that y is higher where x is at `cut` or above than where it is below."""
        low = self.x < cut
        below, above = weights * low, weights * ~low
        place, _ = middles(below, self.y)
        return ratio((above * place).sum(-1), above.sum(-1))

    def spearman_influence(self, weights: Floats) -> Floats:
        """(P,) what one unit of each pattern adds to n times Spearman's correlation, less its mean.

        From the derivative of the correlation of mid-distribution functions (Borkowf 2002).
        """
        n = weights.sum()
        f, g = middles(weights, self.x)[0], middles(weights, self.y)[0]
        parts = []
        for a, b, left, right in (
            (f, g, self.x, self.y),
            (f, f, self.x, self.x),
            (g, g, self.y, self.y),
        ):
            own = a * b - (weights * a * b).sum() / n
            moved = _above(weights * b, left, n) + _above(weights * a, right, n)
            parts.append(own + moved - 2 * (weights * a * b).sum() / n)
        both, one, other = ((weights * a * b).sum() / n - 0.25 for a, b in ((f, g), (f, f), (g, g)))
        rho = both / math.sqrt(one * other)
        return np.asarray(
            parts[0] / math.sqrt(one * other) - rho / 2 * (parts[1] / one + parts[2] / other)
        )

    def kendall_influence(self, weights: Floats) -> tuple[float, Floats]:
        """Tau-b, and (P,) the same of it (of a U-statistic: Hoeffding 1948; sorting by bits)."""
        n = weights.sum()
        x, y = (self.x, self.y) if self.x.max() >= self.y.max() else (self.y, self.x)
        other_x, other_y = x.max() - x, y.max() - y
        alike = _smaller(x, y, weights) + _smaller(other_x, other_y, weights)
        unlike = _smaller(x, other_y, weights) + _smaller(other_x, y, weights)
        own = [(alike - unlike) / n]
        own += [1 - middles(weights, codes)[1][codes] / n for codes in (x, y)]
        means = [float((weights * values).sum() / n) for values in own]
        moved = [2 * (values - mean) for values, mean in zip(own, means, strict=True)]
        tau = means[0] / math.sqrt(means[1] * means[2])
        slope = moved[1] / means[1] + moved[2] / means[2]
        return tau, np.asarray(moved[0] / math.sqrt(means[1] * means[2]) - tau / 2 * slope)

    def auc_influence(self, weights: Floats, cut: int) -> Floats:
        """(P,) the same of the area: DeLong, DeLong & Clarke-Pearson's components (1988)."""
        low = self.x < cut
        below, above = weights * low, weights * ~low
        value = float(self.auc(weights, cut))
        place, _ = middles(below, self.y)
        other, _ = middles(above, self.y)
        n = weights.sum()
        high = (place - value) * n / above.sum()
        return np.asarray(np.where(low, (1 - other - value) * n / below.sum(), high))


def _positive(variance: Floats) -> Floats:
    return np.where(variance > ROUNDING, variance, 0.0)


def _above(amounts: Floats, codes: Integers, n: float) -> Floats:
    """(P,) the amounts at higher values than each pattern's, ties by half, over n."""
    sizes = np.bincount(codes, amounts)
    rest = sizes[::-1].cumsum()[::-1] - sizes / 2
    return np.asarray(rest[codes] / n)


def _smaller(x: Integers, y: Integers, weights: Floats) -> Floats:
    """(P,) the weight of patterns that are smaller in both.

    With patterns in the order of x, bit by bit of y: those before a pattern whose y is the same in
    all higher bits, and has a 0 where the pattern's has a 1.
    """
    order = np.lexsort((-y, x))  # of equal x none is before one of smaller y
    y, weights = y[order], weights[order]
    total = np.zeros(len(y))
    for bit in range(int(y.max(initial=0)).bit_length()):
        group = np.argsort(y >> (bit + 1), kind="stable")
        one = (y[group] >> bit & 1).astype(bool)
        running = np.cumsum(np.where(one, 0.0, weights[group]))
        key = y[group] >> (bit + 1)
        first = np.searchsorted(key, key, side="left")
        before = np.concatenate([[0.0], running])[first]
        total[group] += np.where(one, running - before, 0.0)
    found = np.empty(len(y))
    found[order] = total
    return found


def rank_pairs(x: ArrayLike, y: ArrayLike) -> tuple[RankPairs, Integers]:
    """The different pairs of two rows of values, and which of them each unit is, (units,)."""
    _, first = np.unique(x, return_inverse=True)
    _, second = np.unique(y, return_inverse=True)
    width = int(second.max(initial=0)) + 1
    keys, which = np.unique(first * width + second, return_inverse=True)
    return RankPairs(keys // width, keys % width), which
