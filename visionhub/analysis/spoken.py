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
    """One rater's answers, and (m,) the number of the term that each row says."""

    answers: Answers
    terms: Integers

    @property
    def name(self) -> str:
        """The rater's name."""
        return self.answers.rater.name

    def only(self, images: Integers) -> Speech:
        """About some images alone."""
        place = np.searchsorted(self.answers.images, images)
        kept = np.zeros(len(self.answers.images), dtype=np.bool_)
        kept[place] = True
        return Speech(self.answers.only(images), self.terms[kept[self.answers.at]])

    def over(self, images: Integers) -> Speech:
        """The same rows among more images, ascending; those without an answer have no rows."""
        place = np.searchsorted(images, self.answers.images)
        truncated = np.zeros(len(images), dtype=np.bool_)
        truncated[place] = self.answers.truncated
        wider = replace(self.answers, images=images, truncated=truncated, at=place[self.answers.at])
        return Speech(wider, self.terms)

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
        """The terms that it has ever said."""
        return np.unique(self.terms)

    def _sets(self, level: Level, row: Integers, concept: Integers) -> Sets:
        said = self.answers
        things = max(len(level.concepts), 1)
        score, rank = said.numbers["score"][row], said.rank[row]
        return Sets.of(len(said.images), things, said.at[row], concept, score, rank)


def spoken(answers: Sequence[Answers]) -> tuple[Terms, tuple[Speech, ...]]:
    """The terms that raters' words are, with their counts, and who says which."""
    terms = Terms(term for one in answers for term in _terms(one))
    return terms, tuple(
        Speech(
            one,
            terms.numbers(
                one.rater.vocabulary,
                one.texts["name"],
                one.words["name"],
                one.texts["vendor_id"],
                one.words["vendor_id"],
            ),
        )
        for one in answers
    )


def _terms(one: Answers) -> list[Term]:
    """A rater's distinct words, with what the vendor says about each where it is first met."""
    names, ids = one.texts["name"], one.texts["vendor_id"]
    width, images = len(ids) + 1, max(len(one.images), 1)
    pairs, first, row = np.unique(
        one.words["name"] * width + one.words["vendor_id"] + 1,
        return_index=True,
        return_inverse=True,
    )
    mass = np.bincount(row, minlength=len(pairs)).tolist()
    met = np.bincount(np.unique(row * images + one.at) // images, minlength=len(pairs)).tolist()
    parents, aliases, categories = (_lists(one, name, first) for name in SAID)
    return [
        Term(
            one.rater.vocabulary,
            names[pair // width],
            ids[pair % width - 1] if pair % width else None,
            parents=parents[at],
            aliases=aliases[at],
            categories=categories[at],
            images=met[at],
            mass=mass[at],
        )
        for at, pair in enumerate(pairs.tolist())
    ]


def _lists(one: Answers, name: str, rows: Integers) -> list[tuple[str, ...]]:
    if name not in one.words:
        return [()] * len(rows)
    texts = one.texts[name]
    return [tuple(json.loads(texts[n])) if n >= 0 else () for n in one.words[name][rows].tolist()]


def comparable(level: Level, first: Speech, second: Speech) -> Bools:
    """(C,) concepts on which two raters can be compared: see `Level.comparable`."""
    return level.comparable(first.can_say(), second.can_say())
