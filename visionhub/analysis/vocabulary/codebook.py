"""The user's own constructs, and the words that stand for each; what it says always wins.

    police = ["Police", "Law enforcement", "police van"]

    [protest]
    terms = ["Protest", { label = "March", vocabulary = "imagenet-1k" }]
    exclude = ["Parade"]
    narrower = false

A word stands for the labels that it equals (whatever their case, marks and plural; a label's
aliases too) and, unless `narrower = false`, for all that the crosswalk says is narrower. What is
excluded is out, with all that is narrower, unless it is listed itself.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from visionhub.analysis.vocabulary.anchors import Anchors
from visionhub.analysis.vocabulary.level import Level
from visionhub.analysis.vocabulary.meaning import choose
from visionhub.analysis.vocabulary.terms import Terms
from visionhub.analysis.vocabulary.words import readings, stem
from visionhub.errors import UsageError

if TYPE_CHECKING:
    from visionhub.analysis.vocabulary.alignment import Concepts

MEMBERS = ("terms", "exclude", "narrower")


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of a codebook. vocabulary: empty for any."""

    label: str
    vocabulary: str = ""


@dataclass(frozen=True, slots=True)
class Construct:
    """What is to be measured: its words, what is not meant, and whether narrower labels count."""

    name: str
    terms: tuple[Entry, ...]
    exclude: tuple[Entry, ...] = ()
    narrower: bool = True


@dataclass(frozen=True)
class Codebook:
    """All constructs, in the file's order."""

    constructs: tuple[Construct, ...]

    @cached_property
    def sha256(self) -> str:
        """Its identity: that of what it says, not of how the file is laid out."""
        said = [
            [c.name, [[e.label, e.vocabulary] for e in c.terms],
             [[e.label, e.vocabulary] for e in c.exclude], c.narrower]
            for c in self.constructs
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @classmethod
    def read(cls, text: str, where: str) -> Codebook:
        """From TOML; UsageError, which names file, construct and fault, where it is none."""
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where} is no codebook (TOML): {error}.") from None
        if not document:
            raise UsageError(f'{where} is empty: write constructs, as in  police = ["Police"]')
        names: dict[str, str] = {}
        for name in document:
            other = names.setdefault(name.casefold(), name)
            if other != name:
                _refuse(where, f"{other} and {name} differ by their case only: make them one")
        return cls(tuple(_construct(name, said, where) for name, said in document.items()))


def _construct(name: str, said: object, where: str) -> Construct:
    at = f"{where}: {name}"
    if isinstance(said, list):
        return Construct(name, _entries(said, at, needed=True))
    if not isinstance(said, dict):
        _refuse(at, 'expected a list of labels, as in ["Police", "police van"], or a table')
    for member in said:
        if member not in MEMBERS:
            _refuse(at, f"{member!r} is unknown: a construct has {', '.join(MEMBERS)}")
    narrower = said.get("narrower", True)
    if not isinstance(narrower, bool):
        _refuse(at, "narrower is true or false")
    terms = _entries(said.get("terms", []), f"{at}.terms", needed=True)
    exclude = _entries(said.get("exclude", []), f"{at}.exclude")
    both = set(terms) & set(exclude)
    if both:
        _refuse(at, f"{next(iter(both)).label!r} is both listed and excluded")
    return Construct(name, terms, exclude, narrower)


def _entries(said: object, at: str, *, needed: bool = False) -> tuple[Entry, ...]:
    if not isinstance(said, list) or (needed and not said):
        _refuse(at, "expected a list of labels" + (", with one at least" if needed else ""))
    return tuple(_entry(one, at) for one in said)


def _entry(one: object, at: str) -> Entry:
    given = {"label": one} if isinstance(one, str) else one
    if not isinstance(given, dict) or set(given) - {"label", "vocabulary"}:
        _refuse(at, 'write a label as "Police" or { label = "Police", vocabulary = "…" }')
    label, vocabulary = given.get("label"), given.get("vocabulary", "")
    if not isinstance(label, str) or not label.strip() or not isinstance(vocabulary, str):
        _refuse(at, "a label and a vocabulary are texts, and a label is not empty")
    return Entry(label, vocabulary)


def _refuse(where: str, what: str) -> NoReturn:
    raise UsageError(f"{where}: {what}.")


class Matcher:
    """Finds what the words of a codebook mean among the terms of a study."""

    def __init__(self, terms: Terms, concepts: Concepts) -> None:
        self._terms, self._concepts = terms, concepts
        self._alike: dict[str, list[int]] = defaultdict(list)
        self._below: dict[int, list[int]] = defaultdict(list)
        for number, term in enumerate(terms):
            names = (term.name, *term.aliases)
            for word in dict.fromkeys(stem(w) for name in names for w in readings(name)):
                self._alike[word].append(number)
            for concept in concepts.broader(concepts.of(number)):
                self._below[concept].append(number)

    def named(self, entry: Entry) -> list[int]:
        """Terms that a word names: equal ones, else those alike, else those of its sense."""
        found = self._terms.find(entry.label, entry.vocabulary)
        if not found:
            alike = [i for word in readings(entry.label) for i in self._alike[stem(word)]]
            found = self._within(alike, entry)
        return found or self._within(self._of_sense(entry, itself=True), entry)

    def narrower(self, entry: Entry) -> list[int]:
        """Terms that are narrower than a word, which itself need not be one."""
        concepts = {self._concepts.of(i) for i in self.named(entry)}
        found = [i for concept in concepts for i in self._below[concept]]
        return self._within(found or self._of_sense(entry, itself=False), entry)

    def _within(self, numbers: Iterable[int], entry: Entry) -> list[int]:
        wanted = entry.vocabulary
        return [i for i in numbers if not wanted or self._terms[i].vocabulary == wanted]

    def _of_sense(self, entry: Entry, *, itself: bool) -> list[int]:
        """Terms of what the word means in WordNet, or of what is narrower."""
        words = readings(entry.label)
        sense = choose(words, (), self._concepts.wordnet, Anchors.packaged()) if words else None
        concepts = [self._concepts.synset(synset) for synset in (sense.synsets if sense else ())]
        below = [i for c in concepts if c is not None for i in self._below[c]]
        return [i for i in below if not itself or self._concepts.of(i) in concepts]


def covered(codebook: Codebook, matcher: Matcher) -> Iterator[Mapping[int, bool]]:
    """For each construct the terms that say it: whether they are named themselves, or narrower."""
    for construct in codebook.constructs:
        named = {i for entry in construct.terms for i in matcher.named(entry)}
        out = {i for entry in construct.exclude for i in matcher.named(entry)}
        out |= {i for entry in construct.exclude for i in matcher.narrower(entry)}
        below = set()
        if construct.narrower:
            below = {i for entry in construct.terms for i in matcher.narrower(entry)}
        yield {**dict.fromkeys(sorted(below - out), False), **dict.fromkeys(sorted(named), True)}


def constructs(codebook: Codebook, terms: Terms, concepts: Concepts) -> Level:
    """The codebook's level: a term's own concepts are the constructs that it says."""
    said: list[list[int]] = [[] for _ in terms]
    for number, members in enumerate(covered(codebook, Matcher(terms, concepts))):
        for term in members:
            said[term].append(number)
    named = [(construct.name, construct.name) for construct in codebook.constructs]
    empty: Sequence[int] = ()
    return Level.of("codebook", named, [(mine, empty) for mine in said])
