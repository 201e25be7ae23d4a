"""More than two raters, people among them: one matrix of who says what, and what each one changes.

For each concept or construct a matrix of images by raters: yes, no, or missing. A rater who has no
word for the thing, or has not answered for the image, is missing, not "no"; a person's "no" is one
that was coded (see `decided`). Agreement of all, and without each rater in turn: who is the odd one
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.alpha import krippendorff_alpha
from visionhub.analysis.decided import Decided
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.frames import Integers
from visionhub.analysis.labels import TASK
from visionhub.analysis.measured import Measured
from visionhub.analysis.nominal import fleiss_kappa, gwet_ac1
from visionhub.analysis.rated import Ratings
from visionhub.analysis.resample import Resampling
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import Speech
from visionhub.analysis.vocabulary.level import Level

MISSING, NO, YES = -1, 0, 1
COEFFICIENTS: dict[str, Callable[[Ratings, Integers | None, Resampling], Estimate]] = {
    "alpha_nominal": lambda ratings, sources, how: krippendorff_alpha(
        ratings, "nominal", sources=sources, how=how
    ),
    "gwet_ac1": lambda ratings, sources, how: gwet_ac1(ratings, sources=sources, how=how),
    "fleiss_kappa": lambda ratings, sources, how: fleiss_kappa(ratings, sources=sources, how=how),
}
LEAST = 3  # raters


@dataclass(frozen=True)
class Matrix:
    """Who says yes to one thing. ratings: (images, raters) -1 missing, 0 no, 1 yes."""

    thing: str
    raters: tuple[str, ...]
    images: Integers
    ratings: Integers

    @classmethod
    def of(cls, thing: str, raters: tuple[str, ...], images: Integers, ratings: Integers) -> Matrix:
        """Of those raters alone who have any rating."""
        there = np.flatnonzero((ratings >= 0).any(axis=0))
        return cls(thing, tuple(raters[at] for at in there), images, ratings[:, there])

    def without(self, rater: int) -> Matrix:
        """All others."""
        kept = [at for at in range(len(self.raters)) if at != rater]
        names = tuple(self.raters[at] for at in kept)
        return Matrix(self.thing, names, self.images, self.ratings[:, kept])


def matrices(
    speeches: Sequence[Speech], people: Mapping[str, Decided], level: Level, most: int
) -> Iterator[Matrix]:
    """The matrix of each thing that three raters can say: the most frequent `most` of them."""
    images = np.unique(np.concatenate([one.answers.images for one in speeches]))
    said = [one.sets(level) for one in speeches]
    can = np.stack([level.asserted(one.can_say()) for one in speeches])
    many = np.stack([np.bincount(one.thing, minlength=one.things) for one in said]).sum(axis=0)
    many = many[: len(level.concepts)]
    names = tuple(one.name for one in speeches)
    for thing in np.argsort(-many, kind="stable")[:most].tolist():
        if many[thing] == 0 or can[:, thing].sum() < LEAST:
            continue
        ratings = np.full((len(images), len(speeches)), MISSING, dtype=np.int64)
        for at, (one, sets) in enumerate(zip(speeches, said, strict=True)):
            if not can[at, thing]:
                continue
            mine = one.answers.images
            noes = people[one.name].noes(thing) if one.name in people else mine
            ratings[np.searchsorted(images, noes), at] = NO
            yes = mine[sets.image[sets.thing == thing]]
            ratings[np.searchsorted(images, yes), at] = YES
        yield Matrix.of(level.labels[thing], names, images, ratings)


def measures(matrix: Matrix, level: str, settings: Settings) -> Iterator[Measured]:
    """Agreement of all who rate, if they are three or more, and without each of them."""
    if len(matrix.raters) < LEAST:
        return
    yield from _of(matrix, matrix.raters, level, settings, "")
    for at, name in enumerate(matrix.raters):
        yield from _of(matrix.without(at), matrix.raters, level, settings, f"_without:{name}")


def _of(
    matrix: Matrix, names: tuple[str, ...], level: str, settings: Settings, ending: str
) -> Iterator[Measured]:
    ratings = Ratings(matrix.ratings, (False, True))
    sources = settings.of(matrix.images)
    for measure, coefficient in COEFFICIENTS.items():
        found: Estimate = coefficient(ratings, sources, settings.how)
        yield Measured(TASK, measure + ending, names, found, level, matrix.thing)
