"""Answers that somebody kept: what one JSON document holds of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from visionhub.errors import UnexpectedBody
from visionhub.provider import NOT_REPORTED, Adopted, Body
from visionhub.schema import Task
from visionhub_google.dialects import known, plain
from visionhub_google.leaves import ROOTS, answered
from visionhub_google.reading import Json
from visionhub_google.split import RESPONSES, split_json

BOM = "\ufeff"
EMPTY = b'{"responses":[{}]}'
REKOGNITION = frozenset(
    {
        *("Labels", "FaceDetails", "TextDetections", "ModerationLabels", "CelebrityFaces"),
        *("UnrecognizedFaces", "Persons", "ProtectiveEquipmentModelVersion", "FaceMatches"),
        *("LabelModelVersion", "TextModelVersion", "ModerationModelVersion"),
        *("SourceImageFace", "UnmatchedFaces", "ImageProperties"),
    }
)
"""Members of the answers of Amazon Rekognition about one picture (the SDK's own model)."""
CODES = 16  # the highest google.rpc.Code; larger ones are HTTP's


def adopted(data: bytes) -> Sequence[Adopted]:
    """The answers in a document: {"responses": […]}, one image's item, or {} for an empty item.

    A byte order mark and blanks around the document are taken off, and UTF-16, which some shells
    write, becomes UTF-8. Raises UnexpectedBody, which says what the document is, when it is none of
    these.
    """
    try:
        text = data.decode(json.detect_encoding(data)).removeprefix(BOM).strip()
        whole = json.loads(text)
    except ValueError as error:
        raise UnexpectedBody(f"it is no JSON document: {error}") from error
    if problem := _problem(whole):
        raise UnexpectedBody(f"it is no answer of Google Cloud Vision but {problem}")
    data = text.encode()
    if not whole:  # in its envelope, without which it is no answer
        data, whole = EMPTY, {RESPONSES: [{}]}
    if RESPONSES not in whole:
        return [_one(whole, data)]
    parts = split_json(data)
    return [_one(item, part.data) for item, part in zip(whole[RESPONSES], parts, strict=True)]


def _one(item: Json, data: bytes) -> Adopted:
    item = plain(item)
    tasks = tuple(task for task in Task if task in ROOTS and answered(task, item))
    context = item.get("context")
    uri = context.get("uri") if isinstance(context, dict) else None
    name = uri if isinstance(uri, str) and uri else None
    return Adopted(tasks, Body(data, model_version=NOT_REPORTED), image=name)


def _problem(whole: Json) -> str:
    """What a document is that is no answer; empty when it is one."""
    if isinstance(whole, list):
        return _list(whole)
    if not isinstance(whole, dict):
        return f"a bare {'null' if whole is None else type(whole).__name__}"
    if RESPONSES in whole:
        found = whole[RESPONSES]
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            return "something whose 'responses' is no list of objects"
        return next((f"a list of {what}" for what in map(_item, found) if what), "")
    return _item(whole)


def _item(item: Json) -> str:
    """What an object is that is no answer for one image."""
    names = known(item)
    there = any(answered(task, names) for task in ROOTS) or "context" in names
    return "" if there or not item else _bare(plain(item))


def _bare(whole: Json) -> str:
    error = whole.get("error")
    if isinstance(error, dict):
        code = error.get("code", 0)
        plain = isinstance(code, int) and code <= CODES and "status" not in error
        return "" if plain else f"the error of a whole call (HTTP {code})"
    if "original_response" in whole:
        return "another project's wrapper: take the value of its 'original_response'"
    if REKOGNITION & set(whole):
        return "an answer of Amazon Rekognition"
    if {"adult", "spoof", "violence"} <= set(whole):
        return "the inside of a safeSearchAnnotation, without the answer around it"
    if {"code", "message"} <= set(whole):
        return "the inside of an error, without the answer around it"
    return f"an object with the members {', '.join(sorted(whole)[:8])}"


def _list(whole: Sequence[Json]) -> str:
    if whole and all(isinstance(item, dict) and "description" in item for item in whole):
        return "a list of entities, without the answer around it"
    return "a list"
