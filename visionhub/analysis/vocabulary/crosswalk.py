"""The crosswalk: which label of one vocabulary stands in which relation to a label of another.

A row is read from left to right: label_a is <relation> label_b.

    exact      label_a means the same as label_b
    narrower   label_a is narrower than label_b: every collie is a dog
    broader    label_a is broader than label_b: a dog may be a collie
    related    neither; it counts nowhere

(SKOS writes `collie skos:broader dog` for the second: "has the broader concept". Here the word is
said of label_a.)

A row counts when its decision is `automatic` (made by identifiers or words; nobody has looked) or
`accepted` (somebody has). An empty decision is a proposal and never counts, nor does `rejected`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from visionhub.analysis.vocabulary.crosswalk_text import COLUMNS, parsed, written
from visionhub.analysis.vocabulary.wordnet import VOCABULARY

EXACT, NARROWER, BROADER, RELATED = "exact", "narrower", "broader", "related"
RELATIONS = (EXACT, NARROWER, BROADER, RELATED)
AUTOMATIC, ACCEPTED, REJECTED, PROPOSED = "automatic", "accepted", "rejected", ""
DECISIONS = (AUTOMATIC, ACCEPTED, REJECTED, PROPOSED)
IDENTIFIER, WORDS, VECTORS, PERSON = "identifier", "words", "vectors", "person"
TIERS = (IDENTIFIER, WORDS, VECTORS, PERSON)
RULES = "1"
"""The version of the rules that make automatic rows and proposals; it changes when they do."""

_OPPOSITE = {NARROWER: BROADER, BROADER: NARROWER}


@dataclass(frozen=True, slots=True)
class Row:
    """One relation.

    vocabulary_a, vocabulary_b: empty for any vocabulary that has the label. source: the tier, a
    colon, and how it is known ("words: sense 1 of 7 of dog"). score: what the source makes of it:
    1 for identifiers; for words 1 / the number of senses that the word has; the cosine for vectors;
    None where a person gave none. version: of the rules that made it; empty for a person's.
    """

    vocabulary_a: str
    label_a: str
    vocabulary_b: str
    label_b: str
    relation: str
    source: str = PERSON
    score: float | None = None
    decision: str = ACCEPTED
    version: str = ""

    @property
    def pair(self) -> tuple[str, str, str, str]:
        """Which labels it relates, in its own order."""
        return self.vocabulary_a, self.label_a, self.vocabulary_b, self.label_b

    @property
    def counts(self) -> bool:
        """Whether it is used."""
        return self.decision in (AUTOMATIC, ACCEPTED)

    @property
    def tier(self) -> str:
        """identifier, words or vectors; person for every other source."""
        tier = self.source.partition(":")[0]
        return tier if tier in TIERS else PERSON

    def turned(self) -> Row:
        """The same, read from the other side."""
        return replace(
            self,
            vocabulary_a=self.vocabulary_b,
            label_a=self.label_b,
            vocabulary_b=self.vocabulary_a,
            label_b=self.label_a,
            relation=_OPPOSITE.get(self.relation, self.relation),
        )


class Crosswalk:
    """A table of relations, in the canonical order: equal tables have equal texts and hashes."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = tuple(sorted(dict.fromkeys(rows), key=_order))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> Row:
        return self._rows[place]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @cached_property
    def text(self) -> str:
        """As CSV, with one line feed after each row: what is written, and what is hashed."""
        return written([_cells(row) for row in self._rows])

    @cached_property
    def sha256(self) -> str:
        """The table's identity, to be named beside every result that used it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def version(self) -> str:
        """The versions of the rules that made its rows."""
        return ", ".join(sorted({row.version for row in self._rows if row.version}))

    @cached_property
    def used(self) -> tuple[Row, ...]:
        """The rows that count. What a person said wins over what rules made of the same labels.

        That is a decision about the same pair, and a synset that somebody gave a label.
        """
        decided = _Decided(self._rows)
        return tuple(
            row
            for row in self._rows
            if row.decision == ACCEPTED or (row.decision == AUTOMATIC and row not in decided)
        )

    @classmethod
    def read(cls, text: str, where: str) -> Crosswalk:
        """A table from its text; `where` names it. UsageError names the line that is wrong.

        label_a, label_b and relation are needed. A file without the column `decision` is a person's
        own: all its rows are accepted.
        """
        rows = []
        for cells in parsed(text, where, RELATIONS, DECISIONS):
            score = float(cells["score"]) if cells.get("score") else None
            words = {name: cells[name] for name in COLUMNS if name != "score" and name in cells}
            rows.append(Row(**{"vocabulary_a": "", "vocabulary_b": "", **words}, score=score))
        return cls(rows)

    def merged(self, newer: Iterable[Row]) -> Crosswalk:
        """Bring the table up to date: what a person decided stays, the rest is as in `newer`.

        A pair of labels about which somebody decided keeps that decision, whatever is proposed.
        """
        kept = [row for row in self._rows if row.decision in (ACCEPTED, REJECTED)]
        decided = _Decided(kept)
        return Crosswalk([*kept, *(row for row in newer if row not in decided)])

    def decided(self, row: Row, relation: str, decision: str) -> Crosswalk:
        """Decide about one row: the table with that relation and decision."""
        new = replace(row, relation=relation, decision=decision)
        return Crosswalk(new if old == row else old for old in self._rows)


class _Decided:
    """What persons have decided: pairs of labels, and the synsets of labels.

    As everywhere, the case of letters does not matter, and no vocabulary is any vocabulary.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        kept = [row for row in rows if row.decision in (ACCEPTED, REJECTED)]
        both = [(row.pair, row.turned().pair) for row in kept]
        self._pairs = {tuple(map(str.casefold, pair)) for pairs in both for pair in pairs}
        senses = [row.pair[:2] for row in kept if row.counts and _is_sense(row)]
        self._senses = {tuple(map(str.casefold, label)) for label in senses}

    def __contains__(self, row: Row) -> bool:
        a, label_a, b, label_b = map(str.casefold, row.pair)
        pairs = product((a, ""), (label_a,), (b, ""), (label_b,))
        if not self._pairs.isdisjoint(pairs):
            return True
        return _is_sense(row) and not self._senses.isdisjoint(product((a, ""), (label_a,)))


def _is_sense(row: Row) -> bool:
    return row.relation == EXACT and row.vocabulary_b == VOCABULARY


def _order(row: Row) -> tuple[object, ...]:
    return (TIERS.index(row.tier), *row.pair, *_cells(row))


def _cells(row: Row) -> tuple[str, ...]:
    score = "" if row.score is None else f"{row.score:.4f}".rstrip("0").rstrip(".")
    words = {name: str(getattr(row, name)) for name in COLUMNS}
    return tuple({**words, "score": score}.values())
