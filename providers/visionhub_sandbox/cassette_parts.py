"""The part of a recorded answer that a narrower request asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from visionhub_sandbox.google_enums import FEATURES

Json: TypeAlias = Any
MEMBERS: Mapping[str, tuple[str, ...]] = {  # what in an image's answer belongs to a feature
    "FACE_DETECTION": ("faceAnnotations",),
    "LANDMARK_DETECTION": ("landmarkAnnotations",),
    "LOGO_DETECTION": ("logoAnnotations",),
    "LABEL_DETECTION": ("labelAnnotations",),
    "TEXT_DETECTION": ("textAnnotations", "fullTextAnnotation"),
    "DOCUMENT_TEXT_DETECTION": ("textAnnotations", "fullTextAnnotation"),
    "SAFE_SEARCH_DETECTION": ("safeSearchAnnotation",),
    "IMAGE_PROPERTIES": ("imagePropertiesAnnotation", "cropHintsAnnotation"),
    "CROP_HINTS": ("cropHintsAnnotation",),
    "WEB_DETECTION": ("webDetection",),
    "PRODUCT_SEARCH": ("productSearchResults",),
    "OBJECT_LOCALIZATION": ("localizedObjectAnnotations",),
}
LIMITED = (  # members that maxResults holds for
    "faceAnnotations",
    "landmarkAnnotations",
    "logoAnnotations",
    "labelAnnotations",
    "localizedObjectAnnotations",
)
BY_FEATURE = {"GENERAL_LABELS": "Labels", "IMAGE_PROPERTIES": "ImageProperties"}
FLOORED = ("Labels", "ModerationLabels")


def google_parts(asked: Mapping[str, Json], item: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """A recorded image's answer by the features that were asked; an error belongs to each."""
    names = {number: name for name, number in FEATURES.items()}
    types = [names.get(each.get("type"), each.get("type")) for each in asked["features"]]
    return {
        type_: {name: item[name] for name in (*MEMBERS.get(type_, ()), "error") if name in item}
        for type_ in types
    }


def google_part(recorded: Mapping[str, Json] | None, most: int) -> dict[str, Json] | None:
    """No more results of a recorded feature than were asked for."""
    if recorded is None:
        return None
    return {name: value[:most] if name in LIMITED else value for name, value in recorded.items()}


def rekognition_part(
    recorded: Mapping[str, Json], answer: Mapping[str, Json], request: Mapping[str, Json]
) -> dict[str, Json] | None:
    """What of a recorded answer a request asks for; None when it asks for more."""
    features = set(request.get("Features") or ("GENERAL_LABELS",))
    had = set(recorded.get("Features") or ("GENERAL_LABELS",))
    attributes, known = set(request.get("Attributes") or ()), set(recorded.get("Attributes") or ())
    if not features <= had or not ("ALL" in known or attributes - {"DEFAULT"} <= known):
        return None
    others = {member for feature, member in BY_FEATURE.items() if feature not in features}
    part = {name: value for name, value in answer.items() if name not in others}
    floor = request.get("MinConfidence") or 0
    for name in FLOORED:
        if name in part:
            kept = [_floored(each, floor) for each in part[name] if each["Confidence"] >= floor]
            part[name] = kept[: request.get("MaxLabels")]
    return part


def _floored(label: Mapping[str, Json], floor: float) -> dict[str, Json]:
    instances = [each for each in label.get("Instances", ()) if each["Confidence"] >= floor]
    return {**label, "Instances": instances} if "Instances" in label else dict(label)
