"""Krippendorff's alpha of sets given one by one; `set_alpha` has it for images by the million."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set

from visionhub.analysis.alpha import Distance, krippendorff_alpha
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.rated import Sources
from visionhub.analysis.resample import DEFAULT, Resampling


def jaccard_distance(a: Set[Hashable], b: Set[Hashable]) -> float:
    """1 - |a n b| / |a u b|; 0 for two empty sets (Jaccard 1901).

    >>> jaccard_distance({1, 2}, {1, 2, 3, 4})
    0.5
    """
    union = len(a | b)
    return 1 - len(a & b) / union if union else 0.0


def masi_distance(a: Set[Hashable], b: Set[Hashable]) -> float:
    """1 - M |a n b| / |a u b|, a distance of sets of labels (Passonneau 2006).

    M is 1 for equal sets (two empty ones too), 2/3 where one holds the other, 1/3 where they
    overlap, 0 else.

    >>> round(masi_distance({1, 2}, {1, 2, 3, 4}), 4)
    0.6667
    """
    if a == b:
        return 0.0
    weight = 2 / 3 if a <= b or b <= a else 1 / 3
    return 1 - weight * len(a & b) / len(a | b)


def set_alpha(
    units: Sequence[Sequence[Set[Hashable] | Sequence[Hashable] | None]],
    distance: Distance = jaccard_distance,
    *,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Alpha of raters' sets: each unit is a list of sets, one a rater, None where missing.

    For up to `MOST` different sets, whose distances are computed one by one; images by the million
    have `analysis.set_alpha`.

    >>> units = [[{"f", "s"}, {"f"}, {"s", "e", "m"}], [{"s"}, {"s"}, {"s", "e"}]]
    >>> round(set_alpha(units).value, 4)
    0.1522
    """
    rows = [[None if one is None else frozenset(one) for one in unit] for unit in units]
    width = max((len(row) for row in rows), default=0)
    return krippendorff_alpha(
        [row + [None] * (width - len(row)) for row in rows], distance, sources=sources, how=how
    )
