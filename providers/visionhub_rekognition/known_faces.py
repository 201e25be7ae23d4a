"""Reads RecognizeCelebrities and CompareFaces: faces that are named or matched. Biometric."""

from __future__ import annotations

from collections.abc import Mapping

from visionhub.provider import Value
from visionhub.schema import Annotation, Celebrity, FaceMatch, Status
from visionhub_rekognition import offered
from visionhub_rekognition.reading import (
    Json,
    box,
    maybe_percent,
    maybe_text,
    part,
    parts,
    percent,
    text,
)


def read_celebrities(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """Faces that the service names, then those that it does not know; at most 64 come."""
    _any_of(answer, "CelebrityFaces", "UnrecognizedFaces")
    known = (_celebrity(one) for one in parts(answer, "CelebrityFaces"))
    unknown = (Celebrity(box(one)) for one in parts(answer, "UnrecognizedFaces"))
    found = (*known, *unknown)
    full = len(found) >= offered.CELEBRITIES
    return Annotation(Status.TRUNCATED if full else Status.OBSERVED, celebrities=found)


def _celebrity(one: Json) -> Celebrity:
    urls = one.get("Urls") or []
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise ValueError("Urls is no list of texts")
    return Celebrity(
        box(part(one, "Face")),
        text(one, "Name"),
        maybe_percent(one, "MatchConfidence"),
        maybe_text(one, "Id"),
        tuple(urls),
        maybe_text(part(one, "KnownGender"), "Type"),
    )


def read_matches(answer: Json, options: Mapping[str, Value]) -> Annotation:
    """The picture's faces: those that match the source's, then the others; at most 100 come."""
    _any_of(answer, "FaceMatches", "UnmatchedFaces")
    matched = (
        FaceMatch(box(part(one, "Face")), percent(one, "Similarity"))
        for one in parts(answer, "FaceMatches")
    )
    unmatched = (FaceMatch(box(one)) for one in parts(answer, "UnmatchedFaces"))
    found = (*matched, *unmatched)
    full = len(found) >= offered.FACES
    return Annotation(Status.TRUNCATED if full else Status.OBSERVED, face_matches=found)


def _any_of(answer: Json, *names: str) -> None:
    if all(answer.get(name) is None for name in names):
        raise ValueError(f"no member {' or '.join(names)}")
