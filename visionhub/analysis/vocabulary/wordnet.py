"""WordNet 3.0's nouns: what a word can mean, what is broader, and what a meaning is called.

A synset's id is its offset with an n before it, as ImageNet writes it: n02084071 is dog. The data
are Princeton University's (data/LICENSE.wordnet); `wordnet_build` makes the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import ClassVar

from visionhub.analysis.vocabulary.words import JOINT, singulars

FILE = "wordnet-3.0-nouns.zst"
VOCABULARY = "wordnet-3.0"
SYNSET = re.compile(r"n\d{8}")
_APART = str.maketrans(dict.fromkeys("-'./", JOINT))


class WordNet:
    """The nouns, in memory: about a second to read, 120 MB. Use `packaged`."""

    THINGS: ClassVar[frozenset[str]] = frozenset(
        {
            "n00015388",  # animal
            "n00017222",  # plant
            "n00019128",  # natural object
            "n00021265",  # food
            "n07555863",  # solid food, which WordNet does not put under food
            "n00021939",  # artifact
            "n05220461",  # body part
            "n09287968",  # geological formation
        }
    )

    def __init__(self, text: str) -> None:
        deltas, words, parents, ambiguous, plurals = text.split("\n\n")[:5]
        self._words = words.split("\n")
        self._parents = parents.split("\n")
        self._ids: list[str] = []
        offset = 0
        for delta in deltas.split("\n"):
            offset += int(delta)
            self._ids.append(f"n{offset:08}")
        self._numbers = {synset: i for i, synset in enumerate(self._ids)}
        self._senses, self._ranked = _index(words, ambiguous)
        self._plurals = dict(line.split(" ")[:2] for line in plurals.split("\n"))

    @classmethod
    def packaged(cls) -> WordNet:
        """The one that came with this visionhub; read once."""
        return _packaged()

    def __contains__(self, synset: str) -> bool:
        return synset in self._numbers

    def lemma(self, word: str) -> str | None:
        """The key under which a word (a key too) is known: its own, or its singular's."""
        joined = word.replace(JOINT, "")
        for form in (word, self._plurals.get(word), *singulars(word), joined, *singulars(joined)):
            if form and form in self._senses:
                return form
        return self._last_singular(word)

    def _last_singular(self, word: str) -> str | None:
        """Of several words the last may have an irregular plural: police_men."""
        start, joint, last = word.rpartition(JOINT)
        form = start + joint + self._plurals.get(last, last)
        return form if joint and form in self._senses else None

    def senses(self, word: str) -> tuple[str, ...]:
        """Synsets of a word (a key), the likeliest first.

        That is WordNet's own order, the most frequent first. Where it knows no frequencies, its
        order says nothing (its first toaster is who proposes a toast), and things that can be seen
        come before the rest. Names of single persons, places and things always come last.
        """
        lemma = self.lemma(word)
        if lemma is None:
            return ()
        found = [self._ids[number] for number in self._senses[lemma]]
        if len(found) > 1 and lemma not in self._ranked:
            found.sort(key=self.is_thing, reverse=True)  # stable: the order stays within each
        return tuple(sorted(found, key=self.is_single))

    def is_thing(self, synset: str) -> bool:
        """Whether it is an animal, a plant, food, an artefact, part of a body or of nature."""
        return not self.THINGS.isdisjoint(self.ancestors([synset]))

    def is_single(self, synset: str) -> bool:
        """Whether it is one person, place or thing (an instance), and no kind."""
        return self._parents[self._numbers[synset]].startswith("i")

    def words(self, synset: str) -> tuple[str, ...]:
        """The words of a synset, the most usual first."""
        return tuple(
            word.replace(JOINT, " ") for word in self._words[self._numbers[synset]].split(" ")
        )

    def name(self, synset: str) -> str:
        """What a synset is called: its first word."""
        return self._words[self._numbers[synset]].partition(" ")[0].replace(JOINT, " ")

    def label(self, synset: str) -> str:
        """How a synset stands in a crosswalk: "n02084071 dog"."""
        return f"{synset} {self.name(synset)}"

    def parents(self, synset: str) -> tuple[str, ...]:
        """What is directly broader, instances included."""
        here = self._numbers[synset]
        return tuple(
            self._ids[here + int(away.removeprefix("i"))]
            for away in self._parents[here].split(" ")
            if away
        )

    def ancestors(self, synsets: Iterable[str]) -> set[str]:
        """Everything that is broader than any of these, and these."""
        found: set[str] = set()
        waiting = list(synsets)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.parents(one)
        return found


def synset_of(label: str) -> str | None:
    """The synset that a crosswalk's label of WordNet names."""
    found = SYNSET.match(label)
    return found[0] if found else None


@cache
def _packaged() -> WordNet:
    import zstandard

    data = files("visionhub.analysis.vocabulary").joinpath("data", FILE).read_bytes()
    return WordNet(zstandard.ZstdDecompressor().decompress(data).decode("ascii"))


def _index(words: str, ambiguous: str) -> tuple[dict[str, list[int]], set[str]]:
    """Numbers of synsets by key of a word, and the keys whose order is by frequency.

    Words that differ in nothing but marks are one.
    """
    found: dict[str, list[int]] = {}
    ranked = set()
    for line in _keys(ambiguous):
        word, frequent, *numbers = line.split(" ")
        if frequent != "0":
            ranked.add(word)
        known = found.setdefault(word, [])
        known += [number for number in map(int, numbers) if number not in known]
    for number, line in enumerate(_keys(words)):
        for word in line.split(" "):
            known = found.setdefault(word, [])
            if number not in known:
                known.append(number)
    return found, ranked


def _keys(text: str) -> Iterator[str]:
    """Lines of words as keys, all at once: WordNet's words have no other marks than these."""
    plain = text.lower().translate(_APART)
    while JOINT * 2 in plain:
        plain = plain.replace(JOINT * 2, JOINT)
    for end in (" ", "\n"):
        plain = plain.replace(JOINT + end, end).replace(end + JOINT, end)
    return iter(plain.strip(JOINT).split("\n"))
