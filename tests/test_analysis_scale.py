"""Words and ranks as callers give them: columns, gaps, lengths, sources, infinities."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import cohen_kappa_score

from tests.known_answers import examples
from visionhub.analysis import scale
from visionhub.analysis.monotone import isotonic, monotone_fit
from visionhub.analysis.ordinal import kappa_standard_error, weighted_kappa
from visionhub.analysis.ranked import auc_by_cut, kendall_tau_b, spearman
from visionhub.analysis.resample import Resampling

FEW = Resampling(draws=100)
whole = st.lists(st.tuples(st.integers(-9, 30), st.integers(-9, 30)), min_size=3, max_size=30)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_one_word_is_not_beside_five() -> None:
    with pytest.raises(ValueError, match="1 words beside 5"):
        weighted_kappa([2], [1, 2, 3, 2, 2])
    with pytest.raises(ValueError, match="2 words beside 3"):
        weighted_kappa([1, 2], [1, 2, 3])
    for beside in (monotone_fit, auc_by_cut):
        with pytest.raises(ValueError, match="1 words or numbers beside 2"):
            beside(["a"], [1, 2], ["a", "b"])
    with pytest.raises(ValueError, match="2 words or numbers beside 3"):
        spearman([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="these have 2 dimensions"):
        spearman(np.zeros((2, 2)), [1, 2])
    with pytest.raises(ValueError, match="these have 2 dimensions"):
        weighted_kappa(np.zeros((2, 2)), np.zeros((2, 2)))


@pytest.mark.parametrize("table", [[[80, -5], [10, 5]], [[0.5, 0.5], [0, 1]], [[1, None], [1, 1]]])
def test_cells_are_counts(table) -> None:
    for function in (weighted_kappa, kappa_standard_error):
        with pytest.raises(ValueError, match="cells of a table are counts"):
            function(table)
    with pytest.raises(ValueError, match="does not tell units apart"):
        weighted_kappa([[8, 1], [1, 5]], sources=[1, 2])


def test_gaps_of_any_kind_are_missing() -> None:
    plain = weighted_kappa([1, 2, 3, None], [1, 3, 3, 2])
    for column in (
        pd.Series([1, 2, 3, None], dtype="Int64", index=[3, 2, 1, 0]),
        pd.Series([1, 2, 3, np.nan]),
        [1, 2, 3, pd.NA],
        np.ma.masked_array([1, 2, 3, 9], mask=[0, 0, 0, 1]),
    ):
        assert weighted_kappa(column, [1, 3, 3, 2]) == plain
        assert weighted_kappa(column, [1, 3, 3, 2], levels=[1, 2, 3]).value == plain.value
        assert spearman(column, [1, 3, 3, 2]) == spearman([1, 2, 3, None], [1, 3, 3, 2])
        assert kendall_tau_b(["a", "b", "c", "c"], column, levels="abc").n == 3
        assert monotone_fit(["a", "b", "c", "c"], column, "abc", how=FEW).kappa.n <= 3
    assert plain.n == 3


@given(whole, st.sampled_from(["linear", "quadratic"]))
def test_whole_numbers_have_all_levels_between(rows, weights) -> None:
    first, second = (list(column) for column in zip(*rows, strict=True))
    every = range(min(first + second), max(first + second) + 1)
    found = weighted_kappa(first, second, weights=weights, how=FEW)
    named = weighted_kappa(first, second, weights=weights, levels=every, how=FEW)
    for one in (found, named):
        if len({*first, *second}) == 1:
            assert one.value is None
        else:
            theirs = cohen_kappa_score(first, second, weights=weights, labels=every)
            assert one.value == pytest.approx(theirs, abs=1e-9)
    exact = weighted_kappa(first, second, weights=weights, analytic=True)
    table = np.zeros((len(every), len(every)), dtype=int)
    np.add.at(table, (np.array(first) - every[0], np.array(second) - every[0]), 1)
    error = kappa_standard_error(table, weights)
    if exact.low is not None and exact.low > -1 and exact.high < 1:
        assert (exact.high - exact.low) / 2 / 1.959963984540054 == pytest.approx(error)


def test_a_variance_that_is_rounding_is_none() -> None:
    words = [None, 0, 1, 1, 2, 1, 1]
    found = weighted_kappa(words, words[::-1], analytic=True)
    assert found.reason == "too little varies for an interval"


def test_levels_far_apart_take_no_room() -> None:
    assert weighted_kappa([1, 10**9], [1, 10**9]).value == 1
    assert weighted_kappa([1, 2, 10**9], [2, 1, 10**9]).value == pytest.approx(1)
    many = np.arange(200)
    assert weighted_kappa(many, many[::-1], how=FEW).value == pytest.approx(-1)
    with pytest.raises(ValueError, match="1001 levels, more than 1000: compare numbers by lin_ccc"):
        weighted_kappa(np.arange(1001), np.arange(1001))
    for wrong in (["a"], [1.5], [float("inf")]):
        with pytest.raises(ValueError, match="name all `levels`"):
            weighted_kappa(wrong, wrong)


def test_sources_are_counted_where_there_is_no_value() -> None:
    six, by = [1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1]
    for function in (spearman, kendall_tau_b):
        found = function(six, [1] * 6, sources=by)
        assert (found.value, found.n, found.clusters) == (None, 6, 2)
    cut = auc_by_cut(["a"] * 6, six, ["a", "b"], sources=by)["b"]
    assert (cut.reason, cut.n, cut.clusters) == ("no word is at or above b", 6, 2)


def test_units_without_a_source_are_their_own() -> None:
    six, by = [1, 2, 3, 4, 5, 6], ["a", "a", None, np.nan, "b", "b"]
    words = [1, 2, 2, 3, 3, 1]
    assert weighted_kappa(words, words[::-1], sources=by).clusters == 4
    assert spearman(six, words, sources=by).clusters == 4
    assert auc_by_cut(words, six, [1, 2, 3], sources=by)[2].clusters == 4
    assert monotone_fit(words, six, [1, 2, 3], sources=by, how=FEW).kappa.clusters == 4
    for function in (weighted_kappa, spearman, kendall_tau_b):
        with pytest.raises(ValueError, match="5 sources for 6 units"):
            function(six, six, sources=[1] * 5)
    with pytest.raises(ValueError, match="5 sources for 6 units"):
        monotone_fit(words, six, [1, 2, 3], sources=[1] * 5)


def test_ranks_may_be_infinite() -> None:
    assert spearman([1, 2, np.inf, 5], [1, 2, 3, 4]).value == pytest.approx(0.8)
    assert kendall_tau_b([-np.inf, 2, 3], [1, 2, np.inf]).value == pytest.approx(1)
    with pytest.raises(ValueError, match="a number is infinite"):
        monotone_fit(["a", "b"], [1, np.inf], ["a", "b"])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=25))
def test_isotonic_levels_are_those_of_scikit_learn(rows) -> None:
    """A number's level is the count of levels whose fitted share there is a half or more."""
    x, y = (np.array(column) for column in zip(*rows, strict=True))
    cuts = isotonic(x, y.astype(float), 4)
    fits = [IsotonicRegression().fit(y, x >= level).predict(y) for level in (1, 2, 3)]
    shares = np.array(fits)
    clear = (np.abs(shares - 0.5) > 1e-9).all(axis=0)
    theirs = (shares > 0.5).sum(axis=0)
    ours = np.searchsorted(cuts, y, side="right")
    assert ours[clear].tolist() == theirs[clear].tolist()


def test_the_examples_hold() -> None:
    assert examples(scale) > 0
