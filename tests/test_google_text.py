"""Reading text: levels, lines, spaces, polygons, and how long a large page takes."""

from __future__ import annotations

import json
import time

from visionhub_google import GoogleVision

from tests.google_asked import parse, pixels, rectangle
from tests.google_server import protobuf
from visionhub.provider import Request
from visionhub.schema import Box, Scale, Score, Task


def letters(word, *, after="", prefix=False):
    symbols = [{"text": letter} for letter in word]
    if after:
        said = {"detectedBreak": {"type": after, "isPrefix": prefix}}
        symbols[0 if prefix else -1]["property"] = said
    return symbols


def word(text, left, after="", *, prefix=False, **more):
    box = rectangle(left, 10, left + 18, 20)
    return {"symbols": letters(text, after=after, prefix=prefix), "boundingBox": box, **more}


def paragraph(*words, page=(200, 100)):
    box = rectangle(0, 10, 200, 20)
    lines = {"boundingBox": box, "words": list(words)}
    block = {"boundingBox": box, "paragraphs": [lines], "blockType": "TEXT"}
    pages = [{"width": page[0], "height": page[1], "blocks": [block]}]
    return {"fullTextAnnotation": {"pages": pages, "text": "all"}}


def texts(answer, level):
    return [line.text for line in parse(Task.TEXT, answer).text_lines if line.level == level]


def test_lines_end_where_a_word_says_so():
    answer = paragraph(
        word("one", 0, "SPACE"), word("two", 20, "LINE_BREAK"), word("three", 40, "SURE_SPACE"),
        word("four", 60, "EOL_SURE_SPACE"), word("fi", 80, "HYPHEN"), word("ve", 100, 3),
        word("six", 120), word("!", 140),
    )  # fmt: skip
    assert texts(answer, "line") == ["one two", "three four", "fi-", "ve", "six!"]
    assert texts(answer, "word") == ["one", "two", "three", "four", "fi", "ve", "six", "!"]
    assert texts(answer, "paragraph") == ["one two\nthree four\nfi-\nve\nsix!"]
    assert texts(answer, "block") == texts(answer, "paragraph")
    assert texts(answer, "page") == ["all"]
    order = [line.level for line in parse(Task.TEXT, answer).text_lines]
    assert order[:6] == ["page", "block", "paragraph", "line", "word", "word"]


def test_a_break_may_stand_before_its_letter():
    answer = paragraph(word("one", 0), word("two", 20, "SPACE", prefix=True),
                       word("three", 40, "LINE_BREAK", prefix=True), word("four", 60))  # fmt: skip
    assert texts(answer, "line") == ["one two", "threefour"]


def test_pixels_of_text_are_those_of_its_page():
    """A page may have been made smaller by the service than the picture that was sent."""
    (first, *_), (half, *_) = (
        [line for line in parse(Task.TEXT, paragraph(word("x", 20), page=size)).text_lines
         if line.level == "word"] for size in ((200, 100), (100, 50))
    )  # fmt: skip
    assert first.box == Box(0.1, 0.1, 0.19, 0.2)
    assert half.box == Box(0.2, 0.2, 0.38, 0.4)
    (bare,) = (
        line for line in parse(Task.TEXT, paragraph(word("x", 20), page=(0, 0))).text_lines
        if line.level == "word"
    )  # fmt: skip
    assert bare.box == first.box


def test_polygons_turn_with_the_text():
    """Of text that runs upwards, the upper left corner is at the picture's lower left."""
    up = [(20, 80), (20, 60), (30, 60), (30, 80)], [(20, 50), (20, 30), (30, 30), (30, 50)]
    first, second = ({**word("ab", 0, "SPACE"), "boundingBox": pixels(*each)} for each in up)
    said = parse(Task.TEXT, paragraph(first, second)).text_lines
    (line,) = [each for each in said if each.level == "line"]
    assert line.polygon == ((0.1, 0.8), (0.1, 0.3), (0.15, 0.3), (0.15, 0.8))
    assert line.box == Box(0.1, 0.3, 0.15, 0.8)


def test_a_confidence_that_was_not_given_is_none():
    with_score = word("x", 0, confidence=0.5)
    said = parse(Task.TEXT, paragraph(with_score, word("y", 20))).text_lines
    scores = [line.score for line in said if line.level == "word"]
    assert scores == [Score(Scale.PROBABILITY, 0.5), None]
    assert all(line.score is None for line in said if line.level == "line")


def test_a_large_page_is_read_in_a_fraction_of_a_second():
    """As JSON and as protobuf: 1,000 words of 6 letters, each letter with its own box."""
    box = rectangle(1, 2, 3, 4)
    letter = {"text": "a", "boundingBox": box, "confidence": 0.5,
              "property": {"detectedLanguages": [{"languageCode": "en"}]}}  # fmt: skip
    last = {**letter, "property": {"detectedBreak": {"type": "SPACE"}}}
    words = [{"symbols": [*[letter] * 5, last], "boundingBox": box, "confidence": 0.5}] * 1000
    answer = paragraph(*words)
    request = Request("i", "s", 200, 100, Task.TEXT, "google", "r", "{}")
    for body in protobuf({"responses": [answer]}), json.dumps({"responses": [answer]}).encode():
        times = []
        for _ in range(5):
            begun = time.process_time()
            assert len(GoogleVision().parse(body, request)) == 1000
            times.append(time.process_time() - begun)
        assert min(times) < 0.3, "three times what it takes"
