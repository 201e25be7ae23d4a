"""Krippendorff's alpha for boxes: published tables, drawn as boxes; in whatever order."""

from __future__ import annotations

import doctest
import json
from collections import Counter

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visionhub.analysis import box_alpha as module
from visionhub.analysis.box_alpha import box_alpha, localise
from visionhub.analysis.boxes import Boxes
from visionhub.analysis.resample import Resampling

HOW = Resampling(draws=200, seed=1)
BOX = [0.2, 0.2, 0.6, 0.6]


def ordered(rows, categories=True) -> Boxes:
    """Boxes of (image, box, category) rows in any order."""
    rows = sorted(rows, key=lambda row: row[0])
    columns = [[row[at] for row in rows] for at in range(3)]
    return Boxes.of(*columns[: 2 + categories])


def drawn(table) -> list[Boxes]:
    """Raters x units: a unit is an image of its own, 0 is no box, else the box's category."""
    raters = []
    for row in np.array(table):
        image = np.flatnonzero(row)
        raters.append(Boxes.of(image, [BOX] * len(image), row[image]))
    return raters


@pytest.mark.parametrize("name", ["unit3", "unit2", "unit5", "unit10", "unit20"])
def test_known_answer_14_box_alpha(shared, name) -> None:
    text = (shared / "known_answers/14_box_alpha_reliability_tables.json").read_text()
    case = json.loads(text)
    table, expected = case["data"]["tables"][name], case["expected"][name]
    found = box_alpha(drawn(table), len(table[0]), how=HOW)
    assert found.alpha.value == pytest.approx(expected, abs=case["tolerance"])
    assert found.units == found.images == len(table[0])
    assert found.alone == sum(0 in pair for pair in zip(*table, strict=True))
    assert set(case["expected"]) == {"unit3", "unit2", "unit5", "unit10", "unit20"}


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=2, max_size=9))
def test_alpha_of_any_table_is_that_of_krippendorff(units) -> None:
    table = np.array(units).T
    used = table[:, table.any(axis=0)]  # what nobody has drawn is no unit
    found = box_alpha(drawn(table), table.shape[1], how=HOW)
    assert found.empty == table.shape[1] - used.shape[1]
    if len(np.unique(used)) < 2:
        assert not found.alpha.estimable
        assert found.alpha.reason
        return
    oracle = krippendorff.alpha(reliability_data=used, level_of_measurement="nominal")
    assert found.alpha.value == pytest.approx(oracle, abs=1e-12)


def things(raters, units) -> Counter:
    """Units as what they hold: image, and box and category by rater's name."""
    return Counter(
        (
            image,
            frozenset(
                (name, *rater.boxes[at], *([] if rater.category is None else [rater.category[at]]))
                for (name, rater), at in zip(raters, row, strict=True)
                if at >= 0
            ),
        )
        for image, row in zip(units.image.tolist(), units.box.tolist(), strict=True)
    )


# Few places: equal boxes, equal overlaps, and links that meet in two boxes of one rater.
SIDE, SIZE = st.integers(0, 5), st.integers(1, 4)
ANY = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), SIDE, SIDE, SIZE, SIZE)
DRAWN = st.lists(st.tuples(st.integers(0, 1), ANY, st.integers(0, 1)), max_size=8)


@given(st.lists(DRAWN, min_size=2, max_size=4), st.randoms(), st.sampled_from([0.2, 0.5]))
@settings(max_examples=100)
def test_the_order_of_raters_and_of_boxes_is_no_matter(lists, random, threshold) -> None:
    names = list(range(len(lists)))
    one = [(name, ordered(lists[name])) for name in names]
    random.shuffle(names)
    other = [(name, ordered(random.sample(lists[name], len(lists[name])))) for name in names]
    units = [localise([rater for _, rater in some], threshold) for some in (one, other)]
    assert things(one, units[0]) == things(other, units[1])
    alphas = [box_alpha([r for _, r in some], 2, threshold, how=HOW).alpha for some in (one, other)]
    assert alphas[0].estimable == alphas[1].estimable
    if alphas[0].estimable:
        assert alphas[0].value == pytest.approx(alphas[1].value)


@given(st.lists(DRAWN, min_size=2, max_size=4))
def test_every_box_is_in_one_unit_and_no_rater_twice(lists) -> None:
    raters = [ordered(rows, categories=False) for rows in lists]
    units = localise(raters, 0.3)
    assert (np.diff(units.image) >= 0).all()
    for column, rater in zip(units.box.T, raters, strict=True):
        there = column >= 0
        assert sorted(column[there].tolist()) == list(range(len(rater)))
        assert (rater.image[column[there]] == units.image[there]).all()
    assert ((units.box >= 0).any(axis=1)).all()


def test_of_links_that_bring_two_boxes_of_one_rater_together_the_weakest_is_cut() -> None:
    """A's left box is B's, B's is C's, and C's is A's right box."""
    a = Boxes.of([0, 0], [[0, 0, 10, 10], [5, 0, 15, 10]])
    b, c = Boxes.of([0], [[1, 0, 11, 10]]), Boxes.of([0], [[3.5, 0, 13.5, 10]])
    units = localise([a, b, c], 0.5)
    assert sorted(units.box.tolist()) == [[0, 0, -1], [1, -1, 0]]


def test_of_equal_boxes_those_of_one_category_are_one_thing() -> None:
    a = Boxes.of([0, 0], [BOX, BOX], [1, 2])
    b = Boxes.of([0, 0], [BOX, BOX], [2, 1])
    assert sorted(localise([a, b]).box.tolist()) == [[0, 1], [1, 0]]
    assert box_alpha([a, b], 1, how=HOW).alpha.value == 1


def test_an_image_that_a_rater_has_not_looked_at_is_unknown() -> None:
    table = [[1, 2, 1, 2, 1], [1, 2, 2, 2, 0]]
    looked = np.array([[True, True]] * 4 + [[True, False]])
    found = box_alpha(drawn(table), 5, looked=looked, how=HOW)
    oracle = krippendorff.alpha(
        reliability_data=np.array(table)[:, :4], level_of_measurement="nominal"
    )
    assert found.alpha.value == pytest.approx(oracle)


def test_things_of_one_image_or_source_stay_together() -> None:
    random = np.random.default_rng(3)
    table = random.integers(0, 3, (2, 120))
    table[:, table.sum(axis=0) == 0] = 1
    apart = drawn(table)
    found = box_alpha(apart, 120, how=HOW).alpha
    assert (found.n, found.clusters) == (120, 120)
    assert found.method == "percentile bootstrap of images, 200 draws"
    sourced = box_alpha(apart, 120, sources=np.arange(120) // 3, how=HOW).alpha
    assert (sourced.n, sourced.clusters) == (120, 40)
    assert sourced.method == "percentile bootstrap of sources, 200 draws"
    assert sourced.value == found.value


def test_what_cannot_be_compared() -> None:
    one = Boxes.of([0], [BOX], [1])
    with pytest.raises(ValueError, match="nobody to agree with"):
        localise([one])
    with pytest.raises(ValueError, match="some raters have categories"):
        localise([one, Boxes.of([0], [BOX])])
    nothing = Boxes.of([], [])
    found = box_alpha([nothing, nothing], 4, how=HOW)
    assert (found.units, found.empty, found.alpha.estimable) == (0, 4, False)
    assert found.alpha.reason


def test_examples() -> None:
    assert doctest.testmod(module).attempted > 1
    assert doctest.testmod(module).failed == 0
