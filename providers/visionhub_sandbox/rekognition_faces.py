"""Faces in the shapes of Rekognition's answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from visionhub.schema import Attribute, Box, Face
from visionhub_sandbox.derived import percent, points, pose
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.pictures import Picture

POINTS = {
    "viewer_left_eye": "eyeLeft",
    "viewer_right_eye": "eyeRight",
    "viewer_left_mouth": "mouthLeft",
    "viewer_right_mouth": "mouthRight",
    "nose": "nose",
}
ATTRIBUTES = (
    "AGE_RANGE",
    "BEARD",
    "EMOTIONS",
    "EYEGLASSES",
    "EYES_OPEN",
    "EYE_DIRECTION",
    "FACE_OCCLUDED",
    "GENDER",
    "MOUTH_OPEN",
    "MUSTACHE",
    "SMILE",
    "SUNGLASSES",
)
EMOTIONS = {"angry": "ANGRY", "disgusted": "DISGUSTED", "fearful": "FEAR", "happy": "HAPPY"}
EMOTIONS |= {"neutral": "CALM", "sad": "SAD", "surprised": "SURPRISED"}
GENDERS = {"male": "Male", "man": "Male", "female": "Female", "woman": "Female"}
SAME = 0.363  # cosine from which SFace takes two faces for one person (OpenCV's documentation)
SAME_PERCENT = 80.0  # the service's default threshold
Json: TypeAlias = dict[str, Any]


def bounding_box(box: Box) -> dict[str, float]:
    """A box as the service gives it: ratios, from the upper left corner."""
    width, height = box.x_max - box.x_min, box.y_max - box.y_min
    sides = {"Width": width, "Height": height, "Left": box.x_min, "Top": box.y_min}
    return {name: round(value, 7) for name, value in sides.items()}


def compared_face(desk: Desk, picture: Picture, face: Face) -> Json:
    """What every operation on faces says of one: box, landmarks, pose, quality."""
    facts = picture.facts
    quality = desk.looks.quality(picture, face.box)
    angles = pose(face, facts.width, facts.height)
    found: Json = {
        "BoundingBox": bounding_box(face.box),
        "Landmarks": [
            {"Type": POINTS[name], "X": round(x, 7), "Y": round(y, 7)}
            for name, (x, y) in points(face).items()
        ],
        "Quality": {"Brightness": quality.brightness, "Sharpness": quality.sharpness},
        "Confidence": percent(face.score),
    }
    if angles:
        found["Pose"] = {"Roll": angles.roll, "Yaw": angles.yaw, "Pitch": angles.pitch}
    return found


def detail(desk: Desk, picture: Picture, face: Face, attributes: set[str]) -> Json:
    """A FaceDetail; of the attributes, those that the models guess."""
    found = compared_face(desk, picture, face)
    guessed: dict[str, list[Attribute]] = {}
    for attribute in face.attributes:
        guessed.setdefault(attribute.name, []).append(attribute)
    if attributes & {"AGE_RANGE", "ALL"} and "age" in guessed:
        [age] = guessed["age"]
        low, high = age.low or age.number or 0, age.high or age.number or 0
        found["AgeRange"] = {"Low": math.floor(low), "High": math.ceil(high)}
    if attributes & {"GENDER", "ALL"} and "gender" in guessed:
        gender = guessed["gender"][0]
        if gender.word in GENDERS:
            confidence = percent(gender.score)
            found["Gender"] = {"Value": GENDERS[gender.word], "Confidence": confidence}
    if attributes & {"EMOTIONS", "ALL"} and "emotion" in guessed:
        found["Emotions"] = [
            {"Type": EMOTIONS.get(each.word or "", "UNKNOWN"), "Confidence": percent(each.score)}
            for each in guessed["emotion"]
        ]
    return found


def matches(desk: Desk, source: Face, target: Picture, floor: float) -> Mapping[str, Any]:
    """The target's faces, those that match at the floor with their similarity, best first."""
    found = desk.predictions.guesses(target, ["embedding"]).faces
    rated = [(_similarity(source, face), compared_face(desk, target, face)) for face in found]
    near = [{"Similarity": alike, "Face": face} for alike, face in rated if alike >= floor]
    return {
        "FaceMatches": sorted(near, key=lambda match: -match["Similarity"]),
        "UnmatchedFaces": [face for alike, face in rated if alike < floor],
    }


def _similarity(one: Face, other: Face) -> float:
    """Cosine as a percentage: 0 to 0, the models' own threshold to 80, 1 to 100."""
    size = math.hypot(*one.embedding) * math.hypot(*other.embedding)
    if not size:
        return 0.0
    cosine = sum(a * b for a, b in zip(one.embedding, other.embedding, strict=True)) / size
    above = SAME_PERCENT + (cosine - SAME) / (1 - SAME) * (100 - SAME_PERCENT)
    alike = above if cosine >= SAME else max(0.0, cosine) / SAME * SAME_PERCENT
    return round(min(alike, 100.0), 6)
