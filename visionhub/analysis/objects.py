"""How far raters agree about objects: where they are, what they are called, and how many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.boxes import Boxes
from visionhub.analysis.coco import Detections, Truths, average_precision
from visionhub.analysis.estimate import not_estimable
from visionhub.analysis.frames import Integers
from visionhub.analysis.located import (
    IOU,
    USUAL,
    Located,
    counted,
    overlapping,
    pair_measures,
)
from visionhub.analysis.matching import Matches, candidates, match
from visionhub.analysis.measured import Measured
from visionhub.analysis.resample import Sums, estimate, ratio
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import Speech, comparable
from visionhub.analysis.vocabulary.level import Level

TASK = "objects"
FIGURES = ("AP", "AP50", "AP75", "AR100")  # none of them asks how large a thing is
UNSCORED = "boxes without a score cannot be put in an order"


def measures(
    first: Speech, second: Speech, levels: Sequence[Level], settings: Settings
) -> Iterator[Measured]:
    """Everything about two raters. What one can say is what it has said of any image."""
    two = Located.of(TASK, [first.answers, second.answers])
    shared = {one.name: np.flatnonzero(comparable(one, first, second)) for one in levels[1:]}
    first, second = first.only(two.images), second.only(two.images)
    yield from pair_measures(two, settings)
    a, b = two.boxes()
    matched = match(candidates(a, b, USUAL, same_category=False))
    for level in levels:
        yield _named_alike(two, matched, first, second, level, settings)
    for level in levels[1:]:
        kept = shared[level.name]
        sides = Shown.of(first, level, kept), Shown.of(second, level, kept)
        yield from _class_by_class(two, *sides, level, settings)


def _named_alike(
    two: Located,
    matched: Matches,
    first: Speech,
    second: Speech,
    level: Level,
    settings: Settings,
) -> Measured:
    """Of boxes that lie on one another, how many have names that mean the same.

    Or something broader: a dog and an animal are no contradiction.
    """
    mine, theirs = first.terms[matched.i], second.terms[matched.j]
    alike = _related(level, mine, theirs)
    image = first.answers.at[matched.i]
    moments = np.stack([alike, np.ones(len(alike))], axis=1)
    there, place = np.unique(image, return_inverse=True)
    table = np.stack([np.bincount(place, column, len(there)) for column in moments.T], axis=1)
    sources = settings.of(two.images)
    found = estimate(
        Sums.of(table, None if sources is None else sources[there]),
        lambda sums: ratio(sums[..., 0], sums[..., 1]),
        settings.how,
        limits=(0, 1),
        why="no two boxes are matched",
    )
    return Measured(TASK, "same_name", two.names, found, level.name, at=USUAL, at_what=IOU)


def _related(level: Level, mine: Integers, theirs: Integers) -> Integers:
    """Whether what one says, itself, is among what the other says, itself or as broader: (p,)."""
    found = np.zeros(len(mine), dtype=np.bool_)
    size = max(len(level.concepts), 1)
    for one, other in ((mine, theirs), (theirs, mine)):
        row, concept = level.expand(one, own=True)
        place, broader = level.expand(other)
        met = np.isin(row * size + concept, place * size + broader)
        found[row[met]] = True
    return found.astype(np.int64)


@dataclass(frozen=True)
class Shown:
    """Boxes with what they show; one that shows several things is there several times.

    row: (n,) the rater's rows that they are. concept: (n,).
    """

    boxes: Boxes
    row: Integers
    concept: Integers

    @classmethod
    def of(cls, speech: Speech, level: Level, kept: Integers) -> Shown:
        """Of some concepts only."""
        row, concept = level.expand(speech.terms)
        wanted = np.isin(concept, kept)
        row, concept = row[wanted], concept[wanted]
        answers = speech.answers
        return cls(Boxes(answers.at[row], answers.boxes[row]), row, concept)

    def of_concept(self, concept: int) -> Boxes:
        """The boxes that show it."""
        return self.boxes.take(self.concept == concept)


def _class_by_class(
    two: Located, a: Shown, b: Shown, level: Level, settings: Settings
) -> Iterator[Measured]:
    """The most frequent classes that both have words for."""
    many = np.bincount(np.concatenate([a.concept, b.concept]), minlength=len(level.concepts))
    order = np.argsort(-many, kind="stable")[: settings.most]
    for concept in order[many[order] > 0].tolist():
        mine, theirs = a.of_concept(concept), b.of_concept(concept)
        at = {"level": level.name, "thing": level.labels[concept]}
        found = candidates(mine, theirs, USUAL)
        yield from overlapping(two, found, settings, thresholds=[USUAL], **at)
        yield from counted(two, mine.counts(two.n), theirs.counts(two.n), settings, **at)


def against_gold(
    gold: Speech, other: Speech, level: Level, sizes: Integers, settings: Settings
) -> Iterator[Measured]:
    """COCO's average precision of a rater with scores, at one level of the vocabulary.

    Over the classes that the rater has ever named. sizes: (n, 2) width and height in pixels of the
    images that both have answered for.
    """
    two, names = Located.of(TASK, [gold.answers, other.answers]), (gold.name, other.name)
    kept = np.flatnonzero(comparable(level, gold, other))
    gold, other = gold.only(two.images), other.only(two.images)
    true, found = Shown.of(gold, level, kept), Shown.of(other, level, kept)
    if np.isnan(other.answers.numbers["score"][found.row]).any():
        for name in FIGURES:
            yield Measured(TASK, f"coco_{name}", names, not_estimable(UNSCORED), level.name)
        return
    truths = Truths.of_ratios(
        true.boxes.image,
        true.concept,
        true.boxes.boxes,
        sizes[true.boxes.image],
        gold.answers.numbers["crowd"][true.row] > 0,
    )
    detections = Detections.of_ratios(
        found.boxes.image,
        found.concept,
        found.boxes.boxes,
        other.answers.numbers["score"][found.row],
        sizes[found.boxes.image],
    )
    precision = average_precision(
        truths, detections, np.arange(two.n), settings.of(two.images), settings.how
    )
    for name in FIGURES:
        yield Measured(TASK, f"coco_{name}", names, precision.figures[name], level.name)
    for concept, value in precision.categories.items():
        yield Measured(TASK, "coco_AP", names, value, level.name, level.labels[concept])


def named_of_gold(gold: Speech, other: Speech, level: Level) -> str:
    """How many of gold's classes a rater has words for, for a reader: AP is over these alone."""
    all_classes = level.emitted(gold.can_say())
    named = all_classes & comparable(level, gold, other)
    return (
        f"AP of {other.name} is over {int(named.sum())} of {int(all_classes.sum())} classes of "
        f"{gold.name}: those that it has named in any image."
    )
