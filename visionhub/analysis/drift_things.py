"""Things that images are said to have, at two times: kept, lost, gained; scores; flips.

Labels are such things, names of objects, and categories of unsafe content that have a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visionhub.analysis import drift_scores
from visionhub.analysis.censoring import ceilings, floor_of
from visionhub.analysis.drift_flips import Flip, flips
from visionhub.analysis.drift_scores import NEAR, Scores, per_image, share_of_images
from visionhub.analysis.drift_words import Words, rows_about
from visionhub.analysis.frames import Answers, Bools, Floats, Integers, common
from visionhub.analysis.measured import Measured
from visionhub.analysis.pairs import Pair, Side
from visionhub.analysis.part import Apart
from visionhub.analysis.resample import Sums, estimates, ratio
from visionhub.analysis.sets import Sets, jaccard
from visionhub.analysis.settings import Settings

FLOOR = "share of the scale from the floor"
NONE_GIVEN = "the earlier version gave none"


@dataclass(frozen=True)
class Things:
    """What two versions say of the same images, matched.

    names: of the versions. images: (n,) ids. pair: the union of both. scores: of the pair's rows.
    """

    task: str
    names: tuple[str, str]
    images: Integers
    words: Words
    pair: Pair
    scores: Scores

    @classmethod
    def of(
        cls,
        task: str,
        before: Answers,
        after: Answers,
        name: str = "name",
        vendor_id: str = "vendor_id",
    ) -> Things:
        """Of the images that both have answered for."""
        words = Words.of(before, after, name, vendor_id)
        images = common([before, after])
        sides = [
            _side(one, thing, images, len(words))
            for one, thing in zip((before, after), words.things, strict=True)
        ]
        pair = Pair.of(*sides)
        limits = (pair.ceilings[0][pair.image], pair.ceilings[1][pair.image])
        scale = before.rater.scale if before.rater.scale == after.rater.scale else ""
        scores = Scores(pair.image, pair.first, pair.second, limits, scale)
        return cls(task, (before.rater.name, after.rater.name), images, words, pair, scores)

    @classmethod
    def of_rows(
        cls,
        task: str,
        names: tuple[str, str],
        images: Integers,
        labels: Sequence[str],
        rows: Sequence[tuple[Integers, Integers]],
    ) -> Things:
        """Of things without scores. rows: (before, after), positions of images, and things."""
        sides = [
            Side(
                Sets.of(len(images), max(len(labels), 1), at, thing, np.full(len(at), np.nan), at),
                -np.inf,
                np.full(len(images), -np.inf),
            )
            for at, thing in rows
        ]
        pair = Pair.of(*sides)
        limits = (pair.ceilings[0][pair.image], pair.ceilings[1][pair.image])
        terms = tuple((((label, ""),), ((label, ""),)) for label in labels)
        words = Words((rows[0][1], rows[1][1]), terms)
        scores = Scores(pair.image, pair.first, pair.second, limits, "")
        return cls(task, names, images, words, pair, scores)

    def counts(self) -> dict[str, Any]:
        """How many were kept, lost and gained in all, and how many near to the floor."""
        return self.scores.counts(self.names, len(self.images))

    def measures(self, settings: Settings, tolerance: float) -> Iterator[Measured]:
        """Sets as a whole, and scores."""
        sources = settings.of(self.images)
        yield from self._sets(sources, settings)
        how, n = settings.how, len(self.images)
        yield from drift_scores.measures(
            self.task, self.names, self.scores, n, sources, how, tolerance
        )

    def _sets(self, sources: Integers | None, settings: Settings) -> Iterator[Measured]:
        moments, how = self._moments(), settings.how
        data = Sums.of(moments, sources)
        found = per_image(data, how)
        shares = estimates(data, _shares, how, limits=(0, 1), why=NONE_GIVEN)
        found |= dict(zip(("share_kept", "jaccard"), shares, strict=True))
        for name, column in (("identical_sets", 4), ("changed_far_from_floor", 6)):
            found[name] = share_of_images(moments[:, column] > 0, sources, how)
        for name, one in found.items():
            at, what = (NEAR, FLOOR) if name == "changed_far_from_floor" else (None, "")
            yield Measured(self.task, name, self.names, one, at=at, at_what=what)

    def _moments(self) -> Floats:
        """(n, 7): one, kept, lost, gained, whether all is the same, Jaccard, whether any is far.

        Far: something that is not near to the floor was lost or gained.
        """
        scores = self.scores
        kept, lost, gained = (
            self._by_image(rows) for rows in (scores.kept, scores.lost, scores.gained)
        )
        far = self._by_image((scores.lost | scores.gained) & ~scores.near) > 0
        same = lost + gained == 0
        alike = jaccard(kept, kept + lost, kept + gained)
        columns = [np.ones(len(self.images)), kept, lost, gained, same, alike, far]
        return np.stack(columns, axis=1).astype(np.float64)

    def _by_image(self, rows: Bools) -> Integers:
        return np.bincount(self.pair.image[rows], minlength=len(self.images))

    def flips(self, settings: Settings) -> list[Flip]:
        """Label by label, the surest change first."""
        return flips(self.pair, self.scores, settings.of(self.images), settings.how)

    def changes(self) -> list[dict[str, Any]]:
        """Names that are other ones, new, or gone."""
        given = [
            np.bincount(self.pair.thing[~np.isnan(column)], minlength=len(self.words))
            for column in (self.pair.first, self.pair.second)
        ]
        pair = {"a": self.names[0], "b": self.names[1]}
        return [{**pair, **row} for row in self.words.changes((given[0], given[1]))]

    def apart(self) -> Apart:
        """1 - Jaccard, image by image."""
        distance = 1 - self._moments()[:, 5]
        return Apart(self.names, f"{self.task} (1 - Jaccard)", self.images, distance)

    def flip_row(self, flip: Flip) -> dict[str, Any]:
        """A flip as a row of a table."""
        both, lost, gained, neither = flip.cells
        n, found = sum(flip.cells), flip.difference
        return {
            "a": self.names[0],
            "b": self.names[1],
            "label": self.words.label(flip.thing),
            "vendor_id": self.words.vendor_id(flip.thing),
            "both": both,
            "lost": lost,
            "gained": gained,
            "neither": neither,
            "lost_near_floor": flip.near[0],
            "gained_near_floor": flip.near[1],
            "prevalence_a": (both + lost) / n,
            "prevalence_b": (both + gained) / n,
            "difference": found.value,
            "low": found.low,
            "high": found.high,
            "method": found.method,
            "reason": found.reason,
            "test": flip.test,
            "p_value": flip.p_value,
            "p_holm": flip.holm,
            "p_fdr_bh": flip.fdr_bh,
        }


def _side(one: Answers, thing: Integers, images: Integers, things: int) -> Side:
    """One version's things about the images that are compared; its floor is that of all answers."""
    kept, said = one.only(images), thing[rows_about(one, images)]
    sets = Sets.of(len(images), max(things, 1), kept.at, said, kept.numbers["score"], kept.rank)
    return Side(sets, floor_of(one), ceilings(one)[np.searchsorted(one.images, images)])


def _shares(sums: Floats) -> Floats:
    """Of what was given the share that is kept, and the mean Jaccard."""
    kept = ratio(sums[..., 1], sums[..., 1] + sums[..., 2])
    return np.stack([kept, ratio(sums[..., 5], sums[..., 0])], axis=-1)
