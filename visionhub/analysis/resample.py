"""Intervals of whatever is a function of sums over units, by resampling the units' sources.

Nearly every measure of agreement is one: kappa of cell counts, a mean Jaccard of a sum and a count,
an F1 of hits and misses, an ICC of sums of squares. So a measure is written once, over sums with
any number of leading axes, and the same function gives the value, each bootstrap draw and each
delete-one replicate.

Percentile bootstrap (Efron 1979) of whole sources, because images of one account, outlet or camera
are not independent (Davison & Hinkley 1997, section 3.8); with fewer than 30 sources the delete-one
jackknife with a t distribution of G - 1 degrees of freedom (Efron & Stein 1981).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.estimate import LEVEL, Estimate, checked_level, not_estimable

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Statistic: TypeAlias = Callable[[Floats], Floats]

DRAWS = 2000
FEW = 30  # sources; with fewer, resampling them is not to be trusted
FEWEST = 5  # with fewer, nothing is
MANY = 10_000  # independent units from which on those alike are counted instead of kept apart
SMALL = 1 << 16  # sources times draws in one piece of work
SAME = 1e-20  # a variance that is rounding
UNDEFINED = 0.05  # share of draws without a value beyond which there is no interval


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made. seed: the same one gives the same intervals."""

    draws: int = DRAWS
    seed: int = 0
    level: float = LEVEL

    def __post_init__(self) -> None:
        checked_level(self.level)
        if self.draws < 1 or self.draws != int(self.draws):
            raise ValueError(f"draws are a whole number from 1, not {self.draws}")


DEFAULT = Resampling()


@dataclass(frozen=True)
class Sums:
    """What units contribute to a measure, added up by source.

    sums: (G, k) numbers, a row a source; a sparse array of scipy will do. units: (G,) how many
    units each has. alike: (G,) how many sources are just like this row; None is one each.
    sourced: whether the sources were given, and are not the units themselves.
    """

    sums: Any
    units: Integers
    alike: Integers | None = None
    sourced: bool = False

    @classmethod
    def of(cls, moments: ArrayLike, sources: Integers | None = None) -> Sums:
        """From (units, k) moments; sources: (units,) numbers from 0, None for each its own."""
        moments = np.asarray(moments, dtype=np.float64)
        moments = moments[:, None] if moments.ndim == 1 else moments
        if sources is None:
            alike = _alike(moments) if len(moments) > MANY else None
            if alike is not None:
                return cls.counted(moments[alike[0]], alike[1])
            return cls(moments, np.ones(len(moments), dtype=np.int64))
        names, codes = np.unique(sources, return_inverse=True)
        columns = [np.bincount(codes, column, len(names)) for column in moments.T]
        sums = np.stack(columns, axis=1) if columns else np.zeros((len(names), 0))
        return cls(sums, np.bincount(codes, minlength=len(names)), sourced=True)

    @classmethod
    def counted(cls, patterns: Floats, counts: Integers) -> Sums:
        """From (K, k) patterns of independent units, each met `counts` times: fast for millions."""
        met = np.asarray(counts) > 0
        ones = np.ones(int(met.sum()), dtype=np.int64)
        return cls(np.asarray(patterns, dtype=np.float64)[met], ones, np.asarray(counts)[met])

    @classmethod
    def rounded(cls, moments: Floats, digits: int) -> Sums:
        """From the moments of independent units, rounded, so that equal ones can be counted."""
        code = _codes(np.round(moments, digits))
        counts = np.bincount(code)
        means = [np.bincount(code, column) / counts for column in moments.T]
        return cls.counted(np.stack(means, axis=1), counts)

    @property
    def clusters(self) -> int:
        """How many sources there are."""
        return int(len(self.units) if self.alike is None else self.alike.sum())

    @property
    def n(self) -> int:
        """How many units there are."""
        return int(self.units.sum() if self.alike is None else (self.units * self.alike).sum())

    @property
    def total(self) -> Floats:
        """(k,) sums over all units."""
        weights = np.ones(len(self.units)) if self.alike is None else self.alike.astype(float)
        return np.asarray(weights @ self.sums, dtype=np.float64)

    def draws(self, many: int, seed: int) -> Floats:
        """(many, k) sums of sources drawn with replacement."""
        random = np.random.default_rng(seed)
        return np.concatenate([np.asarray(w @ self.sums) for w in self._weights(many, random)])

    def without(self) -> tuple[Floats, Floats]:
        """Sums without one source, (K, k), and how many sources each row stands for, (K,)."""
        own = np.asarray(self.sums.todense() if hasattr(self.sums, "todense") else self.sums)
        alike = np.ones(len(self.units)) if self.alike is None else self.alike.astype(np.float64)
        return self.total - own, alike

    def _weights(self, many: int, random: np.random.Generator) -> Iterator[Floats]:
        """How often each source is in a draw, for some draws at a time."""
        rows = len(self.units)
        step = max(1, SMALL // max(rows, 1))
        for start in range(0, many, step):
            some = min(step, many - start)
            if self.alike is not None:
                met = random.multinomial(self.clusters, self.alike / self.clusters, some)
                yield met.astype(np.float64)
                continue
            picked = random.integers(0, rows, (some, rows), dtype=np.int32)
            picked += np.arange(some, dtype=np.int32)[:, None] * rows
            met = np.bincount(picked.ravel(), minlength=some * rows)
            yield met.reshape(some, rows).astype(np.float64)


def estimate(
    data: Sums,
    statistic: Statistic,
    how: Resampling = DEFAULT,
    *,
    limits: tuple[float, float] = (-math.inf, math.inf),
    why: str = "it is undefined here",
) -> Estimate:
    """A measure with its interval.

    statistic: takes (..., k) sums and gives (...,) values, nan where it is undefined. limits: what
    the measure can be at all. why: the reason to give when it has no value.
    """
    return estimates(data, lambda sums: statistic(sums)[..., None], how, limits=limits, why=why)[0]


def estimates(
    data: Sums,
    statistic: Statistic,
    how: Resampling = DEFAULT,
    *,
    limits: tuple[float, float] = (-math.inf, math.inf),
    why: str = "it is undefined here",
) -> list[Estimate]:
    """Several measures from the same draws: `statistic` gives (..., m) values."""
    n, clusters = data.n, data.clusters
    values = statistic(data.total)
    if not n:
        return [not_estimable("nothing to compare") for _ in values]
    first = [
        not_estimable(why, n, clusters)
        if math.isnan(value)
        else Estimate(float(value), n=n, clusters=clusters, level=how.level)
        for value in values
    ]
    if clusters < FEWEST:
        few = f"{clusters} {_unit(data)}{'s' * (clusters > 1)}: no interval"
        return [found.because(few) if found.estimable else found for found in first]
    replicates = data.without() if clusters < FEW else (data.draws(how.draws, how.seed), None)
    return [
        found
        if not found.estimable
        else _percentiles(column, found, how, data)
        if replicates[1] is None
        else _jackknife(column, replicates[1], found, limits, data)
        for found, column in zip(first, statistic(replicates[0]).T, strict=True)
    ]


def _percentiles(values: Floats, found: Estimate, how: Resampling, data: Sums) -> Estimate:
    known = values[~np.isnan(values)]
    lost = len(values) - len(known)
    if lost > UNDEFINED * len(values):
        return found.because(
            f"no value in {100 * lost / len(values):.0f} % of the draws: no interval"
        )
    if known.min() == known.max():
        return found.because("all draws give one value: too little varies for an interval")
    tail = (1 - how.level) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    method = f"percentile bootstrap of {_unit(data)}s, {how.draws:,} draws"
    method += f", {lost} without a value" if lost else ""
    return replace(found, low=float(low), high=float(high), method=method)


def _jackknife(
    values: Floats, alike: Floats, found: Estimate, limits: tuple[float, float], data: Sums
) -> Estimate:
    """Delete-one jackknife: the spread of the value without each source in turn."""
    from scipy import stats

    count, value = float(data.clusters), found.value or 0.0
    if np.isnan(values).any():
        return found.because(f"no value without one of the {found.clusters} {_unit(data)}s")
    mean = (values * alike).sum() / count
    variance = (count - 1) / count * (alike * (values - mean) ** 2).sum()
    if variance <= SAME:
        return found.because("no source makes a difference: too little varies for an interval")
    half = float(stats.t.ppf((1 + found.level) / 2, count - 1) * math.sqrt(variance))
    low, high = max(limits[0], value - half), min(limits[1], value + half)
    method = f"delete-one jackknife of {_unit(data)}s, t({found.clusters - 1})"
    return replace(found, low=low, high=high, method=method)


def _codes(table: Floats) -> Integers:
    """(n,) numbers from 0 for the different rows of a table."""
    code = np.zeros(len(table), dtype=np.int64)
    for column in table.T:
        names, part = np.unique(column, return_inverse=True)
        code = np.unique(code * len(names) + part, return_inverse=True)[1]
    return code


def _alike(moments: Floats) -> tuple[Integers, Integers] | None:
    """One of each kind of row, and how many there are; None where most rows are their own kind."""
    few = np.linspace(0, len(moments) - 1, 1000).astype(np.int64)
    if len(np.unique(_codes(moments[few]))) > len(few) // 2:
        return None
    _, first, counts = np.unique(_codes(moments), return_index=True, return_counts=True)
    return first, counts


def _unit(data: Sums) -> str:
    return "source" if data.sourced else "unit"


def ratio(top: ArrayLike, bottom: ArrayLike) -> Floats:
    """Divide, elementwise; nan where the divisor is 0."""
    above, below = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    share: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=share, where=below != 0)
    return share
