"""The second tier: words. What a label means in WordNet, or that two labels are one word.

A word is looked up for a group of names that identifiers make one: names that share a sense decide
between them ("bike" alone is a motorcycle first; beside "bicycle" it is none).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from visionhub.analysis.vocabulary.anchors import Anchors
from visionhub.analysis.vocabulary.crosswalk import (
    AUTOMATIC,
    EXACT,
    NARROWER,
    PROPOSED,
    Row,
)
from visionhub.analysis.vocabulary.meaning import choose
from visionhub.analysis.vocabulary.same_words import equal_words, grouped, mine, word_row
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.wordnet import VOCABULARY, WordNet
from visionhub.analysis.vocabulary.words import JOINT, aside, key, readings

_AFTER_HEAD = ("of", "in", "with", "on", "for", "from")
_SEVERAL = ("and", "&", "or")


@dataclass(slots=True)
class _Named:
    """Names that are one thing: the words to look up, best first, and what is broader."""

    label: tuple[str, str]
    words: dict[str, None] = field(default_factory=dict)
    parents: dict[str, None] = field(default_factory=dict)


def word_rows(
    terms: Terms, known: Sequence[Row], wordnet: WordNet, anchors: Anchors
) -> Iterator[Row]:
    """Senses of what identifiers leave open; equal words that WordNet lacks; heads, proposed.

    known: the rows of the first tier.
    """
    groups = grouped(terms, known)
    placed = {i for row in known if row.vocabulary_b == VOCABULARY for i in mine(terms, row)}
    vague = {i for row in known if row.relation != EXACT for i in mine(terms, row)} & placed
    equal = sorted(vague)  # terms that are narrower than a synset, and may be the same as others
    for members in groups.members().values():
        if not placed.isdisjoint(members):
            continue
        group = _gathered(terms, members)
        found = list(_sense(group, wordnet, anchors))
        yield from found or _head(group, wordnet, anchors)
        equal += members if not found else ()
    for group in _unseen(terms):
        yield from _sense(group, wordnet, anchors)
    yield from equal_words(terms, equal)


def _sense(group: _Named, wordnet: WordNet, anchors: Anchors) -> Iterator[Row]:
    sense = choose(tuple(group.words), tuple(group.parents), wordnet, anchors)
    if sense is None:
        return
    for synset in sense.synsets:
        theirs = VOCABULARY, wordnet.label(synset)
        yield word_row(group.label, theirs, EXACT, sense.how, 1 / sense.of, AUTOMATIC)


def _gathered(terms: Terms, members: Sequence[int]) -> _Named:
    """A group's words, the most frequent term's first; it goes by that term's label."""
    order = terms.ordered(members)
    group = _Named(terms.named(order[0]))
    for term in (terms[i] for i in order):
        for name in (term.name, *term.aliases):
            group.words.update(dict.fromkeys(readings(name)))
        group.parents.update(dict.fromkeys((*aside(term.name), *map(key, term.parents))))
    return group


def _unseen(terms: Terms) -> Iterator[_Named]:
    """Parents that are no terms themselves."""
    for vocabulary, parent in dict.fromkeys((t.vocabulary, p) for t in terms for p in t.parents):
        if not terms.find(parent, vocabulary):
            yield _Named((vocabulary, parent), dict.fromkeys(readings(parent)))


def _head(group: _Named, wordnet: WordNet, anchors: Anchors) -> Iterator[Row]:
    """Propose what a compound is a kind of: its last words ("road bicycle" is a bicycle).

    Often right and sometimes not ("art model"), and so never taken without being looked at.
    """
    parts = next(iter(group.words), "").split(JOINT)
    if not set(parts).isdisjoint(_SEVERAL):
        return
    ends = [i for i, part in enumerate(parts) if part in _AFTER_HEAD and i]
    parts = parts[: ends[0]] if ends else parts
    first = 0 if ends else 1
    for start in range(first, len(parts)):
        head = JOINT.join(parts[start:])
        sense = choose((head,), tuple(group.parents), wordnet, anchors)
        if sense:
            theirs = VOCABULARY, wordnet.label(sense.synsets[0])
            how = f"head {sense.how}"
            yield word_row(group.label, theirs, NARROWER, how, 1 / sense.of, PROPOSED)
            return
