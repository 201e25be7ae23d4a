"""What a caller may give: lists, arrays, columns; and what of it is missing, or wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.known_answers import examples
from visionhub.analysis import given
from visionhub.analysis.given import counts_of, items_of, numbers_of, sources_of

NONE = float("nan")
MASKED = np.ma.array([1, 2, 1], mask=[False, True, False])


@pytest.mark.parametrize(
    ("values", "items"),
    [
        (["b", None, NONE, pd.NA, pd.NaT, np.ma.masked], ["b"] + [None] * 5),
        (MASKED, [1, None, 1]),
        (pd.Series(["x", "y"], index=[1, 0]), ["x", "y"]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        ([("a", 1), {2}, [3]], [("a", 1), {2}, [3]]),
        (np.array(["2020-01-01", "NaT"], "M8[ns]"), [pd.Timestamp("2020-01-01"), None]),
        ([], []),
    ],
)
def test_items_stand_in_their_order_and_none_is_missing(values, items) -> None:
    assert items_of(values) == items


@pytest.mark.parametrize("values", ["abc", {"a", "b"}, {"a": 1}, 3, iter([1])])
def test_what_has_no_order_or_length_is_no_column(values) -> None:
    with pytest.raises(TypeError, match="give a list or a column"):
        items_of(values)


def test_numbers_are_floats_and_nan_is_missing() -> None:
    for values in (
        [[1, None]],
        [[1, pd.NA]],
        pd.DataFrame([[1, pd.NA]]),
        np.ma.array([[1, 9]], mask=[[False, True]]),
    ):
        np.testing.assert_array_equal(numbers_of(values), [[1, NONE]])
    np.testing.assert_array_equal(
        numbers_of(pd.DataFrame({"a": [1, pd.NA]}, dtype="Int64")), [[1], [NONE]]
    )
    assert numbers_of([]).shape == (0,)
    for number in (np.inf, -np.inf):
        with pytest.raises(ValueError, match="a number is infinite"):
            numbers_of([1.0, number])


def test_counts_are_whole_and_not_negative() -> None:
    assert counts_of(np.array([200, 200], np.uint8), "cells").sum() == 400
    assert counts_of([], "cells").tolist() == []
    for wrong in ([1.5], [-1], [None], [NONE], [np.inf], ["3"], MASKED):
        with pytest.raises(ValueError, match="cells are counts: whole numbers, none below 0"):
            counts_of(wrong, "cells")


@pytest.mark.parametrize(
    "sources",
    [
        ["a", "b", "a", None, NONE],
        [("a", 1), ("b", 1), ("a", 1), None, pd.NA],
        [1, "b", 1, None, None],
        np.array([1.5, 2, 1.5, NONE, NONE]),
        np.array(["2020", "2021", "2020", "NaT", "NaT"], "M8[s]"),
        np.ma.array([1, 2, 1, 3, 3], mask=[0, 0, 0, 1, 1]),
        pd.Series(["a", "b", "a", None, None], index=[4, 3, 2, 1, 0]),
        np.array([7, 8, 7, 9, 10]),
    ],
)
def test_a_unit_without_a_source_is_its_own(sources) -> None:
    found = sources_of(sources, 5)
    _, first = np.unique(found, return_inverse=True)
    assert first.tolist() == [0, 1, 0, 2, 3]


def test_there_are_as_many_sources_as_units() -> None:
    assert sources_of(None, 3) is None
    for sources in ([1, 2], np.arange(4), []):
        with pytest.raises(ValueError, match="sources for 3 units"):
            sources_of(sources, 3)


def test_the_examples_hold() -> None:
    assert examples(given) == 4
