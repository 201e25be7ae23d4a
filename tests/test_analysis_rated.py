"""Ratings as callers have them: of several kinds, masked, in tables, with sources and without."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.known_answers import examples
from visionhub.analysis import rated
from visionhub.analysis.alpha import krippendorff_alpha
from visionhub.analysis.chance import linearised
from visionhub.analysis.nominal import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    pabak,
    percent_agreement,
)
from visionhub.analysis.paired import (
    bias_index,
    negative_agreement,
    positive_agreement,
    prevalence_index,
)
from visionhub.analysis.rated import Ratings, coded, pair

NONE = float("nan")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1, 2, 1], ["1", "2", "1"]),
        ([1.0, 2.0, NONE], ["1.0", "2.0", "nan"]),
        ([True, False], ["True", "False"]),
    ],
)
def test_numbers_are_no_words_in_lists_nor_in_arrays(first, second) -> None:
    for kind in (list, np.array, pd.Series):
        assert cohen_kappa(kind(first), kind(second)).value == 0.0
    assert "nan" not in pair(np.array([1.0, NONE]), np.array(["a", "b"])).categories


def test_rows_of_any_two_kinds_are_one_pair() -> None:
    first, second = [1, 2, None, 2], [1.0, 2.0, 1.0, 1.0]
    forms = [first, pd.Series(first, index=[3, 2, 1, 0]), pd.Series(first, dtype="Int64")]
    forms += [np.array([1, 2, NONE, 2]), np.ma.array([1, 2, 9, 2], mask=[0, 0, 1, 0])]
    found = [pair(form, np.array(second)).codes.tolist() for form in forms]
    assert found == [[[0, 0], [1, 1], [-1, 0], [1, 0]]] * 5
    assert cohen_kappa([("a", 1), ("b", 1)], [("a", 1), ("b", 1)]).value == 1.0
    for wrong in ([1, 2, 3], np.array([1, 2, 3])):
        with pytest.raises(ValueError, match="one length, not 2 and 3 ratings"):
            cohen_kappa([1, 0], wrong)
    with pytest.raises(ValueError, match="are one row, these have 2 dimensions"):
        cohen_kappa(np.ones((2, 2)), np.ones(2))


def test_what_is_masked_is_missing() -> None:
    shown = [[1, 1], [2, 2], [1, None], [2, 1]]
    hidden = np.ma.array([[1, 1], [2, 2], [1, 5], [2, 1]], mask=[[0, 0], [0, 0], [0, 1], [0, 0]])
    for form in (hidden, list(hidden)):
        assert coded(form)[1] == (1, 2)
        assert krippendorff_alpha(form, "interval") == krippendorff_alpha(shown, "interval")
    words = np.ma.array([["a", "b"], ["b", "b"]], mask=[[0, 1], [0, 0]])
    assert coded(words)[0].tolist() == [[0, -1], [1, 1]]
    with pytest.raises(ValueError, match="cells of a table are counts"):
        cohen_kappa(hidden[:2] + np.ma.array([[0, 0], [0, 0]], mask=[[0, 1], [0, 0]]))


@pytest.mark.parametrize(
    "wrong", [[1, 2, 3], ["ab", "ba"], [{1, 2}, {2, 3}], [[1, 2], [1]], [[1, 2], 3]]
)
def test_what_is_no_rows_is_refused_in_a_sentence(wrong) -> None:
    with pytest.raises(ValueError, match="units x raters: rows of one length"):
        krippendorff_alpha(wrong)


@pytest.mark.parametrize("wrong", [[[0.5, 1.5], [2, 0]], [[-1, 1], [2, 0]], [[NONE, 1], [2, 0]]])
def test_counts_are_not_cut_to_whole_numbers(wrong) -> None:
    with pytest.raises(ValueError, match="raters who chose a category are counts"):
        Ratings.of_counts(wrong)
    with pytest.raises(ValueError, match="cells of a table are counts"):
        Ratings.of_table(wrong)


def test_counts_have_two_dimensions_unless_there_are_none() -> None:
    for empty in (Ratings.of_counts([]), Ratings.of_counts([], ["a", "b"])):
        assert fleiss_kappa(empty).reason == "no unit has two ratings"
    with pytest.raises(ValueError, match="units x categories, these have 1 dimensions"):
        Ratings.of_counts([1, 2])


@pytest.mark.parametrize(
    "measure", [fleiss_kappa, percent_agreement, krippendorff_alpha, gwet_ac1, cohen_kappa]
)
def test_units_without_a_source_are_their_own(measure) -> None:
    rows = [[1, 1], [1, 0], [None, None], [0, 0]] * 6
    named = ["a", "b", None, "c"] * 2 + ["d", None, "d", "e"] * 4
    each = [1, 2, 0, 3, 1, 2, 0, 3] + [x for k in range(4) for x in (4, 10 + k, 4, 5)]
    given = np.transpose(rows).tolist() if measure is cohen_kappa else [rows]
    expected = measure(*given, sources=np.array(each))
    assert expected.clusters == 9
    for form in (named, pd.Series(named), [NONE if x is None else x for x in named]):
        assert measure(*given, sources=form) == expected
    for few in (named[:-1], [*named, "a"], []):
        with pytest.raises(ValueError, match="sources for 24 units"):
            measure(*given, sources=few)


def test_yes_and_no_have_sources_too() -> None:
    first, second = [True, None, False, True, True] * 2, [True, True, False, False, True] * 2
    named = ["a", "z", "b", None, "c"] * 2
    assert positive_agreement(first, second, sources=named).clusters == 5
    with pytest.raises(ValueError, match="9 sources for 10 units"):
        positive_agreement(first, second, sources=named[:-1])
    with pytest.raises(ValueError, match="does not tell units apart"):
        positive_agreement([[1, 2], [3, 4]], sources=[1, 2])


def test_infinite_categories_have_no_distance() -> None:
    rows = [[1, np.inf], [2, 2], [1, 1]]
    for measure, how in ((gwet_ac2, "quadratic"), (krippendorff_alpha, "interval")):
        with pytest.raises(ValueError, match="a number is infinite"):
            measure(rows, how)
    assert gwet_ac1(rows).value is not None


def test_nobody_said_yes() -> None:
    no = ["no", "no"]
    found = positive_agreement(no, no, positive="yes")
    assert (found.value, found.reason, found.n) == (None, "neither said yes", 2)
    assert negative_agreement(no, no, positive="yes").value == 1.0
    assert prevalence_index(no, no, positive="yes").value == -1.0
    with pytest.raises(ValueError, match="say which of"):
        positive_agreement(no, no)  # True is what nobody says of words
    with pytest.raises(ValueError, match="say which of"):
        positive_agreement(["no", "never"], no, positive="yes")


@pytest.mark.parametrize(
    "measure", [positive_agreement, negative_agreement, prevalence_index, bias_index]
)
def test_no_units_have_no_agreement(measure) -> None:
    for empty in ([], np.zeros(0), [None]):
        assert measure(empty, empty).reason == "nothing to compare"


def test_one_category_is_full_agreement_beside_another_that_was_possible() -> None:
    for found in (pabak([1, 1, 1], [1, 1, 1]), pabak([[3, 0], [0, 0]]), pabak([[3]])):
        assert (found.value, found.n) == (1.0, 3)
    assert pabak([], []).reason == "no unit has two ratings"


def test_what_has_no_value_says_how_much_there_is() -> None:
    alone = [[1, None], [None, 2], [1, None], [None, None]]
    table = cohen_kappa([[0, 0], [0, 0]])
    assert (table.n, table.clusters) == (0, 0)
    assert (fleiss_kappa(alone).n, fleiss_kappa(alone).clusters) == (3, 3)
    sourced = fleiss_kappa(alone, sources=["a", "a", None, "b"])
    assert (sourced.n, sourced.clusters) == (3, 2)
    assert (cohen_kappa(*np.transpose(alone)).n, linearised(alone).estimate.n) == (0, 3)


def test_agreement_is_of_units_with_a_pair_and_its_error_of_all() -> None:
    """As irrCAC has it: known answer 04, whose twelfth unit has one rating, pins the error."""
    rows = [[1, None], [1, 1], [2, 2], [2, None], [1, 2]]
    found = percent_agreement(rows)
    assert (found.value, found.n) == (pytest.approx(2 / 3), 5)
    assert linearised(rows, "percent").estimate.method.endswith("t(4)")


def test_the_examples_hold() -> None:
    assert examples(rated) == 1
