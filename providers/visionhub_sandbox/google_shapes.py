"""Predictions in the shapes of Google's answers: 0 to 1, words, pixels; zeros are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from visionhub.schema import Box, Face, Task
from visionhub_sandbox.derived import Corners, corners, likelihood, points, pose, share
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.google_text import polygon, text
from visionhub_sandbox.pictures import Picture

POINTS = {
    "viewer_left_eye": "LEFT_EYE",
    "viewer_right_eye": "RIGHT_EYE",
    "nose": "NOSE_TIP",
    "viewer_left_mouth": "MOUTH_LEFT",
    "viewer_right_mouth": "MOUTH_RIGHT",
}
AROUND = 0.15  # of a face's box: the head's box is wider by it on each side, and may reach outside
UNSAFE = {"nsfw": "adult"}  # which of the five categories one of ours is
SAFETY = ("adult", "spoof", "medical", "violence", "racy")
EMOTIONS = ("joyLikelihood", "sorrowLikelihood", "angerLikelihood", "surpriseLikelihood")
UNKNOWN = "UNKNOWN"
Json: TypeAlias = dict[str, Any]
Fill: TypeAlias = Callable[[Desk, Picture, int], Json]


def labels(desk: Desk, picture: Picture, most: int) -> Json:
    """LABEL_DETECTION."""
    found: list[Json] = [
        {"description": _sentence(label.name), "score": score, "topicality": score}
        for label in desk.predictions.of(picture, Task.LABELS).labels
        if (score := round(share(label.score), 8))
    ]
    found.sort(key=lambda label: (-label["score"], label["description"]))
    return _unless_empty("labelAnnotations", found[:most])


def objects(desk: Desk, picture: Picture, most: int) -> Json:
    """OBJECT_LOCALIZATION: boxes in ratios."""
    found: list[Json] = [
        {
            "name": _sentence(thing.name),
            "score": round(share(thing.score), 8),
            "boundingPoly": {"normalizedVertices": _ratios(corners(thing.box))},
        }
        for thing in desk.predictions.of(picture, Task.OBJECTS).objects
    ]
    found.sort(key=lambda thing: -thing["score"])
    return _unless_empty("localizedObjectAnnotations", found[:most])


def _ratios(around: Corners) -> list[Json]:
    return [_present({"x": round(x, 8), "y": round(y, 8)}) for x, y in around]


def faces(desk: Desk, picture: Picture, most: int) -> Json:
    """FACE_DETECTION: boxes in pixels; emotions are withdrawn, headwear is not looked for."""
    found = desk.predictions.of(picture, Task.FACES).faces
    ordered = sorted(found, key=lambda face: -share(face.score))[:most]
    return _unless_empty("faceAnnotations", [_face(desk, picture, face) for face in ordered])


def _face(desk: Desk, picture: Picture, face: Face) -> Json:
    width, height = picture.facts.width, picture.facts.height
    quality = desk.looks.quality(picture, face.box)
    angles = pose(face, width, height)
    turned = (
        {"rollAngle": angles.roll, "panAngle": angles.yaw, "tiltAngle": angles.pitch}
        if angles
        else {}
    )
    rated = {
        "underExposedLikelihood": likelihood(1 - quality.brightness / 50),
        "blurredLikelihood": likelihood(1 - quality.sharpness / 50),
        "headwearLikelihood": UNKNOWN,
    }
    return {
        "boundingPoly": polygon(_head(face.box), width, height),
        "fdBoundingPoly": polygon(corners(face.box), width, height),
        "landmarks": [
            {"type": POINTS[name], "position": _present({"x": x * width, "y": y * height})}
            for name, (x, y) in points(face).items()
        ],
        **turned,
        "detectionConfidence": round(share(face.score), 8),
        **dict.fromkeys(EMOTIONS, UNKNOWN),
        **rated,
    }


def _head(box: Box) -> Corners:
    """A wider box around a face's; like the service's, it is not cut at the picture's edge."""
    across, down = AROUND * (box.x_max - box.x_min), AROUND * (box.y_max - box.y_min)
    left, right = box.x_min - across, box.x_max + across
    top, bottom = box.y_min - down, box.y_max + down
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def safe_search(desk: Desk, picture: Picture, most: int) -> Json:
    """SAFE_SEARCH_DETECTION: what the models do not tell is UNKNOWN."""
    found = dict.fromkeys(SAFETY, UNKNOWN)
    for each in desk.predictions.of(picture, Task.SAFE_SEARCH).safe_search:
        if each.category in UNSAFE:
            found[UNSAFE[each.category]] = likelihood(share(each.score))
    return {"safeSearchAnnotation": found}


def colours(desk: Desk, picture: Picture, most: int) -> Json:
    """IMAGE_PROPERTIES: the score of a colour is its share of the pixels."""
    found = [
        {
            "color": {"red": each.red, "green": each.green, "blue": each.blue},
            "score": round(each.fraction, 8),
            "pixelFraction": round(each.fraction, 8),
        }
        for each in desk.looks.colours(picture, most)
    ]
    return {"imagePropertiesAnnotation": {"dominantColors": {"colors": found}}}


def _sentence(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _present(values: Mapping[str, float]) -> Json:
    return {name: value for name, value in values.items() if value}


def _unless_empty(name: str, found: list[Any]) -> Json:
    return {name: found} if found else {}


def _nothing(name: str) -> Fill:
    return lambda desk, picture, most: {name: {}} if name else {}


FILLS: Mapping[str, Fill] = MappingProxyType(
    {
        "LABEL_DETECTION": labels,
        "OBJECT_LOCALIZATION": objects,
        "FACE_DETECTION": faces,
        "TEXT_DETECTION": text,
        "DOCUMENT_TEXT_DETECTION": text,
        "SAFE_SEARCH_DETECTION": safe_search,
        "IMAGE_PROPERTIES": colours,
        "CROP_HINTS": _nothing("cropHintsAnnotation"),
        "WEB_DETECTION": _nothing("webDetection"),
        "PRODUCT_SEARCH": _nothing("productSearchResults"),
        "LANDMARK_DETECTION": _nothing(""),
        "LOGO_DETECTION": _nothing(""),
    }
)
