"""Typed access to the members of an answer. Whatever is not as documented raises ValueError."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from visionhub.schema import Box, Scale, Score

Json: TypeAlias = Mapping[str, Any]  # an object of an answer

TOP = 100.0
FLOAT32 = 1e-4  # percent; what a 32-bit float may lie above the top


def document(body: bytes) -> Json:
    """The answer in a body; ValueError when it is no JSON object."""
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(answer, dict):
        raise ValueError(f"not an object but {type(answer).__name__}")  # noqa: TRY004 - bad data
    return answer


def part(holder: Json, name: str) -> Json:
    """A member that is an object; empty when it is absent."""
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no object")  # noqa: TRY004 - bad data
    return value


def parts(holder: Json, name: str) -> list[Json]:
    """A member that is a list of objects; empty when it is absent."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{name} is no list of objects")
    return value


def required(answer: Json, name: str) -> list[Json]:
    """The list that every answer has."""
    if answer.get(name) is None:
        raise ValueError(f"no member {name}")
    return parts(answer, name)


def maybe_text(holder: Json, name: str) -> str | None:
    """A member that is text; None when it is absent or empty."""
    value = holder.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004 - bad data
    return value


def text(holder: Json, name: str) -> str:
    """A member that must be there."""
    value = maybe_text(holder, name)
    if value is None:
        raise ValueError(f"no {name}")
    return value


def names(holder: Json, name: str) -> tuple[str, ...]:
    """The names in a list of objects that have nothing but a name."""
    return tuple(text(item, "Name") for item in parts(holder, name))


def number(holder: Json, name: str) -> float:
    """A member that must be a finite number."""
    value = holder.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is no number")
    return float(value)


def maybe_number(holder: Json, name: str) -> float | None:
    """A number; None when it is absent."""
    return None if holder.get(name) is None else number(holder, name)


def percent(holder: Json, name: str = "Confidence") -> Score:
    """A score from 0 to 100, as it stands; rounding noise of a 32-bit float is cut off."""
    value = number(holder, name)
    return Score(Scale.PERCENT, TOP if TOP < value <= TOP + FLOAT32 else value)


def maybe_percent(holder: Json, name: str = "Confidence") -> Score | None:
    """A score; None when it is absent."""
    return None if holder.get(name) is None else percent(holder, name)


def truth(holder: Json, name: str = "Value") -> bool:
    """A member that must be true or false."""
    value = holder.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is neither true nor false")  # noqa: TRY004 - bad data
    return value


def box(holder: Json) -> Box:
    """The member BoundingBox: ratios of the picture's width and height, as the schema has them."""
    corner = part(holder, "BoundingBox")
    left, top = number(corner, "Left"), number(corner, "Top")
    return Box.of(left, top, left + number(corner, "Width"), top + number(corner, "Height"))
