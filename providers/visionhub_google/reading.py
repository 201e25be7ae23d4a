"""Members of an answer, read with their types: a wrong type raises TypeError or ValueError.

What protocol buffers leave out is at its default: an absent number is 0, an absent list is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from visionhub.schema import Box

Json: TypeAlias = Any  # what json.loads returns
Pair: TypeAlias = tuple[float, float]


def number(item: Json, name: str) -> float:
    """A number; 0 when it is absent."""
    value = item.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} is no number but {value!r}")
    return float(value)


def text(item: Json, name: str) -> str:
    """A text; empty when it is absent."""
    value = item.get(name, "")
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text but {value!r}")
    return value


def items(holder: Json, name: str) -> list[Json]:
    """A list of objects; empty when it is absent."""
    value = holder.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise TypeError(f"{name} is no list of objects but {str(value)[:60]!r}")
    return value


def member(holder: Json, name: str) -> Json:
    """An object; an empty one when it is absent."""
    value = holder.get(name, {})
    if not isinstance(value, dict):
        raise TypeError(f"{name} is no object but {str(value)[:60]!r}")
    return value


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture, in pixels, that an answer's pixels are counted in."""

    width: float
    height: float

    def corners(self, polygon: Json) -> tuple[Pair, ...]:
        """A polygon in ratios: of pixels (`vertices`), or as given (`normalizedVertices`)."""
        pixels = items(polygon, "vertices")
        if pixels:
            return tuple(
                (number(p, "x") / self.width, number(p, "y") / self.height) for p in pixels
            )
        return tuple((number(p, "x"), number(p, "y")) for p in items(polygon, "normalizedVertices"))

    def box(self, polygon: Json) -> Box | None:
        """The upright box around a polygon; None when it has no corners."""
        return around(self.corners(polygon))


def around(corners: Sequence[Pair]) -> Box | None:
    """The smallest upright box that holds all corners, cut to the picture."""
    if not corners:
        return None
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return Box.of(min(across), min(down), max(across), max(down))


def needed(box: Box | None, what: str) -> Box:
    """A box that must be there; ValueError when it is not."""
    if box is None:
        raise ValueError(f"{what} has no corners")
    return box
