"""Answers of Google Vision, made from the client's own definition of the message."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from google.cloud import vision_v1

from tests.google_server import Asked, Reply

IMAGE = vision_v1.AnnotateImageResponse.pb().DESCRIPTOR
ANY = "google.protobuf.Any"
WRAPPED = ("google.protobuf.Timestamp", "google.protobuf.FloatValue")  # one value each, in JSON
SPECIAL = {
    "x": 20, "y": 30, "width": 160, "height": 120, "red": 200, "green": 100, "blue": 50,
    "pageNumber": 1, "code": 7, "uint64Value": "3", "uri": "gs://bucket/picture%20one.jpg",
    "detectedBreak.type": "SPACE",
}  # fmt: skip
TIMES = {"pages": 1, "blocks": 1}  # all else comes twice
FEATURE_OF = {
    "faceAnnotations": "FACE_DETECTION",
    "landmarkAnnotations": "LANDMARK_DETECTION",
    "logoAnnotations": "LOGO_DETECTION",
    "labelAnnotations": "LABEL_DETECTION",
    "localizedObjectAnnotations": "OBJECT_LOCALIZATION",
    "textAnnotations": "TEXT_DETECTION",
    "fullTextAnnotation": "TEXT_DETECTION",
    "safeSearchAnnotation": "SAFE_SEARCH_DETECTION",
    "imagePropertiesAnnotation": "IMAGE_PROPERTIES",
    "cropHintsAnnotation": "CROP_HINTS",
    "webDetection": "WEB_DETECTION",
}


def leaves(descriptor: Any = IMAGE, path: str = "") -> Iterator[str]:
    """Every leaf of a message, as the table of leaves writes paths."""
    for member in descriptor.fields:
        name = f"{path}{member.json_name}{'[]' if member.is_repeated else ''}"
        kind = member.message_type
        if kind is None or kind.full_name in WRAPPED:
            yield name
        elif kind.full_name == ANY:
            yield f"{name}.*"
        else:
            yield from leaves(kind, f"{name}.")


def full(corners: str = "vertices") -> dict[str, Any]:
    """An answer for one image with every leaf but an error; polygons in pixels or in ratios."""
    answer = _message(IMAGE, corners)
    del answer["error"]
    if corners == "normalizedVertices":
        return answer
    for thing in answer["localizedObjectAnnotations"]:  # which the service gives in ratios
        thing["boundingPoly"] = _polygon("normalizedVertices")
    return answer


def _message(descriptor: Any, corners: str) -> dict[str, Any]:
    made = {}
    for member in descriptor.fields:
        one = _value(member, descriptor, corners)
        made[member.json_name] = one
        if member.is_repeated:
            made[member.json_name] = [one, copy.deepcopy(one)][: TIMES.get(member.json_name, 2)]
    return made


def _value(member: Any, holder: Any, corners: str) -> Any:
    kind = member.message_type
    if kind is None:
        return _scalar(member, holder)
    if kind.full_name == ANY:
        return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R"}
    if kind.full_name in WRAPPED:
        return "2026-11-01T00:00:00Z" if "Timestamp" in kind.full_name else 0.5
    return _polygon(corners) if kind.name == "BoundingPoly" else _message(kind, corners)


def _polygon(corners: str) -> dict[str, Any]:
    scale = (1, 1) if corners == "vertices" else (1 / 256, 1 / 128)
    across, down = (16 * scale[0], 96 * scale[0]), (8 * scale[1], 64 * scale[1])
    order = ((0, 0), (1, 0), (1, 1), (0, 1))
    return {corners: [{"x": across[i], "y": down[j]} for i, j in order]}


def _scalar(member: Any, holder: Any) -> Any:
    at = f"{holder.name}.{member.json_name}"[0].lower() + f"{holder.name}.{member.json_name}"[1:]
    for name in (at, member.json_name):
        if name in SPECIAL:
            return SPECIAL[name]
    if member.enum_type is not None:
        return member.enum_type.values[2].name
    return {"string": member.json_name, "bool": False}.get(_kind(member), 0.25)


def _kind(member: Any) -> str:
    return {member.TYPE_STRING: "string", member.TYPE_BOOL: "bool"}.get(member.type, "number")


def holding(*names: str, made: dict[str, Any] | None = None) -> dict[str, Any]:
    """The parts of an answer that features give."""
    answer = made or full()
    asked = {"TEXT_DETECTION" if name == "DOCUMENT_TEXT_DETECTION" else name for name in names}
    return {name: part for name, part in answer.items() if FEATURE_OF.get(name) in asked}


def well(asked: list[Asked]) -> Reply:
    """Answer each image with all that was asked about it."""
    return Reply({"responses": [holding(*image.features) for image in asked]})


def changed(answer: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """An answer with every value at a leaf's path changed."""
    answer = copy.deepcopy(answer)
    _change(answer, path.replace("[]", "").split("."), change)
    return answer


def _change(node: Any, steps: list[str], change: Callable[[Any], Any]) -> None:
    if isinstance(node, list):
        for each in node:
            _change(each, steps, change)
    elif steps[0] in node:
        if len(steps) > 1 and steps[1] != "*":
            _change(node[steps[0]], steps[1:], change)
        elif isinstance(node[steps[0]], list) and len(steps) > 1:
            node[steps[0]] = [change(each) for each in node[steps[0]]]
        else:
            node[steps[0]] = change(node[steps[0]])
