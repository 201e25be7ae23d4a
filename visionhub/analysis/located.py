"""How far raters agree on where things are, whatever these are called: objects, faces, people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.box_alpha import box_alpha
from visionhub.analysis.boxes import Boxes
from visionhub.analysis.consensus import departures
from visionhub.analysis.continuous import exact_match, mean_absolute_error
from visionhub.analysis.frames import Answers, Floats, Integers, common
from visionhub.analysis.intraclass import icc
from visionhub.analysis.matching import THRESHOLDS, BoxAgreement, Candidates, agreement, candidates
from visionhub.analysis.measured import Measured
from visionhub.analysis.settings import Settings

IOU = "IoU"
USUAL = 0.5
MEASURES = ("precision", "recall", "f1", "mean_iou", "quality")
NAMES = {"quality": "panoptic_quality"}


@dataclass(frozen=True)
class Located:
    """Several raters' boxes in the images that all of them have answered for."""

    task: str
    answers: tuple[Answers, ...]
    images: Integers

    @classmethod
    def of(cls, task: str, answers: Sequence[Answers]) -> Located:
        """Of the images that they have in common."""
        images = common(answers)
        return cls(task, tuple(one.only(images) for one in answers), images)

    @property
    def names(self) -> tuple[str, ...]:
        """The raters."""
        return tuple(one.rater.name for one in self.answers)

    @property
    def n(self) -> int:
        """How many images."""
        return len(self.images)

    def boxes(self) -> list[Boxes]:
        """Each rater's, without what they show."""
        return [Boxes(one.at, one.boxes) for one in self.answers]


def pair_measures(two: Located, settings: Settings) -> Iterator[Measured]:
    """Boxes and their numbers, of two raters."""
    first, second = two.boxes()
    found = candidates(first, second, min(THRESHOLDS), same_category=False)
    yield from overlapping(two, found, settings)
    yield from counted(two, first.counts(two.n), second.counts(two.n), settings)


def overlapping(
    two: Located,
    found: Candidates,
    settings: Settings,
    *,
    level: str = "",
    thing: str = "",
    thresholds: Sequence[float] = THRESHOLDS,
) -> Iterator[Measured]:
    """Precision, recall, F1 and IoU at each threshold.

    Precision is the share of the first rater's boxes that the second has too; recall the reverse.
    """
    sources = settings.of(two.images)
    for agreed in agreement(found, two.n, thresholds, sources, settings.how):
        yield from rows(two.task, two.names, agreed, level=level, thing=thing)


def rows(
    task: str,
    raters: tuple[str, ...],
    agreed: BoxAgreement,
    *,
    level: str = "",
    thing: str = "",
    prefix: str = "",
) -> Iterator[Measured]:
    """The measures of one threshold."""
    for name in MEASURES:
        yield Measured(
            task,
            prefix + NAMES.get(name, name),
            raters,
            getattr(agreed, name),
            level,
            thing,
            agreed.threshold,
            IOU,
        )


def counted(
    two: Located,
    first: Integers,
    second: Integers,
    settings: Settings,
    *,
    level: str = "",
    thing: str = "",
) -> Iterator[Measured]:
    """How many things an image has, by one and by the other."""
    counts: Floats = np.stack([first, second], axis=1).astype(np.float64)
    sources, how = settings.of(two.images), settings.how
    many = {
        "count_icc": icc(counts, "ICC(A,1)", sources=sources, how=how),
        "count_equal": exact_match(first, second, sources=sources, how=how),
        "count_mean_absolute_difference": mean_absolute_error(
            first, second, sources=sources, how=how
        ),
    }
    for name, found in many.items():
        yield Measured(two.task, name, two.names, found, level, thing)


def all_measures(everyone: Located, settings: Settings) -> Iterator[Measured]:
    """Who departs from what the others see, and alpha: of all raters together.

    With three raters and more each is compared with the consensus of the others; of two, with what
    both see. The consensus is of places: what a thing is called is no matter.
    """
    boxes, sources = everyone.boxes(), settings.of(everyone.images)
    apart = departures(
        boxes,
        everyone.n,
        least=USUAL,
        left_out=len(boxes) > 2,  # noqa: PLR2004
        sources=sources,
        how=settings.how,
    )
    for name, agreed in zip(everyone.names, apart, strict=True):
        yield from rows(everyone.task, (name,), agreed, prefix="consensus_")
    alpha = box_alpha(boxes, everyone.n, USUAL, sources=sources, how=settings.how)
    yield Measured(everyone.task, "box_alpha", everyone.names, alpha.alpha, at=USUAL, at_what=IOU)
