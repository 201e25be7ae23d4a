"""A quantity with its interval, and what a reader needs to believe it; or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

LEVEL = 0.95


def checked_level(level: float) -> float:
    """A share, such as .95. Raises ValueError of a percentage, and of any other number."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    return level


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number that is never bare.

    value: None when it cannot be estimated; `reason` says why. low, high: its interval at `level`,
    None where only the value can be had; then `reason` says why that is. n: how many units (images,
    pairs of boxes, faces) it rests on, and clusters: how many sources these come from; of units
    without a source each is its own. method: how the interval was made.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    clusters: int = 0
    method: str = ""
    reason: str = ""
    level: float = LEVEL

    def __post_init__(self) -> None:
        checked_level(self.level)
        for number in (self.value, self.low, self.high):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{number} is no number: say why it is not estimable")
        if self.value is None and not self.reason:
            raise ValueError("what is not estimable needs a reason")
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")

    @property
    def estimable(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def because(self, reason: str) -> Estimate:
        """The same value without an interval, for a reason."""
        return replace(self, low=None, high=None, reason=reason)


def not_estimable(reason: str, n: int = 0, clusters: int = 0) -> Estimate:
    """No value, for a reason that a reader understands."""
    return Estimate(None, n=n, clusters=clusters, reason=reason)
