"""From one answer for several images to one body an image, byte for byte.

What is cut out is the other images' items alone: everything else stands in every part as it was
received, so that the only part of an answer for one image is the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from visionhub.errors import UnexpectedBody

Json: TypeAlias = Any  # what json.loads returns

RESPONSES = "responses"
BLANK = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder()

# Members of AnnotateImageResponse by field number (google/cloud/vision/v1/image_annotator.proto).
MEMBERS = {
    1: "faceAnnotations",
    2: "landmarkAnnotations",
    3: "logoAnnotations",
    4: "labelAnnotations",
    5: "textAnnotations",
    6: "safeSearchAnnotation",
    8: "imagePropertiesAnnotation",
    9: "error",
    11: "cropHintsAnnotation",
    12: "fullTextAnnotation",
    13: "webDetection",
    14: "productSearchResults",
    21: "context",
    22: "localizedObjectAnnotations",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One image's share of an answer: its bytes, what it holds, and its own error if it has one.

    members: names of the item's members; code: google.rpc.Code, 0 for none.
    """

    data: bytes
    members: frozenset[str]
    code: int = 0
    message: str = ""


def split(data: bytes) -> list[Part]:
    """Cut an answer as received, JSON or protobuf; raises UnexpectedBody when it is neither."""
    return split_json(data) if is_json(data) else split_protobuf(data)


def is_json(data: bytes) -> bool:
    """Whether a body is JSON; a protobuf message may begin with a line feed and a brace, too."""
    if data[:1] == b"{":
        return True
    try:
        return data.lstrip()[:1] == b"{" and isinstance(json.loads(data), dict)
    except ValueError:
        return False


def split_json(data: bytes) -> list[Part]:
    """Cut a JSON answer, by the places of its items in the text."""
    try:
        text = data.decode()
        spans = list(_items(text))
    except ValueError as error:
        raise UnexpectedBody(f"Google's answer is no JSON: {error}") from error
    before, after = (text[: spans[0][1]], text[spans[-1][2] :]) if spans else ("", "")
    return [_part_of(item, (before + text[a:b] + after).encode()) for item, a, b in spans]


def _part_of(item: Json, data: bytes) -> Part:
    if not isinstance(item, dict):
        raise UnexpectedBody(f"Google's answer for an image is no object but {str(item)[:60]!r}")
    error = item.get("error") or {}
    code = error.get("code", 0) if isinstance(error, dict) else None
    if not isinstance(code, int):
        raise UnexpectedBody(f"Google's error for an image has no code: {str(error)[:200]}")
    return Part(data, frozenset(item), code, str(error.get("message", "")))


def _items(text: str) -> Iterator[tuple[Json, int, int]]:
    """Each item of `responses` with its place; ValueError when the text is not such an object."""
    found = False
    for name, at in _members(text):
        if name == RESPONSES:
            if found:
                raise ValueError("it has its responses twice")
            found = True
            yield from _elements(text, at)
    if not found:
        raise ValueError("it has no member 'responses'")


def _members(text: str) -> Iterator[tuple[str, int]]:
    """Names of the members at the top, each with the place where its value begins."""
    at = _expect(text, _blank(text, 0), "{")
    while text[at : at + 1] != "}":
        name, at = DECODER.raw_decode(text, at)
        if not isinstance(name, str):
            raise ValueError(f"{name!r} names no member")  # noqa: TRY004 - as of a decoder
        at = _blank(text, _expect(text, _blank(text, at), ":"))
        yield name, at
        _, at = DECODER.raw_decode(text, at)
        at = _next(text, at, "}")
    if _blank(text, at + 1) != len(text):
        raise ValueError("something follows its end")


def _elements(text: str, at: int) -> Iterator[tuple[Json, int, int]]:
    at = _blank(text, _expect(text, at, "["))
    while text[at : at + 1] != "]":
        value, end = DECODER.raw_decode(text, at)
        yield value, at, end
        at = _next(text, end, "]")


def _next(text: str, at: int, closing: str) -> int:
    """The place of what follows a value: the next one, or the closing bracket."""
    at = _blank(text, at)
    if text[at : at + 1] == closing:
        return at
    at = _blank(text, _expect(text, at, ","))
    if text[at : at + 1] == closing:
        raise ValueError("it has a comma before its end")
    return at


def _expect(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise ValueError(f"{sign!r} is missing at character {at}")
    return _blank(text, at + 1)


def _blank(text: str, at: int) -> int:
    match = BLANK.match(text, at)
    return match.end() if match else at


def split_protobuf(data: bytes) -> list[Part]:
    """Cut a serialized BatchAnnotateImagesResponse; an unknown field of it stays in every part."""
    try:
        fields = list(walk(data))
    except ValueError as error:
        raise UnexpectedBody(f"This is no answer of Google's: {error}") from error
    items = [field for field in fields if (field.number, field.kind) == (1, LENGTH)]
    rest = {id(item): item for item in items}
    parts = []
    for item in items:
        kept = [f for f in fields if id(f) not in rest or f is item]
        parts.append(_part(item, b"".join(data[f.start : f.end] for f in kept), data))
    return parts


LENGTH = 2  # the wire type of strings, bytes and messages


@dataclass(frozen=True, slots=True)
class Field:
    """One field on the wire: from its tag (`start`) to its `end`; the payload begins at `inside`.

    value: the number, of a varint.
    """

    number: int
    kind: int
    start: int
    inside: int
    end: int
    value: int = 0


def walk(data: bytes) -> Iterator[Field]:
    """The fields of a message, not looking into them; ValueError when it is none.

    Source of the format: protobuf.dev, "Encoding".
    """
    at = 0
    while at < len(data):
        tag, inside = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        value = 0
        if kind == 0:
            value, end = _varint(data, inside)
        elif kind == LENGTH:
            size, inside = _varint(data, inside)
            end = inside + size
        elif kind in (1, 5):
            end = inside + (8 if kind == 1 else 4)
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        if end > len(data) or not number:
            raise ValueError(f"cut short or damaged at byte {at}")
        yield Field(number, kind, at, inside, end, value)
        at = end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it is cut short")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follow
            return value & (2**64 - 1), at
    raise ValueError(f"a number without end at byte {at}")


def _part(item: Field, data: bytes, whole: bytes) -> Part:
    try:
        members = list(walk(whole[item.inside : item.end]))
        code, message = 0, ""
        for member in members:
            if member.number == 9:  # noqa: PLR2004 - AnnotateImageResponse.error
                code, message = _status(whole[item.inside : item.end][member.inside : member.end])
    except ValueError as error:
        raise UnexpectedBody(f"Google's answer for an image is no message: {error}") from error
    names = frozenset(MEMBERS.get(member.number, str(member.number)) for member in members)
    return Part(data, names, code, message)


def _status(data: bytes) -> tuple[int, str]:
    """Code and message of a google.rpc.Status."""
    code, message = 0, ""
    for field in walk(data):
        if field.number == 1:
            code = field.value
        elif field.number == 2:  # noqa: PLR2004
            message = data[field.inside : field.end].decode("utf-8", "replace")
    return code, message
