"""Boxes at two times: which are the same thing, how far they moved, and what became of scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from visionhub.analysis import drift_scores
from visionhub.analysis.censoring import ceilings
from visionhub.analysis.drift_scores import Scores, per_image, share_of_images
from visionhub.analysis.drift_words import Words, rows_about
from visionhub.analysis.frames import Answers, Bools, Floats, common
from visionhub.analysis.located import IOU, Located
from visionhub.analysis.matching import Matches, candidates, match
from visionhub.analysis.measured import Measured
from visionhub.analysis.part import Apart
from visionhub.analysis.resample import Sums, estimates, ratio
from visionhub.analysis.settings import Settings

LEAST = {"objects": 0.5, "faces": 0.3}  # IoU from which on two boxes are one thing
SAME = 1e-3  # 1 - IoU up to which a box has not moved
NO_BOX = "no box at the earlier time"
NO_PAIR = "no two boxes are matched"


@dataclass(frozen=True)
class Boxed:
    """Two versions' boxes in the images that both have answered for, matched one to one.

    renamed: (p,) whether matched boxes are called otherwise; None where boxes have no names.
    """

    two: Located
    matched: Matches
    scores: Scores
    renamed: Bools | None = None

    @classmethod
    def of(cls, task: str, before: Answers, after: Answers) -> Boxed:
        """Match what lies on one another, whatever it is called."""
        two = Located.of(task, [before, after])
        first, second = two.boxes()
        matched = match(candidates(first, second, LEAST[task], same_category=False))
        scores = _scores(two, matched, before, after)
        renamed = None
        if "name" in before.words:
            then, now = Words.of(before, after).things
            then, now = then[rows_about(before, two.images)], now[rows_about(after, two.images)]
            renamed = then[matched.i] != now[matched.j]
        return cls(two, matched, scores, renamed)

    @property
    def names(self) -> tuple[str, str]:
        """The versions."""
        return self.two.names[0], self.two.names[1]

    @property
    def moved(self) -> Bools:
        """(p,) matched boxes that do not lie where they lay."""
        found: Bools = 1 - self.matched.iou > SAME
        return found

    def counts(self) -> dict[str, Any]:
        """How many were kept, lost and gained in all, and how many near to the floor."""
        return self.scores.counts(self.names, self.two.n)

    def measures(self, settings: Settings, tolerance: float) -> Iterator[Measured]:
        """What became of boxes, then of their scores."""
        task, sources, how = self.two.task, settings.of(self.two.images), settings.how
        moments = self._moments()
        data = Sums.of(moments, sources)
        (kept,) = estimates(data, _kept, how, limits=(0, 1), why=NO_BOX)
        pairs = estimates(data, _of_pairs, how, limits=(0, 1), why=NO_PAIR)
        found = per_image(data, how)
        found["share_kept"] = kept
        found["changed_far_from_floor"] = share_of_images(moments[:, 4] > 0, sources, how)
        found |= dict(zip(("mean_iou", "boxes_moved", "renamed"), pairs, strict=True))
        if self.renamed is None:
            del found["renamed"]
        for name, estimate in found.items():
            yield Measured(task, name, self.names, estimate, at=LEAST[task], at_what=IOU)
        yield from drift_scores.measures(
            task, self.names, self.scores, self.two.n, sources, how, tolerance
        )

    def _moments(self) -> Floats:
        """(n, 8): one, kept, lost, gained, far; of matched boxes sums of IoU, moved, renamed."""
        scores, n = self.scores, self.two.n
        far = (scores.lost | scores.gained) & ~scores.near
        rows = (scores.kept, scores.lost, scores.gained, far)
        counts = [np.bincount(scores.image[row], minlength=n) for row in rows]
        image = self.two.answers[0].at[self.matched.i]
        renamed = np.zeros(len(image)) if self.renamed is None else self.renamed
        sums = [np.bincount(image, column, n) for column in (self.matched.iou, self.moved, renamed)]
        columns = [np.ones(n), *counts[:3], counts[3] > 0, *sums]
        return np.stack(columns, axis=1).astype(np.float64)

    def apart(self) -> Apart:
        """1 - F1 of boxes, image by image."""
        moments = self._moments()
        every = 2 * moments[:, 1] + moments[:, 2] + moments[:, 3]
        f1 = np.where(every > 0, 2 * moments[:, 1] / np.maximum(every, 1), 1.0)
        return Apart(self.names, f"{self.two.task} (1 - F1 of boxes)", self.two.images, 1 - f1)


def _scores(two: Located, matched: Matches, before: Answers, after: Answers) -> Scores:
    """Matched boxes, then those that only one version has."""
    first, second = two.answers
    only = [np.setdiff1d(np.arange(len(one.at)), used) for one, used in
            ((first, matched.i), (second, matched.j))]  # fmt: skip
    image = np.concatenate([first.at[matched.i], first.at[only[0]], second.at[only[1]]])
    a, b = (np.nan_to_num(one.numbers["score"], nan=np.inf) for one in (first, second))
    lacking = [np.full(len(rows), np.nan) for rows in only]
    limits = [
        ceilings(one)[np.searchsorted(one.images, common([before, after]))][image]
        for one in (before, after)
    ]
    scale = before.rater.scale if before.rater.scale == after.rater.scale else ""
    return Scores(
        image,
        np.concatenate([a[matched.i], a[only[0]], lacking[1]]),
        np.concatenate([b[matched.j], lacking[0], b[only[1]]]),
        (limits[0], limits[1]),
        scale,
    )


def _kept(sums: Floats) -> Floats:
    return ratio(sums[..., 1:2], sums[..., 1:2] + sums[..., 2:3])


def _of_pairs(sums: Floats) -> Floats:
    return ratio(sums[..., 5:8], sums[..., 1:2])
