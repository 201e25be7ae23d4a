"""Agreement of numbers, against published tables and formulas written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import anova_lm

from tests.known_answers import case, examples, near
from visionhub.analysis import bland_altman as limits
from visionhub.analysis import continuous, intraclass
from visionhub.analysis.bland_altman import bland_altman
from visionhub.analysis.continuous import exact_match, lin_ccc, mean_absolute_error
from visionhub.analysis.intraclass import icc, icc_anova
from visionhub.analysis.resample import Resampling

FORMS = ["ICC(1)", "ICC(A,1)", "ICC(C,1)", "ICC(k)", "ICC(A,k)", "ICC(C,k)"]
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_known_answer_07_shrout_fleiss(shared) -> None:
    found = case(shared, "07_icc_shrout_fleiss_1979")
    rows, expected = found["data"]["ratings_target_by_judge"], found["expected"]
    tolerance = found["tolerance"]
    names = ["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]
    for name, form in zip(names, FORMS, strict=True):
        near(icc(rows, form).value, expected[name], tolerance)
    for name, form in (("ICC2", "ICC(2,1)"), ("ICC3", "ICC(3,1)")):
        estimate = icc(rows, form)
        near([estimate.low, estimate.high], expected[f"{name}_ci95"], tolerance)
    table = icc_anova(rows)
    near(table.f_one_way, expected["F_between_11"], tolerance)
    near(table.f_two_way, expected["F_between_2way"], tolerance)
    for form, value in found["published"].items():
        assert icc(rows, form).value == pytest.approx(value, abs=0.005)


@pytest.mark.parametrize(
    ("form", "low", "high"),
    [
        ("ICC(1)", -0.13, 0.72),
        ("ICC(k)", -0.88, 0.91),
        ("ICC(A,k)", 0.07, 0.93),
        ("ICC(C,k)", 0.68, 0.99),
    ],
)
def test_other_intervals_of_shrout_and_fleiss_as_r_psych_prints_them(form, low, high) -> None:
    found = icc(JUDGES, form)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.005)


def test_mean_squares_are_those_of_a_linear_model() -> None:
    import pandas as pd
    from statsmodels.formula.api import ols

    rows = np.array(JUDGES, dtype=float)
    unit, rater = np.indices(rows.shape)
    frame = pd.DataFrame({"y": rows.ravel(), "unit": unit.ravel(), "rater": rater.ravel()})
    theirs = anova_lm(ols("y ~ C(unit) + C(rater)", frame).fit())
    ours = icc_anova(rows)
    squares = [ours.rows, ours.columns, ours.error]
    assert squares == pytest.approx(theirs["mean_sq"].tolist())
    assert ours.p_two_way == pytest.approx(theirs["PR(>F)"].iloc[0])
    assert ours.p_one_way == pytest.approx(stats.f_oneway(*rows).pvalue)


def test_forms_have_many_names() -> None:
    for same in (["ICC(2,1)", "ICC(A,1)", "ICC2", "icc(a, 1)", "ICC21"], ["ICC(3,4)", "ICC3k"]):
        assert len({icc(JUDGES, form).value for form in same}) == 1
    assert icc(JUDGES, "ICC(1)").value == icc(JUDGES, "ICC1").value
    for wrong in ("ICC(4,1)", "ICC(2,3)", "alpha"):
        with pytest.raises(ValueError, match="is none of"):
            icc(JUDGES, wrong)


@pytest.mark.parametrize("form", FORMS)
def test_the_f_interval_is_near_the_bootstrap_of_many_units(form) -> None:
    random = np.random.default_rng(2)
    rows = random.normal(0, 2, (500, 1)) + random.normal(0, 1, (500, 3))
    exact, boot = icc(rows, form), icc(rows, form, bootstrap=True)
    assert boot.value == pytest.approx(exact.value)
    assert (boot.low, boot.high) == pytest.approx((exact.low, exact.high), abs=0.015)
    assert "bootstrap" in boot.method
    copied = icc(np.repeat(rows, 4, axis=0), form, sources=np.repeat(np.arange(500), 4))
    assert copied.clusters == 500
    assert copied.high - copied.low == pytest.approx(boot.high - boot.low, rel=0.15)


def test_units_that_lack_a_number_are_left_out() -> None:
    rows = [*JUDGES, [1, None, 3, 4]]
    assert icc(rows, "ICC(A,1)") == icc(JUDGES, "ICC(A,1)")
    assert bland_altman([1, 2, 3, 4, None], [1, 3, 2, 6, 5]).bias.n == 4


@given(st.floats(-1e6, 1e6), st.floats(0.1, 100))
def test_an_intraclass_correlation_has_no_unit(shift, scale) -> None:
    moved = np.array(JUDGES) * scale + shift
    for form in FORMS:
        assert icc(moved, form).value == pytest.approx(icc(JUDGES, form).value, abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_numbers_without_variance(form) -> None:
    assert icc([[3, 3]] * 6, form).reason.startswith("all numbers are the same")
    assert icc([[0.1, 0.1, 0.1]] * 6, form).value is None
    assert "two units" in icc([[1, 2]], form).reason
    same = icc([[1, 1], [2, 2], [4, 4]], form)
    assert same.value == pytest.approx(1)
    assert "F gives no interval" in same.reason
    flat = icc([[1, 5], [1, 5], [2, 4], [3, 3]], form)
    if form.endswith("k)") and form != "ICC(A,k)":
        assert flat.reason.startswith("the units' means are all the same")
    else:
        assert flat.value <= 0


def test_known_answer_08_bland_altman(shared) -> None:
    found = case(shared, "08_bland_altman_1986_pefr")
    first, second = found["data"]["A"], found["data"]["B"]
    expected, tolerance = found["expected"], found["tolerance"]
    ours = bland_altman(first, second)
    near(ours.bias.value, expected["bias"], tolerance)
    near(ours.sd, expected["sd"], tolerance)
    near([ours.lower.value, ours.upper.value], expected["loa_1_96"], tolerance)
    double = bland_altman(first, second, z=2)
    near([double.lower.value, double.upper.value], expected["loa_2sd"], tolerance)
    near(ours.se_bias, expected["se_bias"], tolerance)
    near(ours.se_limit_1986, expected["se_loa_approx"], tolerance)
    half = (ours.bias.high - ours.bias.low) / 2
    near(half / ours.se_bias, expected["t_crit_16"], tolerance)
    assert ours.se_limit == pytest.approx(expected["se_loa_approx"], rel=0.01)
    # The paper's own: bias -2.1 (-22.0 to 17.8), and no trend.
    assert (ours.bias.low, ours.bias.high) == pytest.approx((-22.0, 17.8), abs=0.05)
    assert ours.p_trend > 0.7


def test_disagreement_that_grows_has_a_trend() -> None:
    random = np.random.default_rng(1)
    size = random.uniform(10, 100, 200)
    first, second = size * 1.1 + random.normal(0, 1, 200), size + random.normal(0, 1, 200)
    found = bland_altman(first, second)
    assert found.p_trend < 1e-9
    assert found.trend.low < 0.1 / 1.05 < found.trend.high
    line = stats.linregress((first + second) / 2, first - second)
    assert found.trend.value == pytest.approx(line.slope)
    by = bland_altman(first, second, sources=np.arange(200))
    assert by.trend.value == pytest.approx(found.trend.value)
    assert by.bias.value == pytest.approx(found.bias.value)
    assert (by.lower.low, by.lower.high) == pytest.approx(
        (found.lower.low, found.lower.high), abs=0.4
    )
    assert by.p_trend is None
    assert "of sources" in by.upper.method


def test_limits_of_agreement_need_units_and_spread() -> None:
    assert "need 3" in bland_altman([1, 2], [1, 2]).bias.reason
    same = bland_altman([1, 2, 3], [2, 3, 4])
    assert same.bias.value == -1
    assert "all differences are the same" in same.lower.reason
    assert bland_altman([1, 2, 3], [3, 2, 1]).trend.reason == "all means are the same: no trend"


def test_lin_of_peak_flow() -> None:
    """Bland & Altman's peak flows: .943 (.848, .979) by the Stata command concord."""
    first = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    second = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = lin_ccc(first, second, analytic=True)
    assert found.value == pytest.approx(0.943, abs=0.0005)
    assert (found.low, found.high) == pytest.approx((0.848, 0.979), abs=0.003)
    assert lin_ccc(first, second).value == pytest.approx(found.value)


def test_lins_interval_is_near_the_bootstrap_of_many_units() -> None:
    random = np.random.default_rng(8)
    x = random.normal(5, 1, 800)
    y = x + random.normal(0.3, 0.5, 800)
    line, boot = lin_ccc(x, y, analytic=True), lin_ccc(x, y)
    assert (line.low, line.high) == pytest.approx((boot.low, boot.high), abs=0.006)
    expected = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert boot.value == pytest.approx(expected)
    assert lin_ccc(x, y, sources=np.arange(800) // 8).clusters == 100
    assert lin_ccc([3, 3, 3], [3, 3, 3]).value is None
    assert "Lin's interval" in lin_ccc([1, 2], [1, 3], analytic=True).reason


def test_counts() -> None:
    first, second = [0, 1, 2, 2, 5, None], [0, 1, 3, 2, 1, 4]
    assert exact_match(first, second).value == 3 / 5
    assert mean_absolute_error(first, second).value == 1
    random = np.random.default_rng(0)
    many, other = random.poisson(2, (2, 100_000))
    found = mean_absolute_error(many, other, how=Resampling(draws=500))
    error = np.abs(many - other).std() / np.sqrt(100_000)
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.1)
    by = exact_match(many[:500], other[:500], sources=np.arange(500) // 5)
    assert by.clusters == 100
    assert exact_match([], []).reason == "nothing to compare"
    with pytest.raises(ValueError, match="one length"):
        exact_match([1, 2], [1])


TWO_ROWS = [
    lin_ccc,
    exact_match,
    mean_absolute_error,
    lambda a, b, **k: bland_altman(a, b, **k).bias,
]


@pytest.mark.parametrize("function", TWO_ROWS)
def test_numbers_as_they_come(function) -> None:
    plain = function([1, 2, None, 4], [1, 2, 3, 5])
    masked = np.ma.masked_array([1.0, 2, 99, 4], mask=[0, 0, 1, 0])
    column = pd.Series([1, 2, None, 4], dtype="Int64", index=[3, 2, 1, 0])
    assert function(masked, [1, 2, 3, 5]) == function(column, [1, 2, 3, 5]) == plain
    assert plain.n == 3
    with pytest.raises(ValueError, match="a number is infinite"):
        function([1, 2, np.inf], [1, 2, 3])
    with pytest.raises(ValueError, match="3 sources for 4 units"):
        function([1, 2, 3, 4], [1, 2, 3, 5], sources=[1, 1, 2])
    gaps = function([1, 2, 3, 4], [1, 2, 3, 5], sources=["a", None, np.nan, "a"])
    assert (gaps.n, gaps.clusters) == (4, 3)


def test_sources_are_counted_where_there_is_no_value() -> None:
    few = bland_altman([1, 2], [1, 3], sources=["a", "a"]).bias
    assert (few.reason, few.clusters) == ("2 units: limits of agreement need 3", 1)


def test_lins_interval_where_nothing_goes_together() -> None:
    """The variance of 2000 divides by r; as c / r is a number where r is 0, so is the variance."""
    flat = lin_ccc([1, 2, 3, 4], [1, 2, 2, 1], analytic=True)
    near = lin_ccc([1, 2, 3, 4 + 1e-7], [1, 2, 2, 1], analytic=True)
    assert flat.value == pytest.approx(0, abs=1e-12)
    assert (flat.low, flat.high) == pytest.approx((near.low, near.high), abs=1e-5)
    assert lin_ccc([], [], analytic=True).reason == "nothing to compare"


def test_the_examples_hold() -> None:
    assert examples(continuous, limits, intraclass) > 6
