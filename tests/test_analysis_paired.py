"""Tests of a change, against published tables and other implementations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from tests.known_answers import case, examples, near
from visionhub.analysis import mcnemar as tests
from visionhub.analysis import paired
from visionhub.analysis.mcnemar import adjust, cochran_q, mcnemar, mcnemar_p

NONE = float("nan")


def test_known_answer_11_mcnemar(shared) -> None:
    found = case(shared, "11_mcnemar_presidential_approval")
    table, expected, tolerance = found["data"]["table"], found["expected"], found["tolerance"]
    plain, corrected = mcnemar(table, method="chi-squared"), mcnemar(table, method="corrected")
    near(plain.statistic, expected["chi2_no_correction"], tolerance)
    near(plain.p_value, expected["p_no_correction"], tolerance)
    near(corrected.statistic, expected["chi2_continuity"], tolerance)
    near(corrected.p_value, expected["p_continuity"], tolerance)
    near(mcnemar(table, method="exact").p_value, expected["p_exact"], tolerance)
    near(plain.difference.value, expected["diff_marginal_proportions"], tolerance)
    assert mcnemar(table).method == "mid-p"
    assert plain.n == 236


def test_mid_p_is_that_of_fagerland() -> None:
    """Complete response before and after therapy (Fagerland, Lydersen & Laake 2014, table 3)."""
    table = [[59, 6], [16, 80]]
    assert mcnemar(table, method="mid-p").p_value == pytest.approx(0.034690, abs=5e-7)
    assert mcnemar(table).method == "exact"
    assert mcnemar(table).p_value == pytest.approx(0.0525, abs=5e-5)
    assert mcnemar(table, method="corrected").p_value == pytest.approx(0.055009, abs=5e-7)


@given(
    st.integers(0, 60), st.integers(0, 60), st.sampled_from(["exact", "chi-squared", "corrected"])
)
def test_one_pair_of_counts_and_many_agree_with_statsmodels(b, c, method) -> None:
    found = mcnemar(b, c, method=method)
    if b + c == 0:
        assert found.p_value is None
        assert "nothing to test" in found.reason
        assert np.isnan(mcnemar_p(b, c, method))
        return
    exact = method == "exact"
    theirs = statsmodels_mcnemar([[0, b], [c, 0]], exact=exact, correction=method == "corrected")
    if method == "corrected" and b == c:  # there theirs is (0 - 1)^2, R's and ours 0
        assert found.statistic == 0
    else:
        assert found.p_value == pytest.approx(theirs.pvalue)
    assert mcnemar_p([b, 5], [c, 9], method)[0] == found.p_value


def test_mid_p_stands_for_its_definition() -> None:
    for b, c in ((0, 3), (2, 9), (6, 6), (20, 31)):
        low = min(b, c)
        exact = min(1.0, 2 * stats.binom.cdf(low, b + c, 0.5))
        seen = stats.binom.pmf(low, b + c, 0.5)
        expected = 1 - seen / 2 if b == c else exact - seen  # as contingencytables of R has it
        assert mcnemar(b, c, method="mid-p").p_value == pytest.approx(expected)
    assert mcnemar_p([12, 13], [12, 12]).tolist() == [
        mcnemar(12, 12, method="exact").p_value,
        mcnemar(13, 12, method="mid-p").p_value,
    ]


def test_mid_p_of_as_many_either_way_is_below_one() -> None:
    assert mcnemar(6, 6, method="mid-p").p_value == pytest.approx(0.8872, abs=5e-5)
    assert mcnemar(6, 6, method="exact").p_value == 1.0
    assert mcnemar_p([13, 0], [13, 0], "auto") == pytest.approx(
        [0.92251, NONE], abs=5e-6, nan_ok=True
    )


@pytest.mark.parametrize("wrong", [-1, 1.5, NONE, np.inf])
def test_what_is_no_count_is_refused(wrong) -> None:
    for call in (
        lambda: mcnemar(wrong, 3),
        lambda: mcnemar(3, wrong),
        lambda: mcnemar([[1, wrong], [7, 12]]),
        lambda: mcnemar([[wrong, 1], [7, 12]]),
        lambda: mcnemar_p([1, wrong], [2, 2]),
    ):
        with pytest.raises(ValueError, match="are counts: whole numbers, none below 0"):
            call()


def test_small_types_do_not_overflow() -> None:
    found = mcnemar(np.uint8(200), np.uint8(100))
    assert (found.n, found.p_value) == (300, mcnemar(200, 100).p_value)
    assert mcnemar(np.array([[9, 200], [100, 9]], np.uint8)).difference.n == 318


def test_another_method_is_refused_by_name() -> None:
    for call in (mcnemar, mcnemar_p):
        for b, c in ((1, 2), (0, 0)):
            with pytest.raises(
                ValueError, match="exact, mid-p, chi-squared, corrected, not 'midp'"
            ):
                call(b, c, method="midp")
    with pytest.raises(ValueError, match="a level lies between 0 and 1, not 95"):
        mcnemar([[1, 2], [3, 4]], level=95)


def test_what_is_no_table_is_refused() -> None:
    for table, c in (([1, 2], None), (3, None), ([[1, 2], [3, 4]], 5)):
        with pytest.raises(ValueError, match="2 x 2 table"):
            mcnemar(table, c)


def test_cochran_q_of_two_raters_is_mcnemar_without_correction() -> None:
    rows = [[1, 1]] * 20 + [[1, 0]] * 9 + [[0, 1]] * 3 + [[0, 0]] * 8
    found = cochran_q([*rows, [1, None]])
    assert found.statistic == pytest.approx(mcnemar(9, 3, method="chi-squared").statistic)
    assert found.n == 40
    assert "nothing to test" in cochran_q([[1, 1], [0, 0]]).reason
    for empty in ([], np.zeros((0, 3)), [[1, None]]):
        assert "nothing to test" in cochran_q(empty).reason
    assert cochran_q(pd.DataFrame([[1, pd.NA], [1, 0]])).n == 1
    with pytest.raises(ValueError, match="units x raters"):
        cochran_q([1, 0])
    with pytest.raises(ValueError, match="1 for yes"):
        cochran_q([[1, 2]])


def test_cochran_q_of_conover() -> None:
    """Conover's three sportsmen who predict 12 games (1980, example 4.6.1): T = 2.8."""
    games = "111 111 010 110 000 111 111 110 001 010 111 111"
    rows = [[int(x) for x in game] for game in games.split()]
    assert cochran_q(rows).statistic == pytest.approx(2.8)


def test_adjusted_p_values() -> None:
    """Benjamini & Hochberg's own 15 p-values (1995, section 4.1): 4 false at .05, Holm's are 3."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262]
    p += [0.5719, 0.6528, 0.7590, 1.0000]
    assert (adjust(p, "fdr_bh") <= 0.05).sum() == 4
    assert (adjust(p) <= 0.05).sum() == 3
    assert np.isnan(adjust([None, float("nan")])).all()
    assert adjust([0.01, None, 0.04])[[0, 2]] == pytest.approx([0.02, 0.04])


def test_the_examples_hold() -> None:
    assert examples(paired, tests) > 4
