"""What the columns of the annotation tables mean, and their units. Data only."""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """One column: what it says, and in which unit (empty for a plain word or number)."""

    text: str
    unit: str = ""


class TableMeaning(NamedTuple):
    """One table or view: what one row is, and its columns."""

    text: str
    columns: dict[str, Meaning]


RATIO_X = "ratio of the width of the sent picture, 0..1 from the left"
RATIO_Y = "ratio of the height of the sent picture, 0..1 from the top"
UTC = "UTC, YYYY-MM-DDThh:mm:ssZ"
HASH = "hexadecimal SHA-256"
JSON = "JSON"

_KEY = {
    "request_id": Meaning("the request that was answered with this row (requests.id)"),
    "rank": Meaning("place in the provider's own order", "1, 2, 3…"),
}
_SCORE = {
    "score": Meaning(
        "the provider's own score, never converted; empty when it gave none or gave a word",
        "as `scale` says",
    ),
    "score_word": Meaning("the provider's ordinal word, on the likelihood scale only"),
    "scale": Meaning(
        "how to read the score: probability (0..1, the model's own, calibrated or not), percent "
        "(0..100), likelihood (an ordinal word), uncalibrated (a number that only orders)"
    ),
}
_BOX = {
    "x_min": Meaning("left edge of the box", RATIO_X),
    "y_min": Meaning("top edge of the box", RATIO_Y),
    "x_max": Meaning("right edge of the box", RATIO_X),
    "y_max": Meaning("bottom edge of the box", RATIO_Y),
    "clipped": Meaning("1 when the box reached outside the picture and was cut to it", "0 or 1"),
}
_POINT = {
    "x": Meaning("place of the point; it may lie a little outside", RATIO_X),
    "y": Meaning("place of the point; it may lie a little outside", RATIO_Y),
    "score": Meaning("the model's own confidence or visibility", "uncalibrated"),
}
_VENDOR_ID = Meaning("the vendor's own identifier, such as a WordNet number or a class index")
_PARENTS = Meaning("broader terms, from the vendor's taxonomy", f"{JSON}, a list of words")
ANNOTATIONS = {
    "labels": TableMeaning(
        "One word for a whole image.",
        _KEY
        | {"name": Meaning("the label, in the provider's words")}
        | _SCORE
        | {
            "vendor_id": _VENDOR_ID,
            "parents": _PARENTS,
            "aliases": Meaning("other words for the same", f"{JSON}, a list of words"),
            "categories": Meaning("the vendor's categories", f"{JSON}, a list of words"),
        },
    ),
    "objects": TableMeaning(
        "One thing with a box.",
        _KEY
        | {"name": Meaning("what it is, in the provider's words")}
        | _SCORE
        | _BOX
        | {"vendor_id": _VENDOR_ID, "parents": _PARENTS},
    ),
    "faces": TableMeaning(
        "One face with a box.",
        _KEY
        | _SCORE
        | _BOX
        | {
            "roll": Meaning("tilt of the head in the plane of the picture", "degrees"),
            "yaw": Meaning("turn of the head to the side", "degrees"),
            "pitch": Meaning("nod of the head, up or down", "degrees"),
        },
    ),
    "people": TableMeaning(
        "One person with a box; the pose is in keypoints.", _KEY | _SCORE | _BOX
    ),
    "text_lines": TableMeaning(
        "One piece of text that was read in the picture.",
        _KEY
        | {
            "text": Meaning("the text as it was read"),
            "level": Meaning("what it is: block, line or word"),
        }
        | _SCORE
        | _BOX
        | {
            "polygon": Meaning(
                "outline, clockwise, as [x, y] pairs", f"{JSON}, ratios of width and height"
            ),
            "language": Meaning("language, where the provider tells", "BCP 47"),
        },
    ),
    "safe_search": TableMeaning(
        "One category of unsafe content.",
        _KEY
        | {
            "category": Meaning("the category, in the provider's words"),
            "parent": Meaning("the category above it"),
            "level": Meaning("depth in the vendor's taxonomy", "1 is the top"),
        }
        | _SCORE,
    ),
    "face_landmarks": TableMeaning(
        "One named point of a face; `rank` is the face's.",
        _KEY
        | {"name": Meaning("which point: left_eye, nose… (left is the person's own)")}
        | _POINT,
    ),
    "face_attributes": TableMeaning(
        "One property of a face, guessed from its appearance. Sensitive: only when asked for.",
        _KEY
        | {
            "item": Meaning("number of the property within its face", "1, 2, 3…"),
            "name": Meaning("which property: age, gender, emotion…"),
            "value": Meaning("the property as a word"),
            "number": Meaning("the property as a number", "years for age"),
            "low": Meaning("lower end of a range", "as `number`"),
            "high": Meaning("upper end of a range", "as `number`"),
        }
        | _SCORE,
    ),
    "face_embeddings": TableMeaning(
        "One biometric template of a face. Sensitive: only when asked for.",
        _KEY
        | {
            "dimensions": Meaning("length of the vector"),
            "vector": Meaning("the vector", "32-bit floats, little-endian"),
        },
    ),
    "keypoints": TableMeaning(
        "One named point of a body pose; `rank` is the person's.",
        _KEY
        | {"name": Meaning("which point: left_elbow, nose… (left is the person's own)")}
        | _POINT,
    ),
}
