"""Labels that are one word: the same where WordNet lacks it; a question where it is two things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from visionhub.analysis.vocabulary.crosswalk import (
    AUTOMATIC,
    EXACT,
    PROPOSED,
    RULES,
    WORDS,
    Row,
)
from visionhub.analysis.vocabulary.groups import Groups
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.wordnet import VOCABULARY
from visionhub.analysis.vocabulary.words import readings, stem


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
    """Propose labels of several vocabularies that are one word and were taken for two things.

    Some are (a crane lifts, or flies); some are not: ImageNet's cup is a punch to WordNet.
    """
    same: dict[str, dict[str, dict[tuple[str, ...], int]]] = defaultdict(lambda: defaultdict(dict))
    meanings = _meanings(terms, list(known))
    for number in terms.ordered(range(len(terms))):
        for word in readings(terms[number].name)[:1] if meanings[number] else ():
            same[stem(word)][terms[number].vocabulary].setdefault(meanings[number], number)
    for by_vocabulary in same.values():
        for ours, theirs in combinations(by_vocabulary.values(), 2):
            if ours.keys().isdisjoint(theirs):  # a vocabulary that has both tells them apart
                first, other = next(iter(ours.values())), next(iter(theirs.values()))
                how = "the same word, taken for two things"
                yield word_row(terms.named(first), terms.named(other), EXACT, how, 1.0, PROPOSED)


def _meanings(terms: Terms, known: Sequence[Row]) -> list[tuple[str, ...]]:
    """The synsets of each term, its own and those of what is the same."""
    groups = grouped(terms, [row for row in known if row.counts])
    found: dict[int, set[str]] = defaultdict(set)
    for row in known:
        if row.relation == EXACT and row.vocabulary_b == VOCABULARY and row.counts:
            for number in mine(terms, row):
                found[groups.of(number)].add(row.label_b)
    return [tuple(sorted(found[groups.of(number)])) for number in range(len(terms))]
