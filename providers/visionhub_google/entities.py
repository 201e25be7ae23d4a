"""Labels, objects, landmarks and logos."""

from __future__ import annotations

from visionhub.schema import Annotation, Label, Landmark, Logo, Object, probability
from visionhub_google.reading import Frame, Json, items, member, needed, number, text


def _name(entity: Json, member_name: str = "description") -> str:
    """An entity's name, or its identifier where it has none; ValueError when it has neither."""
    name = text(entity, member_name) or text(entity, "mid")
    if not name:
        raise ValueError(f"something has neither {member_name} nor mid")
    return name


def _mid(entity: Json) -> str | None:
    return text(entity, "mid") or None


def labels(answer: Json) -> Annotation:
    """Words for the whole image, in the vendor's order."""
    return Annotation(
        labels=tuple(
            Label(_name(entity), probability(number(entity, "score")), _mid(entity))
            for entity in items(answer, "labelAnnotations")
        )
    )


def objects(answer: Json, frame: Frame) -> Annotation:
    """Things with a box. The vendor gives ratios here, and pixels everywhere else."""
    return Annotation(
        objects=tuple(
            Object(
                _name(thing, "name"),
                probability(number(thing, "score")),
                needed(frame.box(member(thing, "boundingPoly")), "an object"),
                _mid(thing),
            )
            for thing in items(answer, "localizedObjectAnnotations")
        )
    )


def landmarks(answer: Json, frame: Frame) -> Annotation:
    """Known places, with where on earth they are."""
    return Annotation(
        landmarks=tuple(
            Landmark(
                _name(entity),
                probability(number(entity, "score")),
                frame.box(member(entity, "boundingPoly")),
                _mid(entity),
                tuple(_degrees(place) for place in items(entity, "locations")),
            )
            for entity in items(answer, "landmarkAnnotations")
        )
    )


def _degrees(place: Json) -> tuple[float, float]:
    where = member(place, "latLng")
    return number(where, "latitude"), number(where, "longitude")


def logos(answer: Json, frame: Frame) -> Annotation:
    """Brands."""
    return Annotation(
        logos=tuple(
            Logo(
                _name(entity),
                probability(number(entity, "score")),
                frame.box(member(entity, "boundingPoly")),
                _mid(entity),
            )
            for entity in items(answer, "logoAnnotations")
        )
    )
