"""Krippendorff's alpha, against published data and two other implementations."""

from __future__ import annotations

import itertools

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.distance import masi_distance as nltk_masi

from tests.known_answers import case, examples, near
from visionhub.analysis import alpha, alpha_of_sets, rated
from visionhub.analysis.alpha import alpha_of_distances, coincidence_matrix, krippendorff_alpha
from visionhub.analysis.alpha_of_sets import jaccard_distance, masi_distance, set_alpha
from visionhub.analysis.rated import Ratings
from visionhub.analysis.resample import Resampling

METRICS = ["nominal", "ordinal", "interval", "ratio"]
FEW = Resampling(draws=100)
NONE = float("nan")
tables = st.integers(2, 5).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([1, 2, 3, 5, 8, NONE]), min_size=raters, max_size=raters),
        min_size=2,
        max_size=20,
    )
)


@pytest.mark.parametrize("metric", METRICS)
def test_known_answer_01_krippendorff_2011(shared, metric) -> None:
    found = case(shared, "01_krippendorff_2011_example_c")
    units = list(zip(*found["data"]["ratings"], strict=True))  # it has a row an observer
    estimate = krippendorff_alpha(units, metric)
    near(estimate.value, found["expected"][metric], found["tolerance"])
    assert estimate.n == 11
    assert coincidence_matrix(units)[0].sum() == pytest.approx(40)


@pytest.mark.parametrize("distance", [jaccard_distance, masi_distance])
def test_known_answer_02_sets(shared, distance) -> None:
    found = case(shared, "02_set_valued_alpha_jaccard_masi")
    expected, name = found["expected"], distance.__name__.removesuffix("_distance")
    near(set_alpha(found["data"]["units"], distance).value, expected[f"alpha_{name}"], 1e-9)
    apart = [distance(set(a), set(b)) for a, b in found["data"]["distance_pairs"]]
    near(apart, expected[f"{name}_distances"], 1e-9)


def test_known_answer_03_alpha_of_counts(shared) -> None:
    """All raters have answered: where a known package forgets a factor."""
    found = case(shared, "03_fleiss_1971_psychiatric_diagnoses")
    expected = found["expected"]["krippendorff_alpha_nominal"]
    counts = Ratings.of_counts(found["data"]["counts_subject_by_category"])
    near(krippendorff_alpha(counts).value, expected, 1e-9)
    near(krippendorff_alpha(found["data"]["ratings_subject_by_rater"]).value, expected, 1e-9)


def test_known_answer_04_alpha_with_missing_ratings(shared) -> None:
    found = case(shared, "04_gwet_4raters_12subjects_missing")
    rows, expected = found["data"]["ratings"], found["expected"]
    near(krippendorff_alpha(rows).value, expected["alpha"], found["tolerance"])
    near(krippendorff_alpha(rows, "interval").value, expected["alpha_quadratic"], 6e-6)


def test_known_answer_05_alpha_of_a_table(shared) -> None:
    found = case(shared, "05_gwet_two_abstractors_3x3")
    estimate = krippendorff_alpha(Ratings.of_table(found["data"]["table"]))
    near(estimate.value, found["expected"]["alpha"], found["tolerance"])
    assert estimate.n == 100


@given(tables, st.sampled_from(METRICS))
def test_alpha_is_that_of_the_krippendorff_package(rows, metric) -> None:
    found = krippendorff_alpha(rows, metric, how=FEW)
    pairable = [[x for x in row if not np.isnan(x)] for row in rows]
    values = {x for row in pairable if len(row) > 1 for x in row}
    if len(values) < 2:
        assert found.value is None
        assert found.reason
        return
    theirs = krippendorff.alpha(np.transpose(rows), level_of_measurement=metric)
    assert found.value == pytest.approx(theirs)


@given(tables)
def test_alpha_of_any_distance_is_its_definition(rows) -> None:
    """1 - D_o / D_e over pairs of values, in plain loops."""

    def distance(a, b) -> float:
        return abs(a - b) ** 0.5

    units = [[x for x in row if not np.isnan(x)] for row in rows]
    units = [unit for unit in units if len(unit) > 1]
    values = [x for unit in units for x in unit]
    within = [
        sum(distance(a, b) for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
        for unit in units
    ]
    apart = [distance(a, b) for a, b in itertools.permutations(values, 2)]
    found = krippendorff_alpha(rows, distance, how=FEW)
    if sum(apart):
        expected = 1 - np.sum(within) / len(values) / np.mean(apart)
        assert found.value == pytest.approx(expected)
    else:
        assert found.value is None
    codes = [
        [-1 if np.isnan(x) else {1: 0, 2: 1, 3: 2, 5: 3, 8: 4}[x] for x in row] for row in rows
    ]
    table = [[distance(a, b) for a in (1, 2, 3, 5, 8)] for b in (1, 2, 3, 5, 8)]
    again = alpha_of_distances(codes, table, how=FEW)
    assert again.value == (None if found.value is None else pytest.approx(found.value))


@given(tables, st.sampled_from(METRICS))
def test_the_order_of_raters_and_units_does_not_matter(rows, metric) -> None:
    found = krippendorff_alpha(rows, metric, how=FEW)
    turned = krippendorff_alpha([row[::-1] for row in rows[::-1]], metric, how=FEW)
    assert turned.value == (None if found.value is None else pytest.approx(found.value))


@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_is_that_of_units_drawn_one_by_one(metric) -> None:
    """Each draw is computed again by the other package, expected disagreement with it."""
    random = np.random.default_rng(4)
    truth = random.integers(1, 6, 60)
    rows = np.clip(truth[:, None] + random.integers(-1, 2, (60, 3)), 1, 5).astype(float)
    rows[random.random(rows.shape) < 0.1] = np.nan
    drawn = [
        krippendorff.alpha(rows[random.integers(0, 60, 60)].T, level_of_measurement=metric)
        for _ in range(800)
    ]
    found = krippendorff_alpha(rows, metric)
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.03)


def test_sources_widen_the_interval_and_equal_units_are_counted() -> None:
    random = np.random.default_rng(6)
    first = random.integers(0, 3, 200)
    rows = np.column_stack([first, np.where(random.random(200) < 0.7, first, 0)])
    alone = krippendorff_alpha(rows)
    copied = krippendorff_alpha(np.repeat(rows, 5, axis=0), sources=np.repeat(np.arange(200), 5))
    assert copied.clusters == 200
    assert copied.n == 1000
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high), abs=0.03)
    naive = krippendorff_alpha(np.repeat(rows, 5, axis=0))
    assert naive.high - naive.low < 0.6 * (copied.high - copied.low)


def test_words_have_an_order_only_by_levels() -> None:
    rows = [["low", "low"], ["mid", "low"], ["top", "top"], ["mid", "mid"], ["top", None]]
    numbers = [[1, 1], [2, 1], [3, 3], [2, 2], [3, None]]
    levels = ["low", "mid", "top"]
    found = krippendorff_alpha(rows, "ordinal", levels=levels)
    assert found.value == pytest.approx(krippendorff_alpha(numbers, "ordinal").value)
    for metric in METRICS[1:]:
        with pytest.raises(ValueError, match="is for numbers"):
            krippendorff_alpha(rows, metric)
    with pytest.raises(ValueError, match="0 and above"):
        krippendorff_alpha([[-1, 1], [1, 1]], "ratio")
    with pytest.raises(ValueError, match="a metric is"):
        krippendorff_alpha(rows, "euclid")


def test_distances_are_checked() -> None:
    for table in ([[0, 1]], [[0, 1], [2, 0]], [[1, 1], [1, 0]], [[0]]):
        with pytest.raises(ValueError, match=r"distances are|values are"):
            alpha_of_distances([[0, 1]], table)


def test_numbers_of_values_are_whole_and_no_distance_is_missing() -> None:
    table = [[0, 1], [1, 0]]
    for wrong in ([[0, 1.7], [1, 1]], [[0, 2], [1, 1]], [[-2, 0], [1, 1]]):
        with pytest.raises(ValueError, match="values are whole numbers from 0 to 1"):
            alpha_of_distances(wrong, table)
    with pytest.raises(ValueError, match="units x raters, these have 1 dim"):
        alpha_of_distances([0, 1], table)
    shown = alpha_of_distances([[0, 0, -1], [1, 0, 1]], table)
    masked = np.ma.array([[0, 0, 1], [1, 0, 1]], mask=[[0, 0, 1], [0, 0, 0]])
    for form in ([[0, 0, None], [1, 0, 1]], masked):
        assert alpha_of_distances(form, table) == shown
    with pytest.raises(ValueError, match="the distance of 2 and 1 is nan"):
        krippendorff_alpha([[1, 1], [1, 2]], lambda *_: NONE)


def test_ranks_of_many_different_values_have_a_value_only(monkeypatch) -> None:
    random = np.random.default_rng(0)
    rows = np.cumsum(random.random((300, 2)), axis=1)
    whole = krippendorff_alpha(rows, "ordinal", how=FEW)
    monkeypatch.setattr(alpha, "MOST_PAIRS", 10)
    found = krippendorff_alpha(rows, "ordinal", how=FEW)
    assert found.value == whole.value
    assert "put them in groups" in found.reason
    monkeypatch.setattr(alpha, "MOST", 10)
    assert "put them in groups" in krippendorff_alpha(rows, "ratio").reason
    assert krippendorff_alpha(rows, "interval", how=FEW).low is not None


@given(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_distances_of_sets(a, b) -> None:
    for distance in (jaccard_distance, masi_distance):
        assert distance(a, b) == distance(b, a)
        assert (distance(a, b) == 0) == (a == b)
        assert 0 <= distance(a, b) <= 1
    if a or b:
        assert masi_distance(a, b) == pytest.approx(nltk_masi(a, b), abs=0.004)  # it rounds 2/3
    assert masi_distance(a, b) >= jaccard_distance(a, b)


def test_sets_are_no_texts_and_come_in_tables() -> None:
    units = [[{"f", "s"}, None, {"s"}], [{"s"}, {"s"}, {"s", "e"}], [{"f"}, {"e"}, None]]
    expected = set_alpha(units).value
    listed = [[None if one is None else sorted(one) for one in unit] for unit in units]
    forms = [pd.DataFrame(units), pd.DataFrame(listed), listed]
    forms += [[[NONE if x is None else x for x in unit] for unit in units]]
    forms += [[[pd.NA if x is None else x for x in unit] for unit in units]]
    assert [set_alpha(form).value for form in forms] == [expected] * 5
    assert jaccard_distance([1, 2], [1, 2]) == 0.0
    assert masi_distance((1, 2), [1]) == pytest.approx(2 / 3)
    for distance in (jaccard_distance, masi_distance):
        with pytest.raises(TypeError, match="a set or a list of labels, not 'ab'"):
            distance("ab", {"a"})
    with pytest.raises(TypeError, match="a set or a list of labels, not 'cat'"):
        set_alpha([["cat", "dog"], ["cat", "cat"]])
    with pytest.raises(TypeError, match="a set or a list of labels, not 1"):
        set_alpha([[1, 2], [1, 1]])


def test_sets_may_be_missing_and_ragged() -> None:
    units = [[{1}, {1}, {1, 2}], [{2}, None, {2}], [{3}, {1}], [None, {9}, None], [set(), set()]]
    found = set_alpha(units)
    padded = [[frozenset(s) if s is not None else None for s in u] + [None] for u in units]
    again = krippendorff_alpha([u[:3] for u in padded], jaccard_distance)
    assert found.value == pytest.approx(again.value)
    assert found.n == 4


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "no unit has two ratings"),
        ([[1, None], [None, 2]], "no unit has two ratings"),
        ([[4, 4]] * 7, "all values are the same"),
    ],
)
@pytest.mark.parametrize("metric", METRICS)
def test_what_has_no_value_says_why(rows, reason, metric) -> None:
    found = krippendorff_alpha(rows, metric)
    assert found.value is None
    assert found.reason.startswith(reason)


def test_the_examples_hold() -> None:
    assert examples(alpha, alpha_of_sets, rated) > 5
