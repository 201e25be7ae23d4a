"""Labels that are one word: the same where WordNet lacks it; a question where it is two things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from visionhub.analysis.vocabulary.crosswalk import (
    AUTOMATIC,
    EXACT,
    IDENTIFIER,
    PROPOSED,
    RULES,
    WORDS,
    Row,
)
from visionhub.analysis.vocabulary.groups import Groups
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.wordnet import VOCABULARY
from visionhub.analysis.vocabulary.words import readings, stem

Meaning = tuple[str, ...]
"""Synsets."""


def word_row(
    mine: tuple[str, str],
    theirs: tuple[str, str],
    relation: str,
    how: str,
    score: float,
    decision: str,
) -> Row:
    """A row of the second tier."""
    return Row(*mine, *theirs, relation, f"{WORDS}: {how}", score, decision, RULES)


def mine(terms: Terms, row: Row) -> list[int]:
    """The terms that a row is about."""
    return terms.find(row.label_a, row.vocabulary_a)


def grouped(terms: Terms, known: Sequence[Row]) -> Groups:
    """Terms that identifiers make one."""
    groups = Groups(len(terms))
    for row in known:
        if row.relation == EXACT and row.vocabulary_b != VOCABULARY:
            for one in mine(terms, row):
                for other in terms.find(row.label_b, row.vocabulary_b):
                    groups.join(one, other)
    return groups


def equal_words(terms: Terms, numbers: Iterable[int]) -> Iterator[Row]:
    """Terms that are one word that WordNet lacks, but for case, marks and plural."""
    same: dict[str, list[int]] = defaultdict(list)
    for number in numbers:
        name = terms[number].name
        word, *_ = readings(name) or (name.casefold(),)  # an emoji is no word, and the same emoji
        same[stem(word)].append(number)
    for alike in same.values():
        first, *others = dict.fromkeys(terms.named(i) for i in terms.ordered(alike))
        for other in others:
            yield word_row(other, first, EXACT, "the same word", 1.0, AUTOMATIC)


def homonym_rows(terms: Terms, known: Iterable[Row]) -> Iterator[Row]:
    """Labels of several vocabularies that are one word and were taken for two things.

    Where one meaning alone is an identifier's, the others were guesses of the second tier, and the
    same word says more than a guess: they are one, so that what is equal as a string is equal here.
    Else it is proposed: some are one (a cup, ImageNet's punch) and some not (a crane flies, lifts).
    """
    same: dict[str, dict[str, dict[Meaning, int]]] = defaultdict(lambda: defaultdict(dict))
    meanings, stated = _meanings(terms, list(known))
    for number in terms.ordered(range(len(terms))):
        for word in readings(terms[number].name)[:1] if meanings[number] else ():
            same[stem(word)][terms[number].vocabulary].setdefault(meanings[number], number)
    for by_vocabulary in same.values():
        sure = {meaning for ours in by_vocabulary.values() for meaning in ours} & stated
        for ours, theirs in combinations(by_vocabulary.values(), 2):
            if ours.keys().isdisjoint(theirs):  # a vocabulary that has both tells them apart
                first, other = next(iter(ours)), next(iter(theirs))
                guessed = len(sure) == 1 and not {first, other}.isdisjoint(sure)
                decision = AUTOMATIC if guessed else PROPOSED
                named = terms.named(ours[first]), terms.named(theirs[other])
                how = "the same word, taken for two things"
                yield word_row(*named, EXACT, how, 1.0, decision)


def _meanings(terms: Terms, known: Sequence[Row]) -> tuple[list[Meaning], set[Meaning]]:
    """The synsets of each term, its own and those of what is the same; those by identifiers."""
    groups = grouped(terms, [row for row in known if row.counts])
    found: dict[int, set[str]] = defaultdict(set)
    stated: set[int] = set()
    for row in known:
        if row.relation == EXACT and row.vocabulary_b == VOCABULARY and row.counts:
            for group in map(groups.of, mine(terms, row)):
                found[group].add(row.label_b)
                stated |= {group} if row.tier == IDENTIFIER else set()
    all_ = [tuple(sorted(found[groups.of(number)])) for number in range(len(terms))]
    return all_, {tuple(sorted(found[group])) for group in stated}
