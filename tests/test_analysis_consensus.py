"""The consensus of raters on boxes, and how far each departs from it."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionhub.analysis import consensus as module
from visionhub.analysis.boxes import Boxes
from visionhub.analysis.consensus import consensus, departures, majority
from visionhub.analysis.resample import Resampling

HOW = Resampling(draws=200, seed=1)
CAR, DOG = [0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]


@pytest.fixture
def raters() -> list[Boxes]:
    """Three raters and three images: all see a car; two see a dog; one sees a thing of its own."""
    return [
        Boxes.of([0, 1], [CAR, DOG], [1, 2]),
        Boxes.of([0, 1], [[0.1, 0.1, 0.5, 0.52], DOG], [1, 2]),
        Boxes.of([0, 2], [[0.1, 0.1, 0.5, 0.48], CAR], [1, 1]),
    ]


def test_what_most_raters_see_stands(raters) -> None:
    found = consensus(raters)
    assert found.boxes.image.tolist() == [0, 1]
    assert found.boxes.category.tolist() == [1, 2]
    assert found.boxes.boxes.tolist() == [pytest.approx(CAR), pytest.approx(DOG)]
    assert found.raters.tolist() == [3, 2]
    assert found.sure.tolist() == pytest.approx([1, 2 / 3])


def test_the_quorum_is_what_is_asked_for(raters) -> None:
    assert len(consensus(raters, quorum=1).boxes) == 3
    assert len(consensus(raters, quorum=3).boxes) == 1
    assert [majority(n) for n in (2, 3, 4, 5)] == [2, 2, 3, 3]


def test_categories_keep_boxes_apart() -> None:
    one, other = Boxes.of([0], [CAR], [1]), Boxes.of([0], [CAR], [2])
    assert len(consensus([one, other]).boxes) == 0
    plain = consensus([Boxes.of([0], [CAR]), Boxes.of([0], [CAR])])
    assert (len(plain.boxes), plain.boxes.category) == (1, None)


def test_scores_and_weights_pull_the_box() -> None:
    pair = [Boxes.of([0], [[0, 0, 0.4, 0.4]]), Boxes.of([0], [[0, 0, 0.5, 0.4]])]
    assert consensus(pair).boxes.boxes[0, 2] == pytest.approx(0.45)
    assert consensus(pair, [[1], [0.25]]).boxes.boxes[0, 2] == pytest.approx(0.42)
    assert consensus(pair, weights=[1, 3]).boxes.boxes[0, 2] == pytest.approx(0.475)


SIDE, SIZE = st.integers(0, 6), st.integers(0, 4)
BOX = st.builds(
    lambda x, y, w, h: (x / 12, y / 12, (x + w) / 12, (y + h) / 12), SIDE, SIDE, SIZE, SIZE
)
DRAWN = st.lists(st.tuples(st.integers(0, 2), BOX, st.integers(0, 1)), max_size=8)


@given(st.lists(DRAWN, min_size=2, max_size=4), st.randoms())
def test_the_order_of_raters_and_of_boxes_is_no_matter(drawn, random) -> None:
    def made(rows):
        ordered = sorted(rows, key=lambda row: row[0])
        return Boxes.of(*map(list, zip(*ordered, strict=True))) if rows else EMPTY

    one = consensus([made(rows) for rows in drawn], quorum=1)
    mixed = [made(random.sample(rows, len(rows))) for rows in random.sample(drawn, len(drawn))]
    assert rows_of(one) == rows_of(consensus(mixed, quorum=1))


EMPTY = Boxes.of([], [], [])


def rows_of(found):
    columns = (found.boxes.image, found.boxes.category, found.raters, *found.boxes.boxes.T.round(9))
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_each_rater_departs_as_far_as_it_does(raters) -> None:
    first, second, third = departures(raters, 4, how=HOW)
    assert (first.precision.value, first.recall.value) == (1, 1)
    assert first.mean_iou.value == pytest.approx(1)
    assert second.f1.value == 1
    assert second.mean_iou.value == pytest.approx((0.4 / 0.42 + 1) / 2)
    assert (third.precision.value, third.recall.value) == (0.5, 0.5)
    assert (third.images, third.both_empty) == (3, 1)


def test_a_rater_may_be_left_out_of_what_it_is_compared_with(raters) -> None:
    first, _, third = departures(raters, 4, left_out=True, how=HOW)
    assert (first.only_a, first.only_b) == (1, 0)  # the dog is seen by one of two others
    assert (third.matched, third.only_a, third.only_b) == (1, 1, 1)
    one, other = departures(raters[:2], 4, left_out=True, how=HOW)
    assert one.mean_iou == other.mean_iou
    assert one.mean_iou.value == pytest.approx((0.4 / 0.42 + 1) / 2)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda a, b: consensus([a, b], quorum=3), "a quorum of 3 of 2 raters"),
        (lambda a, b: consensus([a, b], quorum=0), "a quorum of 0"),
        (lambda a, b: consensus([]), "a quorum of"),
        (lambda a, b: departures([a], 1, left_out=True), "a quorum of"),
        (lambda a, b: consensus([a, b], [[1, 1], [1]]), "one score"),
        (lambda a, b: consensus([a, b], [[1], [7]]), "from 0 to 1"),
        (lambda a, b: consensus([a, Boxes.of([0], [CAR])]), "some raters have categories"),
        (lambda a, b: consensus([a, Boxes.of([0], [[0, 0, 9, 9]], [1])]), "outside the image"),
    ],
)
def test_what_cannot_be_agreed_on_is_refused(call, why, raters) -> None:
    one = Boxes.of([0], [CAR], [1])
    with pytest.raises(ValueError, match=why):
        call(one, one)


def test_nobody_sees_anything() -> None:
    assert len(consensus([EMPTY, EMPTY]).boxes) == 0
    none = Boxes.of([], [])
    assert len(consensus([none, none]).boxes) == 0
    assert departures([none, none], 3, how=HOW)[0].f1.reason == "nothing to compare"


def test_examples() -> None:
    assert doctest.testmod(module).attempted > 1
    assert doctest.testmod(module).failed == 0
