"""Reads DetectText, DetectModerationLabels and DetectProtectiveEquipment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from visionhub.provider import Value
from visionhub.schema import (
    Annotation,
    Equipment,
    ImageAttribute,
    Person,
    SafeSearch,
    Status,
    TextLine,
)
from visionhub_rekognition import offered
from visionhub_rekognition.labels import nothing
from visionhub_rekognition.reading import (
    Json,
    box,
    maybe_number,
    maybe_percent,
    maybe_text,
    number,
    part,
    parts,
    percent,
    required,
    text,
    truth,
)

LEVELS = ("line", "word")


def read_text(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """Lines and words; at most 100 words come, and then there may have been more."""
    lines = tuple(_line(one) for one in required(answer, "TextDetections"))
    annotation = Annotation(text_lines=lines)
    if len(annotation) >= offered.WORDS:
        return Annotation(Status.TRUNCATED, text_lines=lines)
    return annotation if lines else Annotation(nothing(options, 0))


def _line(one: Json) -> TextLine:
    where = part(one, "Geometry")
    corners = parts(where, "Polygon")
    return TextLine(
        text(one, "DetectedText"),
        box(where),
        percent(one),
        level=text(one, "Type").lower(),
        polygon=tuple((number(corner, "X"), number(corner, "Y")) for corner in corners),
    )


def read_moderation(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """Categories of unsafe content above the floor, and what kind of picture it is."""
    found = tuple(_category(one) for one in required(answer, "ModerationLabels"))
    kinds = tuple(
        ImageAttribute("content_type", percent(kind), text(kind, "Name"))
        for kind in parts(answer, "ContentTypes")
    )
    status = Status.OBSERVED if found else nothing(options, offered.MODERATION_FLOOR)
    return Annotation(status, safe_search=found, image_attributes=kinds)


def _category(one: Json) -> SafeSearch:
    """A category; answers from before 2024 do not tell its level, but had two levels only."""
    parent = maybe_text(one, "ParentName")
    level = maybe_number(one, "TaxonomyLevel")
    depth = (2 if parent else 1) if level is None else int(level)
    return SafeSearch(text(one, "Name"), percent(one), parent, depth)


def read_people(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """Persons with what they wear on face, head and hands; at most 15 come."""
    people = tuple(
        Person(percent(one), box(one), equipment=tuple(_equipment(one)))
        for one in required(answer, "Persons")
    )
    full = len(people) >= offered.PERSONS
    return Annotation(Status.TRUNCATED if full else Status.OBSERVED, people=people)


def _equipment(person: Json) -> Iterator[Equipment]:
    """A row for each thing on each part of the body; one without a thing for a bare part."""
    for body_part in parts(person, "BodyParts"):
        where, score = text(body_part, "Name"), maybe_percent(body_part)
        found = parts(body_part, "EquipmentDetections")
        if not found:
            yield Equipment(where, score)
        for one in found:
            covers = part(one, "CoversBodyPart")
            yield Equipment(
                where,
                score,
                text(one, "Type"),
                percent(one),
                box(one),
                truth(covers) if covers else None,
                maybe_percent(covers),
            )
