"""How far scores of the same things moved between two times, when some fell below the floor.

A thing that only one time has is censored at the other: its score there lies below the floor, or
below the last result where these were cut off, and is not known. A mean over things that both have
leaves these out, and so leaves out those that moved most. Beside it stand the least and the most
that it can be over the things of either, whatever the censored scores are (Manski 2003, chapter 1).

Services are not deterministic to the last digit: scores count as moved beyond a tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.frames import Bools, Floats, Integers
from visionhub.analysis.measured import Measured
from visionhub.analysis.proportions import wilson
from visionhub.analysis.resample import Resampling, Sums, estimate, estimates, ratio

TOLERANCE = 1e-4  # of the greater of two scores
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NEAR = 0.05  # of the span of a scale: this near to the floor a thing comes and goes easily
SPANS = {"probability": 1.0, "percent": 100.0}
NO_IMAGES = "no image has answers of both"
NO_PAIRS = "nothing that both gave has a score"


@dataclass(frozen=True)
class Scores:
    """Scores of u things at two times.

    image: (u,) positions from 0, ascending or not. first, second: (u,) scores; nan where the thing
    was not given, inf where it was given without a score. ceilings: (u,) each, below which the
    score lies of what the first, or the second, has not given. scale: of both; "" where they
    differ.
    """

    image: Integers
    first: Floats
    second: Floats
    ceilings: tuple[Floats, Floats]
    scale: str

    @property
    def kept(self) -> Bools:
        """(u,) what both gave."""
        return ~np.isnan(self.first) & ~np.isnan(self.second)

    @property
    def lost(self) -> Bools:
        """(u,) what only the first gave."""
        return ~np.isnan(self.first) & np.isnan(self.second)

    @property
    def gained(self) -> Bools:
        """(u,) what only the second gave."""
        return np.isnan(self.first) & ~np.isnan(self.second)

    @property
    def span(self) -> float:
        """How far a scale reaches; of one without ends, how far its scores do."""
        if self.scale in SPANS:
            return SPANS[self.scale]
        known = np.concatenate([s[np.isfinite(s)] for s in (self.first, self.second)])
        return float(np.ptp(known)) if len(known) else 0.0

    @property
    def near(self) -> Bools:
        """(u,) lost or gained with a score near to what the other had room for.

        What has no score is not near: nobody can tell.
        """
        room = NEAR * self.span
        lost = self.lost & (self.first <= self.ceilings[1] + room)
        return lost | (self.gained & (self.second <= self.ceilings[0] + room))

    def counts(self, names: tuple[str, str], images: int) -> dict[str, Any]:
        """How many things were kept, lost and gained in all, and how many near to the floor."""
        near, lost, gained = self.near, self.lost, self.gained
        return {
            "a": names[0],
            "b": names[1],
            "images": images,
            "images_identical": images - len(np.unique(self.image[lost | gained])),
            "kept": int(self.kept.sum()),
            "lost": int(lost.sum()),
            "lost_near_floor": int((lost & near).sum()),
            "gained": int(gained.sum()),
            "gained_near_floor": int((gained & near).sum()),
        }

    def shifts(self) -> tuple[Integers, Floats, Floats]:
        """Of what both gave with a score: images, later less earlier score, and the greater."""
        rows = np.flatnonzero(np.isfinite(self.first) & np.isfinite(self.second))
        a, b = self.first[rows], self.second[rows]
        return self.image[rows], b - a, np.maximum(np.abs(a), np.abs(b))

    def possible(self) -> tuple[Floats, Floats] | None:
        """Least and greatest shift of everything that either gave with a score; None if unknown.

        Of a scale that has no lowest score there is no least.
        """
        if self.scale not in SPANS:
            return None
        lost = self.lost & np.isfinite(self.first)
        gained = self.gained & np.isfinite(self.second)
        _, both, _ = self.shifts()
        then, now = (
            np.where(np.isfinite(c), np.clip(c, 0.0, self.span), self.span) for c in self.ceilings
        )
        low = [both, -self.first[lost], (self.second - then)[gained]]
        high = [both, (now - self.first)[lost], self.second[gained]]
        return np.concatenate(low), np.concatenate(high)


def measures(
    task: str,
    names: tuple[str, str],
    scores: Scores,
    images: int,
    sources: Integers | None,
    how: Resampling,
    tolerance: float = TOLERANCE,
    *,
    thing: str = "",
) -> Iterator[Measured]:
    """Mean shift, mean distance, share that moved beyond the tolerance, quantiles of the shift.

    images: how many there are; sources: (images,) numbers, or None. Units are images: scores of one
    image are not independent.
    """

    def row(name: str, found: Estimate, at: float | None = None, what: str = "") -> Measured:
        low, high = _bounds(scores, name, at) if found.estimable else (None, None)
        return Measured(task, name, names, found, "", thing, at, what, lowest=low, highest=high)

    if not scores.scale:
        why = "the scores are on two scales"
        yield row("score_shift_mean", not_estimable(why))
        return
    image, shift, greater = scores.shifts()
    moved = np.abs(shift) > tolerance * greater
    cuts = [_quantile(shift, p) for p in QUANTILES]
    below = [shift <= cut for cut in cuts]
    columns = [np.ones(len(shift)), shift, np.abs(shift), moved, *below]
    data = _by_image(image, np.stack(columns, axis=1).astype(np.float64), images, sources)
    mean, distance, *shares = estimates(data, _means, how, why=NO_PAIRS)  # from the same draws
    yield row("score_shift_mean", mean)
    yield row("score_shift_mean_absolute", distance)
    yield row("scores_moved", _within_one(shares[0]), tolerance, "relative tolerance")
    for p, share in zip(QUANTILES, shares[1:], strict=True):
        yield row("score_shift_quantile", _woodruff(shift, p, share), p, "quantile")


def per_image(data: Sums, how: Resampling) -> dict[str, Estimate]:
    """Things kept, lost, gained, and gained less lost, an image.

    data: of (images, 4 or more) columns one, kept, lost, gained.
    """
    numbers = estimates(data, lambda s: ratio(s[..., 1:4], s[..., :1]), how, limits=(0, np.inf))
    net = estimate(data, lambda s: ratio(s[..., 3] - s[..., 2], s[..., 0]), how)
    names = ("kept_per_image", "lost_per_image", "gained_per_image", "net_per_image")
    return dict(zip(names, (*numbers, net), strict=True))


def share_of_images(
    hits: Bools, sources: Integers | None, how: Resampling, why: str = NO_IMAGES
) -> Estimate:
    """A share of images: Wilson's interval, or by resampling sources where these are known."""
    if sources is None:
        found = wilson(int(hits.sum()), len(hits), how.level)
        if not found.estimable:
            return not_estimable(why)
        return found if hits.any() else replace(found, low=0.0)  # 1e-17, as it is computed
    table = np.stack([hits, np.ones(len(hits))], axis=1).astype(np.float64)
    data = Sums.of(table, sources)
    return estimate(data, lambda s: ratio(s[..., 0], s[..., 1]), how, limits=(0, 1), why=why)


def _means(sums: Floats) -> Floats:
    return ratio(sums[..., 1:], sums[..., :1])


def _within_one(share: Estimate) -> Estimate:
    """A share whose interval was made without limits: those of few units can pass 0 and 1."""
    if share.low is None or share.high is None:
        return share
    return replace(share, low=max(0.0, share.low), high=min(1.0, share.high))


def _by_image(image: Integers, moments: Floats, images: int, sources: Integers | None) -> Sums:
    """Moments of things added up by image, without images that have none."""
    there, place = np.unique(image, return_inverse=True)
    table = np.stack([np.bincount(place, column, len(there)) for column in moments.T], axis=1)
    if sources is not None and len(sources) != images:
        raise ValueError(f"{len(sources)} sources for {images} images")
    return Sums.of(table, None if sources is None else sources[there])


def _quantile(values: Floats, p: float) -> float:
    """The least value that a share p of all does not pass; nan of none."""
    return float(np.quantile(values, p, method="inverted_cdf")) if len(values) else np.nan


def _woodruff(values: Floats, p: float, share: Estimate) -> Estimate:
    """A quantile with its interval: that of the share below it, read off as quantiles.

    Woodruff 1952, Journal of the American Statistical Association 47:635-646.
    """
    if share.value is None:
        return share
    cut = replace(share, value=_quantile(values, p), low=None, high=None)
    if share.low is None or share.high is None:
        return cut
    ends = (p + share.low - share.value, p + share.high - share.value)
    low, high = (_quantile(values, float(np.clip(end, 0.0, 1.0))) for end in ends)
    return replace(cut, low=low, high=high, method=f"Woodruff's, {share.method}")


def _bounds(
    scores: Scores, measure: str, at: float | None
) -> tuple[float, float] | tuple[None, None]:
    """The least and the most that a measure can be over everything that either gave."""
    possible = scores.possible()
    if possible is None or not len(possible[0]):
        return None, None
    if measure == "score_shift_mean":
        return float(possible[0].mean()), float(possible[1].mean())
    if measure == "score_shift_quantile" and at is not None:
        return _quantile(possible[0], at), _quantile(possible[1], at)
    return None, None
