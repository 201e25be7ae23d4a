"""Sets of things per image, for millions of images: who gave what, and how far sets overlap.

A set is not an object but rows: (image, thing) pairs in one sorted array of keys. Measures between
two raters' sets are functions of three numbers an image: how many things both gave, and how many
each gave. Few such triples exist, however many images, so that resampling them is cheap.

Jaccard: |A n B| / |A u B|, 1 for two empty sets. MASI (Passonneau 2006): Jaccard times 1 for equal
sets, 2/3 for a subset, 1/3 for an overlap, 0 for none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from visionhub.analysis.frames import Bools, Floats, Integers
from visionhub.analysis.given import sources_of
from visionhub.analysis.resample import Sums, ratio

SUBSET, OVERLAPPING = 2 / 3, 1 / 3  # MASI's weights


@dataclass(frozen=True)
class Sets:
    """One rater's things about the same images as another's.

    n: images. things: how many different ones there are at all. keys: image * things + thing, each
    once, ascending. score: (m,) the highest score of each; rank: (m,) the best place.
    """

    n: int
    things: int
    keys: Integers
    score: Floats
    rank: Integers

    @classmethod
    def of(
        cls, n: int, things: int, image: Integers, thing: Integers, score: Floats, rank: Integers
    ) -> Sets:
        """From rows in any order; of a thing that an image has twice the better counts."""
        keys = image * things + thing
        if not (keys[1:] > keys[:-1]).all():
            order = np.argsort(keys, kind="stable")
            keys, score, rank = keys[order], score[order], rank[order]
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
        if len(first) < len(keys):
            keys = keys[first]
            score, rank = np.fmax.reduceat(score, first), np.minimum.reduceat(rank, first)
        return cls(n, things, keys, score, rank)

    @property
    def image(self) -> Integers:
        """(m,) positions of images."""
        return self.keys // max(self.things, 1)

    @property
    def thing(self) -> Integers:
        """(m,) numbers of things."""
        return self.keys % max(self.things, 1)

    @property
    def sizes(self) -> Integers:
        """(n,) how many things each image has."""
        return np.bincount(self.image, minlength=self.n)

    def where(self, kept: Bools) -> Sets:
        """The rows of a mask only."""
        return Sets(self.n, self.things, self.keys[kept], self.score[kept], self.rank[kept])

    def within(self, things: Integers) -> Sets:
        """Only these things."""
        wanted = np.zeros(self.things, dtype=np.bool_)
        wanted[things] = True
        return self.where(wanted[self.thing])

    def of_images(self, images: Integers) -> Sets:
        """About some of the images, by ascending position."""
        place = np.full(self.n, -1, dtype=np.int64)
        place[images] = np.arange(len(images))
        kept = np.flatnonzero(place[self.image] >= 0)
        keys = place[self.image[kept]] * self.things + self.thing[kept]
        return Sets(len(images), self.things, keys, self.score[kept], self.rank[kept])


def held(keys: Integers, asked: Integers) -> Bools:
    """Whether each of `asked` is among ascending `keys`."""
    if not len(keys):
        return np.zeros(len(asked), dtype=np.bool_)
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    found: Bools = keys[place] == asked
    return found


def common(one: Integers, other: Integers) -> Integers:
    """What stands in both of two ascending rows, each once in its own."""
    keys = np.concatenate([one, other])
    keys.sort(kind="stable")  # two ascending runs, which it only has to merge
    met: Integers = keys[1:][keys[1:] == keys[:-1]]
    return met


@dataclass(frozen=True)
class Overlaps:
    """How two raters' sets meet, image by image: (n,) numbers of things."""

    both: Integers
    first: Integers
    second: Integers

    @classmethod
    def of(cls, first: Sets, second: Sets) -> Overlaps:
        """Count."""
        shared = common(first.keys, second.keys) // max(first.things, 1)
        both = np.bincount(shared, minlength=first.n)
        return cls(both, first.sizes, second.sizes)

    @property
    def jaccard(self) -> Floats:
        """(n,) similarities."""
        return jaccard(self.both, self.first, self.second)

    @property
    def masi(self) -> Floats:
        """(n,) similarities, 1 - MASI distance."""
        return masi(self.both, self.first, self.second)

    def patterns(self) -> tuple[Overlaps, Integers, Integers]:
        """The different triples; for each image which it is; how often each was met."""
        triples = np.stack([self.both, self.first, self.second], axis=1)
        size = triples.max(initial=0) + 1
        code = (triples[:, 0] * size + triples[:, 1]) * size + triples[:, 2]
        _, at, which, counts = np.unique(
            code, return_index=True, return_inverse=True, return_counts=True
        )
        return Overlaps(*triples[at].T), which, counts

    def moments(self) -> Floats:
        """(n, 6) what `MEANS` needs: Jaccard, MASI, one, both, first, second."""
        one = np.ones(len(self.both))
        return np.stack(
            [self.jaccard, self.masi, one, self.both, self.first, self.second], axis=1
        ).astype(np.float64)

    def sums(self, sources: Integers | None = None) -> Sums:
        """For `estimate`: by source, or by pattern where each image is its own."""
        by = sources_of(sources, len(self.both))
        if by is not None:
            return Sums.of(self.moments(), by)
        patterns, _, counts = self.patterns()
        return Sums.counted(patterns.moments(), counts)


# Over sums of `Overlaps.moments`: mean similarities, and the share of each one's things that the
# other has too (hierarchical precision and recall where sets were expanded; Kiritchenko 2005).
MEANS: dict[str, Callable[[Floats], Floats]] = {
    "jaccard": lambda sums: ratio(sums[..., 0], sums[..., 2]),
    "masi": lambda sums: ratio(sums[..., 1], sums[..., 2]),
    "shared_of_a": lambda sums: ratio(sums[..., 3], sums[..., 4]),
    "shared_of_b": lambda sums: ratio(sums[..., 3], sums[..., 5]),
}


def all_means(sums: Floats) -> Floats:
    """(..., 4) every one of MEANS, in its order."""
    return np.stack([mean(sums) for mean in MEANS.values()], axis=-1)


def jaccard(both: Any, first: Any, second: Any) -> Floats:  # noqa: ANN401 (any numbers)
    """Similarity; 1 for two empty sets. All are numbers of things, of one shape or broadcast."""
    union = first + second - both
    found: Floats = np.true_divide(both, np.maximum(union, 1))
    found[union == 0] = 1
    return found


def masi(both: Any, first: Any, second: Any) -> Floats:  # noqa: ANN401 (any numbers)
    """Similarity: Jaccard, weighted by how the sets lie to one another."""
    found = jaccard(both, first, second)
    equal = (both == first) & (both == second)
    found[~equal] *= OVERLAPPING
    subset = ~equal & (both == np.minimum(first, second))  # where nothing is shared it is 0 already
    found[subset] *= SUBSET / OVERLAPPING
    return found
