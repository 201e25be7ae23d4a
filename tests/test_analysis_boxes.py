"""Boxes: areas and overlaps, by hand, as published, and against the reference implementation."""

from __future__ import annotations

import doctest
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionhub.analysis import boxes
from visionhub.analysis.boxes import Boxes, areas, as_boxes, from_xywh, iou, paired_iou

SIDE = st.integers(0, 12)
SOME = st.lists(st.tuples(SIDE, SIDE, SIDE, SIDE), max_size=6)


def test_known_answer_15_iou_of_boxes(shared) -> None:
    case = json.loads((shared / "known_answers/15_iou_boxes.json").read_text())
    first, second = (from_xywh([pair[at] for pair in case["data"]["pairs"]]) for at in (0, 1))
    assert paired_iou(first, second) == pytest.approx(case["expected"], abs=case["tolerance"])
    assert np.diag(iou(first, second)) == pytest.approx(case["expected"], abs=case["tolerance"])


def test_examples() -> None:
    assert doctest.testmod(boxes).attempted == 5
    assert doctest.testmod(boxes).failed == 0


@given(SOME, SOME)
def test_overlaps_are_those_of_pycocotools(a, b) -> None:
    from pycocotools import mask

    # Sides from 1: pycocotools divides by nothing where neither box has an area.
    a, b = ([(x, y, 1 + w, 1 + h) for x, y, w, h in some] for some in (a, b))
    found = iou(from_xywh(a), from_xywh(b))
    assert found.shape == (len(a), len(b))
    if a and b:
        oracle = mask.iou(np.array(a, float), np.array(b, float), [0] * len(b))
        assert found == pytest.approx(oracle, abs=1e-12)


@given(SOME)
def test_a_box_overlaps_wholly_with_itself_and_not_at_all_without_an_area(some) -> None:
    """Corners in any order: some end before they begin."""
    own = np.diag(iou(some, some)) if some else np.zeros(0)
    assert own.tolist() == [float(x1 > x0 and y1 > y0) for x0, y0, x1, y1 in some]
    assert iou(some, some).tolist() == iou(some, some).T.tolist()
    assert (areas(some) >= 0).all()


def test_touching_boxes_have_nothing_in_common() -> None:
    """With the extra pixel of older benchmarks they would."""
    assert paired_iou([0, 0, 5, 5], [5, 0, 10, 5]).tolist() == [0]
    assert paired_iou([0, 0, 0.5, 0.5], [0.25, 0, 0.75, 0.5]).tolist() == pytest.approx([1 / 3])


def test_none_one_and_many_are_taken_as_lists_or_arrays() -> None:
    assert as_boxes([]).shape == (0, 4)
    assert as_boxes((1, 2, 3, 4)).tolist() == [[1, 2, 3, 4]]
    assert iou([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert iou(np.float32([[0, 0, 1, 1]]), []).shape == (1, 0)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: as_boxes([1, 2, 3]), "four numbers"),
        (lambda: as_boxes([[[0, 0, 1, 1]]]), "four numbers"),
        (lambda: iou([0, 0, 1, float("nan")], [0, 0, 1, 1]), "no number"),
        (lambda: paired_iou([0, 0, 1, 1], []), "cannot be paired"),
        (lambda: Boxes.of([0, 1], [[0, 0, 1, 1]]), "different length"),
        (lambda: Boxes.of([0], [[0, 0, 1, 1]], [1, 2]), "different length"),
        (lambda: Boxes.of([1, 0], [[0, 0, 1, 1]] * 2), "order of their images"),
        (lambda: Boxes.of([-1], [[0, 0, 1, 1]]), "order of their images"),
        (lambda: Boxes.of([0.5], [[0, 0, 1, 1]]), "whole numbers"),
        (lambda: Boxes.of([7], [[0, 0, 1, 1]]).counts(7), "a box of image 7"),
    ],
)
def test_what_is_no_box_is_refused(call, why) -> None:
    with pytest.raises(ValueError, match=why):
        call()


def test_counts_and_parts_of_a_raters_boxes() -> None:
    mine = Boxes.of([0, 0, 3], [[0, 0, 1, 1], [1, 1, 2, 2], [2, 2, 3, 3]], [7, 8, 9])
    assert mine.counts(5).tolist() == [2, 0, 0, 1, 0]
    part = mine.take(np.array([False, True, True]))
    assert (part.image.tolist(), part.category.tolist(), len(part)) == ([0, 3], [8, 9], 2)
    assert Boxes.of([], []).counts(2).tolist() == [0, 0]
