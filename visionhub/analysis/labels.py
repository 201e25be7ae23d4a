"""How far two raters agree about the labels of images, level by level and label by label.

Sets of labels are compared as they are (exact strings), as concepts with all that is broader
(crosswalk), and as the user's constructs (codebook). `…_comparable` measures leave out concepts
that one of the two has no word for; the others count such words as disagreement, as a reader of
both lists would. What was returned counts as said; how far censored scores can move a measure
stands beside it (`lowest`, `highest`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.frames import Bools, Floats, Integers, common
from visionhub.analysis.measured import Measured
from visionhub.analysis.paired import BINARY
from visionhub.analysis.pairs import Counted, Pair, Side, returned_by_source, returned_cells
from visionhub.analysis.ranks import ranked_overlaps
from visionhub.analysis.resample import (
    DEFAULT,
    Resampling,
    Sums,
    estimate,
    estimates,
    ratio,
)
from visionhub.analysis.set_alpha import set_alphas
from visionhub.analysis.sets import MEANS, Sets, all_means, held
from visionhub.analysis.spoken import Speech, comparable
from visionhub.analysis.vocabulary.level import Level

TASK = "labels"
MOST = 100  # labels that are measured one by one, the most frequent ones
PERSISTENCE = 0.9  # of rank-biased overlap: the first ten places have 86 % of its weight
NO_IMAGES = "no image has answers of both"
NOT_COMPARABLE = "there is nothing that both have words for"
SHARES = ("percent_agreement", "positive_agreement", "negative_agreement")  # from 0 to 1
WHY = {
    "cohen_kappa": "both always said the same: nothing is left to agree about beyond chance",
    "positive_agreement": "neither ever said it",
    "negative_agreement": "both said it of every image",
}


@dataclass(frozen=True)
class Settings:
    """What all comparisons share. sources: numbers of sources for ids of images; None for none."""

    how: Resampling = DEFAULT
    sources: Callable[[Integers], Integers] | None = None
    most: int = MOST

    def of(self, images: Integers) -> Integers | None:
        """(n,) the sources of images."""
        return None if self.sources is None else self.sources(images)


@dataclass(frozen=True)
class LabelPair:
    """Two raters at one level, about the images that both have answered for.

    whole: all concepts; shared: those that both have words for.
    """

    first: Speech
    second: Speech
    level: Level
    images: Integers
    shared: Bools

    @classmethod
    def of(cls, first: Speech, second: Speech, level: Level) -> LabelPair:
        """Of what either has ever said: a word that it has for other images is a word too."""
        images = common([first.answers, second.answers])
        shared = comparable(level, first, second)
        return cls(first.only(images), second.only(images), level, images, shared)

    @property
    def names(self) -> tuple[str, str]:
        """The raters."""
        return self.first.name, self.second.name

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """What each says, as concepts."""
        return self.first.side(self.level), self.second.side(self.level)

    @cached_property
    def comparable(self) -> Pair:
        """Both sides, matched, of what both have words for."""
        kept = np.flatnonzero(self.shared)
        one, other = (replace(side, sets=side.sets.within(kept)) for side in self.sides)
        return Pair.of(one, other)

    def measure(self, settings: Settings) -> Iterator[Measured]:
        """Every measure of the sets as a whole."""
        for comparable_only in (False, True):
            yield from self._sets(settings, comparable_only=comparable_only)
        yield from self._ranked(settings)

    def _row(
        self, measure: str, found: Estimate, bounds: tuple[float, float] | None = None
    ) -> Measured:
        lowest, highest = bounds or (None, None)
        return Measured(
            TASK, measure, self.names, found, self.level.name, lowest=lowest, highest=highest
        )

    def _sets(self, settings: Settings, *, comparable_only: bool) -> Iterator[Measured]:
        """Of all labels in all images; or of comparable ones, where either says one of them.

        Images in which neither does agree about nothing, and would raise the figure the more, the
        fewer labels can be compared.
        """
        ending = "_comparable" if comparable_only else ""
        why = NO_IMAGES if not len(self.images) else NOT_COMPARABLE
        counted = (self.comparable if comparable_only else Pair.of(*self.sides)).counted()
        sets, images = [side.sets for side in self.sides], self.images
        if comparable_only:
            there = np.flatnonzero(counted.overlaps.first + counted.overlaps.second)
            images, counted = images[there], counted.of(there)
            kept = np.flatnonzero(self.shared)
            sets = [one.within(kept).of_images(there) for one in sets]
        sources = settings.of(images)
        found = (
            estimates(
                counted.overlaps.sums(sources), all_means, settings.how, limits=(0, 1), why=why
            )
            if len(images)
            else [not_estimable(why) for _ in MEANS]
        )
        for name, one in zip(MEANS, found, strict=True):
            bounds = _mean_bounds(counted) if name == "jaccard" and len(images) else None
            yield self._row(name + ending, one, bounds)
        for distance, alpha in set_alphas(sets, sources=sources, how=settings.how).items():
            yield self._row(f"alpha_{distance}{ending}", alpha)

    def _ranked(self, settings: Settings) -> Iterator[Measured]:
        """Rank-biased overlap of what each says itself, best first."""
        values = rank_biased(self.first.own_sets(self.level), self.second.own_sets(self.level))
        moments = np.stack([*values, np.ones(len(values[0]))], axis=1)
        sources = settings.of(self.images)
        data = Sums.of(moments, sources) if sources is not None else Sums.rounded(moments, 4)
        found = estimates(
            data,
            lambda sums: ratio(sums[..., :3], sums[..., 3:]),
            settings.how,
            limits=(0, 1),
            why=NO_IMAGES,
        )
        for name, one in zip(("rbo", "rbo_min", "rbo_residual"), found, strict=True):
            yield self._row(name, one)


def _mean_bounds(counted: Counted) -> tuple[float, float]:
    low, high = counted.bounds()
    return float(low.mean()), float(high.mean())


def rank_biased(first: Sets, second: Sets) -> tuple[Floats, Floats, Floats]:
    """(n,) rank-biased overlaps of two raters' ranked lists: extrapolated, least, and residual."""
    places = [_places(one) for one in (first, second)]
    met = held(second.keys, first.keys)
    mine = np.flatnonzero(met)
    theirs = np.searchsorted(second.keys, first.keys[mine])
    return ranked_overlaps(
        first.image[mine],
        places[0][mine],
        places[1][theirs],
        first.sizes,
        second.sizes,
        PERSISTENCE,
    )


def _places(sets: Sets) -> Integers:
    """(m,) 1, 2, 3… in each image, by the rater's order; a word that says two things is once."""
    image = sets.image
    most = int(sets.rank.max(initial=0)) + 1
    order = np.argsort(image * most + sets.rank, kind="stable")
    found = np.empty(len(order), dtype=np.int64)
    before = (
        np.cumsum(sets.sizes) - sets.sizes
    )  # the order within images leaves them where they are
    found[order] = np.arange(len(order)) - before[image] + 1
    return found


@dataclass(frozen=True)
class Thing:
    """One concept of a pair: counts of images (yes-yes, yes-no, no-yes, no-no), and measures."""

    name: str
    cells: tuple[int, int, int, int]
    unknown: int
    measures: tuple[Measured, ...]


def things(found: LabelPair, settings: Settings) -> list[Thing]:
    """The concepts that both can say, one by one: the most frequent `settings.most` of them."""
    pair = found.comparable
    cells = pair.cells()
    returned, bounds = cells.returned, cells.bounds()
    said = returned[:, :3].sum(axis=1)
    order = np.argsort(-said, kind="stable")[: settings.most]
    chosen = order[said[order] > 0]
    sources = settings.of(found.images)
    by_thing = _measured(pair, chosen, returned, sources, settings)
    return [
        Thing(
            found.level.labels[thing],
            tuple(int(count) for count in returned[thing]),  # type: ignore[arg-type]
            int(cells.unknown[thing]),
            tuple(
                Measured(
                    TASK,
                    name,
                    found.names,
                    one,
                    found.level.name,
                    found.level.labels[thing],
                    lowest=_number(bounds[name][0][thing]) if name in bounds else None,
                    highest=_number(bounds[name][1][thing]) if name in bounds else None,
                )
                for name, one in zip(BINARY, measures, strict=True)
            ),
        )
        for thing, measures in zip(chosen.tolist(), by_thing, strict=True)
    ]


def limits_of(measure: str) -> tuple[float, float]:
    """What a measure of two raters can be at all."""
    return (0.0 if measure in SHARES else -1.0, 1.0)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _measured(
    pair: Pair,
    chosen: Integers,
    returned: Floats,
    sources: Integers | None,
    settings: Settings,
) -> Sequence[Sequence[Estimate]]:
    """For each chosen thing the estimates of BINARY, in its order."""
    if sources is None:
        return [
            [
                estimate(
                    Sums.counted(np.eye(4), returned[thing].astype(np.int64)),
                    measure,
                    settings.how,
                    limits=limits_of(name),
                    why=WHY.get(name, "it is undefined here"),
                )
                for name, measure in BINARY.items()
            ]
            for thing in chosen.tolist()
        ]
    data = returned_by_source(pair, chosen, sources)
    columns = [
        estimates(
            data,
            lambda sums, measure=measure: measure(returned_cells(sums)),  # type: ignore[misc]
            settings.how,
            limits=limits_of(name),
            why=WHY.get(name, "it is undefined here"),
        )
        for name, measure in BINARY.items()
    ]
    return list(zip(*columns, strict=True))
