"""The first tier: relations that identifiers state, and that no word has to be read for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from visionhub.analysis.vocabulary.anchors import Anchors
from visionhub.analysis.vocabulary.crosswalk import (
    AUTOMATIC,
    EXACT,
    IDENTIFIER,
    NARROWER,
    RELATED,
    RULES,
    Row,
)
from visionhub.analysis.vocabulary.terms import Term, Terms
from visionhub.analysis.vocabulary.wordnet import VOCABULARY, WordNet


def identifier_rows(terms: Terms, wordnet: WordNet, anchors: Anchors) -> Iterator[Row]:
    """Equal mids; synsets; classes of known vocabularies; parents, aliases and categories."""
    yield from _equal_mids(terms, anchors)
    for term, label in zip(terms, terms.labels, strict=True):
        yield from _synsets(term, label, wordnet, anchors)
        yield from _said(term, label, terms)


def _row(mine: tuple[str, str], theirs: tuple[str, str], relation: str, how: str) -> Row:
    return Row(*mine, *theirs, relation, f"{IDENTIFIER}: {how}", 1.0, AUTOMATIC, RULES)


def _equal_mids(terms: Terms, anchors: Anchors) -> Iterator[Row]:
    """One thing under several spellings or in several vocabularies: each with the most frequent.

    A class of a known vocabulary that is no synset goes by the mid that it has.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for number, term in enumerate(terms):
        anchor = anchors.of(*term.key, None)
        vague = anchor.mid if anchor and anchor.relation == NARROWER else ""
        if mid := term.mid or vague:
            same[mid].append(number)
    for mid, numbers in same.items():
        first, *others = dict.fromkeys(terms.named(i) for i in terms.ordered(numbers))
        yield from (_row(other, first, EXACT, f"mid {mid}") for other in others)


def _synsets(term: Term, label: str, wordnet: WordNet, anchors: Anchors) -> Iterator[Row]:
    mine = term.vocabulary, label
    if term.vendor_id and term.vendor_id in wordnet:
        theirs = VOCABULARY, wordnet.label(term.vendor_id)
        yield _row(mine, theirs, EXACT, "WordNet synset")
        return
    anchor = anchors.of(*term.key, term.mid)
    if anchor:
        how = f"mid {term.mid} is" if term.mid else "class"
        for synset in anchor.synsets:
            theirs = VOCABULARY, wordnet.label(synset)
            yield _row(mine, theirs, anchor.relation, f"{how} {anchor.name} of {anchor.vocabulary}")


def _said(term: Term, label: str, terms: Terms) -> Iterator[Row]:
    """What the vendor says about its own label.

    Parents are broader terms. Aliases are the same term; where one is never emitted, it is only
    another word to look the label up by. Categories are shelves of a catalogue ("Animals and Pets",
    "Colors and Visual Composition"): a label in one is about its subject, and seldom a kind of it.
    """
    mine = term.vocabulary, label
    for parent in term.parents:
        yield _row(mine, (term.vocabulary, parent), NARROWER, "parents")
    for alias in term.aliases:
        for other in terms.find(alias, term.vocabulary):
            theirs = term.vocabulary, terms.labels[other]
            if theirs != mine:
                yield _row(mine, theirs, EXACT, "aliases")
    for category in term.categories:
        yield _row(mine, (f"{term.vocabulary} categories", category), RELATED, "categories")
