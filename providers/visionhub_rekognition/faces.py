"""Reads DetectFaces.

Rekognition names the parts of a face from the viewer's side: in frontal faces of AWS's examples
`eyeLeft` lies left of `eyeRight` in the picture. Here left and right are the person's own, so that
`eyeLeft` is the right eye, as in the annotations of every other provider.
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
    "leftEyeBrowLeft": "right_eyebrow_outer",
    "leftEyeBrowRight": "right_eyebrow_inner",
    "leftEyeBrowUp": "right_eyebrow_top",
    "rightEyeBrowLeft": "left_eyebrow_inner",
    "rightEyeBrowRight": "left_eyebrow_outer",
    "rightEyeBrowUp": "left_eyebrow_top",
    "leftEyeLeft": "right_eye_outer",
    "leftEyeRight": "right_eye_inner",
    "leftEyeUp": "right_eye_top",
    "leftEyeDown": "right_eye_bottom",
    "rightEyeLeft": "left_eye_inner",
    "rightEyeRight": "left_eye_outer",
    "rightEyeUp": "left_eye_top",
    "rightEyeDown": "left_eye_bottom",
    "noseLeft": "nose_right",
    "noseRight": "nose_left",
    "mouthUp": "mouth_top",
    "mouthDown": "mouth_bottom",
    "leftPupil": "right_pupil",
    "rightPupil": "left_pupil",
    "upperJawlineLeft": "jaw_upper_right",
    "midJawlineLeft": "jaw_middle_right",
    "chinBottom": "chin",
    "midJawlineRight": "jaw_middle_left",
    "upperJawlineRight": "jaw_upper_left",
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
    faces = tuple(_face(one, guesses) for one in required(answer, "FaceDetails"))
    full = len(faces) >= offered.FACES
    return Annotation(Status.TRUNCATED if full else Status.OBSERVED, faces=faces)


def _face(one: Json, guesses: tuple[str, ...]) -> Face:
    pose = part(one, "Pose")
    return Face(
        percent(one),
        box(one),
        landmarks=tuple(_landmark(point) for point in parts(one, "Landmarks")),
        roll=maybe_number(pose, "Roll"),
        yaw=maybe_number(pose, "Yaw"),
        pitch=maybe_number(pose, "Pitch"),
        attributes=(*_attributes(one), *_guesses(one, guesses)),
    )


def _landmark(point: Json) -> Point:
    """A point; one with a new name keeps it, because its side is not known."""
    name = text(point, "Type")
    return Point(LANDMARKS.get(name, name), number(point, "X"), number(point, "Y"))


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
