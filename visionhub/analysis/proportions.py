"""Proportions, and differences between two, with intervals that hold for small counts.

Wilson's is the one to show (Brown, Cai & DasGupta 2001). All take units as independent: where
images come from fewer sources, use a bootstrap of the sources (`resample.estimate`) instead.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from numpy.typing import ArrayLike

from visionhub.analysis.estimate import LEVEL, Estimate, checked_level, not_estimable
from visionhub.analysis.given import counts_of

Interval: TypeAlias = Literal["wilson", "clopper_pearson", "jeffreys", "wald"]

EMPTY = "no units: a share of nothing"
# What statsmodels calls them.
NAMES: dict[Interval, tuple[str, str]] = {
    "wilson": ("wilson", "Wilson"),
    "clopper_pearson": ("beta", "Clopper-Pearson"),
    "jeffreys": ("jeffreys", "Jeffreys"),
    "wald": ("normal", "Wald"),
}


def proportion(
    successes: int, n: int, interval: Interval = "wilson", level: float = LEVEL
) -> Estimate:
    """A share of n independent units.

    interval: wilson (Wilson 1927), clopper_pearson (exact; Clopper & Pearson 1934), jeffreys (Brown
    et al. 2001, section 3.1.3), wald (for comparison with others' figures only: it is too short).
    Each begins at 0 where none succeeded and ends at 1 where all did; for Jeffreys' Brown et al.
    set it so, whose quantile would leave the share itself out. Raises ValueError of what is no
    count, no interval of these, or no level.
    """
    from statsmodels.stats.proportion import proportion_confint

    successes, n = counts_of([successes, n], "successes and units").tolist()  # no type overflows
    if successes > n:
        raise ValueError(f"{successes} of {n} is no share")
    if interval not in NAMES:
        raise ValueError(f"an interval is {', '.join(NAMES)}, not {interval!r}")
    checked_level(level)
    if n == 0:
        return not_estimable(EMPTY)
    name, method = NAMES[interval]
    ends = proportion_confint(successes, n, 1 - level, name)
    low = float(ends[0]) if successes else 0.0
    high = float(ends[1]) if successes < n else 1.0
    return Estimate(successes / n, low, high, n, n, method, level=level)


def wilson(successes: int, n: int, level: float = LEVEL) -> Estimate:
    """A share with Wilson's score interval (1927).

    >>> found = wilson(81, 263)
    >>> round(found.low, 4), round(found.high, 4)
    (0.2553, 0.3662)
    """
    return proportion(successes, n, "wilson", level)


def clopper_pearson(successes: int, n: int, level: float = LEVEL) -> Estimate:
    """A share with the exact interval of Clopper & Pearson (1934), which is never too short.

    >>> found = clopper_pearson(81, 263)
    >>> round(found.low, 4), round(found.high, 4)
    (0.2527, 0.3676)
    """
    return proportion(successes, n, "clopper_pearson", level)


def newcombe_difference(
    successes_1: int, n_1: int, successes_2: int, n_2: int, level: float = LEVEL
) -> Estimate:
    """First share less second, of two independent samples: Newcombe's hybrid score interval.

    Newcombe 1998, Statistics in Medicine 17:873-890, method 10.

    >>> found = newcombe_difference(56, 70, 48, 80)
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    one, two = wilson(successes_1, n_1, level), wilson(successes_2, n_2, level)
    if one.value is None or two.value is None:
        return not_estimable(EMPTY, one.n + two.n, one.n + two.n)
    return _squared_and_added(one, two, 0.0, one.n + two.n, "Newcombe's method 10")


def newcombe_paired(table: ArrayLike, level: float = LEVEL) -> Estimate:
    """First share less second, of the same units: [[yes yes, yes no], [no yes, no no]] counts.

    Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10: Wilson's intervals of both
    shares, joined by their correlation, which is corrected for continuity where it is positive.

    >>> found = newcombe_paired([[20, 12], [2, 16]])
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0562, 0.3292)
    """
    cells = counts_of(table, "cells of a table")
    if cells.shape not in ((2, 2), (4,)):
        raise ValueError(f"pairs of yes and no are a 2 x 2 table, this one is {cells.shape}")
    e, f, g, h = cells.ravel().tolist()
    n = e + f + g + h
    if n == 0:
        return not_estimable(EMPTY)
    sides = (e + f) * (g + h) * (e + g) * (f + h)
    together = float(e * h - f * g)
    if together > 0:
        together = max(together - n / 2, 0.0)
    phi = together / math.sqrt(sides) if sides else 0.0
    method = "Newcombe's method 10 for pairs"
    return _squared_and_added(wilson(e + f, n, level), wilson(e + g, n, level), phi, n, method)


def _squared_and_added(one: Estimate, two: Estimate, phi: float, n: int, method: str) -> Estimate:
    """Distances to the ends of two intervals, put together as sides of a triangle."""
    p, q = one.value or 0.0, two.value or 0.0
    below, above = p - (one.low or 0.0), (one.high or 0.0) - p
    under, over = q - (two.low or 0.0), (two.high or 0.0) - q
    down = math.sqrt(max(below**2 - 2 * phi * below * over + over**2, 0.0))
    up = math.sqrt(max(under**2 - 2 * phi * under * above + above**2, 0.0))
    low, high = max(-1.0, p - q - down), min(1.0, p - q + up)
    return Estimate(p - q, low, high, n, n, method, level=one.level)
