"""How far two raters agree about the labels of images, level by level and label by label.

Sets of labels are compared as they are (exact strings), as concepts with all that is broader
(crosswalk), and as the user's constructs (codebook). `…_comparable` measures leave out concepts
that one of the two has no word for; the others count such words as disagreement, as a reader of
both lists would. What was returned counts as said; how far censored scores can move a measure
stands beside it (`lowest`, `highest`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.frames import Bools, Floats, Integers, common
from visionhub.analysis.measured import Measured
from visionhub.analysis.pairs import Counted, Pair, Side
from visionhub.analysis.ranked_lists import ranked_overlaps
from visionhub.analysis.resample import Sums, estimates, ratio
from visionhub.analysis.set_alpha import SIMILAR, set_alphas
from visionhub.analysis.sets import MEANS, Sets, all_means, held
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import Speech, comparable
from visionhub.analysis.vocabulary.level import Level

TASK = "labels"
PERSISTENCE = 0.9  # of rank-biased overlap: the first ten places have 86 % of its weight
NO_IMAGES = "no image has answers of both"
NOT_COMPARABLE = "there is nothing that both have words for"
RANKED = ("rbo", "rbo_min", "rbo_residual")
CODEBOOK = "codebook"


@dataclass(frozen=True)
class LabelPair:
    """Two raters at one level, about the images that both have answered for.

    shared: the concepts that both have words for. blank: why the level tells nothing about them:
    of a codebook whose constructs they cannot both say, all lists would agree, being empty.
    """

    first: Speech
    second: Speech
    level: Level
    images: Integers
    shared: Bools
    blank: str = ""

    @classmethod
    def of(cls, first: Speech, second: Speech, level: Level) -> LabelPair:
        """Of what either has ever said: a word that it has for other images is a word too."""
        images = common([first.answers, second.answers])
        shared = comparable(level, first, second)
        blank = "" if shared.any() else _blank(level, first, second)
        return cls(first.only(images), second.only(images), level, images, shared, blank)

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
        if self.blank and len(self.images):
            yield from (self._row(name, not_estimable(self.blank)) for name in _every())
            return
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
        for name, one in zip(RANKED, found, strict=True):
            yield self._row(name, one)


def _every() -> Iterator[str]:
    """The names of what `measure` yields."""
    for ending in ("", "_comparable"):
        yield from (name + ending for name in (*MEANS, *(f"alpha_{name}" for name in SIMILAR)))
    yield from RANKED


def _blank(level: Level, first: Speech, second: Speech) -> str:
    """Why a codebook tells nothing about two raters without a construct in common."""
    if level.name != CODEBOOK:
        return ""
    mute = [one.name for one in (first, second) if not level.asserted(one.can_say()).any()]
    if not mute:
        return "there is no construct of the codebook that both have words for"
    have = "has" if len(mute) == 1 else "have"
    return f"{' and '.join(mute)} {have} words for none of the constructs of the codebook"


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
