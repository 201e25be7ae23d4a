"""Sources of images and photographs, by name, some unknown: alike wherever they are taken."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from visionhub.analysis.box_alpha import box_alpha
from visionhub.analysis.boxes import Boxes
from visionhub.analysis.coco import Detections, Truths, average_precision
from visionhub.analysis.drift_flips import flips
from visionhub.analysis.drift_scores import Scores
from visionhub.analysis.matching import agreement, candidates
from visionhub.analysis.pairs import Pair, Side, returned_by_source
from visionhub.analysis.resample import Resampling
from visionhub.analysis.set_alpha import set_alpha
from visionhub.analysis.sets import Overlaps, Sets

HOW = Resampling(draws=50)
IMAGES = 12
NAMES = ["a", "b", None, "c", "d", "a", None, "b", "e", "c", "d", "e"]
NUMBERS = np.array([0, 1, 5, 2, 3, 0, 6, 1, 4, 2, 3, 4])  # the same, with those unknown apart
KNOWN = 7


def sets(rows) -> Sets:
    rows = np.asarray(rows)
    image = np.arange(IMAGES)
    return Sets.of(IMAGES, 3, image, rows, np.full(IMAGES, 0.9), np.ones(IMAGES, dtype=np.int64))


FIRST, SECOND = sets([0, 1, 2, 0] * 3), sets([0, 1, 1, 0, 2, 1] * 2)
FLOOR = np.full(IMAGES, 0.5)
PAIR = Pair.of(Side(FIRST, 0.5, FLOOR), Side(SECOND, 0.5, FLOOR))
BOXES = [Boxes.of(range(IMAGES), [[0, 0, 4, 4]] * IMAGES), Boxes.of(range(8), [[0, 0, 4, 4]] * 8)]


def of_sets(sources):
    return set_alpha([FIRST, SECOND], sources=sources, how=HOW)


def of_overlaps(sources):
    return Overlaps.of(FIRST, SECOND).sums(sources)


def of_pairs(sources):
    return returned_by_source(PAIR, np.arange(3), sources)


def of_flips(sources):
    image, first, second = PAIR.image, PAIR.first, PAIR.second
    ceilings = FLOOR[image], FLOOR[image]
    return flips(PAIR, Scores(image, first, second, ceilings, "probability"), sources, HOW)


def of_boxes(sources):
    return agreement(candidates(*BOXES, 0.5), IMAGES, [0.5], sources, HOW)


def of_box_alpha(sources):
    return box_alpha(BOXES, IMAGES, sources=sources, how=HOW)


def of_photographs(sources):
    truths = Truths.of([(at, 7, [0, 0, 50, 50], 2500, False) for at in range(IMAGES)])
    found = Detections.of([(at, 7, [0, 0, 50, 40 + at], 0.9) for at in range(IMAGES)])
    return average_precision(truths, found, range(IMAGES), sources, HOW)


ALL = [of_sets, of_overlaps, of_pairs, of_flips, of_boxes, of_box_alpha, of_photographs]


def plain(found):
    """Sums of arrays as what can be compared."""
    if not hasattr(found, "sums"):
        return found
    table = found.sums.todense() if hasattr(found.sums, "todense") else found.sums
    return np.asarray(table).tolist(), found.units.tolist()


@pytest.mark.parametrize("measure", ALL)
def test_sources_may_be_names_and_unknown(measure: Callable) -> None:
    expected = plain(measure(NUMBERS))
    forms = [NAMES, pd.Series(NAMES, index=range(IMAGES, 0, -1))]
    forms += [np.array([np.nan if x is None else ord(x) for x in NAMES])]
    forms += [np.ma.array(NUMBERS, mask=[x is None for x in NAMES])]
    for form in forms:
        assert plain(measure(form)) == expected


@pytest.mark.parametrize("measure", ALL)
def test_there_is_a_source_for_every_image(measure: Callable) -> None:
    for wrong in (NAMES[:-1], [*NAMES, "f"], np.arange(3), []):
        with pytest.raises(ValueError, match=f"sources for {IMAGES} units"):
            measure(wrong)


def test_the_unknown_are_not_one_source() -> None:
    assert of_sets(NAMES).clusters == KNOWN
    assert of_overlaps(NAMES).clusters == KNOWN
    assert of_photographs(NAMES).figures["AP"].clusters == KNOWN
