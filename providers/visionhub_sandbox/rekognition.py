"""Rekognition's image operations in JSON 1.1, as its service model and guide describe them (2026).

Requests are validated as the service does; an answer is filled from local predictions.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from visionhub.errors import VisionHubError
from visionhub_sandbox import rekognition_shapes as shapes
from visionhub_sandbox.answers import MARK, Answer, Refusal, delivered
from visionhub_sandbox.calls import Call
from visionhub_sandbox.cassettes import HASH, Recorded
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.faults import Fault
from visionhub_sandbox.pictures import Picture
from visionhub_sandbox.rekognition_faces import ATTRIBUTES
from visionhub_sandbox.strangers import add_members

NAME = "rekognition"
MEDIA_TYPE = "application/x-amz-json-1.1"
TARGET = "RekognitionService."
PERCENT = 100
MB = 1024 * 1024
Request = Mapping[str, Any]
Fill = Callable[[Desk, Request, Sequence[Picture]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is answered, its images, and what each must fulfil."""

    fill: Fill
    images: tuple[str, ...] = ("Image",)
    max_bytes: int = 5 * MB
    min_side: int = 80
    max_side: int = 10_000


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "DetectLabels": Operation(shapes.labels),
        "DetectFaces": Operation(shapes.faces),
        "DetectText": Operation(shapes.text),
        "DetectModerationLabels": Operation(shapes.moderation),
        "DetectProtectiveEquipment": Operation(
            shapes.equipment, max_bytes=4 * MB, min_side=64, max_side=4096
        ),
        "RecognizeCelebrities": Operation(shapes.celebrities),
        "CompareFaces": Operation(shapes.compared, ("SourceImage", "TargetImage")),
    }
)
WORDS: Mapping[str, tuple[str, ...]] = {
    "Features": ("GENERAL_LABELS", "IMAGE_PROPERTIES"),
    "Attributes": ("DEFAULT", "ALL", *ATTRIBUTES),
}
PERCENTS = ("MinConfidence", "SimilarityThreshold")
CODES = {400: "InvalidParameterException", 403: "AccessDeniedException"}
CODES |= {500: "InternalServerError", 503: "ServiceUnavailableException"}


class Rekognition:
    """The service at one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def answer(self, target: str, body: bytes) -> Answer:
        """Answer one POST; `target` is the header X-Amz-Target."""
        name = target.removeprefix(TARGET)
        try:
            request, pictures = self._read(name, body)
        except Refusal as refusal:
            self._desk.attend(Call(NAME, name, "json", refused=True), lambda _: None)
            return _refused(refusal)
        flaw = _flaw(OPERATIONS[name], request, pictures)
        call = _call(name, request, pictures, refused=flaw is not None)
        fault = self._desk.attend(call, _refusal)
        try:
            if said := _refusal(fault):
                raise said
            recorded = self._recorded(name, request, pictures)
            if recorded is not None and not _is(fault, "unknown_field"):
                return delivered(recorded.status, recorded.data, MEDIA_TYPE, _headers(), fault)
            if flaw is not None:
                raise flaw
            data = self._data(name, request, pictures, strange=_is(fault, "unknown_field"))
        except Refusal as refusal:
            return _refused(refusal)
        except VisionHubError as error:  # the models could not answer
            return _refused(Refusal("InternalServerError", str(error), 500))
        return delivered(200, data, MEDIA_TYPE, _headers(), fault)

    def _recorded(
        self, name: str, request: Request, pictures: Sequence[Picture]
    ) -> Recorded | None:
        """What was recorded for exactly this request."""
        hashes = [f"{HASH}{picture.sha256}" for picture in pictures]
        images = zip(OPERATIONS[name].images, hashes, strict=True)
        asked = {**request, **{member: {"Bytes": text} for member, text in images}}
        return self._desk.cassettes.verbatim(name, asked)

    def _read(self, name: str, body: bytes) -> tuple[Request, list[Picture]]:
        """The request and its images, which may still be refused."""
        if name not in OPERATIONS:
            known = ", ".join(OPERATIONS)
            raise Refusal("UnknownOperationException", f"The stand-in knows {known}.")
        try:
            request = json.loads(body)
        except ValueError as error:
            raise Refusal("SerializationException", f"The request is no JSON: {error}.") from error
        if not isinstance(request, dict):
            raise Refusal("SerializationException", "The request is no JSON object.")
        members = [request.get(member) for member in OPERATIONS[name].images]
        return request, [self._desk.pictures.open(_bytes(member)) for member in members]

    def _data(
        self, name: str, request: Request, pictures: Sequence[Picture], *, strange: bool
    ) -> bytes:
        operation = OPERATIONS[name]
        hashes = [picture.sha256 for picture in pictures]
        answer = self._desk.cassettes.rekognition(name, hashes, request)
        answer = operation.fill(self._desk, request, pictures) if answer is None else answer
        if strange:
            add_members(answer, "SandboxUnknown")
        return json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()


def _call(name: str, request: Request, pictures: Sequence[Picture], *, refused: bool) -> Call:
    """The call, with its price lines: one an operation, and one for the picture's properties."""
    features = tuple(map(str, request.get("Features") or request.get("Attributes") or ()))
    lines = [name] if "GENERAL_LABELS" in features or "IMAGE_PROPERTIES" not in features else []
    lines += [word for word in features if word == "IMAGE_PROPERTIES"]
    images = tuple(picture.sha256 for picture in pictures)
    asked = (*[()] * (len(images) - 1), tuple(dict.fromkeys(lines)))
    return Call(NAME, name, "json", features, images, asked, refused)


def _flaw(operation: Operation, request: Request, pictures: Sequence[Picture]) -> Refusal | None:
    """Why the service takes a call for not valid; None when it is."""
    try:
        _check(request)
        for picture in pictures:
            _check_picture(picture, operation)
    except Refusal as refusal:
        return refusal
    return None


def _bytes(image: object) -> bytes:
    if not isinstance(image, dict) or not image.keys() & {"Bytes", "S3Object"}:
        raise Refusal("InvalidParameterException", "The request has no image.")
    if "Bytes" not in image:
        raise Refusal("InvalidS3ObjectException", "The stand-in has no buckets: send bytes.")
    try:
        data = base64.b64decode(image["Bytes"], validate=True)
    except (TypeError, binascii.Error) as error:
        raise Refusal("SerializationException", f"Bytes is no base64: {error}.") from error
    if not data:
        raise Refusal("InvalidParameterException", "The image has no bytes.")
    return data


def _check(request: Request) -> None:
    for name in PERCENTS:
        value = request.get(name)
        if value is not None and not (isinstance(value, int | float) and 0 <= value <= PERCENT):
            raise Refusal("InvalidParameterException", f"{name} is not from 0 to 100.")
    most = request.get("MaxLabels")
    if most is not None and not (isinstance(most, int) and most >= 0):
        raise Refusal("InvalidParameterException", "MaxLabels is no count.")
    for name, known in WORDS.items():
        given = request.get(name) or []
        if not isinstance(given, list) or not set(map(str, given)) <= set(known):
            raise Refusal("InvalidParameterException", f"{name} takes {', '.join(known)}.")


def _check_picture(picture: Picture, operation: Operation) -> None:
    facts = picture.facts
    if len(picture.data) > operation.max_bytes:
        raise Refusal("ImageTooLargeException", f"The image exceeds {operation.max_bytes} bytes.")
    if facts.format not in ("JPEG", "MPO", "PNG"):
        raise Refusal("InvalidImageFormatException", "The image is neither JPEG nor PNG.")
    if min(facts.width, facts.height) < operation.min_side:
        least = operation.min_side
        raise Refusal("InvalidParameterException", f"A side is shorter than {least} pixels.")
    if max(facts.width, facts.height) > operation.max_side:
        raise Refusal(
            "ImageTooLargeException", f"A side is longer than {operation.max_side} pixels."
        )


def _is(fault: Fault | None, kind: str) -> bool:
    return fault is not None and fault.kind == kind


def _refusal(fault: Fault | None) -> Refusal | None:
    """What a fault says in place of an answer, if it says anything."""
    if fault is None:
        return None
    code = str(fault.code) if fault.code else ""
    if fault.kind == "throttle":
        code, wait = code or "ThrottlingException", fault.retry_after
        return Refusal(code, "Rate exceeded (scripted).", fault.status or 400, wait)
    if fault.kind == "error":
        status = fault.status or 500
        code = code or CODES.get(status, "InternalServerError")
        return Refusal(code, "A scripted error.", status)
    if fault.kind == "expired_credentials":
        return Refusal("ExpiredTokenException", "Scripted: the token expired.", fault.status or 403)
    return None


def _refused(refusal: Refusal) -> Answer:
    text = {"__type": refusal.code, "Code": refusal.code, "Message": refusal.message}
    headers = _headers() | {"x-amzn-ErrorType": refusal.code}
    if refusal.retry_after is not None:
        headers["Retry-After"] = f"{refusal.retry_after:g}"
    return Answer(refusal.status, json.dumps(text).encode(), MEDIA_TYPE, headers)


def _headers() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid.uuid4()), MARK: "1"}
