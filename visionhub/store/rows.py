"""From an annotation to table rows. Rank counts from 1, in the order of the answer."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator
from json.encoder import encode_basestring

from visionhub.schema import Annotation, Box, Face, Person, Point, Score, Status

Row = tuple[str | float | int | bytes | None, ...]
Cell = str | float | int | None

TABLES = (
    "labels",
    "objects",
    "faces",
    "face_landmarks",
    "face_attributes",
    "face_embeddings",
    "people",
    "keypoints",
    "text_lines",
    "safe_search",
    "landmarks",
    "logos",
    "colors",
    "crop_hints",
    "web",
    "celebrities",
    "face_matches",
    "face_boxes",
    "equipment",
    "image_attributes",
)
"""Every table that is derived from bodies and can be rebuilt from them."""

SURROGATE = re.compile("[\ud800-\udfff]")  # no character: nothing can encode it
POINTS = ("face_landmarks", "keypoints")
NAMED = (
    "labels",
    "objects",
    "safe_search",
    "face_attributes",
    "landmarks",
    "logos",
    "colors",
    "web",
    "image_attributes",
)
NEEDED = dict.fromkeys(NAMED, 3) | {"text_lines": 4} | dict.fromkeys(POINTS, 5)
"""How many of a row's first cells must hold something."""


def rows(request_id: int, annotation: Annotation) -> Iterator[tuple[str, Row]]:
    """(table, row) for everything in an annotation."""
    for rank, label in enumerate(annotation.labels, 1):
        extra = (_many(label.parents), _many(label.aliases), _many(label.categories))
        row = (request_id, rank, label.name, *_score(label.score), label.vendor_id, *extra)
        yield "labels", row
    for rank, thing in enumerate(annotation.objects, 1):
        more = (*_box(thing.box), thing.vendor_id, _many(thing.parents))
        yield "objects", (request_id, rank, thing.name, *_score(thing.score), *more)
    for rank, face in enumerate(annotation.faces, 1):
        yield from _face(request_id, rank, face)
    for rank, person in enumerate(annotation.people, 1):
        yield from _person(request_id, rank, person)
    for rank, line in enumerate(annotation.text_lines, 1):
        polygon = json.dumps(line.polygon) if line.polygon else None
        where = (*_box(line.box), polygon, line.language)
        yield "text_lines", (request_id, rank, line.text, line.level, *_score(line.score), *where)
    for rank, unsafe in enumerate(annotation.safe_search, 1):
        what = (unsafe.category, unsafe.parent, unsafe.level)
        yield "safe_search", (request_id, rank, *what, *_score(unsafe.score))
    for table, items in _pictured(annotation).items():
        yield from ((table, (request_id, rank, *cells)) for rank, cells in enumerate(items, 1))


def _pictured(annotation: Annotation) -> dict[str, list[Row]]:
    """Cells after request and rank, by table, of what has one flat row a thing."""
    return {
        "landmarks": [
            (x.name, *_score(x.score), *_place(x.box), x.vendor_id, _pairs(x.locations))
            for x in annotation.landmarks
        ],
        "logos": [
            (x.name, *_score(x.score), *_place(x.box), x.vendor_id) for x in annotation.logos
        ],
        "colors": [
            (x.name, x.region, x.red, x.green, x.blue, x.fraction, *_score(x.score), x.group)
            for x in annotation.colors
        ],
        "crop_hints": [
            (*_score(x.score), *_box(x.box), x.importance) for x in annotation.crop_hints
        ],
        "web": [
            (x.text, x.kind, x.url, *_score(x.score), x.vendor_id, x.page, x.language)
            for x in annotation.web
        ],
        "celebrities": [
            (x.name, *_score(x.score), *_box(x.box), x.vendor_id, _many(x.urls), x.gender)
            for x in annotation.celebrities
        ],
        "face_matches": [(*_score(x.similarity), *_box(x.box)) for x in annotation.face_matches],
        "image_attributes": [
            (x.name, x.region, x.word, *_score(x.score)) for x in annotation.image_attributes
        ],
    }


def flaw(annotation: object) -> str:
    """Why the study cannot hold what an adapter made of a body; empty when it can.

    One adapter's slip (a NumPy number, a point named twice) must not end a run of thousands.
    """
    if not isinstance(annotation, Annotation) or not isinstance(annotation.status, Status):
        return f"{type(annotation).__name__} is no Annotation with a Status"
    if not all(isinstance(text, str) for text in (annotation.reason, *annotation.unknown)):
        return "reason and unknown are not text"
    named: set[tuple[object, ...]] = set()
    for table, row in rows(0, annotation):
        wrong = next((cell for cell in row if not _storable(cell)), None)
        if wrong is not None:
            return f"{table}: {wrong!r} ({type(wrong).__name__}) is no text or finite number"
        if None in row[: NEEDED.get(table, 0)]:
            return f"{table}: {row} lacks its name or place"
        if table in POINTS:
            if (table, *row[1:3]) in named:
                return f"{table}: {row[2]!r} occurs twice"
            named.add((table, *row[1:3]))
    return ""


def _storable(cell: object) -> bool:
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.isascii() or not SURROGATE.search(cell)
    if isinstance(cell, float):
        return math.isfinite(cell)
    if isinstance(cell, int):
        return -(2**63) <= cell < 2**63
    return isinstance(cell, bytes)


def _face(request_id: int, rank: int, face: Face) -> Iterator[tuple[str, Row]]:
    pose = (face.roll, face.yaw, face.pitch)
    yield "faces", (request_id, rank, *_score(face.score), *_box(face.box), *pose)
    for point in face.landmarks:
        yield "face_landmarks", (request_id, rank, *_point(point))
    for item, found in enumerate(face.attributes, 1):
        value = (found.name, found.word, found.number, found.low, found.high)
        yield "face_attributes", (request_id, rank, item, *value, *_score(found.score))
    if face.head_box is not None:
        yield "face_boxes", (request_id, rank, "head", *_box(face.head_box))
    if face.embedding:
        size = len(face.embedding)
        yield "face_embeddings", (request_id, rank, size, struct.pack(f"<{size}f", *face.embedding))


def _person(request_id: int, rank: int, person: Person) -> Iterator[tuple[str, Row]]:
    yield "people", (request_id, rank, *_score(person.score), *_box(person.box))
    for point in person.keypoints:
        yield "keypoints", (request_id, rank, *_point(point))
    for item, worn in enumerate(person.equipment, 1):
        part = (
            worn.body_part,
            None if worn.body_part_score is None else worn.body_part_score.value,
        )
        covers = None if worn.covers is None else int(worn.covers)
        sure = None if worn.covers_score is None else worn.covers_score.value
        what = (worn.name, *_score(worn.score), *_place(worn.box))
        yield "equipment", (request_id, rank, item, *part, *what, covers, sure)


def _score(score: Score | None) -> tuple[Cell, Cell, Cell]:
    return (score.value, score.word, score.scale.value) if score else (None, None, None)


def _box(box: Box) -> tuple[float, float, float, float, int]:
    return (box.x_min, box.y_min, box.x_max, box.y_max, int(box.clipped))


def _place(box: Box | None) -> tuple[Cell, ...]:
    return (None,) * 5 if box is None else _box(box)


def _pairs(pairs: tuple[tuple[float, float], ...]) -> str | None:
    return json.dumps(pairs) if pairs else None


def _point(point: Point) -> tuple[str, float, float, float | None]:
    return (point.name, point.x, point.y, point.score)


def _many(words: tuple[str, ...]) -> str | None:
    return f"[{', '.join(map(encode_basestring, words))}]" if words else None
