"""Columns that many annotation tables share, with their meanings and units. Data only."""

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

KEY = {
    "request_id": Meaning("the request that was answered with this row (requests.id)"),
    "rank": Meaning("place in the provider's own order", "1, 2, 3…"),
}
SCORE = {
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
BOX = {
    "x_min": Meaning("left edge of the box", RATIO_X),
    "y_min": Meaning("top edge of the box", RATIO_Y),
    "x_max": Meaning("right edge of the box", RATIO_X),
    "y_max": Meaning("bottom edge of the box", RATIO_Y),
    "clipped": Meaning("1 when the box reached outside the picture and was cut to it", "0 or 1"),
}
POINT = {
    "x": Meaning("place of the point; it may lie a little outside", RATIO_X),
    "y": Meaning("place of the point; it may lie a little outside", RATIO_Y),
    "score": Meaning("the model's own confidence or visibility", "uncalibrated"),
}
VENDOR_ID = Meaning("the vendor's own identifier, such as a WordNet number or a class index")
