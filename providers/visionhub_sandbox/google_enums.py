"""The numbers of the enumerations in images:annotate (the SDK's own definitions, 3.16.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEATURES: Mapping[str, int] = {
    "TYPE_UNSPECIFIED": 0,
    "FACE_DETECTION": 1,
    "LANDMARK_DETECTION": 2,
    "LOGO_DETECTION": 3,
    "LABEL_DETECTION": 4,
    "TEXT_DETECTION": 5,
    "SAFE_SEARCH_DETECTION": 6,
    "IMAGE_PROPERTIES": 7,
    "CROP_HINTS": 9,
    "WEB_DETECTION": 10,
    "DOCUMENT_TEXT_DETECTION": 11,
    "PRODUCT_SEARCH": 12,
    "OBJECT_LOCALIZATION": 19,
}
LIKELIHOODS = ("UNKNOWN", "VERY_UNLIKELY", "UNLIKELY", "POSSIBLE", "LIKELY", "VERY_LIKELY")
LANDMARKS: Mapping[str, int] = {
    "LEFT_EYE": 1,
    "RIGHT_EYE": 2,
    "LEFT_OF_LEFT_EYEBROW": 3,
    "RIGHT_OF_LEFT_EYEBROW": 4,
    "LEFT_OF_RIGHT_EYEBROW": 5,
    "RIGHT_OF_RIGHT_EYEBROW": 6,
    "MIDPOINT_BETWEEN_EYES": 7,
    "NOSE_TIP": 8,
    "UPPER_LIP": 9,
    "LOWER_LIP": 10,
    "MOUTH_LEFT": 11,
    "MOUTH_RIGHT": 12,
    "MOUTH_CENTER": 13,
}
BREAKS = ("UNKNOWN", "SPACE", "SURE_SPACE", "EOL_SURE_SPACE", "HYPHEN", "LINE_BREAK")
BLOCKS = ("UNKNOWN", "TEXT", "TABLE", "PICTURE", "RULER", "BARCODE")
RATED = ("adult", "spoof", "medical", "violence", "racy")
OTHERS: Mapping[str, Mapping[str, int]] = {
    "type": {**LANDMARKS, **{name: number for number, name in enumerate(BREAKS)}},
    "blockType": {name: number for number, name in enumerate(BLOCKS)},
}
_LIKELY = {name: number for number, name in enumerate(LIKELIHOODS)}


def numbered(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    """A JSON answer with numbers for the names of enumerations."""
    if isinstance(value, list):
        return [numbered(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _number(name, each) for name, each in value.items()}


def _number(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    if not isinstance(value, str):
        return numbered(value)
    if name in RATED or name.endswith("Likelihood"):
        return _LIKELY.get(value, value)
    return OTHERS.get(name, {}).get(value, value)
