"""The numbers of the enumerations in images:annotate (the SDK's own definitions, 3.16.0)."""

from __future__ import annotations

from typing import Any

FEATURES = ("TYPE_UNSPECIFIED", "FACE_DETECTION", "LANDMARK_DETECTION", "LOGO_DETECTION")
FEATURES += ("LABEL_DETECTION", "TEXT_DETECTION", "SAFE_SEARCH_DETECTION", "IMAGE_PROPERTIES")
FEATURES += ("UNKNOWN_8", "CROP_HINTS", "WEB_DETECTION", "DOCUMENT_TEXT_DETECTION")
FEATURES += ("PRODUCT_SEARCH", "UNKNOWN_13", "UNKNOWN_14", "UNKNOWN_15", "UNKNOWN_16")
FEATURES += ("UNKNOWN_17", "UNKNOWN_18", "OBJECT_LOCALIZATION")


def numbered(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    """A JSON answer with numbers for the names of enumerations."""
    return value
