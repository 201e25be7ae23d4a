"""Agreement about categories, against published tables and other implementations."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from tests.known_answers import case, examples, near
from visionhub.analysis import chance, nominal, paired
from visionhub.analysis.chance import linearised
from visionhub.analysis.nominal import (
    brennan_prediger,
    category_kappas,
    cohen_kappa,
    conger_kappa,
    fleiss_kappa,
    fleiss_test,
    gwet_ac1,
    gwet_ac2,
    pabak,
    percent_agreement,
    scott_pi,
)
from visionhub.analysis.paired import (
    agreement_weights,
    binary_agreement,
    kappa_of,
    negative_agreement,
    positive_agreement,
    prevalence_index,
)
from visionhub.analysis.rated import Ratings, coded
from visionhub.analysis.resample import Resampling

FEW = Resampling(draws=200)
PATIENTS = [[0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0]]
PATIENTS += [[2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6]]
PATIENTS += [[1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1]]
ratings = st.lists(
    st.tuples(*[st.sampled_from(["a", "b", "c", None])] * 3), min_size=2, max_size=25
)


def test_known_answer_03_fleiss_1971(shared) -> None:
    found = case(shared, "03_fleiss_1971_psychiatric_diagnoses")
    data, expected, tolerance = found["data"], found["expected"], found["tolerance"]
    counts = Ratings.of_counts(data["counts_subject_by_category"], data["categories"])
    rows = data["ratings_subject_by_rater"]
    for given_ratings in (counts, rows):
        near(fleiss_kappa(given_ratings).value, expected["fleiss_kappa"], tolerance["fleiss_kappa"])
        near(
            brennan_prediger(given_ratings).value,
            expected["randolph_free_marginal"],
            tolerance["randolph_free_marginal"],
        )
        test = fleiss_test(given_ratings)
        near(test.statistic, expected["z"], tolerance["z"])
        assert test.p_value < 1e-60
        each = category_kappas(given_ratings)
        assert list(each) == data["categories"]
        kappas = [one.value for one in each.values()]
        near(kappas, expected["category_kappa"], tolerance["category_kappa"])
    near(conger_kappa(rows).value, expected["conger_exact_kappa"], tolerance["conger_exact_kappa"])
    assert "who gave which rating" in conger_kappa(counts).reason


def test_known_answer_04_gwet_missing_ratings(shared) -> None:
    found = case(shared, "04_gwet_4raters_12subjects_missing")
    rows, expected, tolerance = found["data"]["ratings"], found["expected"], found["tolerance"]
    values = {
        "pa": percent_agreement(rows),
        "AC1": gwet_ac1(rows),
        "fleiss": fleiss_kappa(rows),
        "conger": conger_kappa(rows),
        "brennan_prediger": brennan_prediger(rows),
        "AC2_quadratic": gwet_ac2(rows, "quadratic"),
        "AC2_linear": gwet_ac2(rows, "linear"),
        "AC2_ordinal_gwet": gwet_ac2(rows, "ordinal"),
    }
    for name, estimate in values.items():
        near(estimate.value, expected[name], tolerance)
        assert (estimate.n, estimate.clusters) == (12, 12)
    for name, coefficient in (("AC1", "gwet"), ("fleiss", "fleiss")):
        near(linearised(rows, coefficient).standard_error, expected[f"{name}_se"], tolerance)
    near(
        linearised(rows, "brennan_prediger").standard_error,
        expected["brennan_prediger_se"],
        tolerance,
    )
    ac1 = linearised(rows)
    assert [round(ac1.estimate.low, 3), ac1.estimate.high] == expected["AC1_ci95"]
    for coefficient in ("gwet", "fleiss", "conger"):
        name = {"gwet": "AC1"}.get(coefficient, coefficient)
        published = found["published"][f"pe_{name}"]
        assert linearised(rows, coefficient).expected == pytest.approx(published, abs=5e-5)
    # Printed by R's irrCAC for the same data.
    assert linearised(rows, "conger").standard_error == pytest.approx(0.14917, abs=6e-6)
    assert linearised(rows, "percent").standard_error == pytest.approx(0.12561, abs=6e-6)


def test_known_answer_05_gwet_two_abstractors(shared) -> None:
    found = case(shared, "05_gwet_two_abstractors_3x3")
    table, expected, tolerance = found["data"]["table"], found["expected"], found["tolerance"]
    data = Ratings.of_table(table, found["data"]["labels"])
    values = {
        "pa": percent_agreement(data),
        "cohen_kappa": cohen_kappa(table),
        "AC1": gwet_ac1(data),
        "brennan_prediger": pabak(table),
        "scott_pi": scott_pi(table),
    }
    for name, estimate in values.items():
        near(estimate.value, expected[name], tolerance)
        assert estimate.n == 100
        assert estimate.low < estimate.value < estimate.high
    errors = {
        "cohen_kappa_se": "conger",
        "AC1_se": "gwet",
        "brennan_prediger_se": "brennan_prediger",
        "scott_pi_se": "fleiss",
    }
    for name, coefficient in errors.items():
        near(linearised(data, coefficient).standard_error, expected[name], tolerance)
    near(kappa_of(table), expected["cohen_kappa"], tolerance)
    near(paired.ac1_of(table), expected["AC1"], tolerance)
    near(paired.scott_pi_of(table), expected["scott_pi"], tolerance)
    near(paired.brennan_prediger_of(table), expected["brennan_prediger"], tolerance)


@pytest.mark.parametrize(
    ("coefficient", "value", "error", "low", "high"),
    [
        ("gwet", 0.4448007, 0.08418757, 0.264, 0.625),
        ("fleiss", 0.4139265, 0.08119291, 0.240, 0.588),
        ("brennan_prediger", 0.4388889, 0.08312142, 0.261, 0.617),
    ],
)
def test_counts_of_raters_have_the_errors_that_irrcac_prints(
    coefficient, value, error, low, high
) -> None:
    """The first 15 of Fleiss' patients, as in the vignette of R's irrCAC."""
    found = linearised(Ratings.of_counts(PATIENTS), coefficient)
    assert found.estimate.value == pytest.approx(value, abs=5e-7)
    assert found.standard_error == pytest.approx(error, abs=5e-8)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((low, high), abs=6e-4)


def test_binary_tables_of_byrt_bishop_and_carlin() -> None:
    """Tables with the same share of agreement, whose kappas differ (Feinstein & Cicchetti 1990)."""
    found = binary_agreement([[40, 9, 6, 45], [80, 10, 5, 5]])
    assert found["percent_agreement"].tolist() == [0.85, 0.85]
    assert found["cohen_kappa"] == pytest.approx([0.70, 0.32], abs=0.005)
    assert found["pabak"] == pytest.approx([0.7, 0.7])
    assert found["positive_agreement"] == pytest.approx([0.842, 0.914], abs=0.0005)
    assert found["negative_agreement"] == pytest.approx([0.857, 0.4], abs=0.0005)
    assert found["prevalence_index"] == pytest.approx([-0.05, 0.75])
    assert found["bias_index"] == pytest.approx([0.03, 0.05])


@given(st.lists(st.integers(0, 30), min_size=8, max_size=8))
def test_measures_of_many_tables_are_those_of_each(counts) -> None:
    cells = np.array(counts).reshape(2, 4)
    many = binary_agreement(cells[None])
    for place, row in enumerate(cells):
        for name, value in binary_agreement(row).items():
            np.testing.assert_equal(many[name][0, place], value)
        table = row.reshape(2, 2)
        if not row.sum():
            continue
        for name in ("positive_agreement", "negative_agreement", "prevalence_index", "bias_index"):
            estimate = getattr(paired, name)(table, how=FEW)
            value = float(many[name][0, place])
            assert np.isnan(value) if estimate.value is None else estimate.value == value
        kappa = cohen_kappa(table, how=FEW)
        value = float(many["cohen_kappa"][0, place])
        assert np.isnan(value) if kappa.value is None else kappa.value == pytest.approx(value)


@given(ratings)
def test_coefficients_are_gwets_formulas_unit_by_unit(rows) -> None:
    """The formulas of the Handbook, in plain loops."""
    rated = [row for row in rows if any(row)]
    several = [[x for x in row if x] for row in rated if sum(x is not None for x in row) > 1]
    if not several:
        assert gwet_ac1(rows).reason == "no unit has two ratings"
        return
    agreed = [np.mean([a == b for a, b in itertools.permutations(row, 2)]) for row in several]
    names = sorted({x for row in rated for x in row if x})
    shares = [
        [[x for x in row if x].count(k) / sum(map(bool, row)) for k in names] for row in rated
    ]
    pi, observed = np.mean(shares, axis=0), np.mean(agreed)
    q = len(names)
    expected = {fleiss_kappa: (pi**2).sum(), brennan_prediger: 1 / q}
    expected[gwet_ac1] = (pi * (1 - pi)).sum() / (q - 1) if q > 1 else 1.0
    columns = [[row[g] for row in rated if row[g]] for g in range(3)]
    own = [[column.count(k) / len(column) for k in names] for column in columns if column]
    pairs = itertools.combinations(own, 2)
    expected[conger_kappa] = np.mean([np.dot(a, b) for a, b in pairs])
    for function, by_chance in expected.items():
        found = function(rows, how=FEW)
        if by_chance > 1 - 1e-9:
            assert "one category" in found.reason
        else:
            assert found.value == pytest.approx((observed - by_chance) / (1 - by_chance))
    assert percent_agreement(rows, how=FEW).value == pytest.approx(observed)


def test_two_raters_agree_with_scikit_learn_and_many_with_statsmodels() -> None:
    random = np.random.default_rng(1)
    first = random.integers(0, 4, 300)
    second = np.where(random.random(300) < 0.6, first, random.integers(0, 4, 300))
    assert cohen_kappa(first, second).value == pytest.approx(cohen_kappa_score(first, second))
    weighted = cohen_kappa(list(first), list(second), weights="quadratic")
    reference = cohen_kappa_score(first, second, weights="quadratic")
    assert weighted.value == pytest.approx(reference)
    table = np.histogram2d(first, second, 4)[0]
    assert cohen_kappa(table).value == cohen_kappa(np.column_stack([first, second])).value
    counts = random.multinomial(5, [0.2, 0.3, 0.5], 80)
    found = fleiss_kappa(Ratings.of_counts(counts))
    assert found.value == pytest.approx(statsmodels_fleiss(counts))


@pytest.mark.parametrize("coefficient", ["percent", "fleiss", "conger", "gwet", "brennan_prediger"])
@pytest.mark.parametrize("clustered", [False, True])
def test_the_linearised_interval_is_near_the_bootstrap(coefficient, clustered) -> None:
    random = np.random.default_rng(3)
    truth = np.repeat(random.integers(0, 3, 400), 3)
    rows = np.where(
        random.random((1200, 3)) < 0.7, truth[:, None], random.integers(0, 3, (1200, 3))
    )
    sources = np.repeat(np.arange(400), 3) if clustered else None
    functions = {"percent": percent_agreement, "fleiss": fleiss_kappa, "conger": conger_kappa}
    functions |= {"gwet": gwet_ac1, "brennan_prediger": brennan_prediger}
    boot = functions[coefficient](rows, sources=sources)
    line = linearised(rows, coefficient, sources=sources).estimate
    assert line.value == pytest.approx(boot.value)
    assert (line.low, line.high) == pytest.approx((boot.low, boot.high), abs=0.004)
    assert line.clusters == (400 if clustered else 1200)
    assert (
        line.method
        == f"linearised variance of {'sources, t(399)' if clustered else 'units, t(1199)'}"
    )


def test_a_table_of_a_million_is_resampled_by_its_cells() -> None:
    cells = np.array([[400_000, 50_000], [30_000, 520_000]])
    found = cohen_kappa(cells, how=Resampling(draws=1000))
    assert found.n == 1_000_000
    error = linearised(Ratings.of_table(cells), "conger").standard_error
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.1)


def test_ratings_come_in_any_form() -> None:
    rows = [["dog", "dog"], ["cat", None], ["cat", "dog"], ["cat", "cat"]]
    usual = fleiss_kappa(rows).value
    forms = [tuple(map(tuple, rows)), np.array(rows, dtype=object), pd.DataFrame(rows)]
    forms.append([[1, 1], [0, float("nan")], [0, 1], [0, 0]])
    forms.append(np.array([[1, 1], [0, np.nan], [0, 1], [0, 0]]))
    forms.append([[("a", 2), ("a", 2)], [("a", 1), None], [("a", 1), ("a", 2)], [("a", 1)] * 2])
    assert [fleiss_kappa(form).value for form in forms] == pytest.approx([usual] * len(forms))
    assert coded(np.array([["b", "a"], ["a", "a"]]))[1] == ("a", "b")
    assert coded([[frozenset("x"), None]])[1] == (frozenset("x"),)
    assert coded([["x", 1]])[0].tolist() == [[0, 1]]
    assert coded([[True, False]])[0].tolist() == [[1, 0]]
    for wrong in (["ab", "ba"], [[1, 2], [1]], [1, 2]):
        with pytest.raises((ValueError, TypeError)):
            coded(wrong)
    with pytest.raises(ValueError, match="'z' is none of the categories"):
        coded([["z", "a"]], ["a", "b"])


def test_all_possible_categories_count_also_those_that_nobody_chose() -> None:
    rows = [["a", "a"], ["a", "b"], ["b", "b"]]
    wide = Ratings.of(rows, ["a", "b", "c", "d"])
    assert brennan_prediger(rows).value == pytest.approx((2 / 3 - 1 / 2) / (1 / 2))
    assert brennan_prediger(wide).value == pytest.approx((2 / 3 - 1 / 4) / (3 / 4))
    assert gwet_ac1(wide).value > gwet_ac1(rows).value
    assert fleiss_kappa(wide).value == pytest.approx(fleiss_kappa(rows).value)
    with pytest.raises(ValueError, match="symmetric matrix of 2 x 2"):
        gwet_ac2(rows, np.eye(3))
    with pytest.raises(ValueError, match="weights are linear"):
        gwet_ac2(rows, "cubic")


def test_weights_use_values_of_numbers_and_places_of_words() -> None:
    assert agreement_weights("linear", [1, 2, 5])[0].tolist() == [1, 0.75, 0]
    assert agreement_weights("linear", ["low", "mid", "top"])[0].tolist() == [1, 0.5, 0]
    assert agreement_weights("ordinal", [1, 2, 5])[0] == pytest.approx([1, 2 / 3, 0])
    assert agreement_weights(None, "ab").tolist() == [[1, 0], [0, 1]]


def test_yes_and_no_in_rows() -> None:
    first, second = [True, True, False, None, True], [True, False, False, True, True]
    assert positive_agreement(first, second).value == pytest.approx(4 / 5)
    assert negative_agreement(first, second).value == pytest.approx(2 / 3)
    assert prevalence_index(first, second).value == pytest.approx(1 / 4)
    assert paired.bias_index(first, second).value == pytest.approx(1 / 4)
    words = positive_agreement(["y", "n"], ["y", "y"], positive="y")
    assert words.value == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="`positive`"):
        positive_agreement(["y", "n"], ["y", "y"])
    with pytest.raises(ValueError, match="2 x 2"):
        positive_agreement(np.eye(3))
    assert positive_agreement([[0, 0], [0, 9]]).reason == "neither said yes"
    assert negative_agreement([[9, 0], [0, 0]]).reason == "neither said no"


def test_sources_of_units_that_are_left_out_go_with_them() -> None:
    rows = [["a", "a"], [None, None], ["a", "b"], ["b", "b"]] * 12
    sources = np.arange(48) // 4
    found = cohen_kappa([r[0] for r in rows], [r[1] for r in rows], sources=sources)
    assert (found.n, found.clusters) == (36, 12)
    assert gwet_ac1(rows, sources=sources).clusters == 12
    with pytest.raises(ValueError, match="does not tell units apart"):
        cohen_kappa([[5, 1], [2, 5]], sources=[0, 1])


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (gwet_ac1([]), "no unit has two ratings"),
        (gwet_ac1([["a", None], [None, "b"]]), "no unit has two ratings"),
        (fleiss_kappa([["a", "a"]] * 9), "all ratings are one category"),
        (gwet_ac1([["a", "a"]] * 9), "all ratings are one category"),
        (cohen_kappa([[9, 0], [0, 0]]), "all ratings are one category"),
        (cohen_kappa([[0, 0], [0, 0]]), "no unit has two ratings"),
        (linearised([["a", "a"]] * 9).estimate, "all ratings are one category"),
    ],
)
def test_what_has_no_value_says_why(found, reason) -> None:
    assert found.value is None
    assert found.reason.startswith(reason)


def test_too_few_units_have_no_interval() -> None:
    found = linearised([["a", "a"], ["a", "b"], ["b", "b"]])
    assert found.estimate.value is not None
    assert found.estimate.reason == "3 units: no interval"
    assert fleiss_test([["a", "a"]] * 3).reason.startswith("all ratings")


def test_the_examples_hold() -> None:
    assert examples(nominal, chance) > 5
