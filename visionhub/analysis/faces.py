"""The faces that two raters both found, and what each says about them.

Faces are matched by their boxes (from an IoU of .3 on: boxes of skin and of heads differ in size).
Age, gender and emotion are guesses from appearance: they are compared only when asked for by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.boxes import Boxes
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.frames import Answers, Floats, Integers
from visionhub.analysis.located import Located
from visionhub.analysis.matching import candidates, match
from visionhub.analysis.measured import Measured
from visionhub.analysis.scored import WORDS, Scored

Objects: TypeAlias = NDArray[Any]

TASK = "faces"
LEAST = 0.3
SENSITIVE = ("age", "gender", "emotion")
EMOTION = "emotion"
SAME = {  # other words for the same, lower case; of Amazon's emotions calm is the one for no other
    "joy": "happy", "happiness": "happy", "sorrow": "sad", "sadness": "sad", "anger": "angry",
    "surprise": "surprised", "fear": "fearful", "disgust": "disgusted", "calm": "neutral",
    "man": "male", "woman": "female",
}  # fmt: skip


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

    def names(self) -> set[str]:
        """The attributes that are rated of any face."""
        return set(self.words_of("name").tolist())

    def graded(self, name: str) -> set[str]:
        """The words of an attribute that have a score each, such as emotions."""
        return set(self.words_of("value")[self.rows(name)].tolist()) - {""}

    def form(self, name: str) -> str:
        """How an attribute is told: word, number or score."""
        rows = self.rows(name)
        if (self.words_of("value")[rows] != "").any():
            return "word"
        told = ~np.isnan(self.attributes.numbers["number"][rows])
        return "number" if told.any() else "score"

    def rows(self, name: str, word: str = "") -> Integers:
        """Rows of one attribute, and of one word of it where that is given."""
        kept = self.words_of("name") == name
        return np.flatnonzero(kept & (self.words_of("value") == word) if word else kept)

    def scored(self, name: str, word: str = "") -> Scored:
        """One attribute's scores, face by face; missing where a face has none."""
        rows = self.rows(name, word)
        n, rater = len(self.faces.at), self.faces.rater.name
        named = np.unique(self.attributes.words["scale"][rows])
        scales = {self.attributes.texts["scale"][at] for at in named.tolist() if at >= 0}
        said = np.full(n, "", dtype=object)
        numbers = np.full(n, np.nan)
        likely = np.array([*self.attributes.texts["score_word"], ""], dtype=object)
        said[self.face[rows]] = likely[self.attributes.words["score_word"][rows]]
        numbers[self.face[rows]] = self.attributes.numbers["score"][rows]
        if scales == {WORDS}:
            return Scored.of_words(rater, said)
        return Scored.of_numbers(rater, ", ".join(sorted(scales)), numbers)

    def counted(self, name: str) -> Scored:
        """One attribute's numbers, face by face."""
        return Scored.of_numbers(self.faces.rater.name, "", self.numbers(name, "number"))

    def word(self, name: str) -> Objects:
        """(faces,) the first word of an attribute, or None."""
        found = np.full(len(self.faces.at), None, dtype=object)
        rows = self.rows(name)[::-1]  # the first of a face is written last
        rows = rows[self.words_of("value")[rows] != ""]
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
