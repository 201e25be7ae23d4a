"""How far two ranked lists agree from the top: rank-biased overlap and its kin."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.resample import Floats, Integers, ratio


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
    ValueError for an item that comes twice, and for ties: these equations have none, break them
    (section 4.3 has others); TypeError for a set, which is no ranked list.

    >>> found = rank_biased_overlap("abcdefg", "zcavwxy", 0.9)
    >>> round(found.ext, 4), round(found.minimum, 4), round(found.residual, 4)
    (0.2882, 0.2217, 0.359)
    """
    s, t = _listed(s), _listed(t)
    place = _places(s, t)
    shared = [(place[item], rank) for rank, item in enumerate(t, 1) if item in place]
    one, other = np.array(shared, dtype=np.int64).reshape(-1, 2).T
    here = np.zeros(len(shared), dtype=np.int64)
    lengths = np.array([len(s)]), np.array([len(t)])
    found = ranked_overlaps(here, one, other, *lengths, p)
    return RankBiasedOverlap(*(float(values[0]) for values in found))


def _listed(given: Sequence[Hashable]) -> list[Hashable]:
    """A ranked list. Raises TypeError of a set, ValueError of several items at one rank."""
    if isinstance(given, (set, frozenset, dict)):
        raise TypeError(f"a ranked list has an order, and a {type(given).__name__} has none")
    items = list(given)
    if any(isinstance(item, (set, frozenset, list, np.ndarray)) for item in items):
        raise ValueError("a ranked list has one item a rank: break ties before")
    return items


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
    _check_p(p)
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


def _check_p(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"p lies between 0 and 1, not {p}")


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
    s, t = _listed(s), _listed(t)
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

    Raises ValueError where d is no rank, or p does not lie between 0 and 1.

    >>> round(weight_of_top(10, 0.9), 4)
    0.8556
    """
    _check_p(p)
    if d < 1 or d != int(d):
        raise ValueError(f"ranks are whole numbers from 1, not {d}")
    h, _ = _sums(p, int(d) - 1)
    return float(1 - p ** (d - 1) + (1 - p) / p * d * (-math.log1p(-p) - h[-1]))
