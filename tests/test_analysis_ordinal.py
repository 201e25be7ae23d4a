"""Ordered words beside words and numbers, against published tables and other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from tests.known_answers import case, examples, near
from visionhub.analysis import monotone, ordinal, ranked
from visionhub.analysis.monotone import monotone_fit
from visionhub.analysis.nominal import cohen_kappa
from visionhub.analysis.ordinal import kappa_standard_error, weighted_kappa
from visionhub.analysis.ranked import auc_by_cut, kendall_tau_b, spearman
from visionhub.analysis.resample import Resampling

SCALE = ["VERY_UNLIKELY", "UNLIKELY", "POSSIBLE", "LIKELY", "VERY_LIKELY"]
FEW = Resampling(draws=100)
pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), min_size=6, max_size=60)


def made(n: int, noise: float = 0.5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Words and per cent of one hidden quantity; half of all words are the lowest."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=n)
    level = np.digitize(hidden + random.normal(0, noise, n), [0, 0.6, 1.1, 1.6])
    return np.array(SCALE, dtype=object)[level], np.round(100 / (1 + np.exp(-2 * hidden)), 1)


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_known_answer_06_weighted_kappa(shared, weights) -> None:
    found = case(shared, "06_weighted_kappa_stuart_1953_vision")
    table, expected, tolerance = found["data"]["table"], found["expected"], found["tolerance"]
    estimate = weighted_kappa(table, weights=weights)
    near(estimate.value, expected[weights], tolerance)
    near(kappa_standard_error(table, weights), expected[f"se_{weights}"], tolerance)
    exact = weighted_kappa(table, weights=weights, analytic=True)
    near((exact.high - exact.low) / 2 / 1.959963984540054, expected[f"se_{weights}"], tolerance)
    assert (estimate.low, estimate.high) == pytest.approx((exact.low, exact.high), abs=0.002)
    near(cohen_kappa(table).value, expected["unweighted"], tolerance)
    near(kappa_standard_error(table), expected["se_unweighted"], tolerance)


def test_a_level_that_nobody_used_counts() -> None:
    first, second = ["LIKELY", "UNLIKELY", "VERY_LIKELY"], ["LIKELY", "LIKELY", "VERY_LIKELY"]
    wide = weighted_kappa(first, second, weights="linear", levels=SCALE).value
    narrow = weighted_kappa(first, second, weights="linear", levels=SCALE[1::2] + SCALE[4:]).value
    assert wide != pytest.approx(narrow)
    labels = [SCALE.index(word) for word in first], [SCALE.index(word) for word in second]
    reference = cohen_kappa_score(*labels, weights="linear", labels=range(5))
    assert wide == pytest.approx(reference)
    assert weighted_kappa(*labels, weights="linear").value == pytest.approx(
        cohen_kappa_score(*labels, weights="linear", labels=range(1, 5))
    )
    with pytest.raises(ValueError, match="name all `levels`"):
        weighted_kappa(first, second)
    with pytest.raises(ValueError, match="'MAYBE' is none of the levels"):
        weighted_kappa(["MAYBE"], ["LIKELY"], levels=SCALE)
    with pytest.raises(ValueError, match="square"):
        weighted_kappa([[1, 2, 3], [4, 5, 6]])


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=5, max_size=40))
def test_weighted_kappa_is_that_of_scikit_learn(rows) -> None:
    first, second = zip(*rows, strict=True)
    for weights in ("linear", "quadratic"):
        found = weighted_kappa(first, second, weights=weights, levels=(1, 2, 3, 4), how=FEW)
        if len(set(first)) == len(set(second)) == 1 and first[0] == second[0]:
            assert found.reason.startswith("both used one level")
        else:
            theirs = cohen_kappa_score(first, second, weights=weights, labels=[1, 2, 3, 4])
            assert found.value == pytest.approx(theirs)


def test_unknown_words_are_missing() -> None:
    words, other = ["LIKELY", "UNKNOWN", "UNLIKELY", None], ["LIKELY"] * 4
    found = weighted_kappa(words, other, levels=SCALE)
    assert found.n == 2
    assert spearman(words, [90, 50, 20, 10], levels=SCALE).n == 2
    assert auc_by_cut(words, [90, 50, None, 10], SCALE)["LIKELY"].n == 1
    blank = weighted_kappa(["", "LIKELY"], ["LIKELY"] * 2, levels=SCALE, unknown=[""])
    assert blank.n == 1


def test_sources_and_analytic_intervals() -> None:
    words, _ = made(400)
    other = np.roll(words, 0).copy()
    other[::3] = "POSSIBLE"
    by = weighted_kappa(words, other, levels=SCALE, sources=np.arange(400) // 4)
    assert by.clusters == 100
    with pytest.raises(ValueError, match="independent units"):
        weighted_kappa(words, other, levels=SCALE, sources=np.arange(400) // 4, analytic=True)
    assert weighted_kappa([[0, 0], [0, 9]], analytic=True).reason.startswith("both used one level")
    assert weighted_kappa([], [], levels=SCALE, analytic=True).reason == "nothing to compare"
    assert kappa_standard_error([[9, 0], [0, 0]]) is None


@given(pairs, st.booleans())
def test_rank_statistics_are_those_of_scipy(rows, linear) -> None:
    x, y = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranked, "RESAMPLED", 0 if linear else 2000)
        ours = spearman(x, y, how=FEW), kendall_tau_b(x, y, how=FEW)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert all("never varies" in one.reason for one in ours)
        return
    assert ours[0].value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert ours[1].value == pytest.approx(stats.kendalltau(x, y).statistic)
    levels = list(range(5))
    for level, found in auc_by_cut([int(v) for v in x], y, levels, how=FEW).items():
        if len(set(x >= level)) == 1:
            assert found.value is None
            assert "no word is" in found.reason
        else:
            assert found.value == pytest.approx(roc_auc_score(x >= level, y))


@pytest.mark.parametrize("clustered", [False, True])
def test_the_linearised_interval_is_near_the_bootstrap(monkeypatch, clustered) -> None:
    words, numbers = made(600)
    sources = np.repeat(np.arange(120), 5) if clustered else None
    for function in (spearman, kendall_tau_b):
        boot = function(words, numbers, levels=SCALE, sources=sources)
        monkeypatch.setattr(ranked, "RESAMPLED", 0)
        line = function(words, numbers, levels=SCALE, sources=sources)
        monkeypatch.undo()
        assert "bootstrap" in boot.method
        assert "linearised" in line.method
        assert (line.low, line.high) == pytest.approx((boot.low, boot.high), abs=0.01)
    boot = auc_by_cut(words, numbers, SCALE, sources=sources)
    monkeypatch.setattr(ranked, "RESAMPLED", 0)
    for level, line in auc_by_cut(words, numbers, SCALE, sources=sources).items():
        assert (line.low, line.high) == pytest.approx((boot[level].low, boot[level].high), abs=0.02)


@pytest.mark.parametrize("fit", ["equipercentile", "isotonic"])
def test_a_fit_finds_the_cuts_and_knows_nothing_of_the_scale(fit) -> None:
    words, numbers = made(4000, noise=0.0)
    found = monotone_fit(words, numbers, SCALE, fit=fit)
    assert found.kappa.value > 0.99
    wanted = 100 / (1 + np.exp(-2 * np.array([0, 0.6, 1.1, 1.6])))
    for cuts in found.cuts:
        assert cuts == pytest.approx(wanted, abs=0.6)
    stretched = monotone_fit(words, np.exp(numbers / 10), SCALE, fit=fit)
    assert stretched.kappa.value == pytest.approx(found.kappa.value, abs=1e-3)
    assert found.kappa.n == 4000


@pytest.mark.parametrize("fit", ["equipercentile", "isotonic"])
def test_a_fit_of_nothing_finds_nothing(fit) -> None:
    """Judged where it was learnt, it would flatter itself; judged elsewhere it does not."""
    random = np.random.default_rng(0)
    values = []
    for seed in range(40):
        words, _ = made(60, seed=seed)
        fitted = monotone_fit(words, random.random(60), SCALE, fit=fit, how=Resampling(50, seed))
        values.append(fitted.kappa.value)
    assert abs(np.mean(values)) < 2.5 * np.std(values) / np.sqrt(len(values)) + 1e-9


def test_a_falling_relation_is_no_agreement() -> None:
    words, numbers = made(500)
    assert monotone_fit(words, -numbers, SCALE).kappa.value < -0.3
    assert monotone_fit(words, -numbers, SCALE, fit="isotonic").kappa.value == pytest.approx(
        0, abs=0.05
    )


def test_a_fit_divides_sources_not_units() -> None:
    words, numbers = made(300)
    sources = np.repeat(["a", "b", "c"], 100)
    found = monotone_fit(words, numbers, SCALE, sources=sources)
    learnt = {tuple(cuts) for cuts in found.cuts}
    possible = set()
    for names in (["a"], ["b"], ["c"], ["a", "b"], ["a", "c"], ["b", "c"]):
        part = np.isin(sources, names)
        level = np.array([SCALE.index(word) for word in words[part]])
        possible.add(tuple(monotone.equipercentile(level, numbers[part], 5)))
    assert learnt <= possible
    assert found.kappa.clusters == 3
    one = monotone_fit(words, numbers, SCALE, sources=np.zeros(300))
    assert one.kappa.reason == "one source cannot be divided into halves"
    assert one.cuts == ()


@given(pairs, st.sampled_from(["equipercentile", "isotonic"]))
def test_fitted_levels_rise_with_the_number(rows, fit) -> None:
    x, y = (np.array(column) for column in zip(*rows, strict=True))
    assume(len(y) > 3)
    learn = {"equipercentile": monotone.equipercentile, "isotonic": monotone.isotonic}[fit]
    cuts = learn(x, y.astype(float), 5)
    assert (np.diff(cuts[np.isfinite(cuts)]) >= 0).all()
    assert list(cuts) == sorted(cuts)
    found = monotone_fit(x.tolist(), y, range(5), fit=fit, how=FEW)
    assert found.kappa.value is None or -1 <= found.kappa.value <= 1


def test_the_examples_hold() -> None:
    assert examples(ordinal, ranked, monotone) > 5
