"""Reads DetectFaces.

Rekognition names the parts of a face from the viewer's side: in frontal faces of AWS's examples
`eyeLeft` lies left of `eyeRight` in the picture. Here left and right are the person's own, so that
`eyeLeft` is the right eye; a point that other providers give too has the same name there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from visionhub.provider import Value
from visionhub.schema import Annotation, Attribute, Face, Point, Status
from visionhub_rekognition import offered
from visionhub_rekognition.operations import asked_for
from visionhub_rekognition.reading import (
    Json,
    box,
    maybe_number,
    maybe_percent,
    number,
    part,
    parts,
    percent,
    required,
    text,
    truth,
)

LANDMARKS = {
    "eyeLeft": "right_eye",
    "eyeRight": "left_eye",
    "nose": "nose_tip",
    "mouthLeft": "mouth_right",
    "mouthRight": "mouth_left",
    "leftEyeBrowLeft": "right_of_right_eyebrow",
    "leftEyeBrowRight": "left_of_right_eyebrow",
    "leftEyeBrowUp": "right_eyebrow_upper_midpoint",
    "rightEyeBrowLeft": "right_of_left_eyebrow",
    "rightEyeBrowRight": "left_of_left_eyebrow",
    "rightEyeBrowUp": "left_eyebrow_upper_midpoint",
    "leftEyeLeft": "right_eye_right_corner",
    "leftEyeRight": "right_eye_left_corner",
    "leftEyeUp": "right_eye_top_boundary",
    "leftEyeDown": "right_eye_bottom_boundary",
    "rightEyeLeft": "left_eye_right_corner",
    "rightEyeRight": "left_eye_left_corner",
    "rightEyeUp": "left_eye_top_boundary",
    "rightEyeDown": "left_eye_bottom_boundary",
    "noseLeft": "nose_bottom_right",
    "noseRight": "nose_bottom_left",
    "mouthUp": "upper_lip",
    "mouthDown": "lower_lip",
    "leftPupil": "right_eye_pupil",
    "rightPupil": "left_eye_pupil",
    "upperJawlineLeft": "upper_jawline_right",
    "midJawlineLeft": "mid_jawline_right",
    "chinBottom": "chin_gnathion",
    "midJawlineRight": "mid_jawline_left",
    "upperJawlineRight": "upper_jawline_left",
}
"""The service's name of a point, and ours, from the person's own side."""

FLAGS = {
    "Smile": "smile",
    "Eyeglasses": "eyeglasses",
    "Sunglasses": "sunglasses",
    "Beard": "beard",
    "Mustache": "mustache",
    "EyesOpen": "eyes_open",
    "MouthOpen": "mouth_open",
    "FaceOccluded": "face_occluded",
}
QUALITIES = {"Brightness": "brightness", "Sharpness": "sharpness"}
GAZE = {"Yaw": "eye_direction_yaw", "Pitch": "eye_direction_pitch"}  # degrees


def read_faces(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """All faces, with the guesses that the request asked for by name."""
    guesses = asked_for(options)
    found = required(answer, "FaceDetails")
    faces = tuple(_face(one, guesses) for one in found)
    status = Status.TRUNCATED if len(faces) >= offered.FACES else Status.OBSERVED
    twice = sum(len(parts(one, "Landmarks")) for one in found) - sum(
        len(face.landmarks) for face in faces
    )
    reason = f"{twice} landmarks with a name that their face has already" if twice else ""
    return Annotation(status, reason, faces=faces)


def _face(one: Json, guesses: tuple[str, ...]) -> Face:
    pose = part(one, "Pose")
    return Face(
        percent(one),
        box(one),
        landmarks=_landmarks(one),
        roll=maybe_number(pose, "Roll"),
        yaw=maybe_number(pose, "Yaw"),
        pitch=maybe_number(pose, "Pitch"),
        attributes=(*_attributes(one), *_guesses(one, guesses)),
    )


def _landmarks(one: Json) -> tuple[Point, ...]:
    """The points, each name once; one with a new name keeps it, because its side is not known."""
    found: dict[str, Point] = {}
    for point in parts(one, "Landmarks"):
        name = text(point, "Type")
        ours = LANDMARKS.get(name, name)
        found.setdefault(ours, Point(ours, number(point, "X"), number(point, "Y")))
    return tuple(found.values())


def _attributes(one: Json) -> Iterator[Attribute]:
    for member, name in FLAGS.items():
        if flag := part(one, member):
            word = "true" if truth(flag) else "false"
            yield Attribute(name, word=word, score=maybe_percent(flag))
    for member, name in QUALITIES.items():
        if (score := maybe_percent(part(one, "Quality"), member)) is not None:
            yield Attribute(name, score=score)
    gaze = part(one, "EyeDirection")
    for member, name in GAZE.items():
        if (angle := maybe_number(gaze, member)) is not None:
            yield Attribute(name, number=angle, score=maybe_percent(gaze))


def _guesses(one: Json, guesses: tuple[str, ...]) -> Iterator[Attribute]:
    age, gender = part(one, "AgeRange"), part(one, "Gender")
    if "age" in guesses and age:
        yield Attribute("age", low=number(age, "Low"), high=number(age, "High"))
    if "gender" in guesses and gender:
        yield Attribute("gender", word=text(gender, "Value"), score=maybe_percent(gender))
    if "emotion" in guesses:
        for emotion in parts(one, "Emotions"):
            yield Attribute("emotion", word=text(emotion, "Type"), score=percent(emotion))
