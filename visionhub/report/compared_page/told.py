"""Photograph by photograph, what each rater told about it, ready to be shown side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from visionhub.analysis.compare import Part
from visionhub.analysis.frames import Answers
from visionhub.analysis.text import LEVELS
from visionhub.report.answers import Box, Item
from visionhub.report.compared_page.marks import Code, Marks, of_boxes, of_words
from visionhub.report.compared_page.roster import Roster
from visionhub.report.compared_page.said import Listener, box_of

WORDS = 250  # of a text that are shown


@dataclass(frozen=True, slots=True)
class Piece:
    """A label, an object, a face, or words of a text that the same raters have."""

    text: str
    code: Code
    score: str = ""
    box: Box | None = None
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What one rater told.

    pieces: what is listed. words: what can be searched for. boxes: what is drawn, of texts only:
    elsewhere pieces have their own.
    """

    rater: str
    bit: int
    cut: bool
    pieces: tuple[Piece, ...]
    words: tuple[tuple[str, Code], ...]
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a photograph: those who answered, in the order of the comparison."""

    name: str
    told: tuple[Told, ...]

    @property
    def bits(self) -> int:
        """Who answered."""
        return sum(one.bit for one in self.told)


@dataclass(frozen=True)
class Heard:
    """One task of some photographs, with everything that is needed to tell it."""

    part: Part
    answers: tuple[Answers, ...]
    bits: tuple[int, ...]
    marks: Sequence[Marks]
    guesses: Sequence[Mapping[tuple[int, int], list[str]]]

    @classmethod
    def of(cls, listener: Listener, part: Part, images: Sequence[int], roster: Roster) -> Heard:
        """Read it. images: ascending."""
        answers = listener.answers(part, images)
        bits = tuple(1 << roster.place(one.name) for one in part.raters)
        guesses: list[dict[tuple[int, int], list[str]]] = [{} for _ in answers]
        if part.task == "faces":
            guesses = listener.guesses(part, images)
        if part.task in ("objects", "faces"):
            marks = of_boxes(part.task, answers)
        elif part.task == "labels" and part.worded is not None:
            marks = of_words(part.worded, answers)
        else:
            marks = [Marks.none(len(one.at), len(answers)) for one in answers]
        return cls(part, answers, bits, marks, guesses)

    def task(self, image: int) -> Task:
        """What was told about one photograph."""
        rows = [_rows(one, image) for one in self.answers]
        if self.part.task == "text":
            return Task(self.part.task, tuple(_texts(self, rows)))
        told = (self._told(at, image, one) for at, one in enumerate(rows) if one is not None)
        return Task(self.part.task, tuple(told))

    def _told(self, at: int, image: int, place: tuple[bool, Sequence[int]]) -> Told:
        answers, (cut, rows) = self.answers[at], place
        pieces = tuple(self._piece(at, image, row) for row in rows)
        words = tuple((word, piece.code) for piece in pieces for word in (piece.text, *piece.more))
        return Told(answers.rater.name, self.bits[at], cut, pieces, words)

    def _piece(self, at: int, image: int, row: int) -> Piece:
        answers = self.answers[at]
        name = "face"
        if "name" in answers.words:
            name = answers.texts["name"][answers.words["name"][row]]
        more = self.guesses[at].get((image, int(answers.rank[row])), ())
        code = Code.of(self.marks[at], row, self.bits)
        return Piece(name, code, _score(answers, row), box_of(answers, row), tuple(more))


def _rows(answers: Answers, image: int) -> tuple[bool, Sequence[int]] | None:
    """Whether an answer was cut off, and its rows; None without an answer."""
    place = int(np.searchsorted(answers.images, image))
    if place == len(answers.images) or answers.images[place] != image:
        return None
    first, last = np.searchsorted(answers.at, [place, place + 1])
    return bool(answers.truncated[place]), range(int(first), int(last))


def _score(answers: Answers, row: int) -> str:
    score = float(answers.numbers["score"][row])
    if np.isnan(score):
        return ""
    return Item(0, "", score, None, answers.rater.scale or None).score_text


def _texts(heard: Heard, places: Sequence[tuple[bool, Sequence[int]] | None]) -> Iterator[Told]:
    """Each rater's text as runs of words that the same others have."""
    texts = [
        ([], ()) if place is None else _words(one, place[1])
        for one, place in zip(heard.answers, places, strict=True)
    ]
    sets = [{word.casefold() for word in words} for words, _ in texts]
    for at, place in enumerate(places):
        if place is None:
            continue
        coded = [(word, _shared(word, sets, heard.bits, at)) for word in texts[at][0]]
        pieces = tuple(
            Piece(" ".join(word for word, _ in run), code)
            for code, run in groupby(coded, key=lambda one: one[1])
        )
        rater = heard.answers[at].rater.name
        yield Told(rater, heard.bits[at], place[0], pieces, tuple(coded), texts[at][1])


def _words(answers: Answers, rows: Sequence[int]) -> tuple[list[str], tuple[Box, ...]]:
    """The first words of a text, and where it is: by the first of LEVELS that the image has."""
    level = {row: answers.texts["level"][answers.words["level"][row]] for row in rows}
    first = next((name for name in LEVELS if name in level.values()), "")
    kept = [row for row in rows if level[row] == first]
    text = " ".join(answers.texts["text"][answers.words["text"][row]] for row in kept)
    boxes = (box_of(answers, row) for row in kept)
    return text.split()[:WORDS], tuple(box for box in boxes if box is not None)


def _shared(word: str, sets: Sequence[set[str]], bits: Sequence[int], mine: int) -> Code:
    plain, every = word.casefold(), sum(bits)
    others = enumerate(zip(sets, bits, strict=True))
    return Code(sum(bit for at, (some, bit) in others if at != mine and plain in some), 0, every)
