"""Numbers to read: what is not 0, or not 1, is not rounded to it."""

from __future__ import annotations

import pytest

from visionhub.report.compared import number
from visionhub.report.plain import percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (0, "0.00"), (0.5, "0.50"), (0.0004, "0.0004"), (-0.003, "-0.003"),
        (0.994, "0.99"), (0.99918, "0.9992"), (-0.9996, "-0.9996"), (1 - 1e-16, "1.00"),
        (-1e-17, "0.00"), (1, "1.00"), (1.004, "1.00"), (1234.5, "1,234"),
    ],
)  # fmt: skip
def test_a_number_is_as_long_as_it_must_be(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_share_is_all_or_nothing_only_where_it_is() -> None:
    shares = (0, 0.0004, 0.25, 0.9996, 1)
    assert [percent(one) for one in shares] == ["0 %", "<1 %", "25 %", ">99 %", "100 %"]
    assert [percent(one, 1) for one in (0.0004, 0.9996)] == ["<0.1 %", ">99.9 %"]
