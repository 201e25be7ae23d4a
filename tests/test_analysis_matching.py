"""The matching of boxes: the best there is, for a whole study at once; and agreement by it."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from benchmarks import boxes as bench
from visionhub.analysis import assignment, boxes, matching
from visionhub.analysis.boxes import Boxes, iou
from visionhub.analysis.matching import agreement, candidates, match, moments
from visionhub.analysis.resample import Resampling

HOW = Resampling(draws=300, seed=1)
# Few places and sizes, so that boxes overlap often and ties are the rule.
SIDE, SIZE = st.integers(0, 6), st.integers(0, 5)
BOX = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), SIDE, SIDE, SIZE, SIZE)
DRAWN = st.lists(st.tuples(st.integers(0, 3), BOX, st.integers(0, 1)), max_size=24)
LEAST = st.sampled_from([0.05, 0.3, 0.5, 0.6, 0.75, 1.0])


def boxes_of(rows, categories=True) -> Boxes:
    rows = sorted(rows, key=lambda row: row[0])
    image, boxes, category = zip(*rows, strict=True) if rows else ([], [], [])
    return Boxes.of(image, boxes, category if categories else None)


def total(a: Boxes, b: Boxes, least: float) -> float:
    """The greatest sum of overlaps, image by image, by scipy."""
    best = 0.0
    for image in set(a.image.tolist()) & set(b.image.tolist()):
        mine, theirs = a.take(a.image == image), b.take(b.image == image)
        shared = iou(mine.boxes, theirs.boxes)
        shared[shared < least] = 0
        if a.category is not None:
            shared[mine.category[:, None] != theirs.category[None]] = 0
        best += shared[linear_sum_assignment(shared, maximize=True)].sum()
    return best


def checked(a: Boxes, b: Boxes, found, least: float) -> None:
    """One to one, within an image and a category, at the overlaps that they have."""
    assert len(set(found.i.tolist())) == len(set(found.j.tolist())) == len(found.i)
    assert (np.diff(found.i) > 0).all()
    assert (a.image[found.i] == b.image[found.j]).all()
    own = [float(iou(a.boxes[i], b.boxes[j])[0, 0]) for i, j in zip(found.i, found.j, strict=True)]
    assert found.iou.tolist() == own
    assert all(value >= least for value in own)
    if a.category is not None:
        assert (a.category[found.i] == b.category[found.j]).all()


@given(DRAWN, DRAWN, LEAST, st.booleans(), st.sampled_from([(7, 7), (1, 1), (1 << 17, 1 << 20)]))
@settings(max_examples=300)
def test_the_matching_is_the_best_there_is(one, other, least, categories, pieces) -> None:
    a, b = boxes_of(one, categories), boxes_of(other, categories)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "PIECE", pieces[0])
        patch.setattr(assignment, "PIECE", pieces[1])
        found = match(candidates(a, b, 0.05), least)
        assert match(candidates(a, b, least)).i.tolist() == found.i.tolist()
    checked(a, b, found, least)
    assert found.iou.sum() == pytest.approx(total(a, b, least), abs=1e-9)


WEIGHTS = st.sampled_from([0.3, 0.4, 0.5, 0.55, 0.6, 0.9, 1.0])


@given(
    st.dictionaries(st.tuples(st.integers(0, 30), st.integers(0, 30)), WEIGHTS, max_size=90),
    st.sampled_from([0, 1, 8]),
    st.sampled_from([0, 2, 5]),
)
@example({(0, 0): 0.9, (0, 1): 0.5, (1, 0): 0.5}, 8, 5)
@example({(x, y): 0.5 for x in range(7) for y in range(6)}, 8, 5)
@settings(max_examples=300)
def test_any_graph_is_solved_whatever_way_is_taken(edges, rounds, tried) -> None:
    """Without rounds all is left to permutations or scipy; at 0 members tried, to scipy alone."""
    i, j = np.array(list(edges), dtype=int).reshape(-1, 2).T
    weight = np.array(list(edges.values()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "ROUNDS", rounds)
        patch.setattr(assignment, "TRIED", tried)
        chosen = assignment.assign(i, j, weight)
    full = np.zeros((31, 31))
    full[i, j] = weight
    best = full[linear_sum_assignment(full, maximize=True)].sum()
    assert len(set(i[chosen].tolist())) == len(set(j[chosen].tolist())) == chosen.sum()
    assert weight[chosen].sum() == pytest.approx(best, abs=1e-9)


def test_examples() -> None:
    for module in (assignment, matching):
        assert doctest.testmod(module).attempted > 1
        assert doctest.testmod(module).failed == 0


def test_a_long_row_of_boxes_is_one_case_for_scipy() -> None:
    """Each box overlaps with two neighbours of the other side, so that all hang together."""
    at = np.arange(40.0)
    row = np.stack([at, 0 * at, at + 1, 0 * at + 1], axis=1)
    a, b = Boxes.of([0] * 40, row), Boxes.of([0] * 40, row + np.array([0.5, 0, 0.5, 0]))
    found = match(candidates(a, b, 0.2))
    assert found.iou.tolist() == pytest.approx([1 / 3] * 40)


def test_two_fair_pairs_count_more_than_one_good_pair() -> None:
    a = Boxes.of([0, 0], [[0, 0, 10, 10], [0, 0, 10, 20]])
    b = Boxes.of([0, 0], [[0, 0, 10, 11], [0, 0, 10, 6]])
    found = match(candidates(a, b, 0.35))
    assert found.j.tolist() == [1, 0]
    assert found.iou.tolist() == pytest.approx([0.6, 0.55])
    alone = match(candidates(a, b, 0.35), 0.7)
    assert (alone.i.tolist(), alone.j.tolist()) == ([0], [0])


def test_a_pair_below_the_threshold_displaces_nothing() -> None:
    """By all overlaps the two crossed pairs are better; one of them is no pair at .5."""
    a = Boxes.of([0, 0], [[0, 0, 10, 10], [0, 0, 10, 19]])
    b = Boxes.of([0, 0], [[0, 0, 10, 10.5], [0, 0, 10, 4.9]])
    found = match(candidates(a, b, 0.3))
    assert found.j.tolist() == [1, 0]
    assert match(candidates(a, b, 0.3), 0.5).j.tolist() == [0]


def test_categories_can_be_left_out_of_account() -> None:
    a, b = Boxes.of([0], [0, 0, 1, 1], [1]), Boxes.of([0], [0, 0, 1, 1], [2])
    assert len(candidates(a, b, 0.5).i) == 0
    assert len(candidates(a, b, 0.5, same_category=False).i) == 1


@pytest.mark.parametrize("least", [0, -0.5, 1.01, float("nan")])
def test_a_threshold_that_is_none_is_refused(least) -> None:
    with pytest.raises(ValueError, match="above 0"):
        candidates(Boxes.of([], []), Boxes.of([], []), least)


def test_what_does_not_fit_is_refused() -> None:
    a, b = Boxes.of([0], [0, 0, 1, 1], [1]), Boxes.of([0], [0, 0, 1, 1])
    with pytest.raises(ValueError, match="some raters have categories"):
        candidates(a, b, 0.5)
    with pytest.raises(ValueError, match="were not kept"):
        match(candidates(b, b, 0.5), 0.4)
    with pytest.raises(ValueError, match="2 sources for 1 units"):
        agreement(candidates(b, b, 0.5), 1, [0.5], np.array([0, 1]))


@pytest.fixture
def pair() -> tuple[Boxes, Boxes]:
    """Four images: one pair of IoU .8 and one box of `a` alone; one of `b` alone; none; a pair."""
    a = Boxes.of([0, 0, 3], [[0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 2, 2]])
    b = Boxes.of([0, 1, 3], [[0, 0, 10, 8], [0, 0, 1, 1], [0, 0, 2, 2]])
    return a, b


def test_scenes_like_those_of_the_benchmark_are_matched_as_by_a_loop() -> None:
    a, b = bench.scenes(300, 2)
    for thresholds in ((0.3, 0.5, 0.75), (0.1,)):
        best = bench.Loop(a, b, 300).run(thresholds)
        assert bench.together(a, b, thresholds) == pytest.approx(best, abs=1e-9)


def test_moments_say_what_each_image_contributes(pair) -> None:
    table = moments(match(candidates(*pair, 0.3)), *pair, 5)
    assert table.tolist() == [[1, 1, 0, 0.8], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 1], [0] * 4]


def test_agreement_by_hand(pair) -> None:
    low, high = agreement(candidates(*pair, 0.3), 5, (0.3, 0.9), how=HOW)
    assert (low.matched, low.only_a, low.only_b) == (2, 1, 1)
    assert (low.images, low.both_empty, low.threshold) == (3, 2, 0.3)
    assert low.precision.value == low.recall.value == low.f1.value == pytest.approx(2 / 3)
    assert low.mean_iou.value == pytest.approx(0.9)
    assert low.quality.value == pytest.approx(0.6)
    assert (low.f1.n, low.f1.clusters) == (3, 3)
    assert (high.matched, high.mean_iou.value) == (1, 1)
    assert high.quality.value == high.f1.value == pytest.approx(1 / 3)


def test_agreement_the_other_way_round_has_precision_and_recall_exchanged() -> None:
    a = Boxes.of([0, 1, 2], [[0, 0, 1, 1]] * 3)
    b = Boxes.of([0, 0, 1, 2, 3], [[0, 0, 1, 1], [5, 5, 6, 6], [0, 0, 1, 1]] + [[8, 8, 9, 9]] * 2)
    [one] = agreement(candidates(a, b, 0.5), 4, [0.5], how=HOW)
    [other] = agreement(candidates(b, a, 0.5), 4, [0.5], how=HOW)
    assert (one.precision.value, one.recall.value) == pytest.approx((2 / 3, 2 / 5))
    assert (other.precision, other.recall, other.f1) == (one.recall, one.precision, one.f1)


def test_agreement_takes_whole_sources_and_leaves_empty_images_out() -> None:
    a = Boxes.of(np.arange(60), [[0, 0, 1, 1]] * 60)
    b = a.take(np.arange(0, 60, 2))
    sources = np.repeat(np.arange(35), 2)
    [found] = agreement(candidates(a, b, 0.5), 70, [0.5], sources, HOW)
    assert (found.images, found.both_empty) == (60, 10)
    assert (found.precision.n, found.precision.clusters) == (60, 30)
    assert found.precision.value == 0.5
    assert "too little varies" in found.precision.reason  # each source has one of its two
    [alone] = agreement(candidates(a, b, 0.5), 70, [0.5], None, HOW)
    assert alone.precision.low < 0.5 < alone.precision.high


def test_what_cannot_be_estimated_says_why() -> None:
    nothing, some = Boxes.of([], []), Boxes.of(range(9), [[0, 0, 1, 1]] * 9)
    [found] = agreement(candidates(nothing, some, 0.5), 9, [0.5], how=HOW)
    assert found.precision.reason == "the first rater drew no box"
    assert found.mean_iou.reason == "no two boxes are matched"
    assert (found.recall.value, found.f1.value, found.quality.value) == (0, 0, 0)
    [found] = agreement(candidates(some, nothing, 0.5), 9, [0.5], how=HOW)
    assert found.recall.reason == "the second rater drew no box"
    [found] = agreement(candidates(nothing, nothing, 0.5), 9, [0.5], how=HOW)
    assert (found.images, found.both_empty, found.f1.reason) == (0, 9, "nothing to compare")
