"""Ratings by people: numbers that several coders gave to the same images, and providers' scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from visionhub.analysis.alpha import krippendorff_alpha
from visionhub.analysis.codes import Codes
from visionhub.analysis.continuous import icc
from visionhub.analysis.frames import Floats, Integers
from visionhub.analysis.labels import Settings
from visionhub.analysis.measured import Measured
from visionhub.analysis.scored import Scored, agreement
from visionhub.analysis.spoken import Speech
from visionhub.analysis.vocabulary.level import Level

TASK = "ratings"
UNIT = "coded number"


def numeric(codes: Codes) -> list[str]:
    """Labels that a coder gave numbers other than 0 and 1."""
    found = []
    for label in codes.labels:
        values = [v for v in codes.values(label).values() if not np.isnan(v)]
        if any(value not in (0.0, 1.0) for value in values):
            found.append(label)
    return found


def measures(
    coders: Sequence[Codes],
    speeches: Sequence[Speech],
    level: Level | None,
    settings: Settings,
) -> Iterator[Measured]:
    """Each number by each two coders, by all of them, and beside the providers' scores of it.

    level: the codebook's, where a construct has the name of the rating.
    """
    for label in dict.fromkeys(label for codes in coders for label in numeric(codes)):
        those = [codes for codes in coders if label in numeric(codes)]
        images = np.unique(np.concatenate([codes.looked for codes in those]))
        table = np.stack([_column(codes, label, images) for codes in those], axis=1)
        for a, b in combinations(range(len(those)), 2):
            pair = [
                Scored.of_numbers(those[at].name, UNIT, table[:, at], unit=UNIT) for at in (a, b)
            ]
            yield from agreement(TASK, label, pair[0], pair[1], images, settings)
        if len(those) > 2:  # noqa: PLR2004
            yield from _all(label, those, table, images, settings)
        for codes, speech in ((c, s) for c in those for s in speeches if level is not None):
            yield from _beside(codes, label, speech, level, settings)  # type: ignore[arg-type]


def _column(codes: Codes, label: str, images: Integers) -> Floats:
    values = codes.values(label)
    return np.array([values.get(image, np.nan) for image in images.tolist()])


def _all(
    label: str, coders: Sequence[Codes], table: Floats, images: Integers, settings: Settings
) -> Iterator[Measured]:
    names = tuple(codes.name for codes in coders)
    sources, how = settings.of(images), settings.how
    found = {
        "icc_agreement": icc(table, "ICC(A,1)", sources=sources, how=how),
        "alpha_interval": krippendorff_alpha(table, "interval", sources=sources, how=how),
        "alpha_ordinal": krippendorff_alpha(table, "ordinal", sources=sources, how=how),
    }
    for name, value in found.items():
        yield Measured(TASK, name, names, value, thing=label)


def _beside(
    codes: Codes, label: str, speech: Speech, level: Level, settings: Settings
) -> Iterator[Measured]:
    """A coder's numbers and a provider's highest score for the construct of that name."""
    if label not in level.labels or speech.answers.rater.human:
        return
    thing = level.labels.index(label)
    if not level.asserted(speech.can_say())[thing]:
        return
    images = np.intersect1d(codes.looked, speech.answers.images)
    sets = speech.only(images).sets(level)
    score = np.full(len(images), np.nan)
    rows = sets.thing == thing
    score[sets.image[rows]] = sets.score[rows]
    rater = speech.answers.rater
    other = Scored.of_numbers(rater.name, rater.scale, score, np.isnan(score))
    mine = Scored.of_numbers(codes.name, UNIT, _column(codes, label, images), unit=UNIT)
    yield from agreement(TASK, label, mine, other, images, settings)
