"""Faces: two boxes, landmarks, pose, and what the vendor rates with a likelihood."""

from __future__ import annotations

from collections.abc import Sequence

from visionhub.schema import (
    Annotation,
    Attribute,
    Box,
    Face,
    Point,
    Scale,
    Score,
    Status,
    probability,
)
from visionhub_google.reading import Frame, Json, items, member, needed, number
from visionhub_google.tasks import EMOTION, WITHDRAWN
from visionhub_google.words import LIKELIHOODS, POINTS, UNKNOWN, point_name, word

RATED = {
    "under_exposed": "underExposedLikelihood",
    "blurred": "blurredLikelihood",
    "headwear": "headwearLikelihood",
}
EMOTIONS = {
    "JOY": "joyLikelihood",
    "SORROW": "sorrowLikelihood",
    "ANGER": "angerLikelihood",
    "SURPRISE": "surpriseLikelihood",
}


def faces(answer: Json, frame: Frame, asked: Sequence[str]) -> Annotation:
    """Faces; emotions only when asked for by name, and never one that is UNKNOWN."""
    found = items(answer, "faceAnnotations")
    wants = EMOTION in asked
    status, reason = _said(found, wants=wants)
    return Annotation(
        status=status, reason=reason, faces=tuple(_face(face, frame, wants=wants) for face in found)
    )


def _face(face: Json, frame: Frame, *, wants: bool) -> Face:
    box, head = _boxes(face, frame)
    return Face(
        probability(number(face, "detectionConfidence")),
        box,
        _points(items(face, "landmarks"), frame),
        roll=number(face, "rollAngle"),
        yaw=number(face, "panAngle"),
        pitch=number(face, "tiltAngle"),
        attributes=(*_attributes(face), *(_emotions(face) if wants else ())),
        head_box=head,
    )


def _boxes(face: Json, frame: Frame) -> tuple[Box, Box | None]:
    """The box of the skin and that of the head; the head's stands in where the other is absent."""
    skin = frame.box(member(face, "fdBoundingPoly"))
    head = frame.box(member(face, "boundingPoly"))
    return needed(skin or head, "a face"), head


def _points(points: Sequence[Json], frame: Frame) -> tuple[Point, ...]:
    """Landmarks in ratios; one without a name cannot be told from the others and is left out."""
    named: dict[str, Point] = {}
    for point in points:
        kind = word(point.get("type", 0), POINTS)
        if kind != POINTS[0]:
            at = member(point, "position")
            x, y = number(at, "x") / frame.width, number(at, "y") / frame.height
            named.setdefault(point_name(kind), Point(point_name(kind), x, y))
    return tuple(named.values())


def _likelihood(face: Json, name: str) -> str:
    return word(face.get(name, 0), LIKELIHOODS)


def _rating(name: str, said: str, what: str | None = None) -> list[Attribute]:
    if said == UNKNOWN:
        return []
    return [Attribute(name, word=what, score=Score(Scale.LIKELIHOOD, word=said))]


def _attributes(face: Json) -> list[Attribute]:
    sure = Attribute("landmarking", score=probability(number(face, "landmarkingConfidence")))
    rated = [_rating(name, _likelihood(face, leaf)) for name, leaf in RATED.items()]
    return [sure, *(attribute for each in rated for attribute in each)]


def _emotions(face: Json) -> list[Attribute]:
    rated = [_rating(EMOTION, _likelihood(face, leaf), name) for name, leaf in EMOTIONS.items()]
    return [attribute for each in rated for attribute in each]


def _said(found: Sequence[Json], *, wants: bool) -> tuple[Status, str]:
    """What the likelihoods leave open: UNKNOWN is no answer, and for emotions the end of them."""
    left = [
        name
        for name, leaf in RATED.items()
        if any(_likelihood(face, leaf) == UNKNOWN for face in found)
    ]
    boxes = sum(not face.get("fdBoundingPoly") for face in found)
    notes = [f"UNKNOWN for {', '.join(left)} of some faces"] if left else []
    notes += [f"{boxes} faces have only the box of the head"] if boxes else []
    silent = sum(
        any(_likelihood(face, leaf) == UNKNOWN for leaf in EMOTIONS.values()) for face in found
    )
    if not wants or not silent:
        return Status.OBSERVED, "; ".join(notes)
    ends = "; ".join(str(each) for each in WITHDRAWN)
    notes.insert(0, f"emotion is UNKNOWN for {silent} of {len(found)} faces (withdrawn: {ends})")
    return Status.WITHDRAWN, "; ".join(notes)
