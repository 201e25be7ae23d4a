"""Terms to concepts, at three levels: equal strings, the crosswalk, the user's codebook.

A concept is a group of labels that rows of the crosswalk call exact. What is broader than it
follows from rows that say narrower or broader, and from WordNet's hypernyms of the synsets in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from visionhub.analysis.vocabulary.codebook import Codebook, constructs
from visionhub.analysis.vocabulary.crosswalk import EXACT, NARROWER, RELATED, TIERS, Crosswalk, Row
from visionhub.analysis.vocabulary.groups import Groups
from visionhub.analysis.vocabulary.level import Level
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.wordnet import VOCABULARY, WordNet, synset_of
from visionhub.analysis.vocabulary.words import JOINT, readings


@dataclass(frozen=True)
class Alignment:
    """The three levels over the same terms; codebook is None without one."""

    terms: Terms
    crosswalk_rows: Crosswalk
    exact: Level
    crosswalk: Level
    codebook: Level | None

    @property
    def levels(self) -> tuple[Level, ...]:
        """Those that there are, the strictest first."""
        return (self.exact, self.crosswalk, *((self.codebook,) if self.codebook else ()))


def align(
    terms: Terms,
    rows: Crosswalk,
    codebook: Codebook | None = None,
    *,
    tiers: Collection[str] = TIERS,
) -> Alignment:
    """All levels. tiers: those of which rows are used.

    At the codebook level a term says the constructs that name it, or something broader than it.
    """
    graph = Concepts(terms, [row for row in rows.used if row.tier in tiers])
    words = constructs(codebook, terms, graph) if codebook else None
    return Alignment(terms, rows, exact_level(terms), graph.level(), words)


def exact_level(terms: Terms) -> Level:
    """Equal names, whatever the case of their letters: one service writes dog, another Dog."""
    numbers: dict[str, int] = {}
    said = [([numbers.setdefault(t.name.casefold(), len(numbers))], ()) for t in terms]
    return Level.of("exact", [(name, name) for name in numbers], said)


class Concepts:
    """The groups of labels that are one thing, and what is broader than each.

    Numbers 0 to n - 1 are the terms; after them come labels that only rows name, and synsets.
    """

    def __init__(self, terms: Terms, rows: Sequence[Row]) -> None:
        self.terms = terms
        self.wordnet = WordNet.packaged()
        self._groups = Groups(len(terms))
        self._others: dict[tuple[str, str], int] = {}
        self._synset_of: dict[int, str] = {}
        self._above: dict[int, set[int]] = defaultdict(set)
        for row in rows:
            if row.relation == EXACT:
                self._join(row)
        broader = [self._pair(row) for row in rows if row.relation not in (EXACT, RELATED)]
        self._add_hypernyms()
        for low, high in broader:
            for one in low:
                self._above[self._groups.of(one)].update(map(self._groups.of, high))

    def of(self, number: int) -> int:
        """The concept of a term or label, by the smallest number in it."""
        return self._groups.of(number)

    def synset(self, synset: str) -> int | None:
        """The concept of a synset; None where no label or ancestor of one is it."""
        number = self._others.get((VOCABULARY, synset))
        return None if number is None else self._groups.of(number)

    def broader(self, concept: int) -> set[int]:
        """All concepts that are broader than one, and itself; cycles do no harm."""
        found: set[int] = set()
        waiting = [concept]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self._above.get(one, ())
        return found

    def level(self) -> Level:
        """The terms' concepts and what is broader, of what some term says itself."""
        own = [self._groups.of(i) for i in range(len(self.terms))]
        numbers = {concept: i for i, concept in enumerate(dict.fromkeys(own))}
        broader = {
            concept: [numbers[one] for one in self.broader(concept) if one in numbers]
            for concept in numbers
        }
        said = [([numbers[concept]], broader[concept]) for concept in own]
        return Level.of("crosswalk", self.names(list(numbers)), said)

    def names(self, concepts: Sequence[int]) -> list[tuple[str, str]]:
        """Id and label of concepts: of the first synset, else the mid, else the word, of them."""
        members: dict[int, list[int]] = defaultdict(list)
        for number in range(len(self._groups)):
            members[self._groups.of(number)].append(number)
        found = [self._named(members[concept]) for concept in concepts]
        twice: dict[str, int] = defaultdict(int)
        for place, (name, label) in enumerate(found):  # two things may have one word
            twice[name] += 1
            if twice[name] > 1:
                found[place] = f"{name} ({twice[name]})", label
        return found

    def _named(self, members: Iterable[int]) -> tuple[str, str]:
        members = list(members)
        synsets = sorted(s for s in map(self._synset_of.get, members) if s)
        if synsets:
            return synsets[0], self.wordnet.name(synsets[0])
        terms = [self.terms[i] for i in members if i < len(self.terms)]
        best = max(terms, key=lambda term: term.mass)
        mids = [term.mid for term in terms if term.mid]
        words = readings(best.name)
        return (mids or words or [best.name])[0], (words or (best.name,))[0].replace(JOINT, " ")

    def _join(self, row: Row) -> None:
        mine, theirs = self._pair(row)
        for one in mine:
            for other in theirs:
                self._groups.join(one, other)

    def _pair(self, row: Row) -> tuple[list[int], list[int]]:
        """Numbers of the labels of a row; of a narrower or broader one the narrower first."""
        mine = self._numbers(row.vocabulary_a, row.label_a)
        theirs = self._numbers(row.vocabulary_b, row.label_b)
        return (mine, theirs) if row.relation in (EXACT, NARROWER) else (theirs, mine)

    def _numbers(self, vocabulary: str, label: str) -> list[int]:
        if vocabulary == VOCABULARY:
            synset = synset_of(label)
            return [self._of_synset(synset)] if synset and synset in self.wordnet else []
        found = self.terms.find(label, vocabulary)
        return found or [self._other(vocabulary, label.casefold())]

    def _other(self, vocabulary: str, label: str) -> int:
        key = vocabulary, label
        if key not in self._others:
            self._others[key] = self._groups.add()
        return self._others[key]

    def _of_synset(self, synset: str) -> int:
        number = self._other(VOCABULARY, synset)
        self._synset_of[number] = synset
        return number

    def _add_hypernyms(self) -> None:
        """WordNet's own relations, for the synsets that rows name and all above them."""
        for synset in sorted(self.wordnet.ancestors(list(self._synset_of.values()))):
            here = self._of_synset(synset)
            parents = (self._of_synset(parent) for parent in self.wordnet.parents(synset))
            self._above[self._groups.of(here)].update(map(self._groups.of, parents))
