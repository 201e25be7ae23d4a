"""How far two raters agree about the faces that both found: their attributes, and guesses.

Faces are matched by their boxes (from an IoU of .3 on: boxes of skin and of heads differ in size).
Age, gender and emotion are guesses from appearance: they are compared only when asked for by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.boxes import Boxes
from visionhub.analysis.estimate import Estimate, not_estimable
from visionhub.analysis.frames import Answers, Floats, Integers
from visionhub.analysis.labels import Settings
from visionhub.analysis.located import Located
from visionhub.analysis.matching import candidates, match
from visionhub.analysis.measured import Measured
from visionhub.analysis.nominal import cohen_kappa, gwet_ac1, percent_agreement
from visionhub.analysis.scored import WORDS, Scored, agreement

Objects: TypeAlias = NDArray[Any]

TASK = "faces"
LEAST = 0.3
SENSITIVE = ("age", "gender", "emotion")
SAME = {  # other words for the same, lower case
    "joy": "happy", "happiness": "happy", "sorrow": "sad", "sadness": "sad", "anger": "angry",
    "surprise": "surprised", "fear": "fearful", "disgust": "disgusted", "man": "male",
    "woman": "female",
}  # fmt: skip
REVERSED = {
    ("blurred", "sharpness"),
    ("under_exposed", "brightness"),
}  # one falls as the other rises


@dataclass(frozen=True)
class Rated:
    """A rater's faces, and its rows of attributes about them."""

    faces: Answers
    attributes: Answers

    def only(self, images: Integers) -> Rated:
        """About some images alone."""
        return Rated(self.faces.only(images), self.attributes.only(images))

    @property
    def face(self) -> Integers:
        """(a,) the position among faces that each attribute row belongs to."""
        width = int(max(self.faces.rank.max(initial=0), self.attributes.rank.max(initial=0))) + 1
        keys = self.faces.at * width + self.faces.rank
        return np.searchsorted(keys, self.attributes.at * width + self.attributes.rank)

    def words_of(self, column: str) -> Objects:
        """(a,) the texts of a column of attributes, lower case, one word for one thing."""
        texts = [SAME.get(text.lower(), text.lower()) for text in self.attributes.texts[column]]
        return np.array([*texts, ""], dtype=object)[self.attributes.words[column]]

    def kinds(self) -> set[tuple[str, str]]:
        """Pairs of attribute and word (such as emotion, happy) that are rated; word "" for none."""
        names = self.words_of("name")
        graded = [str(word) if name == "emotion" else "" for name, word in self._named(names)]
        return set(zip(names.tolist(), graded, strict=True))

    def _named(self, names: Objects) -> Iterator[tuple[str, str]]:
        return zip(names.tolist(), self.words_of("value").tolist(), strict=True)

    def rows(self, name: str, word: str = "") -> Integers:
        """Rows of one attribute, and of one word of it where that is given."""
        kept = self.words_of("name") == name
        return np.flatnonzero(kept & (self.words_of("value") == word) if word else kept)

    def scored(self, name: str, word: str = "") -> Scored:
        """One attribute's scores, face by face; missing where a face has none."""
        rows = self.rows(name, word)
        n, rater = len(self.faces.at), self.faces.rater.name
        scales = {self.attributes.texts["scale"][s] for s in self.attributes.words["scale"][rows]}
        said = np.full(n, "", dtype=object)
        numbers = np.full(n, np.nan)
        likely = np.array([*self.attributes.texts["score_word"], ""], dtype=object)
        said[self.face[rows]] = likely[self.attributes.words["score_word"][rows]]
        numbers[self.face[rows]] = self.attributes.numbers["score"][rows]
        if scales == {WORDS}:
            return Scored.of_words(rater, said)
        return Scored.of_numbers(rater, ", ".join(sorted(scales)), numbers)

    def word(self, name: str) -> Objects:
        """(faces,) the first word of an attribute, or None."""
        found = np.full(len(self.faces.at), None, dtype=object)
        rows = self.rows(name)[::-1]  # the first of a face is written last
        found[self.face[rows]] = self.words_of("value")[rows]
        return found

    def strongest(self, name: str) -> Objects:
        """(faces,) the word with the highest number, None where it has none."""
        rows = self.rows(name)
        score = self.attributes.numbers["score"][rows]
        rows = rows[np.argsort(score, kind="stable")]
        rows = rows[~np.isnan(np.sort(score))]
        found = np.full(len(self.faces.at), None, dtype=object)
        found[self.face[rows]] = self.words_of("value")[rows]  # what is written last stays
        return found

    def numbers(self, name: str, column: str) -> Floats:
        """(faces,) a number of an attribute, nan for none."""
        found = np.full(len(self.faces.at), np.nan)
        rows = self.rows(name)
        found[self.face[rows]] = self.attributes.numbers[column][rows]
        return found


@dataclass(frozen=True)
class Matched:
    """Faces that two raters both found: positions among each one's faces, and their images."""

    first: Rated
    second: Rated
    i: Integers
    j: Integers
    images: Integers

    @classmethod
    def of(cls, two: Located, first: Rated, second: Rated) -> Matched:
        """By the best matching of boxes; `two` is of the same faces."""
        a, b = (Boxes(one.faces.at, one.faces.boxes) for one in (first, second))
        found = match(candidates(a, b, LEAST, same_category=False))
        return cls(first, second, found.i, found.j, two.images[first.faces.at[found.i]])

    @property
    def names(self) -> tuple[str, str]:
        """The raters."""
        return self.first.faces.rater.name, self.second.faces.rater.name

    def row(self, measure: str, found: Estimate, thing: str) -> Measured:
        """A measure of these faces."""
        return Measured(TASK, measure, self.names, found, thing=thing, at=LEAST, at_what="IoU")


def attribute_measures(
    matched: Matched, settings: Settings, sensitive: Collection[str] = ()
) -> Iterator[Measured]:
    """Everything that both rate, of the faces that both found. sensitive: what was asked for."""
    mine, theirs = matched.first.kinds(), matched.second.kinds()
    shared = {(name, word) for name, word in mine & theirs if name not in SENSITIVE}
    for name, _ in sorted(shared):
        yield from _one(matched, name, settings)
    for one, other in sorted(REVERSED):
        if (one, "") in mine | theirs and (other, "") in mine | theirs:
            yield from _reversed(matched, one, other, settings)
    if "gender" in sensitive:
        yield from words(matched, "gender", settings)
    if "emotion" in sensitive:
        yield from emotions(matched, settings)


def _one(matched: Matched, name: str, settings: Settings) -> Iterator[Measured]:
    """An attribute that both give under one name: in words, or in scores."""
    said = matched.first.word(name)[matched.i]
    if any(word not in (None, "") for word in said):
        yield from words(matched, name, settings)
        return
    pair = (matched.first.scored(name), matched.second.scored(name))
    yield from _scores(matched, name, *pair, settings)


def _scores(
    matched: Matched, thing: str, first: Scored, second: Scored, settings: Settings
) -> Iterator[Measured]:
    first, second = _taken(first, matched.i), _taken(second, matched.j)
    yield from agreement(TASK, thing, first, second, matched.images, settings)


def _taken(scored: Scored, rows: Integers) -> Scored:
    return Scored(
        scored.name,
        scored.scale,
        scored.words[rows],
        scored.numbers[rows],
        scored.below[rows],
        scored.unit,
    )


def _reversed(matched: Matched, one: str, other: str, settings: Settings) -> Iterator[Measured]:
    """Two attributes of which one falls as the other rises: the thing's name says so."""
    for first, second in ((one, other), (other, one)):
        a, b = matched.first.rows(first), matched.second.rows(second)
        if len(a) and len(b):
            pair = (matched.first.scored(first), matched.second.scored(second))
            yield from _scores(matched, f"{first} ~ -{second}", *pair, settings)


def words(matched: Matched, name: str, settings: Settings) -> Iterator[Measured]:
    """Agreement about a word: gender, smile, eyeglasses."""
    first, second = matched.first.word(name)[matched.i], matched.second.word(name)[matched.j]
    yield from _agreement(matched, name, first, second, settings)


def _agreement(
    matched: Matched, thing: str, first: Objects, second: Objects, settings: Settings
) -> Iterator[Measured]:
    rated = np.stack([first, second], axis=1)
    sources, how = settings.of(matched.images), settings.how
    if not len(rated):
        yield matched.row("percent_agreement", not_estimable("no face was found by both"), thing)
        return
    found = {
        "percent_agreement": percent_agreement(rated, sources=sources, how=how),
        "cohen_kappa": cohen_kappa(first, second, sources=sources, how=how),
        "gwet_ac1": gwet_ac1(rated, sources=sources, how=how),
    }
    for measure, value in found.items():
        yield matched.row(measure, value, thing)


def emotions(matched: Matched, settings: Settings) -> Iterator[Measured]:
    """Each emotion that both rate, by its scores; and the strongest, where both give numbers."""
    shared = {word for name, word in matched.first.kinds() & matched.second.kinds()
              if name == "emotion" and word}  # fmt: skip
    for word in sorted(shared):
        pair = (matched.first.scored("emotion", word), matched.second.scored("emotion", word))
        yield from _scores(matched, f"emotion: {word}", *pair, settings)
    first, second = matched.first.strongest("emotion"), matched.second.strongest("emotion")
    if any(first) and any(second):
        yield from _agreement(
            matched, "emotion: strongest", first[matched.i], second[matched.j], settings
        )
