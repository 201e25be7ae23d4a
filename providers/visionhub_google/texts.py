"""Text: pages, blocks, paragraphs, lines and words, with polygons that turn with the text.

The vendor gives no lines: they are put together from words, which say where a line ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from visionhub.schema import Annotation, Box, Score, TextLine, probability
from visionhub_google.reading import (
    Frame,
    Json,
    Pair,
    around,
    items,
    member,
    needed,
    number,
    text,
)
from visionhub_google.words import BREAKS, word

GLUE = {"SPACE": " ", "SURE_SPACE": " ", "EOL_SURE_SPACE": "\n", "LINE_BREAK": "\n"}
HYPHEN = "HYPHEN"  # a word goes on in the next line; the hyphen itself is no symbol
WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Word:
    """A word with what stands before and after it: nothing, a space, or the end of a line."""

    line: TextLine
    before: str
    after: str


def texts(answer: Json, frame: Frame) -> Annotation:
    """All levels of text. Answers without a tree of text have a page and words only."""
    tree = member(answer, "fullTextAnnotation")
    pages = items(tree, "pages")
    flat = items(answer, "textAnnotations")
    at = _frame(pages[0], frame) if pages else frame
    whole = _whole(tree, pages, flat, at)
    if not pages:
        return Annotation(text_lines=(*whole, *(_flat(each, at, "word") for each in flat[1:])))
    parts = (part for page in pages for part in _page(page, _frame(page, frame)))
    return Annotation(text_lines=(*whole, *parts))


def _frame(page: Json, frame: Frame) -> Frame:
    """The size that a page gives for itself, else the picture's."""
    return Frame(number(page, "width") or frame.width, number(page, "height") or frame.height)


def _whole(tree: Json, pages: Sequence[Json], flat: Sequence[Json], frame: Frame) -> list[TextLine]:
    """All text in one: the first of the flat list, which is no word, or the tree's own."""
    words = text(tree, "text") or (text(flat[0], "description") if flat else "")
    if not words:
        return []
    page = pages[0] if pages else {}
    corners = frame.corners(member(flat[0], "boundingPoly")) if flat else ()
    language = (text(flat[0], "locale") if flat else "") or _language(page)
    box = around(corners) or WHOLE
    return [TextLine(words, box, _score(page), "page", corners, language or None)]


def _flat(each: Json, frame: Frame, level: str) -> TextLine:
    corners = frame.corners(member(each, "boundingPoly"))
    box = needed(around(corners), f"a {level}")
    return TextLine(
        text(each, "description"), box, None, level, corners, text(each, "locale") or None
    )


def _page(page: Json, frame: Frame) -> Iterator[TextLine]:
    for block in items(page, "blocks"):
        read = [_paragraph(each, frame) for each in items(block, "paragraphs")]
        if read:
            yield _piece(block, frame, "block", "\n".join(lines[0].text for lines in read))
        for lines in read:
            yield from lines


def _paragraph(paragraph: Json, frame: Frame) -> list[TextLine]:
    """A paragraph, then each of its lines followed by its words."""
    words = [_word(each, frame) for each in items(paragraph, "words")]
    lines = [(_line(line), line) for line in _lines(words)]
    whole = "\n".join(line.text for line, _ in lines)
    rest = (part for line, held in lines for part in (line, *(each.line for each in held)))
    return [_piece(paragraph, frame, "paragraph", whole), *rest]


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    lines: list[list[Word]] = [[]]
    for each in words:
        if lines[-1] and each.before == "\n":
            lines.append([])
        lines[-1].append(each)
        if each.after.endswith("\n"):
            lines.append([])
    return [line for line in lines if line]


def _line(words: Sequence[Word]) -> TextLine:
    """A line of words: their spaces between them, the outer corners of the first and the last."""
    joined = "".join(each.before + each.line.text + each.after for each in words).strip()
    first, last = words[0].line, words[-1].line
    boxes = [each.line.box for each in words]
    box = Box(
        min(box.x_min for box in boxes),
        min(box.y_min for box in boxes),
        max(box.x_max for box in boxes),
        max(box.y_max for box in boxes),
        any(box.clipped for box in boxes),
    )
    four = len(first.polygon) == len(last.polygon) == 4  # noqa: PLR2004 - corners
    outer = (first.polygon[0], *last.polygon[1:3], first.polygon[3]) if four else ()
    return TextLine(joined, box, None, "line", outer, first.language)


def _word(each: Json, frame: Frame) -> Word:
    symbols = items(each, "symbols")
    letters, before, after = "", "", ""
    for symbol in symbols:
        glue, prefix = _break(symbol)
        before, after = (glue, "") if prefix and not letters else (before, "" if prefix else glue)
        letters += text(symbol, "text")
    return Word(_piece(each, frame, "word", letters), before, after)


def _break(symbol: Json) -> tuple[str, bool]:
    """What a symbol is followed by, or preceded by when it says so."""
    said = member(member(symbol, "property"), "detectedBreak")
    kind = word(said.get("type", 0), BREAKS)
    glue = "-\n" if kind == HYPHEN else GLUE.get(kind, "")
    return glue, said.get("isPrefix") is True


def _piece(each: Json, frame: Frame, level: str, words: str) -> TextLine:
    corners: tuple[Pair, ...] = frame.corners(member(each, "boundingBox"))
    box = needed(around(corners), f"a {level}")
    return TextLine(words, box, _score(each), level, corners, _language(each) or None)


def _language(each: Json) -> str:
    """The first, most likely, language."""
    found = items(member(each, "property"), "detectedLanguages")
    return text(found[0], "languageCode") if found else ""


def _score(each: Json) -> Score | None:
    """A confidence; the service leaves it out, or gives 0, where it has none."""
    value = number(each, "confidence")
    return probability(value) if value else None
