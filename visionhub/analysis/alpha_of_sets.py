"""Krippendorff's alpha of sets given one by one; `set_alpha` has it for images by the million."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeAlias

from numpy.typing import NDArray

from visionhub.analysis.alpha import Distance, krippendorff_alpha
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.given import items_of
from visionhub.analysis.rated import Sources
from visionhub.analysis.resample import DEFAULT, Resampling

Units: TypeAlias = Sequence[Sequence[Iterable[Hashable] | None]] | NDArray[Any]


def labels_of(given: Iterable[Hashable]) -> frozenset[Hashable]:
    """One rater's set. Raises TypeError of one text, which would be a set of its letters."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"a set is a set or a list of labels, not {given!r}")
    return frozenset(given)


def jaccard_distance(a: Iterable[Hashable], b: Iterable[Hashable]) -> float:
    """1 - |a n b| / |a u b|; 0 for two empty sets (Jaccard 1901).

    a, b: sets or lists of labels.

    >>> jaccard_distance({1, 2}, {1, 2, 3, 4})
    0.5
    """
    one, other = labels_of(a), labels_of(b)
    union = len(one | other)
    return 1 - len(one & other) / union if union else 0.0


def masi_distance(a: Iterable[Hashable], b: Iterable[Hashable]) -> float:
    """1 - M |a n b| / |a u b|, a distance of sets or lists of labels (Passonneau 2006).

    M is 1 for equal sets (two empty ones too), 2/3 where one holds the other, 1/3 where they
    overlap, 0 else.

    >>> round(masi_distance({1, 2}, {1, 2, 3, 4}), 4)
    0.6667
    """
    one, other = labels_of(a), labels_of(b)
    if one == other:
        return 0.0
    weight = 2 / 3 if one <= other or other <= one else 1 / 3
    return 1 - weight * len(one & other) / len(one | other)


def set_alpha(
    units: Units,
    distance: Distance = jaccard_distance,
    *,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Alpha of raters' sets: each unit is a list of sets, one a rater, None where missing.

    A table of pandas' has a row a unit. A set may be a list of labels, but no text.

    For up to `MOST` different sets, whose distances are computed one by one; images by the million
    have `analysis.set_alpha`.

    >>> units = [[{"f", "s"}, {"f"}, {"s", "e", "m"}], [{"s"}, {"s"}, {"s", "e"}]]
    >>> round(set_alpha(units).value, 4)
    0.1522
    """
    table = units.to_numpy() if hasattr(units, "to_numpy") else units
    rows = [[None if one is None else labels_of(one) for one in items_of(unit)] for unit in table]
    width = max((len(row) for row in rows), default=0)
    return krippendorff_alpha(
        [row + [None] * (width - len(row)) for row in rows], distance, sources=sources, how=how
    )
