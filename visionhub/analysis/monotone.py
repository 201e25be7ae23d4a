"""Words beside numbers that were cut into levels where other photographs say."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.given import numbers_of, sources_of
from visionhub.analysis.ordinal import ONE_LEVEL, SEVERAL, Scheme
from visionhub.analysis.paired import agreement_weights, kappa_of
from visionhub.analysis.rated import Sources, gathered
from visionhub.analysis.resample import (
    DEFAULT,
    Floats,
    Integers,
    Resampling,
    estimate,
    ratio,
)
from visionhub.analysis.scale import UNKNOWN, Words, places_of, same_length

Fit: TypeAlias = Literal["equipercentile", "isotonic"]


@dataclass(frozen=True)
class MonotoneFit:
    """Words beside levels that were fitted to numbers.

    kappa: weighted kappa of both, over units that the fit had not seen. cuts: of each half that was
    learnt from, (q - 1,) the number from which on each level but the first is given, or inf.
    """

    kappa: Estimate
    cuts: tuple[Floats, ...]
    levels: tuple[Hashable, ...]


def monotone_fit(
    words: Words,
    numbers: ArrayLike,
    levels: Sequence[Hashable],
    *,
    fit: Fit = "equipercentile",
    weights: Scheme = "quadratic",
    unknown: Collection[Hashable] = UNKNOWN,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> MonotoneFit:
    """Weighted kappa of words and numbers, after a monotone mapping from number to level.

    The mapping is learnt on one half of the sources (of the units, without them) and judged on the
    other, both ways, so that it cannot flatter itself; the halves are drawn by `how.seed`. Kappa is
    the mean of both halves' own (of their cells together it would be too low: where one half has
    more of a level, the other has less). The interval takes the cuts as given.

    fit: "equipercentile" cuts numbers so that each level has the share that the word has: linking
    of scales, symmetric in both (Kolen & Brennan 2014, "Test Equating, Scaling, and Linking",
    section 2.5). "isotonic" gives each number the median of the words there, by isotonic
    distributional regression (Henzi, Ziegel & Gneiting 2021): the best guess of the word, which
    leaves rare levels out. Neither assumes that levels lie equally far apart.
    """
    q = len(levels)
    x, y = places_of(words, levels, unknown), numbers_of(numbers)
    same_length(x, y, "words or numbers")
    kept = (x >= 0) & ~np.isnan(y)
    given = sources_of(sources, len(kept))
    by = None if given is None else given[kept]
    x, y = x[kept], y[kept]
    names, place = np.unique(np.arange(len(x)) if by is None else by, return_inverse=True)
    if len(names) < SEVERAL:
        none = not_estimable("one source cannot be divided into halves", len(x), len(names))
        return MonotoneFit(none, (), tuple(levels))
    order = np.random.default_rng(how.seed).permutation(len(names))
    half = (order < len(names) // 2)[place]
    learn = equipercentile if fit == "equipercentile" else isotonic
    cuts = (learn(x[half], y[half], q), learn(x[~half], y[~half], q))
    fitted = np.where(
        half, np.searchsorted(cuts[1], y, side="right"), np.searchsorted(cuts[0], y, side="right")
    )
    data = gathered(np.eye(2 * q * q), (half * q + x) * q + fitted, by)
    matrix = agreement_weights(weights, range(q))

    def kappa(sums: Floats) -> Floats:
        cells = sums.reshape(*sums.shape[:-1], 2, q, q)
        units = cells.sum((-2, -1))
        return ratio((kappa_of(cells, matrix) * units).sum(-1), units.sum(-1))

    why = f"in a half of the data {ONE_LEVEL}"
    return MonotoneFit(estimate(data, kappa, how, limits=(-1.0, 1.0), why=why), cuts, tuple(levels))


def equipercentile(x: Integers, y: Floats, q: int) -> Floats:
    """(q - 1,) cuts between numbers with as many units below as there are words below the level.

    Equal numbers stay together, on the side where that puts fewer out of place.
    """
    names, counts = np.unique(y, return_counts=True)
    below = np.concatenate([[0], np.cumsum(counts)])
    wanted = np.searchsorted(np.sort(x), np.arange(1, q))
    at = np.searchsorted((below[1:] + below[:-1]) / 2, wanted, side="left")
    return _between(names, at)


def isotonic(x: Integers, y: Floats, q: int) -> Floats:
    """(q - 1,) cuts where isotonic shares of words at a level or above reach a half."""
    from sklearn.isotonic import isotonic_regression

    names, place, counts = np.unique(y, return_inverse=True, return_counts=True)
    cuts = []
    for level in range(1, q):
        share = np.bincount(place, x >= level) / counts
        cuts.append(int(np.searchsorted(isotonic_regression(share, sample_weight=counts), 0.5)))
    return _between(names, np.array(cuts, dtype=np.int64))


def _between(names: Floats, at: Integers) -> Floats:
    """Cuts halfway between neighbouring numbers; -inf below all and inf above."""
    edges = np.concatenate([[-np.inf], (names[1:] + names[:-1]) / 2, [np.inf]])
    return edges[at]
