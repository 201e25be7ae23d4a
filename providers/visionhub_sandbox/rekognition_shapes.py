"""Predictions in the shapes of Rekognition's answers: percent, ratios, names in title case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from visionhub_sandbox.desk import VERSION, Desk
from visionhub_sandbox.pictures import Picture

ATTRIBUTES = ("AGE_RANGE", "BEARD", "EMOTIONS", "EYE_DIRECTION", "EYEGLASSES", "EYES_OPEN")
ATTRIBUTES += ("GENDER", "MOUTH_OPEN", "MUSTACHE", "FACE_OCCLUDED", "SMILE", "SUNGLASSES")
Request = Mapping[str, Any]


def labels(desk: Desk, request: Request, pictures: Sequence[Picture]) -> dict[str, Any]:
    """DetectLabels."""
    return {"Labels": [], "LabelModelVersion": VERSION}


def faces(desk: Desk, request: Request, pictures: Sequence[Picture]) -> dict[str, Any]:
    """DetectFaces."""
    return {"FaceDetails": []}


def text(desk: Desk, request: Request, pictures: Sequence[Picture]) -> dict[str, Any]:
    """DetectText."""
    return {"TextDetections": [], "TextModelVersion": VERSION}


def moderation(desk: Desk, request: Request, pictures: Sequence[Picture]) -> dict[str, Any]:
    """DetectModerationLabels."""
    return {"ModerationLabels": [], "ModerationModelVersion": VERSION, "ContentTypes": []}


def equipment(desk: Desk, request: Request, pictures: Sequence[Picture]) -> dict[str, Any]:
    """DetectProtectiveEquipment."""
    return {"ProtectiveEquipmentModelVersion": VERSION, "Persons": []}


def celebrities(desk: Desk, request: Request, pictures: Sequence[Picture]) -> dict[str, Any]:
    """RecognizeCelebrities."""
    return {"CelebrityFaces": [], "UnrecognizedFaces": []}


def compared(desk: Desk, request: Request, pictures: Sequence[Picture]) -> dict[str, Any]:
    """CompareFaces."""
    return {"FaceMatches": [], "UnmatchedFaces": []}
