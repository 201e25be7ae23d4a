"""Which words and boxes raters share about a photograph, and which one alone has.

A word is shared with a rater who says it too, or something narrower: what Jaccard of comparable
labels counts. A box is shared with a rater who has one that overlaps it by half (IoU), whatever it
is called: what the distance of boxes counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.frames import Answers, Bools, Integers
from visionhub.analysis.located import USUAL, Located
from visionhub.analysis.matching import candidates, match
from visionhub.analysis.part import Worded
from visionhub.analysis.vocabulary.level import Level


@dataclass(frozen=True)
class Marks:
    """Of one rater's rows, who else: (m, raters) each.

    same: says it too. wider: says something broader. can: has a word for it at all.
    """

    same: Bools
    wider: Bools
    can: Bools

    @classmethod
    def none(cls, rows: int, raters: int) -> Marks:
        """Nobody else says anything, though all could."""
        shape = (rows, raters)
        return cls(np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.ones(shape, np.bool_))


def of_words(worded: Worded, answers: Sequence[Answers]) -> list[Marks]:
    """Of labels, at the level of the crosswalk."""
    level, alignment = worded.alignment.crosswalk, worded.alignment
    terms = [
        alignment.terms.numbers(
            one.rater.vocabulary,
            one.texts["name"],
            one.words["name"],
            one.texts["vendor_id"],
            one.words["vendor_id"],
        )
        for one in answers
    ]
    own = [_keys(level, one, number, own=True) for one, number in zip(answers, terms, strict=True)]
    every = [_keys(level, one, number) for one, number in zip(answers, terms, strict=True)]
    found = [Marks.none(len(one.at), len(answers)) for one in answers]
    for a, marks in enumerate(found):
        for b in range(len(answers)):
            if a == b:
                continue
            _met(marks.same[:, b], own[a], every[b][1])
            _met(marks.wider[:, b], every[a], own[b][1])
            _, known = level.mapped(terms[a], worded.said[a], worded.said[b])
            marks.can[:, b] = known
    return found


def _keys(
    level: Level, one: Answers, terms: Integers, *, own: bool = False
) -> tuple[Integers, Integers]:
    """Rows, and numbers that tell (image, concept) apart."""
    row, concept = level.expand(terms, own=own)
    return row, one.images[one.at[row]] * max(len(level.concepts), 1) + concept


def _met(column: Bools, mine: tuple[Integers, Integers], theirs: Integers) -> None:
    row, keys = mine
    column[row[np.isin(keys, theirs)]] = True


def of_boxes(task: str, answers: Sequence[Answers]) -> list[Marks]:
    """Of objects and faces, by place."""
    found = [Marks.none(len(one.at), len(answers)) for one in answers]
    for a in range(len(answers)):
        for b in range(a + 1, len(answers)):
            two = Located.of(task, [answers[a], answers[b]])
            first, second = two.boxes()
            matched = match(candidates(first, second, USUAL, same_category=False))
            kept = [np.flatnonzero(np.isin(one.images[one.at], two.images))
                    for one in (answers[a], answers[b])]  # fmt: skip
            found[a].same[kept[0][matched.i], b] = True
            found[b].same[kept[1][matched.j], a] = True
    return found


@dataclass(frozen=True)
class Code:
    """Of one word or box the raters of each kind, as bits of numbers: see `Marks`."""

    same: int = 0
    wider: int = 0
    can: int = 0

    @classmethod
    def of(cls, marks: Marks, row: int, bits: Sequence[int]) -> Code:
        """From one row. bits: that stand for each rater."""
        return cls(*(_bits(one[row], bits) for one in (marks.same, marks.wider, marks.can)))

    def state(self, others: int) -> str:
        """Among some other raters, as bits: all, some, wide (broader only), one, none, or ""."""
        if not others:
            return ""
        if self.same & others:
            return "all" if self.same & others == others else "some"
        if self.wider & others:
            return "wide"
        return "one" if self.can & others else "none"

    def packed(self, raters: int) -> int:
        """All three in one number."""
        return self.same | self.wider << raters | self.can << 2 * raters


def _bits(flags: Bools, bits: Sequence[int]) -> int:
    return sum(bit for bit, flag in zip(bits, flags.tolist(), strict=True) if flag)
