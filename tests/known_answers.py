"""Published cases with their answers, beside the checkout; and how near is near enough."""

from __future__ import annotations

import doctest
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def case(shared: Path, name: str) -> Mapping[str, Any]:
    """One case: its data, what is expected, and the tolerance."""
    return json.loads((shared / "known_answers" / f"{name}.json").read_text())


def near(found, expected, tolerance: float) -> bool:
    """Whether numbers agree: relatively above 1, else absolutely."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape
    away = np.abs(found - expected) / np.maximum(1, np.abs(expected))
    assert away.max() <= tolerance, f"{found} is not {expected}"
    return True


def examples(*modules: ModuleType) -> int:
    """Run the examples in docstrings of modules; how many there were."""
    ran = [doctest.testmod(one, optionflags=doctest.NORMALIZE_WHITESPACE) for one in modules]
    assert not any(one.failed for one in ran)
    return sum(one.attempted for one in ran)
