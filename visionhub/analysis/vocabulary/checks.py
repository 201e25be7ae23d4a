"""What is wrong with a crosswalk or a codebook, or does not fit the study that it is used with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from visionhub.analysis.vocabulary.alignment import Concepts
from visionhub.analysis.vocabulary.codebook import Codebook, Entry, Matcher
from visionhub.analysis.vocabulary.crosswalk import (
    AUTOMATIC,
    EXACT,
    NARROWER,
    RELATED,
    Crosswalk,
    Row,
)
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.wordnet import VOCABULARY, WordNet, synset_of
from visionhub.provider import import_extra

EXTRA = "analysis"
NEAR = 0.6  # likeness from which a label is a near miss of a word, 0 to 1
MISSES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at; text: a sentence.

    kind: contradiction, cycle, overlap, unknown synset, unknown label, unmatched word, not in the
    crosswalk. The first two are a person's to mend.
    """

    kind: str
    text: str


def findings(terms: Terms, rows: Crosswalk, codebook: Codebook | None = None) -> list[Finding]:
    """All there are, the gravest first."""
    used = [row for row in rows.used if row.relation != RELATED]
    concepts = Concepts(terms, used)
    cycles = sorted(_cycles(terms, used, concepts), key=lambda finding: finding.kind)
    found = [*_contradictions(used), *cycles, *_strangers(terms, used)]
    if codebook:
        found += unmatched(codebook, terms, concepts)
    return [*found, *_forgotten(terms, rows)]


def _named(vocabulary: str, label: str) -> str:
    return f"{label!r} of {vocabulary}" if vocabulary else repr(label)


def _contradictions(rows: Sequence[Row]) -> Iterator[Finding]:
    """One pair of labels with two relations."""
    said: dict[tuple[str, ...], Row] = {}
    for row in rows:
        flipped = row.turned()
        one = row if row.pair <= flipped.pair else flipped
        first = said.setdefault(one.pair, one)
        if first.relation != one.relation:
            mine = _named(one.vocabulary_a, one.label_a)
            theirs = _named(one.vocabulary_b, one.label_b)
            text = f"{mine} is both {first.relation} and {one.relation}: {theirs}"
            yield Finding("contradiction", text)


def _cycles(terms: Terms, rows: Sequence[Row], concepts: Concepts) -> Iterator[Finding]:
    """Labels of which one is narrower, and by other rows the same or broader.

    Vendors' taxonomies and WordNet differ here and there. What rules alone lead to is an overlap,
    and does no harm: both labels then mean both. A person's rows should not lead to it.
    """
    overlapping = Concepts(terms, [row for row in rows if row.decision == AUTOMATIC])
    for row in rows:
        how = _round(terms, concepts, row)
        if row.relation == EXACT or not how:
            continue
        benign = row.decision == AUTOMATIC and _round(terms, overlapping, row)
        low = row if row.relation == NARROWER else row.turned()
        mine = _named(low.vocabulary_a, low.label_a)
        theirs = _named(low.vocabulary_b, low.label_b)
        text = f"{mine} is narrower than {theirs} ({row.source}), and by other rows {how}"
        yield Finding("overlap" if benign else "cycle", text)


def _round(terms: Terms, concepts: Concepts, row: Row) -> str:
    """How the labels of a narrower or broader row are related the other way, if they are."""
    low = row if row.relation == NARROWER else row.turned()
    mine = _concepts(terms, concepts, low.vocabulary_a, low.label_a)
    theirs = _concepts(terms, concepts, low.vocabulary_b, low.label_b)
    if mine & theirs:
        return "the same"
    return "broader" if any(mine & concepts.broader(one) for one in theirs) else ""


def _concepts(terms: Terms, concepts: Concepts, vocabulary: str, label: str) -> set[int]:
    if vocabulary == VOCABULARY:
        found = concepts.synset(synset_of(label) or "")
        return set() if found is None else {found}
    return {concepts.of(i) for i in terms.find(label, vocabulary)}


def _strangers(terms: Terms, rows: Sequence[Row]) -> Iterator[Finding]:
    """Labels that the study does not hold (but for parents, which need not be emitted)."""
    wordnet = WordNet.packaged()
    sides = {(row.vocabulary_a, row.label_a) for row in rows}
    sides |= {(row.vocabulary_b, row.label_b) for row in rows if row.relation == EXACT}
    parents = {(term.vocabulary, parent.casefold()) for term in terms for parent in term.parents}
    elsewhere: Counter[str] = Counter()
    for vocabulary, label in sorted(sides):
        if vocabulary == VOCABULARY:
            if (synset_of(label) or "") not in wordnet:
                yield Finding("unknown synset", f"WordNet 3.0 has no noun {label!r}")
        elif vocabulary and vocabulary not in terms.vocabularies:
            elsewhere[vocabulary] += 1
        elif not terms.find(label, vocabulary) and (vocabulary, label.casefold()) not in parents:
            yield Finding("unknown label", f"{_named(vocabulary, label)} is not in this study")
    for vocabulary, number in elsewhere.items():
        text = f"{number:,} labels of {vocabulary}, a vocabulary that nobody here has used"
        yield Finding("unknown label", text)


def unmatched(codebook: Codebook, terms: Terms, concepts: Concepts) -> Iterator[Finding]:
    """Words of a codebook that no term answers to, each with those that are most like it."""
    matcher = Matcher(terms, concepts)
    for construct in codebook.constructs:
        for entry in (*construct.terms, *construct.exclude):
            if not matcher.named(entry) and not matcher.narrower(entry):
                near = near_misses(entry, terms)
                hint = f"; near: {', '.join(near)}" if near else ""
                where = _named(entry.vocabulary, entry.label)
                yield Finding("unmatched word", f"{construct.name}: {where} matches nothing{hint}")


def near_misses(entry: Entry, terms: Terms) -> list[str]:
    """The labels that are most like a word, best first.

    Likeness: 1 - distance / length of the longer, with the optimal string alignment distance.
    """
    process = import_extra("rapidfuzz.process", EXTRA)
    likeness = import_extra("rapidfuzz.distance", EXTRA).OSA.normalized_similarity
    mine = [t for t in terms if not entry.vocabulary or t.vocabulary == entry.vocabulary]
    names = list(dict.fromkeys(term.name for term in mine))
    found = process.extract(
        entry.label, names, scorer=likeness, processor=str.casefold, limit=MISSES,
        score_cutoff=NEAR,
    )  # fmt: skip
    return [name for name, _, _ in found]


def _forgotten(terms: Terms, rows: Crosswalk) -> Iterator[Finding]:
    """Labels of the study about which the crosswalk says nothing: it was made of another."""
    known = {i for r in rows for i in terms.find(r.label_a, r.vocabulary_a)}
    known |= {i for r in rows for i in terms.find(r.label_b, r.vocabulary_b)}
    missing = [terms[i] for i in range(len(terms)) if i not in known]
    if missing and len(rows):
        heaviest = sorted(missing, key=lambda term: -term.mass)[:MISSES]
        names = ", ".join(_named(term.vocabulary, term.name) for term in heaviest)
        text = f"{len(missing):,} labels are in no row, such as {names}"
        yield Finding("not in the crosswalk", text)
