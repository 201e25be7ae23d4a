"""What a crosswalk did: which labels fell together, and how much of each rater was not mapped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from visionhub.analysis.vocabulary.alignment import align
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.analysis.vocabulary.crosswalk import TIERS, Crosswalk
from visionhub.analysis.vocabulary.level import Integers, Level
from visionhub.analysis.vocabulary.terms import Terms

EXACT, CODEBOOK, NONE = "exact", "codebook", "none"
SAME, RELATED = "same", "broader or narrower"


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one tier mapped of one rater's labels to another rater's.

    tier: exact, identifier, words, vectors, person, codebook, or none for what stays unmapped. how:
    `same` where the other can say the very concept; `broader or narrower` where both can only say
    something that is broader than one of them. terms: how many labels; mass: how often the rater
    emitted them; share: of all its mass, None when it emitted nothing.
    """

    tier: str
    how: str
    terms: int
    mass: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Collapse:
    """Several labels of one vocabulary that are one concept; masses beside them."""

    vocabulary: str
    concept: str
    label: str
    names: tuple[str, ...]
    masses: tuple[int, ...]


def accounting(
    terms: Terms,
    rows: Crosswalk,
    mass: Integers,
    other: Integers,
    codebook: Codebook | None = None,
) -> list[Mapped]:
    """Tier by tier, what is mapped of a rater to another; tiers that map nothing are left out.

    mass, other: (T,) how often each of the two emitted each term. A label is mapped when there is a
    concept on which it can be compared (`Level.comparable`). It is put down to the first tier that
    maps it, with the rows of this and the tiers before.
    """
    total = int(mass.sum())
    steps = list(_steps(terms, rows, mass, other, codebook))
    found = [_mapped(tier, how, some, mass, total) for tier, how, some in steps if len(some)]
    return found or [_mapped(NONE, "", np.flatnonzero(mass), mass, total)]


def _steps(
    terms: Terms, rows: Crosswalk, mass: Integers, other: Integers, codebook: Codebook | None
) -> Iterator[tuple[str, str, Integers]]:
    """Tier by tier, and how, the terms that are put down to it; at last what nothing maps."""
    mine, theirs = np.flatnonzero(mass), np.flatnonzero(other)
    left = mine
    for tier, level in _tiers(terms, rows, codebook):
        same, reached = level.mapped(left, mine, theirs)
        yield tier, SAME, left[same]
        yield tier, RELATED, left[reached & ~same]
        left = left[~reached]
    yield NONE, "", left


def _mapped(tier: str, how: str, terms: Integers, mass: Integers, total: int) -> Mapped:
    some = int(mass[terms].sum())
    return Mapped(tier, how, len(terms), some, some / total if total else None)


@lru_cache(maxsize=2)  # a report asks for each pair of raters
def _tiers(terms: Terms, rows: Crosswalk, codebook: Codebook | None) -> list[tuple[str, Level]]:
    """Levels from equal strings on, each with the rows of one tier more; empty tiers fall out."""
    levels: list[tuple[str, Level]] = []
    used = {row.tier for row in rows.used}
    for end, tier in enumerate(TIERS, 1):
        if tier in used:
            levels.append((tier, align(terms, rows, tiers=TIERS[:end]).crosswalk))
    last = align(terms, rows, codebook)
    more = [(CODEBOOK, last.codebook)] if last.codebook else []
    return [(EXACT, last.exact), *levels, *more]


def unmapped(
    terms: Terms,
    rows: Crosswalk,
    mass: Integers,
    other: Integers,
    codebook: Codebook | None = None,
    most: int = 20,
) -> list[tuple[str, int]]:
    """The labels that `accounting` puts down to no tier, with their mass, heaviest first."""
    *_, (_, _, left) = _steps(terms, rows, mass, other, codebook)
    order = left[np.argsort(-mass[left], kind="stable")][:most]
    return [(terms[i].name, int(mass[i])) for i in order.tolist()]


def collapses(terms: Terms, level: Level, numbers: Sequence[int] | None = None) -> list[Collapse]:
    """Where a level takes several labels of one vocabulary for one concept, heaviest first.

    numbers: the terms to look at; None for all. A construct of a codebook is meant to gather
    labels: there this says what it gathers.
    """
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    looked_at = np.arange(len(terms)) if numbers is None else np.array(numbers, dtype=np.int64)
    rows = zip(*(column.tolist() for column in level.expand(looked_at, own=True)), strict=True)
    for place, concept in rows:
        term = int(looked_at[place])
        found[terms[term].vocabulary, concept].append(term)
    several = [
        Collapse(
            vocabulary,
            level.concepts[concept],
            level.labels[concept],
            tuple(terms[i].name for i in members),
            tuple(terms[i].mass for i in members),
        )
        for (vocabulary, concept), members in found.items()
        if len(members) > 1
    ]
    return sorted(several, key=lambda one: (-sum(one.masses), one.vocabulary, one.concept))
