"""Terms as concepts, in arrays: one shape for the exact, the crosswalk and the codebook level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]

BLOCK = 1 << 20  # terms expanded at a time


@dataclass(frozen=True)
class Level:
    """What each term says, as numbers of concepts.

    name: exact, crosswalk or codebook. concepts: (C,) their ids (a synset, a mid, or a word; of a
    codebook the construct); labels: (C,) what they are called. Of term t the concepts are
    `members[starts[t]:starts[t + 1]]`: its own and all that are broader; `own` tells them apart.
    Broader concepts that no term of the study says itself are left out: nobody can be compared on
    them (see `comparable`).
    """

    name: str
    concepts: tuple[str, ...]
    labels: tuple[str, ...]
    starts: Integers
    members: Integers
    own: Booleans

    @classmethod
    def of(
        cls,
        name: str,
        named: Sequence[tuple[str, str]],
        said: Sequence[tuple[Iterable[int], Iterable[int]]],
    ) -> Level:
        """From (id, label) of each concept, and for each term its own concepts and broader ones."""
        rows = [(list(mine), sorted(set(broader) - set(mine))) for mine, broader in said]
        sizes = [len(mine) + len(broader) for mine, broader in rows]
        members = [number for mine, broader in rows for number in (*mine, *broader)]
        own = [flag for m, b in rows for flag in (*(True for _ in m), *(False for _ in b))]
        return cls(
            name,
            tuple(concept for concept, _ in named),
            tuple(label for _, label in named),
            np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
            np.array(members, dtype=np.int64),
            np.array(own, dtype=np.bool_),
        )

    def of_term(self, term: int) -> tuple[str, ...]:
        """The ids of one term's concepts, its own first."""
        here = self.members[self.starts[term] : self.starts[term + 1]]
        return tuple(self.concepts[number] for number in here)

    def expand(self, terms: Integers, *, own: bool = False) -> tuple[Integers, Integers]:
        """Rows of (place in `terms`, concept), for (m,) numbers of terms; -1 has none.

        own: only what the terms are themselves. Twenty million rows take some seconds, and little
        memory but for the result, 16 bytes a row.
        """
        if own:
            return self._itself.expand(terms)
        sizes = np.append(np.diff(self.starts), 0)[terms]  # the last one, -1, has none
        ends = np.cumsum(sizes)
        total = int(ends[-1]) if len(ends) else 0
        place, concept = np.empty(total, np.int64), np.empty(total, np.int64)
        for first in range(0, len(terms), BLOCK):  # what is computed on the way stays small
            some = slice(first, first + BLOCK)
            here = slice(int(ends[first] - sizes[first]), int(ends[some][-1]))
            begin = self.starts[terms[some]] - (ends[some] - sizes[some])
            place[here] = np.repeat(np.arange(first, first + len(begin)), sizes[some])
            concept[here] = np.repeat(begin, sizes[some])
            concept[here] += np.arange(here.start, here.stop)
            concept[here] = self.members[concept[here]]
        return place, concept

    def asserted(self, terms: Integers) -> Booleans:
        """(C,) the concepts that one of these terms says, itself or as something broader."""
        found = np.zeros(len(self.concepts), dtype=np.bool_)
        found[self.expand(np.unique(terms))[1]] = True
        return found

    def emitted(self, terms: Integers) -> Booleans:
        """(C,) the concepts that one of these terms is."""
        found = np.zeros(len(self.concepts), dtype=np.bool_)
        found[self.expand(np.unique(terms), own=True)[1]] = True
        return found

    @cached_property
    def _itself(self) -> Level:
        """The same without what is broader: only what terms are themselves."""
        before = np.concatenate([[0], np.cumsum(self.own)])
        starts, members = before[self.starts], self.members[self.own]
        return replace(self, starts=starts, members=members, own=np.ones(len(members), np.bool_))

    def comparable(self, terms_a: Integers, terms_b: Integers) -> Booleans:
        """(C,) on which concepts two raters can be compared, from the terms that each can emit.

        Both must be able to say it, themselves or by something narrower: where a rater has no word
        for a thing, its silence is no "no" (open vocabularies are not exhaustive; Open Images too
        scores only classes that were annotated for the image). And one of them at least must say
        it itself: everything is an entity, and two raters would agree on that in each image.
        """
        both = self.asserted(terms_a) & self.asserted(terms_b)
        found: Booleans = both & (self.emitted(terms_a) | self.emitted(terms_b))
        return found

    def mapped(
        self, terms: Integers, terms_a: Integers, terms_b: Integers
    ) -> tuple[Booleans, Booleans]:
        """What becomes of some of a rater's terms, twice (m,).

        Whether the other can say the very concept; whether there is any concept on which the term
        can be compared.
        """
        comparable, theirs = self.comparable(terms_a, terms_b), self.asserted(terms_b)
        same, any_at_all = (np.zeros(len(terms), dtype=np.bool_) for _ in range(2))
        place, concept = self.expand(terms)
        any_at_all[place[comparable[concept]]] = True
        place, concept = self.expand(terms, own=True)
        same[place[(comparable & theirs)[concept]]] = True
        return same, any_at_all
