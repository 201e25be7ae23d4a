"""Areas under curves, against pROC's figures, a plain loop and scikit-learn."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from tests.known_answers import case, examples, near
from visionhub.analysis import roc
from visionhub.analysis.resample import Resampling
from visionhub.analysis.roc import compare_roc_auc, roc_auc

rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5)), min_size=6, max_size=30
)


def components(yes, score) -> tuple[np.ndarray, np.ndarray]:
    """DeLong's V10 and V01, pair by pair."""
    high, low = score[yes], score[~yes]
    wins = np.array([[float(a > b) + 0.5 * (a == b) for b in low] for a in high])
    return wins.mean(axis=1), wins.mean(axis=0)


def test_known_answer_10_areas_and_their_difference(shared) -> None:
    """Of pROC: every figure of the case, by what is public."""
    found = case(shared, "10_delong_asah")
    with (shared / "known_answers" / found["data_file"]).open() as file:
        table = pd.DataFrame(csv.DictReader(file)).astype(float)
    expected, tolerance = found["expected"], found["tolerance"]
    near_enough = tolerance["default"]
    areas = {name: roc_auc(table["y"], table[name]) for name in found["data"]["scores"]}
    for name, area in areas.items():
        near(area.value, expected[f"auc_{name}"], near_enough)
    s100b = areas["s100b"]
    near([s100b.low, s100b.high], expected["ci_s100b"], near_enough)
    z = stats.norm.ppf(0.975)
    near((s100b.high - s100b.low) / 2 / z, expected["se_s100b"], near_enough)
    wfns = compare_roc_auc(table["y"], table["s100b"], table["wfns"])
    assert wfns.first == s100b
    near(wfns.difference.value, expected["auc_s100b"] - expected["auc_wfns"], near_enough)
    ends = [wfns.difference.low, wfns.difference.high]
    near(ends, expected["diff_ci_s100b_wfns"], near_enough)
    near(wfns.z, expected["Z_s100b_wfns"], near_enough)
    near(wfns.p_value, expected["p_s100b_wfns"], near_enough)
    ndka = compare_roc_auc(table["y"], table["s100b"], table["ndka"])
    near(ndka.z, expected["Z_s100b_ndka"], tolerance["Z_s100b_ndka"])
    near(ndka.p_value, expected["p_s100b_ndka"], tolerance["p_s100b_ndka"])
    assert round(wfns.z, 3) == found["published"]["delong_Z_s100b_vs_wfns"]


@given(rows)
def test_errors_are_those_of_a_plain_loop(rows) -> None:
    yes, one, two = (np.array(column) for column in zip(*rows, strict=True))
    area, found = roc_auc(yes, one), compare_roc_auc(yes, one, two)
    if yes.all() or not yes.any():
        assert "no two groups" in area.reason == found.reason == found.difference.reason
        return
    assert area.value == pytest.approx(roc_auc_score(yes, one))
    if min(yes.sum(), (~yes).sum()) < 2:
        assert "too few for an interval" in area.reason
        assert (found.se, found.z, found.p_value) == (None, None, None)
        return
    parts = [a - b for a, b in zip(components(yes, one), components(yes, two), strict=True)]
    variance = sum(part.var(ddof=1) / len(part) for part in parts)
    assert found.se == pytest.approx(np.sqrt(variance))
    if variance > 1e-20:
        assert found.z == pytest.approx(parts[0].mean() / np.sqrt(variance))
        assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.z)))
    else:
        assert "variance is 0" in found.reason
        assert found.p_value is None


def test_two_scores_that_are_one_have_no_test() -> None:
    truth, score = [0, 1, 0, 1, 1, 0], [1, 2, 3, 4, 5, 6]
    found = compare_roc_auc(truth, score, score)
    assert (found.difference.value, found.se, found.z, found.p_value) == (0, 0, None, None)
    assert "variance is 0" in found.reason
    assert "variance is 0" in roc_auc([0, 0, 0, 1, 1, 1], score).reason
    assert roc_auc([0, 0, 1, 1], [1, 2, 3, 4]).reason == "2 yes, 2 no: too few for an interval"


def test_what_is_missing_is_left_out_and_what_is_wrong_is_said() -> None:
    truth = pd.Series([0, 1, 0, 1, 1, 0, None, 1], index=range(8, 0, -1))
    score = [1, 2, 3, 4, 5, 6, 7, None]
    assert roc_auc(truth, score) == roc_auc([0, 1, 0, 1, 1, 0], score[:6])
    assert compare_roc_auc(truth, [None, *range(7)], score).difference.n == 5
    assert roc_auc([], []).reason == "nothing to compare"
    top = [0, 1, 2, 3, 4, np.inf]
    assert roc_auc([0, 1, 0, 1, 0, 1], top).value == roc_auc([0, 1, 0, 1, 0, 1], range(6)).value
    with pytest.raises(ValueError, match="1 for yes and 0 for no"):
        roc_auc([1, 2], [1, 2])
    with pytest.raises(ValueError, match="2 truths or scores beside 3"):
        roc_auc([1, 0], [1, 2, 3])


def test_sources_that_repeat_their_units_count_once() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 200)
    one, two = truth + random.normal(0, 1, 200), truth + random.normal(0, 2, 200)
    alone = compare_roc_auc(truth, one, two)
    copied = [np.repeat(column, 3) for column in (truth, one, two, np.arange(200))]
    by = compare_roc_auc(*copied[:3], sources=copied[3])
    assert by.difference.clusters == by.first.clusters == 200
    assert by.se == pytest.approx(alone.se, rel=0.01)
    assert by.p_value == pytest.approx(alone.p_value, rel=0.1)
    assert "of sources" in by.difference.method
    wide = roc_auc(truth, one, how=Resampling(level=0.99))
    assert wide.high - wide.low > alone.first.high - alone.first.low
    few = roc_auc([0, 1, 1], [1, 2, 3], sources=["a", "a", "b"])
    assert (few.clusters, few.low) == (2, None)


def test_many_units_take_seconds() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 200_000)
    found = compare_roc_auc(truth, truth + random.normal(size=len(truth)), random.random(200_000))
    assert found.first.value == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=0.002)
    assert found.p_value < 1e-9


def test_the_examples_hold() -> None:
    assert examples(roc) > 4
