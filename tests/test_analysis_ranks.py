"""Ranked lists, against published figures and the formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.known_answers import case, examples, near
from visionhub.analysis import ranked_lists, ranks
from visionhub.analysis.ranked_lists import (
    RankBiasedOverlap,
    average_overlap,
    rank_biased_overlap,
    ranked_overlaps,
    weight_of_top,
)
from visionhub.analysis.ranks import RankPairs, rank_pairs

lists = st.lists(st.integers(0, 15), max_size=12, unique=True)
weights = st.floats(0.05, 0.98)


def test_known_answer_17_rank_biased_overlap(shared) -> None:
    found = case(shared, "17_rbo_webber_2010")
    data, expected, tolerance = found["data"], found["expected"], found["tolerance"]
    s, t = data["S"], data["T"]
    ours = rank_biased_overlap(s, t, data["p"])
    near(ours.ext, expected["rbo_ext"], tolerance)
    near(ours.minimum, expected["rbo_min"], tolerance)
    near(ours.residual, expected["rbo_res"], tolerance)
    by_depth = [average_overlap(s, t, depth) for depth in range(1, 8)]
    near(by_depth, expected["average_overlap_by_depth"], tolerance)
    top = weight_of_top(10, 0.9)
    near(top, expected["weight_of_top_10_at_p_0.9"], tolerance)
    shares = np.array([len({*s[:d]} & {*t[:d]}) / d for d in range(1, 8)])
    truncated = 0.1 * (0.9 ** np.arange(7) * shares).sum()
    near(truncated, expected["rbo_truncated_sum"], tolerance)


def extrapolated(s, t, p) -> float:
    """Equation 32, term by term."""
    short, long = sorted([s, t], key=len)
    if not short:
        return 1.0 if not long else 0.0
    n, m = len(short), len(long)
    x = [len(set(short[:d]) & set(long[:d])) for d in range(m + 1)]
    total = sum(x[d] / d * p**d for d in range(1, m + 1))
    total += sum(x[n] * (d - n) / (n * d) * p**d for d in range(n + 1, m + 1))
    return (1 - p) / p * total + ((x[m] - x[n]) / m + x[n] / n) * p**m


def bounds(s, t, p) -> tuple[float, float]:
    """Least and greatest over all continuations, by continuing both lists to depth 3,000."""
    short, long = sorted([s, t], key=len)

    def value(short, long) -> float:
        met, x, total = [set(), set()], 0, 0.0
        for d in range(1, 3001):
            for side, items in enumerate((short, long)):
                item = items(d)
                x += item in met[1 - side]
                met[side].add(item)
            total += (1 - p) * p ** (d - 1) * x / d
        return total

    def padded(items, filler):
        return lambda d: items[d - 1] if d <= len(items) else filler(d)

    apart = value(padded(short, lambda d: ("a", d)), padded(long, lambda d: ("b", d)))
    rest_short = [item for item in long if item not in short]
    rest_long = [item for item in short if item not in long]
    full_short, full_long = [*short, *rest_short], [*long, *rest_long]
    same = value(padded(full_short, lambda d: ("c", d)), padded(full_long, lambda d: ("c", d)))
    return apart, same


@given(lists, lists, weights)
def test_extrapolation_is_equation_32(s, t, p) -> None:
    found = rank_biased_overlap(s, t, p)
    assert found.ext == pytest.approx(extrapolated(s, t, p))
    turned = rank_biased_overlap(t, s, p)
    assert (turned.ext, turned.minimum) == pytest.approx((found.ext, found.minimum))
    slack = 1e-9
    assert found.minimum - slack <= found.ext <= found.minimum + found.residual + slack
    assert -slack <= found.minimum <= 1
    assert -slack <= found.residual <= 1 + slack


@pytest.mark.parametrize("p", [0.5, 0.9])
@pytest.mark.parametrize(
    ("s", "t"),
    [("abc", "bca"), ("abcdefg", "zcavwxy"), ("ab", "cdabe"), ("abcde", "xa"), ("", "ab")],
)
def test_minimum_and_residual_are_the_ends_of_what_may_come(s, t, p) -> None:
    low, high = bounds(s, t, p)
    found = rank_biased_overlap(s, t, p)
    assert found.minimum == pytest.approx(low)
    assert found.minimum + found.residual == pytest.approx(high)


def test_equal_and_empty_lists() -> None:
    assert rank_biased_overlap("abc", "abc").ext == pytest.approx(1)
    assert rank_biased_overlap("abc", "xyz").ext == 0
    assert rank_biased_overlap("", "") == RankBiasedOverlap(1.0, 0.0, 1.0)
    assert rank_biased_overlap("a", "").ext == 0
    assert average_overlap("", "abc") is None
    for wrong in (("aa", "b", 0.9), ("a", "bb", 0.9)):
        with pytest.raises(ValueError, match="once"):
            rank_biased_overlap(*wrong)
    for p in (0, 1, 1.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            rank_biased_overlap("a", "b", p)


@given(st.lists(st.tuples(lists, lists), max_size=8), weights)
def test_many_pairs_of_lists_are_as_each(pairs, p) -> None:
    rows = [
        (image, a.index(item) + 1, b.index(item) + 1)
        for image, (a, b) in enumerate(pairs)
        for item in a
        if item in b
    ]
    image, first, second = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    order = np.random.default_rng(0).permutation(len(rows))
    lengths = [np.array([len(pair[side]) for pair in pairs], dtype=np.int64) for side in (0, 1)]
    many = ranked_overlaps(image[order], first[order], second[order], *lengths, p)
    for number, (a, b) in enumerate(pairs):
        one = rank_biased_overlap(a, b, p)
        each = [float(values[number]) for values in many]
        assert each == pytest.approx([one.ext, one.minimum, one.residual], abs=1e-12)


@pytest.mark.parametrize("measure", [rank_biased_overlap, average_overlap])
def test_a_set_or_a_tie_is_no_ranked_list(measure) -> None:
    for unordered in ({"a", "b"}, frozenset("ab"), {"a": 1}):
        with pytest.raises(TypeError, match="a ranked list has an order"):
            measure(["a", "b"], unordered)
    for tied in ([{"a"}, {"b", "c"}], [["a"], ["b"]], [frozenset("ab")]):
        with pytest.raises(ValueError, match="break ties"):
            measure(tied, ["a", "b"])
    column = pd.Series(["a", "b", "c"], index=[2, 1, 0])
    assert measure(column, np.array(["b", "a"])) == measure(["a", "b", "c"], ["b", "a"])


@pytest.mark.parametrize(
    ("d", "p", "why"),
    [(0, 0.9, "ranks are"), (1.5, 0.9, "ranks are"), (3, 1, "p lies"), (3, 0, "p")],
)
def test_no_rank_and_no_p_have_no_weight(d, p, why) -> None:
    with pytest.raises(ValueError, match=why):
        weight_of_top(d, p)


def test_a_rank_beyond_its_list_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the end"):
        ranked_overlaps(*(np.array([x]) for x in (0, 3, 1, 2, 2)))


@given(st.integers(1, 200), weights)
def test_weights_of_the_top_rise_to_one(d, p) -> None:
    assert 0 < weight_of_top(d, p) < weight_of_top(d + 1, p) + 1e-12 <= 1 + 1e-9
    direct = sum(
        (1 - p) * p ** (k - 1) * min(d, k) / k for k in range(1, d + math.ceil(40 / (1 - p)))
    )
    assert weight_of_top(d, p) == pytest.approx(direct)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 7)), min_size=5, max_size=40),
    st.integers(0, 39),
)
def test_influence_is_the_slope_of_each_statistic(rows, place) -> None:
    """By giving one pattern a little more weight."""
    x, y = zip(*rows, strict=True)
    pairs, which = rank_pairs(x, y)
    if not pairs.x.any() or not pairs.y.any():
        return
    weights = np.bincount(which).astype(float)
    place %= len(weights)
    step = np.eye(len(weights))[place] * 1e-5
    cut = int(pairs.x.max())

    def slope(statistic) -> float:
        up, down = statistic(weights + step), statistic(weights - step)
        return float(up - down) / 2e-5 * weights.sum()

    def area(some) -> np.ndarray:
        return pairs.auc(some, cut)

    found = {
        pairs.spearman: pairs.spearman_influence(weights),
        pairs.kendall: pairs.kendall_influence(weights)[1],
        area: pairs.auc_influence(weights, cut),
    }
    for statistic, influence in found.items():
        assert influence[place] == pytest.approx(slope(statistic), abs=1e-4)
        assert (influence * weights).sum() == pytest.approx(0, abs=1e-9)


def test_pairs_of_values_are_places_from_zero() -> None:
    pairs, which = rank_pairs([5.0, 1.0, 5.0], [2, 2, 2])
    assert (pairs.x.tolist(), pairs.y.tolist(), which.tolist()) == ([0, 1], [0, 0], [1, 0, 1])
    assert isinstance(pairs, RankPairs)


def test_the_examples_hold() -> None:
    assert examples(ranks, ranked_lists) > 3
