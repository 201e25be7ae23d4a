"""How far two raters read the same text in images.

A rater's text is its lines, in its own order; where it gives none, the page, or else its words. A
service that stops after so many words was cut off: where one was, only the first words of both are
compared, as many as that one had room for, and gave. Letters are compared as they are, capitals
too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from visionhub.analysis.frames import Answers, Integers
from visionhub.analysis.label_things import WHY, limits_of
from visionhub.analysis.located import Located
from visionhub.analysis.measured import Measured
from visionhub.analysis.paired import BINARY
from visionhub.analysis.part import Apart
from visionhub.analysis.resample import Sums, estimate
from visionhub.analysis.settings import Settings
from visionhub.analysis.texts import (
    bag_of_words_error_rate,
    character_edits,
    character_error_rate,
    word_error_rate,
)

TASK = "text"
LEVELS = ("line", "page", "paragraph", "block", "word")  # the first that an image has is its text
RATES = {
    "character_error_rate": character_error_rate,
    "word_error_rate": word_error_rate,
    "bag_of_words_error_rate": bag_of_words_error_rate,
}


def texts(answers: Answers) -> list[str]:
    """(images,) what a rater has read in each image; "" for nothing."""
    level = np.array([*answers.texts["level"], ""], dtype=object)[answers.words["level"]]
    words = np.array([*answers.texts["text"], ""], dtype=object)[answers.words["text"]]
    found = [""] * len(answers.images)
    for name in reversed(LEVELS):  # what stands first in LEVELS is written last
        rows = np.flatnonzero(level == name)
        image = answers.at[rows]
        for some in np.split(rows, np.flatnonzero(np.diff(image)) + 1) if len(rows) else ():
            found[answers.at[some[0]]] = "\n".join(words[some])
    return found


def both_texts(two: Located) -> tuple[list[str], list[str]]:
    """(images,) what two raters read, cut to equal numbers of words where one was cut off."""
    sides = [texts(one) for one in two.answers]
    room: dict[int, int] = {}  # words, by image
    for answers, read in zip(two.answers, sides, strict=True):
        cap = answers.rater.max_results
        for image in np.flatnonzero(answers.truncated).tolist():
            words = len(read[image].split()) or cap
            some = [one for one in (words, cap, room.get(image)) if one is not None]
            room |= {image: min(some)} if some else {}
    for read in sides:
        for image, words in room.items():
            read[image] = " ".join(read[image].split()[:words])
    return sides[0], sides[1]


def measures(first: Answers, second: Answers, settings: Settings) -> Iterator[Measured]:
    """Error rates, and whether both saw any text at all."""
    two = Located.of(TASK, [first, second])
    a, b = both_texts(two)
    sources, how = settings.of(two.images), settings.how
    for name, rate in RATES.items():
        yield Measured(TASK, name, two.names, rate(a, b, symmetric=True, sources=sources, how=how))
    for name in ("character_error_rate", "word_error_rate"):
        for reference, other, ending in ((a, b, "a"), (b, a, "b")):
            found = RATES[name](reference, other, sources=sources, how=how)
            yield Measured(TASK, f"{name}_of_{ending}_as_reference", two.names, found)
    yield from _presence(two, a, b, sources, settings)


def apart(first: Answers, second: Answers) -> Apart:
    """The symmetric character error rate, image by image."""
    two = Located.of(TASK, [first, second])
    edits = character_edits(*both_texts(two))
    rate = edits.edits / np.maximum(edits.longer, 1)
    names = (two.names[0], two.names[1])
    return Apart(names, "text (character error rate)", two.images, rate)


def _presence(
    two: Located, a: list[str], b: list[str], sources: Integers | None, settings: Settings
) -> Iterator[Measured]:
    """Whether there is text: a yes or no of each image."""
    seen = [np.array([bool(t.strip()) for t in side], dtype=np.bool_) for side in (a, b)]
    cells = np.eye(4)[(~seen[0]) * 2 + (~seen[1])]
    data = Sums.of(cells, sources)
    for name in ("percent_agreement", "cohen_kappa", "gwet_ac1", "positive_agreement"):
        why = WHY.get(name, "it is undefined here").replace("said it", "saw text")
        found = estimate(data, BINARY[name], settings.how, limits=limits_of(name), why=why)
        yield Measured(TASK, name, two.names, found, thing="any text")
