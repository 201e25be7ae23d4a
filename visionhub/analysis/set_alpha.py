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
from typing import Any

import numpy as np

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.frames import Bools, Floats, Integers
from visionhub.analysis.resample import DEFAULT, Resampling, Sums, estimate, ratio
from visionhub.analysis.sets import Sets, held, jaccard, masi

EXACT = 2000  # different sets
PAIRS = 200_000
REFERENCES = 64
DIGITS = 3  # of distances, where equal images are counted instead of kept apart
BLOCK = 200_000  # values whose distances to the references are computed at a time
SIMILAR: dict[str, Callable[[Integers, Integers, Integers], Floats]] = {
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
    """Alpha of two or more raters' sets of the same n images.

    distance: jaccard or masi. answered: which images each rater has a value for. sources: (n,) of
    the images. Not estimable where all sets are the same.
    """
    values = Values.of(raters, answered)
    many = np.bincount(values.unit, minlength=raters[0].n)
    values = values.pick(many[values.unit] > 1)
    if not len(values.sizes):
        return not_estimable("no image has two raters' sets")
    kind, example = values.kinds()
    if len(example) == 1:
        return not_estimable(CONSTANT, int((many > 1).sum()))
    units, place = np.unique(values.unit, return_inverse=True)
    observed = _observed(values, place, len(units), SIMILAR[distance])
    mine = None if sources is None else np.asarray(sources)[units]
    held_by = np.bincount(place, minlength=len(units)).astype(np.float64)
    if len(example) <= EXACT:
        between = _between(values, example, SIMILAR[distance])
        return _exact(np.stack([observed, held_by], 1), kind, place, between, mine, how)
    return _sampled(values, np.stack([observed, held_by], 1), place, distance, mine, how)


def _observed(values: Values, place: Integers, n: int, similar: Callable[..., Floats]) -> Floats:
    """(n,) the sum over ordered pairs of raters of their distance, over one less than raters."""
    order = np.argsort(place, kind="stable")
    many = np.bincount(place, minlength=n)
    start = np.cumsum(many) - many
    total = np.zeros(n)
    for first in range(int(many.max())):
        for second in range(first + 1, int(many.max())):
            there = np.flatnonzero(many > second)
            one, other = order[start[there] + first], order[start[there] + second]
            likeness = similar(values.shared(one, other), values.sizes[one], values.sizes[other])
            total[there] += 2 * (1 - likeness) / (many[there] - 1)
    return total


def _between(values: Values, rows: Integers, similar: Callable[..., Floats]) -> Floats:
    """(K, K) distances between sets."""
    table = values.table(rows)
    both = np.rint((table @ table.T).toarray()).astype(np.int64)
    sizes = values.sizes[rows]
    return 1 - similar(both, sizes[:, None], sizes[None, :])


def _exact(
    moments: Floats,
    kind: Integers,
    place: Integers,
    between: Floats,
    sources: Integers | None,
    how: Resampling,
) -> Estimate:
    from scipy import sparse

    kinds = sparse.csr_array(
        (np.ones(len(kind)), (place, kind)), shape=(len(moments), len(between))
    )
    table = sparse.csr_array(sparse.hstack([sparse.csr_array(moments), kinds]))
    units = np.ones(len(moments), dtype=np.int64)
    data = Sums(table, units)
    if sources is not None:
        names, codes = np.unique(sources, return_inverse=True)
        fold = sparse.csr_array(
            (np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(len(names), len(codes))
        )
        data = Sums(fold @ table, np.bincount(codes), sourced=True)

    def alpha(sums: Floats) -> Floats:
        met = sums[..., 2:]
        pairs = sums[..., 1] * (sums[..., 1] - 1)
        expected = ratio(((met @ between) * met).sum(-1), pairs)
        return 1 - ratio(ratio(sums[..., 0], sums[..., 1]), expected)

    return estimate(data, alpha, how, limits=(-1.0, 1.0), why=CONSTANT)


def _sampled(
    values: Values,
    moments: Floats,
    place: Integers,
    distance: str,
    sources: Integers | None,
    how: Resampling,
) -> Estimate:
    similar, count = SIMILAR[distance], len(values.sizes)
    random = np.random.default_rng(how.seed)
    first = random.integers(0, count, PAIRS)
    second = (first + random.integers(1, count, PAIRS)) % count  # never the same value
    likeness = similar(values.shared(first, second), values.sizes[first], values.sizes[second])
    expected, error = 1 - likeness.mean(), likeness.std() / np.sqrt(PAIRS)
    far = _far(values, random.choice(count, REFERENCES, replace=False), similar)
    away = np.bincount(place, far, len(moments))
    usual = far.mean()

    def alpha(sums: Floats) -> Floats:
        moved = expected + 2 * (ratio(sums[..., 2], sums[..., 1]) - usual)
        return 1 - ratio(ratio(sums[..., 0], sums[..., 1]), moved)

    moments = np.column_stack([moments, away])
    data = Sums.of(moments, sources) if sources is not None else Sums.rounded(moments, DIGITS)
    found = estimate(data, alpha, how, limits=(-1.0, 1.0), why=CONSTANT)
    note = f"expected distance from {PAIRS:,} random pairs, {expected:.4f} (s.e. {error:.1g})"
    return replace(found, method="; ".join(text for text in (found.method, note) if text))


def _far(values: Values, references: Integers, similar: Callable[..., Floats]) -> Floats:
    """(v,) mean distance of each value to the references."""
    others = values.table(references).T.toarray()
    sizes = values.sizes[references]
    means = []
    for start in range(0, len(values.sizes), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(values.sizes)))
        both = np.rint(values.table(rows) @ others).astype(np.int64)
        likeness = similar(both, values.sizes[rows][:, None], sizes[None, :])
        means.append(1 - likeness.mean(axis=1))
    return np.concatenate(means)
