"""Krippendorff's alpha for values that are sets, with the distances of Jaccard and MASI.

alpha = 1 - D_o / D_e (Krippendorff 2004, chapter 11; with set distances: Passonneau 2006). D_o is
the mean distance between raters within images, D_e that between all values whatsoever. D_e needs
every pair of values: it is exact for studies with up to `EXACT` different sets, and beyond that
estimated from `PAIRS` random pairs, whose error is told.

In a bootstrap draw D_e is computed anew. Where it is estimated, its change is followed to the first
order through each value's mean distance to `REFERENCES` others (Hajek's projection of a
U-statistic; van der Vaart 1998, section 11.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np

from visionhub.analysis.alpha import alpha_of_distances
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.frames import Bools, Floats, Integers
from visionhub.analysis.given import sources_of
from visionhub.analysis.resample import DEFAULT, Resampling, Sums, estimate, ratio
from visionhub.analysis.sets import Sets, held, jaccard, masi

EXACT = 2000  # different sets
PAIRS = 200_000
REFERENCES = 32
DIGITS = 2  # of distances, where equal images are counted instead of kept apart
BLOCK = 100_000  # values whose distances to the references are computed at a time
Similar: TypeAlias = Callable[[Any, Any, Any], Floats]
SIMILAR: dict[str, Similar] = {
    "jaccard": jaccard,
    "masi": masi,
}
CONSTANT = "all sets are the same: alpha has no meaning without any difference"


@dataclass(frozen=True)
class Values:
    """Sets of all raters, one after another: a value is one rater's set for one image.

    keys: value * things + thing, ascending. sizes: (v,) things in each. unit: (v,) its image.
    """

    things: int
    keys: Integers
    sizes: Integers
    unit: Integers

    @classmethod
    def of(cls, raters: Sequence[Sets], answered: Sequence[Bools] | None = None) -> Values:
        """answered: for each rater (n,) whether it has a value for the image; None is all."""
        things, keys, sizes, units, before = raters[0].things, [], [], [], 0
        for number, one in enumerate(raters):
            there = np.ones(one.n, np.bool_) if answered is None else answered[number]
            place = np.cumsum(there) - 1 + before
            kept = there[one.image]
            keys.append(place[one.image[kept]] * things + one.thing[kept])
            sizes.append(one.sizes[there])
            units.append(np.flatnonzero(there))
            before += int(there.sum())
        return cls(things, np.concatenate(keys), np.concatenate(sizes), np.concatenate(units))

    def pick(self, kept: Bools) -> Values:
        """Some values, numbered anew."""
        place = np.cumsum(kept) - 1
        value = self.keys // max(self.things, 1)
        rows = kept[value]
        keys = place[value[rows]] * self.things + self.keys[rows] % max(self.things, 1)
        return Values(self.things, keys, self.sizes[kept], self.unit[kept])

    def kinds(self) -> tuple[Integers, Integers]:
        """For each value which kind of set it is, (v,); and a value of each kind, (K,)."""
        random = np.random.default_rng(0).integers(-(1 << 62), 1 << 62, max(self.things, 1))
        sums = np.zeros(len(self.sizes) + 1, dtype=np.int64)
        np.cumsum(self.sizes, out=sums[1:])
        running = np.zeros(len(self.keys) + 1, dtype=np.int64)
        np.cumsum(random[self.keys % max(self.things, 1)], out=running[1:])  # wraps, harmlessly
        sign = running[sums[1:]] - running[sums[:-1]]
        _, first, kind = np.unique(sign, return_index=True, return_inverse=True)
        return kind, first

    def table(self, rows: Integers) -> Any:  # noqa: ANN401 (scipy has no types)
        """(len(rows), things) sparse matrix of ones."""
        from scipy import sparse

        starts = np.append(0, np.cumsum(self.sizes))
        columns = self.keys % max(self.things, 1)
        shape = (len(self.sizes), max(self.things, 1))
        whole = sparse.csr_array((np.ones(len(columns), np.float32), columns, starts), shape=shape)
        return whole[rows]

    def shared(self, first: Integers, second: Integers) -> Integers:
        """(p,) how many things two values have in common, for pairs of values."""
        starts = np.append(0, np.cumsum(self.sizes))[first]
        sizes = self.sizes[first]
        pair = np.repeat(np.arange(len(first)), sizes)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        thing = self.keys[starts[pair] + within] % max(self.things, 1)
        met = held(self.keys, second[pair] * self.things + thing)
        return np.bincount(pair[met], minlength=len(first))


def set_alpha(
    raters: Sequence[Sets],
    distance: str = "jaccard",
    *,
    answered: Sequence[Bools] | None = None,
    sources: Integers | None = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Alpha with one distance: jaccard or masi; as `set_alphas`."""
    return set_alphas(raters, (distance,), answered=answered, sources=sources, how=how)[distance]


def set_alphas(
    raters: Sequence[Sets],
    distances: Sequence[str] = tuple(SIMILAR),
    *,
    answered: Sequence[Bools] | None = None,
    sources: Integers | None = None,
    how: Resampling = DEFAULT,
) -> dict[str, Estimate]:
    """Alpha of two or more raters' sets of the same n images, by distance.

    answered: which images each rater has a value for. sources: (n,) of the images. Not estimable
    where all sets are the same.
    """
    by = sources_of(sources, raters[0].n)
    values = Values.of(raters, answered)
    many = np.bincount(values.unit, minlength=raters[0].n)
    if (many == 1).any():
        values = values.pick(many[values.unit] > 1)
    if not len(values.sizes):
        return dict.fromkeys(distances, not_estimable("no image has two raters' sets"))
    kind, example = values.kinds()
    if len(example) == 1:
        return dict.fromkeys(distances, not_estimable(CONSTANT, int((many > 1).sum())))
    units, place = np.unique(values.unit, return_inverse=True)
    found = _Units(values, place, len(units), None if by is None else by[units], how)
    if len(example) <= EXACT:
        return {name: found.exact(SIMILAR[name], kind, example) for name in distances}
    return found.sampled(distances)


@dataclass(frozen=True)
class _Units:
    """Values by unit: images that two raters or more have a value for. place: (v,) the unit."""

    values: Values
    place: Integers
    n: int
    sources: Integers | None
    how: Resampling

    def observed(self, distances: Sequence[str]) -> dict[str, Floats]:
        """(n,) distances, summed over ordered pairs of raters, over one less than raters."""
        order = np.argsort(self.place, kind="stable")
        many = np.bincount(self.place, minlength=self.n)
        start, values = np.cumsum(many) - many, self.values
        total = {name: np.zeros(self.n) for name in distances}
        for first, second in combinations(range(int(many.max())), 2):
            there = np.flatnonzero(many > second)
            one, other = order[start[there] + first], order[start[there] + second]
            both = values.shared(one, other)
            for name in distances:
                likeness = SIMILAR[name](both, values.sizes[one], values.sizes[other])
                total[name][there] += 2 * (1 - likeness) / (many[there] - 1)
        return total

    def exact(self, similar: Similar, kind: Integers, example: Integers) -> Estimate:
        """With every distance between different sets."""
        matrix = np.full((self.n, int(np.bincount(self.place).max())), -1, dtype=np.int64)
        order = np.argsort(self.place, kind="stable")
        start = np.searchsorted(self.place[order], np.arange(self.n))
        matrix[self.place[order], np.arange(len(order)) - start[self.place[order]]] = kind[order]
        table = self.values.table(example)
        both = np.rint((table @ table.T).toarray()).astype(np.int64)
        sizes = self.values.sizes[example]
        distances = 1 - similar(both, sizes[:, None], sizes[None, :])
        return alpha_of_distances(matrix, distances, sources=self.sources, how=self.how)

    def sampled(self, distances: Sequence[str]) -> dict[str, Estimate]:
        """With the distances of random pairs, and of each value to a few others."""
        values, count = self.values, len(self.values.sizes)
        random = np.random.default_rng(self.how.seed)
        first = random.integers(0, count, PAIRS)
        second = (first + random.integers(1, count, PAIRS)) % count  # never the same value
        both = values.shared(first, second)
        far = _far(values, random.choice(count, REFERENCES, replace=False), distances)
        observed, held_by = self.observed(distances), np.bincount(self.place, minlength=self.n)
        found = {}
        for name in distances:
            likeness = SIMILAR[name](both, values.sizes[first], values.sizes[second])
            away = np.bincount(self.place, far[name], self.n)
            moments = np.column_stack([observed[name], held_by, away])
            expected, error = 1 - likeness.mean(), likeness.std() / np.sqrt(PAIRS)
            note = (
                f"expected distance from {PAIRS:,} random pairs, {expected:.4f} (s.e. {error:.1g})"
            )
            one = self._alpha(moments, float(expected), float(far[name].mean()))
            method = "; ".join(text for text in (one.method, note) if text)
            found[name] = replace(one, method=method)
        return found

    def _alpha(self, moments: Floats, expected: float, usual: float) -> Estimate:
        def alpha(sums: Floats) -> Floats:
            moved = expected + 2 * (ratio(sums[..., 2], sums[..., 1]) - usual)
            return 1 - ratio(ratio(sums[..., 0], sums[..., 1]), moved)

        data = (
            Sums.rounded(moments, DIGITS)
            if self.sources is None
            else Sums.of(moments, self.sources)
        )
        return estimate(data, alpha, self.how, limits=(-1.0, 1.0), why=CONSTANT)


def _far(values: Values, references: Integers, distances: Sequence[str]) -> dict[str, Floats]:
    """(v,) mean distance of each value to the references."""
    others = values.table(references).T.toarray()
    sizes = values.sizes[references].astype(np.float32)
    means: dict[str, list[Floats]] = {name: [] for name in distances}
    whole = values.table(np.arange(len(values.sizes)))
    for start in range(0, len(values.sizes), BLOCK):
        some = slice(start, start + BLOCK)
        both = whole[some] @ others
        own = values.sizes[some].astype(np.float32)[:, None]
        for name in distances:
            means[name].append(1 - SIMILAR[name](both, own, sizes[None, :]).mean(axis=1))
    return {name: np.concatenate(parts).astype(np.float64) for name, parts in means.items()}
