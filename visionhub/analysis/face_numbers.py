"""Faces in numbers: how two raters' angles and ages of the same faces differ.

Angles are put on one sign convention, which is learnt from the faces themselves, because vendors do
not say which way is positive. Ages are guesses from appearance: only when asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from visionhub.analysis.continuous import ROUNDING, mean_absolute_error
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.faces import Matched, Rated
from visionhub.analysis.frames import Bools, Floats, Integers
from visionhub.analysis.intraclass import icc
from visionhub.analysis.measured import Measured
from visionhub.analysis.resample import Sums, estimate, ratio
from visionhub.analysis.settings import Settings

POSES = ("roll", "yaw", "pitch")
TURN, UPRIGHT = 360.0, 90.0  # degrees
FEWEST = 5  # faces: with fewer a direction is chance
PERFECT = 1 - 1e-9
DIRECTION = "these faces do not tell which way B's angle is counted"
UNTOLD = "no face that both found has an age from both"


def poses(matched: Matched, settings: Settings) -> Iterator[Measured]:
    """Angles of the head. The sign of their correlation is applied to the second rater's.

    It is a row of its own, sign_of_b. The correlation is of faces that are not upside down, whose
    angles lie far from where a full turn ends; differences are taken the short way round.
    """
    sources, how = settings.of(matched.images), settings.how
    for name in POSES:
        first = matched.first.faces.numbers[name][matched.i]
        second = matched.second.faces.numbers[name][matched.j]
        known = ~np.isnan(first) & ~np.isnan(second)
        by = None if sources is None else sources[known]
        first, second = first[known], second[known]
        if not len(first):
            continue
        upright = (np.abs(first) <= UPRIGHT) & (np.abs(second) <= UPRIGHT)
        those = None if by is None else by[upright]
        together = _correlation(first[upright], second[upright], those, settings)
        yield matched.row("correlation", together, name)
        sign = sign_of(together)
        yield matched.row("sign_of_b", sign, name)
        if sign.value is None:
            yield matched.row("mean_absolute_difference_degrees", sign, name)
            continue
        apart = (first - sign.value * second + TURN / 2) % TURN - TURN / 2
        far = mean_absolute_error(apart, np.zeros(len(apart)), sources=by, how=how)
        yield matched.row("mean_absolute_difference_degrees", far, name)
        pair = np.stack([first, first - apart], axis=1)
        yield matched.row("icc_agreement", icc(pair, "ICC(A,1)", sources=by, how=how), name)


def sign_of(correlation: Estimate) -> Estimate:
    """1 where two angles have one sign, -1 where the second's is reversed, if these faces tell.

    They tell when the interval of the correlation leaves 0 out, or when the correlation is perfect,
    which has no interval.
    """
    n, clusters, value = correlation.n, correlation.clusters, correlation.value
    if value is None:
        return not_estimable(f"{DIRECTION}: {correlation.reason}", n, clusters)
    low, high = correlation.low, correlation.high
    known = low > 0 or high < 0 if low is not None and high is not None else abs(value) >= PERFECT
    if not known or n < FEWEST:
        return not_estimable(DIRECTION, n, clusters)
    found = Estimate(float(np.sign(value)), n=n, clusters=clusters, level=correlation.level)
    turned = "as A's" if value > 0 else "turned round, because it falls as A's rises"
    return found.because(f"learnt from these faces: B's angle is taken {turned}")


def _correlation(
    first: Floats, second: Floats, sources: Integers | None, settings: Settings
) -> Estimate:
    """Pearson's."""
    if not len(first):
        return not_estimable("no face is upright for both")
    x, y = first - first.mean(), second - second.mean()  # so that squares lose no digits
    table = np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1)

    def pearson(sums: Floats) -> Floats:
        n, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
        spread = _spread(n, a, aa) * _spread(n, b, bb)
        return np.clip(ratio(n * ab - a * b, np.sqrt(spread)), -1.0, 1.0)

    why = "an angle does not vary"
    return estimate(Sums.of(table, sources), pearson, settings.how, limits=(-1, 1), why=why)


def _spread(n: Floats, total: Floats, squares: Floats) -> Floats:
    """(...,) n times the sum of squares about the mean; 0 where it is rounding."""
    spread = n * squares - total * total
    return np.where(spread > ROUNDING * n * squares, spread, 0.0)


def ages(matched: Matched, settings: Settings) -> Iterator[Measured]:
    """Whether ranges of age meet and cover the other's middle, and how far the middles lie apart.

    The middle of a range is the best single guess (Amazon's documentation of AgeRange); a rater of
    single ages has a range of no width.
    """
    low, middle, high = zip(*(_range(one) for one in (matched.first, matched.second)), strict=True)
    i, j = matched.i, matched.j
    a, b = (low[0][i], middle[0][i], high[0][i]), (low[1][j], middle[1][j], high[1][j])
    known = ~np.isnan(a[1]) & ~np.isnan(b[1])
    if not known.any():
        yield matched.row("mean_absolute_difference_years", not_estimable(UNTOLD), "age")
        return
    a, b = tuple(one[known] for one in a), tuple(one[known] for one in b)
    sources = settings.of(matched.images[known])
    shares: dict[str, Bools] = {
        "ranges_overlap": (a[0] <= b[2]) & (b[0] <= a[2]),
        "middle_of_b_in_range_of_a": (a[0] <= b[1]) & (b[1] <= a[2]),
        "middle_of_a_in_range_of_b": (b[0] <= a[1]) & (a[1] <= b[2]),
    }
    for measure, hits in shares.items():
        yield matched.row(measure, _mean(hits.astype(np.float64), sources, settings, (0, 1)), "age")
    apart = mean_absolute_error(a[1], b[1], sources=sources, how=settings.how)
    yield matched.row("mean_absolute_difference_years", apart, "age")
    bias = _mean(a[1] - b[1], sources, settings, (-np.inf, np.inf))
    yield matched.row("mean_difference_years", bias, "age")
    pair = np.stack([a[1], b[1]], axis=1)
    yield matched.row(
        "icc_agreement", icc(pair, "ICC(A,1)", sources=sources, how=settings.how), "age"
    )


def _range(one: Rated) -> tuple[Floats, Floats, Floats]:
    """(faces,) each: lower end, middle, upper end."""
    low, high, point = (one.numbers("age", column) for column in ("low", "high", "number"))
    middle = np.where(np.isnan(point), (low + high) / 2, point)
    return np.where(np.isnan(low), middle, low), middle, np.where(np.isnan(high), middle, high)


def _mean(
    values: Floats, sources: Integers | None, settings: Settings, limits: tuple[float, float]
) -> Estimate:
    table = np.stack([values, np.ones(len(values))], axis=1)
    return estimate(
        Sums.of(table, sources),
        lambda sums: ratio(sums[..., 0], sums[..., 1]),
        settings.how,
        limits=limits,
    )
