"""Ratings by people: numbers that several coders gave to the same images, and providers' scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from visionhub.analysis.alpha import krippendorff_alpha
from visionhub.analysis.codes import Codes
from visionhub.analysis.frames import Floats, Integers
from visionhub.analysis.intraclass import icc
from visionhub.analysis.measured import Measured
from visionhub.analysis.scored import Scored, agreement
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import Speech
from visionhub.analysis.vocabulary.level import Level

TASK = "ratings"
UNIT = "coded number"


def measures(
    coders: Sequence[Codes],
    speeches: Sequence[Speech],
    level: Level | None,
    settings: Settings,
) -> Iterator[Measured]:
    """Each number by each two coders, by all of them, and beside the providers' scores of it.

    level: the codebook's, where a construct has the name of the rating, whatever its case.
    """
    for label in dict.fromkeys(one for codes in coders for one in codes.labels):
        those = [codes for codes in coders if label in codes.ratings & set(codes.labels)]
        if not those:
            continue
        images = np.unique(np.concatenate([codes.image for codes in those]))
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
    names = [name.casefold() for name in level.labels]
    if label.casefold() not in names or speech.answers.rater.human:
        return
    thing = names.index(label.casefold())
    if not level.asserted(speech.can_say())[thing]:
        return
    images = np.intersect1d(codes.image, speech.answers.images)
    sets = speech.only(images).sets(level)
    score, silent = np.full(len(images), np.nan), np.ones(len(images), dtype=np.bool_)
    rows = sets.thing == thing
    score[sets.image[rows]] = sets.score[rows]
    silent[sets.image[rows]] = False  # without a score, yet said: its score is missing, not low
    rater = speech.answers.rater
    other = Scored.of_numbers(rater.name, rater.scale, score, silent)
    mine = Scored.of_numbers(codes.name, UNIT, _column(codes, label, images), unit=UNIT)
    yield from agreement(TASK, label, mine, other, images, settings)
