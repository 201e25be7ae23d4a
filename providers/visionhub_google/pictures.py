"""What is said of the picture as a whole: safe search, colours, crops, and its like on the web."""

from __future__ import annotations

from collections.abc import Iterator

from visionhub.schema import (
    Annotation,
    Color,
    CropHint,
    SafeSearch,
    Scale,
    Score,
    WebMatch,
    probability,
)
from visionhub_google.reading import Frame, Json, items, member, needed, number, text
from visionhub_google.words import LIKELIHOODS, UNKNOWN, word

UNSAFE = ("adult", "spoof", "medical", "violence", "racy")
IMAGES = (
    ("full_match", "fullMatchingImages"),
    ("partial_match", "partialMatchingImages"),
    ("similar", "visuallySimilarImages"),
)
LISTS = ("webEntities", "pagesWithMatchingImages", *(name for _, name in IMAGES))
"""The lists that `max_results` bounds, each for itself."""


def safe_search(answer: Json) -> Annotation:
    """A likelihood for each kind of unsafe content; one that is UNKNOWN is left out and named."""
    said = member(answer, "safeSearchAnnotation")
    words = {kind: word(said.get(kind, 0), LIKELIHOODS) for kind in UNSAFE}
    silent = [kind for kind, likelihood in words.items() if likelihood == UNKNOWN]
    return Annotation(
        reason=f"UNKNOWN for {', '.join(silent)}" if silent else "",
        safe_search=tuple(
            SafeSearch(kind, Score(Scale.LIKELIHOOD, word=likelihood))
            for kind, likelihood in words.items()
            if likelihood != UNKNOWN
        ),
    )


def colors(answer: Json) -> Annotation:
    """Dominant colours."""
    dominant = member(member(answer, "imagePropertiesAnnotation"), "dominantColors")
    return Annotation(colors=tuple(_color(each) for each in items(dominant, "colors")))


def _color(each: Json) -> Color:
    channels = member(each, "color")
    red, green, blue = (number(channels, name) for name in ("red", "green", "blue"))
    if not all(0 <= channel <= 255 for channel in (red, green, blue)):  # noqa: PLR2004 - 8 bits
        raise ValueError(f"{red}, {green}, {blue} is no colour")
    score = Score(Scale.UNCALIBRATED, number(each, "score"))
    return Color(red, green, blue, number(each, "pixelFraction"), score)


def crop_hints(answer: Json, frame: Frame) -> Annotation:
    """Proposed crops."""
    hints = items(member(answer, "cropHintsAnnotation"), "cropHints")
    return Annotation(
        crop_hints=tuple(
            CropHint(
                needed(frame.box(member(hint, "boundingPoly")), "a crop"),
                probability(number(hint, "confidence")),
                number(hint, "importanceFraction"),
            )
            for hint in hints
        )
    )


def web(answer: Json) -> Annotation:
    """Entities, guesses, images and pages; an image that stands on a page names it."""
    found = member(answer, "webDetection")
    matches = [_entity(entity) for entity in items(found, "webEntities")]
    matches += [
        WebMatch("best_guess", text(guess, "label"), language=text(guess, "languageCode") or None)
        for guess in items(found, "bestGuessLabels")
    ]
    matches += _images(found)
    for page in items(found, "pagesWithMatchingImages"):
        address = text(page, "url")
        title = text(page, "pageTitle") or address
        matches.append(WebMatch("page", title, address, _score(page)))
        matches += _images(page, address)
    return Annotation(web=tuple(matches))


def _entity(entity: Json) -> WebMatch:
    known = text(entity, "entityId")
    words = text(entity, "description") or known
    score = Score(Scale.UNCALIBRATED, number(entity, "score"))
    return WebMatch("entity", words, score=score, vendor_id=known or None)


def _images(holder: Json, page: str | None = None) -> Iterator[WebMatch]:
    for kind, name in IMAGES:
        for image in items(holder, name):
            address = text(image, "url")
            yield WebMatch(kind, address, address, _score(image), page=page)


def _score(item: Json) -> Score | None:
    """A score that the vendor has deprecated, where an answer still has it."""
    return Score(Scale.UNCALIBRATED, number(item, "score")) if item.get("score") else None
