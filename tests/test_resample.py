"""Intervals by bootstrap and jackknife, on data whose answers are known; and reasons for none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.resample import FEW, Resampling, Sums, estimate, ratio

HOW = Resampling(draws=4000, seed=1)


def mean(sums):
    return ratio(sums[..., 0], sums[..., 1])


def moments(values) -> np.ndarray:
    return np.column_stack([values, np.ones(len(values))])


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(5).normal(10, 3, 400)


def test_independent_units_have_the_interval_of_the_normal_distribution(values) -> None:
    found = estimate(Sums.of(moments(values)), mean, HOW)
    half = 1.959964 * values.std() / math.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), 0.01)
    assert (found.n, found.clusters, found.reason) == (400, 400, "")
    assert found.method == "percentile bootstrap of units, 4,000 draws"


def test_sources_are_drawn_whole_and_widen_the_interval(values) -> None:
    """Ten equal copies of each unit are no new knowledge: the interval stays as it was."""
    copied, sources = np.repeat(values, 10), np.repeat(np.arange(400), 10)
    alone = estimate(Sums.of(moments(values)), mean, HOW)
    together = estimate(Sums.of(moments(copied), sources), mean, HOW)
    naive = estimate(Sums.of(moments(copied)), mean, HOW)
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high), rel=1e-12)
    assert (together.n, together.clusters) == (4000, 400)
    assert "of sources" in together.method
    assert (naive.high - naive.low) * math.sqrt(10) == pytest.approx(alone.high - alone.low, 0.05)


def test_patterns_with_counts_have_the_same_law_as_their_units() -> None:
    cells = np.eye(4)
    counts = np.array([500, 60, 40, 0])
    units = np.repeat(cells, counts, axis=0)

    def agreement(sums):
        return ratio(sums[..., 0] + sums[..., 3], sums.sum(-1))

    one = estimate(Sums.of(units), agreement, HOW)
    other = estimate(Sums.counted(cells, counts), agreement, HOW)
    assert one.value == other.value == 500 / 600
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.003)
    assert (other.n, other.clusters) == (600, 600)


def test_many_units_alike_are_counted_and_the_interval_is_the_same() -> None:
    random = np.random.default_rng(3)
    table = moments(random.integers(0, 4, 20_000))
    data = Sums.of(table)
    assert len(data.sums) == 4
    assert (data.n, data.total.tolist()) == (20_000, table.sum(axis=0).tolist())
    found = estimate(data, mean, HOW)
    apart = estimate(Sums(table, np.ones(20_000, dtype=int)), mean, HOW)
    assert (found.low, found.high) == pytest.approx((apart.low, apart.high), abs=1e-3)
    assert len(Sums.of(moments(random.random(20_000))).sums) == 20_000


def test_few_sources_take_the_jackknife(values) -> None:
    few = values[:12]
    found = estimate(Sums.of(moments(few)), mean, HOW)
    half = 2.200985 * few.std(ddof=1) / math.sqrt(12)  # t(11); of a mean they are the same
    assert (found.low, found.high) == pytest.approx((few.mean() - half, few.mean() + half))
    assert found.method == "delete-one jackknife of units, t(11)"
    bounded = estimate(Sums.of(moments(few)), mean, HOW, limits=(9.9, 10.1))
    assert bounded.low >= 9.9
    assert bounded.high <= 10.1


def test_alike_units_count_in_the_jackknife_as_often_as_they_were_met() -> None:
    cells, counts = np.eye(2), np.array([7, 5])
    one = estimate(Sums.of(np.repeat(cells, counts, axis=0)), lambda s: ratio(s[..., 0], s.sum(-1)))
    other = estimate(Sums.counted(cells, counts), lambda s: ratio(s[..., 0], s.sum(-1)))
    assert (one.low, one.high, one.n) == pytest.approx((other.low, other.high, other.n))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.zeros((0, 2)), "nothing to compare"),
        (moments([3.0])[:, [1, 0]] * [1, 0], "it is undefined here"),
        (moments([3.0]), "1 unit: no interval"),
        (moments([3.0, 4.0, 3.0, 5.0]), "4 units: no interval"),
        (moments([3.0] * 5), "no source makes a difference"),
        (moments([3.0] * 50), "all draws give one value"),
    ],
)
def test_what_cannot_be_estimated_says_why(data, reason) -> None:
    found = estimate(Sums.of(data), mean, HOW)
    assert reason in found.reason
    assert found.low is None
    assert (found.value is None) == (reason in ("nothing to compare", "it is undefined here"))


def test_one_source_is_no_sample(values) -> None:
    found = estimate(Sums.of(moments(values), np.zeros(400, dtype=int)), mean, HOW)
    assert found.value == pytest.approx(values.mean())
    assert found.reason == "1 source: no interval"


def test_draws_without_a_value_are_counted_and_too_many_are_no_interval() -> None:
    rare = np.zeros((100, 2))
    rare[:2] = [1, 1]  # one draw in e^2 holds none of them
    found = estimate(Sums.of(rare), mean, HOW)
    assert found.value == 1
    assert "no value in 14 % of the draws" in found.reason or "13 %" in found.reason
    rare[:5] = [[0, 1], [1, 1], [1, 1], [1, 1], [1, 1]]
    found = estimate(Sums.of(rare), mean, HOW)
    assert "without a value" in found.method
    assert 0 <= found.low < found.value <= found.high == 1


def test_the_same_seed_gives_the_same_interval(values) -> None:
    data = Sums.of(moments(values))
    assert estimate(data, mean, HOW) == estimate(data, mean, HOW)
    assert estimate(data, mean, HOW) != estimate(data, mean, Resampling(draws=4000, seed=2))


def test_the_interval_covers_as_often_as_it_says() -> None:
    """500 studies of 80 images from 40 sources: an image depends on its source."""
    random, hits = np.random.default_rng(2), 0
    for study in range(500):
        source = np.repeat(np.arange(40), 2)
        values = random.normal(0, 1, 40)[source] + random.normal(0, 0.3, 80)
        found = estimate(Sums.of(moments(values), source), mean, Resampling(400, study))
        hits += found.low <= 0 <= found.high
    assert 0.92 <= hits / 500 <= 0.97


@given(st.lists(st.floats(-5, 5), min_size=FEW, max_size=60), st.integers(1, 9))
def test_an_interval_never_leaves_what_was_seen(values, sources) -> None:
    found = estimate(Sums.of(moments(values)), mean, Resampling(50))
    if found.low is not None:
        assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    grouped = Sums.of(moments(values), np.arange(len(values)) % sources)
    assert grouped.total == pytest.approx(moments(values).sum(axis=0))
    assert (grouped.n, grouped.clusters) == (len(values), sources)


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not estimable"):
        Estimate(math.nan)
    with pytest.raises(ValueError, match="reason"):
        Estimate(None)
    with pytest.raises(ValueError, match="two ends"):
        Estimate(0.5, low=0.1)
    assert not not_estimable("why").estimable


@pytest.mark.parametrize("wrong", [{"draws": 0}, {"draws": 1.5}, {"level": 95}, {"level": 1.0}])
def test_no_draws_and_no_level_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"draws are a whole number from 1|a level lies between"):
        Resampling(**wrong)
    with pytest.raises(ValueError, match="a level lies between 0 and 1, not 95"):
        Estimate(0.5, level=95)
