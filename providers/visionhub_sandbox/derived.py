"""What the vendors give and the models do not: derived from what the models do give.

All of it is meant for a rehearsal: plausible, deterministic, and no measurement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from visionhub.schema import Box, Face, Scale, Score, TextLine

Corners: TypeAlias = tuple[tuple[float, float], ...]
# Both services name points from the viewer's side, our models from the person's own.
POINTS = {
    "right_eye": "viewer_left_eye",
    "left_eye": "viewer_right_eye",
    "nose": "nose",
    "nose_tip": "nose",
    "mouth_right": "viewer_left_mouth",
    "mouth_left": "viewer_right_mouth",
}
# Fitted to eight faces for which a service gave landmarks and angles, within 2 degrees (mean
# absolute error): yaw = atan(nose's way along the eyes / (0.69 * their distance)); pitch falls by
# 95 degrees as the nose moves from the eyes (50 degrees) to the mouth.
NOSE_LENGTH, UPMOST, DOWN = 0.69, 50.0, 95.0
LIKELIHOODS = (  # cut points of ours: below each, the word
    (0.05, "VERY_UNLIKELY"),
    (0.2, "UNLIKELY"),
    (0.5, "POSSIBLE"),
    (0.8, "LIKELY"),
)


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles of a head in degrees."""

    roll: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line of text, with its corners in ratios, clockwise from its upper left."""

    text: str
    corners: Corners


def share(score: Score) -> float:
    """A score from 0 to 1: a percentage divided by 100, anything else as it is, cut to fit."""
    value = score.value or 0.0
    value = value / 100 if score.scale is Scale.PERCENT else value
    return min(max(value, 0.0), 1.0)


def percent(score: Score | None) -> float:
    """A score from 0 to 100; a missing one counts as certain."""
    return 100.0 if score is None else round(100 * share(score), 6)


def likelihood(value: float) -> str:
    """The word for a probability; below 0.05, 0.2, 0.5 and 0.8 come the first four of five."""
    return next((word for below, word in LIKELIHOODS if value < below), "VERY_LIKELY")


def points(face: Face) -> dict[str, tuple[float, float]]:
    """A face's landmarks in ratios, by names that say the viewer's side."""
    return {POINTS[p.name]: (p.x, p.y) for p in face.landmarks if p.name in POINTS}


def pose(face: Face, width: int, height: int) -> Pose | None:
    """The angles of a head out of eyes, nose and mouth; None where a point is missing."""
    at = {name: (x * width, y * height) for name, (x, y) in points(face).items()}
    if set(at) != set(POINTS.values()):
        return None
    left, right = at["viewer_left_eye"], at["viewer_right_eye"]
    apart = math.dist(left, right)
    mouth = _middle(at["viewer_left_mouth"], at["viewer_right_mouth"])
    eyes = _middle(left, right)
    if not apart or eyes == mouth:
        return None
    along = ((right[0] - left[0]) / apart, (right[1] - left[1]) / apart)
    down = (-along[1], along[0])
    to_nose, to_mouth = _way(eyes, at["nose"]), _way(eyes, mouth)
    chin = _dot(to_mouth, down) or 1.0
    yaw = math.degrees(math.atan(_dot(to_nose, along) / apart / NOSE_LENGTH))
    pitch = max(-90.0, min(90.0, UPMOST - DOWN * _dot(to_nose, down) / chin))
    roll = math.degrees(math.atan2(along[1], along[0]))
    return Pose(round(roll, 4), round(yaw, 4), round(pitch, 4))


def corners(box: Box) -> Corners:
    """The corners of a box, clockwise from the upper left."""
    return (
        (box.x_min, box.y_min),
        (box.x_max, box.y_min),
        (box.x_max, box.y_max),
        (box.x_min, box.y_max),
    )


def pieces(line: TextLine | Piece, separator: str = " ") -> list[Piece]:
    """Cut a line into words (or, with no separator, into characters).

    All characters are taken to be equally wide: the models place whole lines only.
    """
    if isinstance(line, Piece):
        around = line.corners
    else:
        around = line.polygon if len(line.polygon) == 4 else corners(line.box)  # noqa: PLR2004
    length = max(1, len(line.text))
    found, start = [], 0
    for part in line.text.split(separator) if separator else line.text:
        if part:
            ends = (start / length, (start + len(part)) / length)
            found.append(Piece(part, _between(around, *ends)))
        start += len(part) + len(separator)
    return found


def _between(around: Corners, start: float, end: float) -> Corners:
    """The part of a four-sided line from one share of its length to another."""
    upper_left, upper_right, lower_right, lower_left = around
    return (
        _on(upper_left, upper_right, start),
        _on(upper_left, upper_right, end),
        _on(lower_left, lower_right, end),
        _on(lower_left, lower_right, start),
    )


def _on(a: tuple[float, float], b: tuple[float, float], part: float) -> tuple[float, float]:
    return (a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part)


def _middle(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return _on(a, b, 0.5)


def _way(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return (b[0] - a[0], b[1] - a[1])


def _dot(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1]
