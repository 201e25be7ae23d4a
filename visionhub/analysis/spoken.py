"""Raters' words as terms, and as sets of concepts at one level of a vocabulary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from visionhub.analysis.censoring import ceilings, floor_of
from visionhub.analysis.frames import Answers, Bools, Integers
from visionhub.analysis.pairs import Side
from visionhub.analysis.sets import Sets
from visionhub.analysis.vocabulary.level import Level
from visionhub.analysis.vocabulary.terms import Term, Terms

LABEL_WORDS = ("name", "vendor_id", "parents", "aliases", "categories")
OBJECT_WORDS = ("name", "vendor_id", "parents")
SAID = ("parents", "aliases", "categories")


@dataclass(frozen=True)
class Speech:
    """One rater's answers, and (m,) the number of the term that each row says.

    coded: of a person (l,) the number of the term that each label is, those included that the
    person codes and never says yes to; None of a provider.
    """

    answers: Answers
    terms: Integers
    coded: Integers | None = None

    @property
    def name(self) -> str:
        """The rater's name."""
        return self.answers.rater.name

    def only(self, images: Integers) -> Speech:
        """About some images alone."""
        place = np.searchsorted(self.answers.images, images)
        kept = np.zeros(len(self.answers.images), dtype=np.bool_)
        kept[place] = True
        return replace(
            self, answers=self.answers.only(images), terms=self.terms[kept[self.answers.at]]
        )

    def over(self, images: Integers) -> Speech:
        """The same rows among more images, ascending; those without an answer have no rows."""
        place = np.searchsorted(images, self.answers.images)
        truncated = np.zeros(len(images), dtype=np.bool_)
        truncated[place] = self.answers.truncated
        wider = replace(self.answers, images=images, truncated=truncated, at=place[self.answers.at])
        return replace(self, answers=wider)

    def sets(self, level: Level) -> Sets:
        """The concepts that it says of each image, with those that are broader."""
        row, concept = level.expand(self.terms)
        return self._sets(level, row, concept)

    def own_sets(self, level: Level) -> Sets:
        """The concepts of its own words alone: for these the rater's order has a meaning."""
        row, concept = level.expand(self.terms, own=True)
        return self._sets(level, row, concept)

    def side(self, level: Level) -> Side:
        """As one side of a pair."""
        return Side(self.sets(level), floor_of(self.answers), ceilings(self.answers))

    def can_say(self) -> Integers:
        """The terms that it has ever said; of a person all that were coded, with yes or with no."""
        return np.unique(self.terms if self.coded is None else self.coded)

    def _sets(self, level: Level, row: Integers, concept: Integers) -> Sets:
        said = self.answers
        things = max(len(level.concepts), 1)
        score, rank = said.numbers["score"][row], said.rank[row]
        return Sets.of(len(said.images), things, said.at[row], concept, score, rank)


def spoken(answers: Sequence[Answers]) -> tuple[Terms, tuple[Speech, ...]]:
    """The terms that raters' words are, with their counts, and who says which."""
    words = [_Words.of(one) for one in answers]
    terms = Terms(term for one in words for term in (*one.terms(), *_coded(one.answers)))
    return terms, tuple(
        Speech(one.answers, one.numbers(terms), _places(one.answers, terms)) for one in words
    )


def _coded(one: Answers) -> list[Term]:
    """What a person codes, said of an image or not."""
    names = one.texts["name"] if one.rater.human else ()
    return [Term(one.rater.vocabulary, name) for name in names]


def _places(one: Answers, terms: Terms) -> Integers | None:
    """The numbers of these."""
    if not one.rater.human:
        return None
    names = one.texts["name"]
    every = np.arange(len(names))
    return terms.numbers(one.rater.vocabulary, names, every, [], np.full(len(names), -1))


@dataclass(frozen=True)
class _Words:
    """A rater's distinct words.

    name, vendor_id: (w,) places among its texts, -1 for no identifier. row: (m,) which of them each
    row of its answers says. first: (w,) a row that says it.
    """

    answers: Answers
    name: Integers
    vendor_id: Integers
    row: Integers
    first: Integers

    @classmethod
    def of(cls, one: Answers) -> _Words:
        """By a table of all pairs of texts: there are few, and rows by the million."""
        width = len(one.texts["vendor_id"]) + 1
        pair = one.words["name"] * width + one.words["vendor_id"] + 1
        first = np.full(max(len(one.texts["name"]), 1) * width, -1, dtype=np.int64)
        first[pair[::-1]] = np.arange(len(pair))[::-1]  # what is written last stays
        met = np.flatnonzero(first >= 0)
        place = np.zeros(len(first), dtype=np.int64)
        place[met] = np.arange(len(met))
        return cls(one, met // width, met % width - 1, place[pair], first[met])

    def numbers(self, terms: Terms) -> Integers:
        """(m,) the number of the term of each row."""
        one = self.answers
        texts = one.texts["name"], self.name, one.texts["vendor_id"], self.vendor_id
        return terms.numbers(one.rater.vocabulary, *texts)[self.row]

    def terms(self) -> list[Term]:
        """With what the vendor says about each where it is first met."""
        one, many = self.answers, len(self.name)
        images = max(len(one.images), 1)
        mass = np.bincount(self.row, minlength=many).tolist()
        pairs = np.sort(self.row * images + one.at)
        new = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
        met = np.bincount(new // images, minlength=many).tolist()
        parents, aliases, categories = (_lists(one, name, self.first) for name in SAID)
        ids = [*one.texts["vendor_id"], None]
        return [
            Term(
                one.rater.vocabulary,
                one.texts["name"][self.name[at]],
                ids[self.vendor_id[at]],
                parents=parents[at],
                aliases=aliases[at],
                categories=categories[at],
                images=met[at],
                mass=mass[at],
            )
            for at in range(many)
        ]


def _lists(one: Answers, name: str, rows: Integers) -> list[tuple[str, ...]]:
    if name not in one.words:
        return [()] * len(rows)
    texts = one.texts[name]
    return [tuple(json.loads(texts[n])) if n >= 0 else () for n in one.words[name][rows].tolist()]


def comparable(level: Level, first: Speech, second: Speech) -> Bools:
    """(C,) concepts on which two raters can be compared: see `Level.comparable`."""
    return level.comparable(first.can_say(), second.can_say())
