"""Intraclass correlations at their edges: what varies too little, and numbers as they come."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_analysis_continuous import FORMS, JUDGES
from visionhub.analysis.intraclass import icc, icc_anova


def test_a_table_as_it_comes() -> None:
    table = np.ma.masked_array(np.array([*JUDGES, [99, 1, 2, 3]], dtype=float), mask=False)
    table[6, 0] = np.ma.masked
    assert icc(table) == icc(pd.DataFrame(JUDGES)) == icc(JUDGES)
    for function in (icc, icc_anova):
        with pytest.raises(ValueError, match="a number is infinite"):
            function([[1, 2], [np.inf, 3], [1, 1]])
    with pytest.raises(ValueError, match="5 sources for 6 units"):
        icc(JUDGES, sources=[1] * 5)


def test_sources_are_counted_where_there_is_no_value() -> None:
    none = icc([[1, 2]] * 2 + [[None, 1]], sources=["a", "a", "b"])
    assert none.clusters == 1
    assert (icc([[1], [2], [3]], sources=[0, 0, 1]).n, none.n) == (3, 2)
    assert icc([[1], [2], [3]], sources=[0, 0, 1]).clusters == 2


@pytest.mark.parametrize(
    "rows", [[[1, 3], [2, 2], [3, 1]], [[1, 3], [3, 1], [1, 3], [3, 1]], [[1, 2], [2, 1]]]
)
def test_without_variance_of_means_there_is_no_agreement_of_means(rows) -> None:
    """It was 3 of the first: (MSR - MSE) over MSR + (MSC - MSE) / n, which is below 0 there."""
    found = icc(rows, "ICC(A,k)")
    assert found.value is None
    assert found.reason.startswith("raters differ within units more than units do")
    assert icc(rows, "ICC(C,k)").reason.startswith("the units' means are all the same")


@given(st.integers(0, 2**32 - 1), st.sampled_from(FORMS))
def test_an_intraclass_correlation_lies_within_its_interval_and_is_at_most_one(seed, form) -> None:
    random = np.random.default_rng(seed)
    n, k, top = random.integers(2, 6), random.integers(2, 5), random.integers(3, 8)
    rows = random.integers(1, top, (n, k)) * random.choice([1, 0.1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = icc(rows, form)
    assert found.value is None or found.value <= 1 + 1e-9
    if found.low is not None:
        assert found.low <= found.value <= found.high <= 1 + 1e-9
    elif found.value is not None:
        assert "F gives no" in found.reason


def test_an_interval_without_end_is_said() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "F gives no interval" in icc([[3, 1], [3, 1], [2, 2]], "ICC(A,1)").reason
    wide = icc([[1, 2], [2, 4], [4, 2], [3, 1]], "ICC(A,k)")
    assert "F gives no lower end" in wide.reason
    bare = icc([[2, 2, 6, 2], [6, 3, 1, 1]], "ICC(A,1)")
    assert "hardly a degree of freedom" in bare.reason
