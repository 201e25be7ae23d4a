"""What all comparisons share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from visionhub.analysis.frames import Integers
from visionhub.analysis.resample import DEFAULT, Resampling

MOST = 100  # labels that are measured one by one, the most frequent ones


@dataclass(frozen=True)
class Settings:
    """How intervals are made, and of what.

    sources: numbers of sources for ids of images; None where each image is its own. most: how many
    labels, classes or words are measured one by one.
    """

    how: Resampling = DEFAULT
    sources: Callable[[Integers], Integers] | None = None
    most: int = MOST

    def of(self, images: Integers) -> Integers | None:
        """(n,) the sources of images."""
        return None if self.sources is None else self.sources(images)
