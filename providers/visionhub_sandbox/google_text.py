"""Text in the shape of Google's answers: a list of words after the whole, and a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from visionhub.schema import Task, TextLine
from visionhub_sandbox.derived import Corners, Piece, corners, pieces, share
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.pictures import Picture

Json: TypeAlias = dict[str, Any]


def polygon(around: Corners, width: int, height: int) -> Json:
    """Corners in whole pixels; a coordinate of zero is left out, as the service does."""
    pixels = [{"x": round(x * width), "y": round(y * height)} for x, y in around]
    return {"vertices": [{k: v for k, v in point.items() if v} for point in pixels]}


def text(desk: Desk, picture: Picture, most: int) -> Json:
    """TEXT_DETECTION and DOCUMENT_TEXT_DETECTION: each line is a block of one paragraph."""
    lines = desk.predictions.of(picture, Task.TEXT).text_lines
    if not lines:
        return {}
    width, height = picture.facts.width, picture.facts.height
    whole = "\n".join(line.text for line in lines)
    around = polygon(_around(lines), width, height)
    words = [
        {"description": word.text, "boundingPoly": polygon(word.corners, width, height)}
        for line in lines
        for word in pieces(line)
    ]
    page = {"width": width, "height": height, "blocks": _blocks(lines, width, height)}
    return {
        "textAnnotations": [{"description": whole, "boundingPoly": around}, *words],
        "fullTextAnnotation": {"pages": [page], "text": whole},
    }


def _around(lines: Sequence[TextLine]) -> Corners:
    left, top = min(line.box.x_min for line in lines), min(line.box.y_min for line in lines)
    right, bottom = max(line.box.x_max for line in lines), max(line.box.y_max for line in lines)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _blocks(lines: Sequence[TextLine], width: int, height: int) -> list[Json]:
    return [_block(line, width, height) for line in lines]


def _block(line: TextLine, width: int, height: int) -> Json:
    around = line.polygon if len(line.polygon) == 4 else corners(line.box)  # noqa: PLR2004
    place = {"boundingBox": polygon(around, width, height)}
    sure = {"confidence": round(share(line.score), 8)} if line.score else {}
    found = pieces(line)
    words = [
        {**_word(word, width, height, last=number == len(found)), **sure}
        for number, word in enumerate(found, 1)
    ]
    return {**place, "paragraphs": [{**place, "words": words, **sure}], "blockType": "TEXT", **sure}


def _word(word: Piece, width: int, height: int, *, last: bool) -> Json:
    symbols: list[Json] = [
        {"boundingBox": polygon(each.corners, width, height), "text": each.text}
        for each in pieces(word, "")
    ]
    after = "LINE_BREAK" if last else "SPACE"
    symbols[-1]["property"] = {"detectedBreak": {"type": after}}
    return {"boundingBox": polygon(word.corners, width, height), "symbols": symbols}
