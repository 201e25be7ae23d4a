"""Agreement against the threshold, drawn instead of fixed.

Scores of two raters are not comparable numbers, so that no cut can be shared. Both are cut to the
same number of labels an image: at each rate every rater has a threshold of its own. The first point
asks what would be if both reported everything: there the lists are censored, and only bounds are
known. The second is what was returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.estimate import Estimate
from visionhub.analysis.labels import LabelPair
from visionhub.analysis.pairs import RETURNED, Pair
from visionhub.analysis.resample import estimate
from visionhub.analysis.sets import MEANS
from visionhub.analysis.settings import Settings

POINTS = 16  # rates


@dataclass(frozen=True, slots=True)
class Point:
    """Agreement at one rate. rates: labels an image of each; cuts: the thresholds, None for none.

    lowest, highest: what the mean Jaccard can be whatever the censored scores are.
    """

    rates: tuple[float, float]
    cuts: tuple[float | None, float | None]
    jaccard: Estimate
    lowest: float
    highest: float


def sweep(found: LabelPair, settings: Settings) -> list[Point]:
    """The mean Jaccard of comparable labels, from all that was returned down to the surest few."""
    pair = found.comparable
    if not len(pair.keys):
        return []
    rates = [np.sum(~np.isnan(scores)) / pair.n for scores in (pair.first, pair.second)]
    points = [_point(found, pair, (0.0, 0.0), settings), _point(found, pair, RETURNED, settings)]
    return points + [
        _point(found, pair, cuts, settings) for cuts in _cuts(pair, min(rates)) if min(rates) > 0
    ]


def _cuts(pair: Pair, most: float) -> Iterator[tuple[float, float]]:
    """Pairs of thresholds at which both have one number of labels an image, from many to few."""
    ordered = [np.sort(scores[~np.isnan(scores)])[::-1] for scores in (pair.first, pair.second)]
    seen: set[tuple[float, float]] = set()
    for share in np.linspace(1, 1 / POINTS, POINTS):
        count = max(1, round(share * most * pair.n))
        cuts = (float(ordered[0][count - 1]), float(ordered[1][count - 1]))
        if cuts not in seen:
            seen.add(cuts)
            yield cuts


def _point(found: LabelPair, pair: Pair, cuts: tuple[float, float], settings: Settings) -> Point:
    whole = pair.counted(cuts)
    some = whole.overlaps.first + whole.overlaps.second + whole.unknown > 0
    there = np.flatnonzero(some)
    counted = whole.of(there)
    sums = counted.overlaps.sums(settings.of(found.images[there]))
    jaccard = estimate(sums, MEANS["jaccard"], settings.how, limits=(0, 1))
    low, high = counted.bounds()
    return Point(
        (float(whole.overlaps.first.mean()), float(whole.overlaps.second.mean())),
        (_cut(cuts[0]), _cut(cuts[1])),
        jaccard,
        float(low.mean()),
        float(high.mean()),
    )


def _cut(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
