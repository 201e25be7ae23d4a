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
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.resample import Floats, Integers, ratio

Weights: TypeAlias = Any  # (..., P) how often each pattern was met

ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class RankBiasedOverlap:
    """ext: extrapolated from what was seen. minimum + residual: what it is at most."""

    ext: float
    minimum: float
    residual: float


def rank_biased_overlap(
    s: Sequence[Hashable], t: Sequence[Hashable], p: float = 0.9
) -> RankBiasedOverlap:
    """Overlap of two ranked lists, best first, which may differ in length.

    ext is equation 32, minimum equation 11 (where the shorter list's unseen items match nothing),
    residual equation 30. p: how far one looks; the first 10 ranks weigh .856 at .9. Two empty
    lists have ext 1, one empty list 0; nothing is known then, and the residual is 1. Raises
    ValueError for an item that comes twice.

    >>> found = rank_biased_overlap("abcdefg", "zcavwxy", 0.9)
    >>> round(found.ext, 4), round(found.minimum, 4), round(found.residual, 4)
    (0.2882, 0.2217, 0.359)
    """
    place = _places(s, t)
    shared = [(place[item], rank) for rank, item in enumerate(t, 1) if item in place]
    one, other = np.array(shared, dtype=np.int64).reshape(-1, 2).T
    here = np.zeros(len(shared), dtype=np.int64)
    lengths = np.array([len(s)]), np.array([len(t)])
    found = ranked_overlaps(here, one, other, *lengths, p)
    return RankBiasedOverlap(*(float(values[0]) for values in found))


def _places(s: Sequence[Hashable], t: Sequence[Hashable]) -> dict[Hashable, int]:
    """Ranks of the first list's items."""
    if len(set(s)) < len(s) or len(set(t)) < len(t):
        raise ValueError("a ranked list holds an item once")
    return {item: rank for rank, item in enumerate(s, 1)}


def ranked_overlaps(
    image: Integers,
    rank_a: Integers,
    rank_b: Integers,
    length_a: Integers,
    length_b: Integers,
    p: float = 0.9,
) -> tuple[Floats, Floats, Floats]:
    """Rank-biased overlap of many pairs of lists at once: ext, minimum and residual, (images,).

    Of each item that both lists of an image have: the image's number, and its ranks from 1.
    length_a, length_b: (images,) how long the lists are. As `rank_biased_overlap` of each pair.

    An item that both have seen at depth m adds (1 - p) / p sum_{d >= m} p^d / d, whatever else is
    there; so one pass over the items does.
    """
    if not 0 < p < 1:
        raise ValueError(f"p lies between 0 and 1, not {p}")
    length_a, length_b = np.asarray(length_a), np.asarray(length_b)
    images = len(length_a)
    short, long = np.minimum(length_a, length_b), np.maximum(length_a, length_b)
    depth = np.maximum(rank_a, rank_b)
    if len(depth) and (depth > long[image]).any():
        raise ValueError("a rank lies beyond the end of its list")
    h, g = _sums(p, int((short + long).max(initial=0)))  # up to s + l for the residual
    common = np.bincount(image, minlength=images)
    early = np.bincount(image[depth <= short[image]], minlength=images)  # met in the shorter length
    before = np.bincount(image, h[depth - 1], images)
    seen = common * h[long] - before
    beyond = (g[long] - g[short]) - short * (h[long] - h[short])
    last = ratio(common - early, long) + ratio(early, short)
    base = (1 - p) / p
    ext = (
        base * (seen + np.nan_to_num(ratio(early, short)) * beyond) + np.nan_to_num(last) * p**long
    )
    rest = -math.log1p(-p)
    minimum = base * (common * rest - before)
    joined = short + long - common
    unseen = short * (h[joined] - h[short]) + long * (h[joined] - h[long])
    residual = p**short + p**long - p**joined - base * (unseen + common * (rest - h[joined]))
    ext = np.where(long > 0, ext, 1.0)
    return _share(ext), _share(minimum), _share(residual)


def _share(values: NDArray[Any]) -> Floats:
    """Between 0 and 1, where rounding took a number out."""
    return np.asarray(np.clip(values, 0.0, 1.0), dtype=np.float64)


def _sums(p: float, depth: int) -> tuple[Floats, Floats]:
    """Of each depth from 0: sums of p^d / d, and of p^d, up to it."""
    d = np.arange(1, depth + 1, dtype=np.float64)
    powers = p**d
    return (
        np.concatenate([[0.0], np.cumsum(powers / d)]),
        np.concatenate([[0.0], np.cumsum(powers)]),
    )


def average_overlap(
    s: Sequence[Hashable], t: Sequence[Hashable], depth: int | None = None
) -> float | None:
    """Mean over depths of the share of items that both have so far (Webber et al. 2010, sec. 3.2).

    Another number than rank-biased overlap. depth: the shorter length, unless given; None where
    that is 0.

    >>> round(average_overlap("abcdefg", "zcavwxy", 3), 4)
    0.2222
    """
    place = _places(s, t)
    depth = min(len(s), len(t)) if depth is None else depth
    if depth < 1:
        return None
    met = np.zeros(depth + 1)
    for rank, item in enumerate(t[:depth], 1):
        if place.get(item, depth + 1) <= depth:
            met[max(rank, place[item])] += 1
    return float((np.cumsum(met)[1:] / np.arange(1, depth + 1)).mean())


def weight_of_top(d: int, p: float) -> float:
    """Share of the weight of rank-biased overlap that the first d ranks have (equation 21).

    >>> round(weight_of_top(10, 0.9), 4)
    0.8556
    """
    h, _ = _sums(p, d - 1)
    return float(1 - p ** (d - 1) + (1 - p) / p * d * (-math.log1p(-p) - h[-1]))


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
