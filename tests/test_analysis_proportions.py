"""Intervals of proportions and their differences, as printed in Newcombe's papers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from tests.known_answers import case, examples, near
from visionhub.analysis import proportions
from visionhub.analysis.proportions import (
    NAMES,
    clopper_pearson,
    newcombe_difference,
    newcombe_paired,
    proportion,
    wilson,
)


@pytest.mark.parametrize("interval", ["wilson", "clopper_pearson", "jeffreys", "wald"])
def test_known_answer_09_proportions(shared, interval) -> None:
    found = case(shared, "09_wilson_clopper_newcombe_1998")
    for row, expected in zip(found["data"]["rows"], found["expected"][interval], strict=True):
        share = proportion(row["x"], row["n"], interval)
        assert share.value == row["x"] / row["n"]
        near([share.low, share.high], expected, found["tolerance"])
        assert share.n == row["n"]


def test_no_successes_and_nothing_at_all() -> None:
    """Newcombe 1998, table I: 0 of 20 and 1 of 29."""
    none, one = wilson(0, 20), wilson(1, 29)
    assert (none.low, none.high) == pytest.approx((0, 0.1611), abs=5e-5)
    assert (one.low, one.high) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    exact = clopper_pearson(0, 20)
    assert (exact.low, exact.high) == pytest.approx((0, 0.1684), abs=5e-5)
    assert wilson(0, 0).reason == "no units: a share of nothing"
    assert wilson(3, 9, 0.9).level == 0.9
    with pytest.raises(ValueError, match="4 of 3"):
        wilson(4, 3)


@pytest.mark.parametrize("interval", list(NAMES))
def test_a_share_lies_in_its_interval(interval) -> None:
    """Brown, Cai & DasGupta 2001, section 3.1.3: L(0) = 0 and U(n) = 1, Jeffreys' too."""
    for n in (1, 2, 7, 20, 300):
        none, all_ = proportion(0, n, interval), proportion(n, n, interval)
        assert (none.low, all_.high) == (0.0, 1.0)
        for x in range(n + 1):
            found = proportion(x, n, interval)
            assert found.low <= found.value <= found.high
    assert proportion(0, 20, "jeffreys").high == pytest.approx(beta.ppf(0.975, 0.5, 20.5))


@pytest.mark.parametrize("wrong", [-2, 1.5, float("nan"), np.inf])
def test_what_is_no_count_is_refused(wrong) -> None:
    for call in (
        lambda: wilson(wrong, 9),
        lambda: wilson(1, wrong),
        lambda: newcombe_difference(1, 9, wrong, 9),
        lambda: newcombe_paired([[1, wrong], [3, 4]]),
    ):
        with pytest.raises(ValueError, match="are counts: whole numbers, none below 0"):
            call()
    with pytest.raises(ValueError, match="are a 2 x 2 table"):
        newcombe_paired([1, 2, 3])


def test_small_types_do_not_overflow() -> None:
    small = [np.uint8(count) for count in (56, 200, 48, 200)]
    found = newcombe_difference(*small)
    assert found == newcombe_difference(56, 200, 48, 200)
    assert found.n == 400


def test_another_interval_or_level_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="wilson, clopper_pearson, jeffreys, wald, not 'agresti'"):
        proportion(3, 10, "agresti")
    for level in (95, 0, 1, -0.5, float("nan")):
        for call in (wilson, clopper_pearson):
            with pytest.raises(ValueError, match="a level lies between 0 and 1"):
                call(3, 10, level)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_table_of_independent_proportions(counts, low, high) -> None:
    """Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10."""
    found = newcombe_difference(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
    assert found.n == counts[1] + counts[3]


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((36, 14, 0, 0), 0.1528, 0.4167),
        ((35, 14, 0, 1), 0.1461, 0.4175),
        ((18, 14, 0, 18), 0.1441, 0.3963),
        ((2, 97, 1, 0), 0.8721, 0.9854),
        ((1, 97, 1, 1), 0.8736, 0.9850),
        ((0, 29, 1, 0), 0.6666, 0.9882),
        ((2, 98, 0, 0), 0.9178, 0.9945),
        ((1, 98, 0, 1), 0.9171, 0.9916),
        ((0, 30, 0, 0), 0.8395, 1.0),
        ((54, 0, 0, 0), -0.0664, 0.0664),
        ((53, 0, 0, 1), -0.0729, 0.0729),
        ((30, 0, 0, 24), -0.0358, 0.0358),
        ((27, 0, 0, 27), -0.0351, 0.0351),
    ],
)
def test_newcombes_table_of_paired_proportions(cells, low, high) -> None:
    """Newcombe 1998, Statistics in Medicine 17:2635-2650, table III, method 10."""
    found = newcombe_paired(np.reshape(cells, (2, 2)))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert found.value == pytest.approx((cells[1] - cells[2]) / sum(cells))


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4))
def test_the_difference_lies_within_and_turns_with_the_sides(cells) -> None:
    table = np.reshape(cells, (2, 2))
    found, turned = newcombe_paired(table), newcombe_paired(table.T)
    if not sum(cells):
        assert found.value is None
        return
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_the_examples_hold() -> None:
    assert examples(proportions) > 4
