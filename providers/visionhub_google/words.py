"""The vendor's enumerations: an answer gives names or numbers, depending on who asked how.

Source: the model of google-cloud-vision 3.16.0; a test holds these tables against it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any  # what json.loads returns

UNKNOWN = "UNKNOWN"
LIKELIHOODS = (UNKNOWN, "VERY_UNLIKELY", "UNLIKELY", "POSSIBLE", "LIKELY", "VERY_LIKELY")
BREAKS = ("UNKNOWN", "SPACE", "SURE_SPACE", "EOL_SURE_SPACE", "HYPHEN", "LINE_BREAK")
POINTS = (
    "UNKNOWN_LANDMARK",
    *("LEFT_EYE", "RIGHT_EYE", "LEFT_OF_LEFT_EYEBROW", "RIGHT_OF_LEFT_EYEBROW"),
    *("LEFT_OF_RIGHT_EYEBROW", "RIGHT_OF_RIGHT_EYEBROW", "MIDPOINT_BETWEEN_EYES", "NOSE_TIP"),
    *("UPPER_LIP", "LOWER_LIP", "MOUTH_LEFT", "MOUTH_RIGHT", "MOUTH_CENTER"),
    *("NOSE_BOTTOM_RIGHT", "NOSE_BOTTOM_LEFT", "NOSE_BOTTOM_CENTER", "LEFT_EYE_TOP_BOUNDARY"),
    *("LEFT_EYE_RIGHT_CORNER", "LEFT_EYE_BOTTOM_BOUNDARY", "LEFT_EYE_LEFT_CORNER"),
    *("RIGHT_EYE_TOP_BOUNDARY", "RIGHT_EYE_RIGHT_CORNER", "RIGHT_EYE_BOTTOM_BOUNDARY"),
    *("RIGHT_EYE_LEFT_CORNER", "LEFT_EYEBROW_UPPER_MIDPOINT", "RIGHT_EYEBROW_UPPER_MIDPOINT"),
    *("LEFT_EAR_TRAGION", "RIGHT_EAR_TRAGION", "LEFT_EYE_PUPIL", "RIGHT_EYE_PUPIL"),
    *("FOREHEAD_GLABELLA", "CHIN_GNATHION", "CHIN_LEFT_GONION", "CHIN_RIGHT_GONION"),
    *("LEFT_CHEEK_CENTER", "RIGHT_CHEEK_CENTER"),
)
_SWAPPED = {"LEFT": "right", "RIGHT": "left"}


def word(value: Json, names: tuple[str, ...]) -> str:
    """The name of an enumeration's value, which may be a number; a new number is its own name.

    Raises TypeError for what is neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no value of an enumeration")
    return names[value] if 0 <= value < len(names) else str(value)


def point_name(value: Json) -> str:
    """A landmark's name with the person's own left and right: the vendor's are the viewer's.

    LEFT_OF_RIGHT_EYEBROW is right_of_left_eyebrow.
    """
    return "_".join(_SWAPPED.get(part, part.lower()) for part in word(value, POINTS).split("_"))
