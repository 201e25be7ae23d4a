"""Which of its senses a label has: by its other names, its parents, and the use in pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from visionhub.analysis.vocabulary.anchors import Anchors
from visionhub.analysis.vocabulary.wordnet import WordNet
from visionhub.analysis.vocabulary.words import JOINT

PERSON = "n00007846"
SPECIFIC = 6  # concepts above and itself; a whole or an event has fewer, a device or a mammal more


@dataclass(frozen=True, slots=True)
class Sense:
    """What a word was taken for. rank: its place among `of` senses of the word, from 1."""

    synsets: tuple[str, ...]
    word: str
    rank: int
    of: int
    why: str = ""

    @property
    def how(self) -> str:
        """In words."""
        word = self.word.replace(JOINT, " ")
        place = "its only sense" if self.of == 1 else f"sense {self.rank} of {self.of}"
        return f"{word}, {place}" + (f", {self.why}" if self.why else "")


class _Weight(NamedTuple):
    """What speaks for a sense, the strongest first.

    names: how many of the thing's words have it. below: than how many parents it is narrower.
    listed: whether the list of words of pictures says so. near: whether it and a parent have
    something in common above them. used: whether a vocabulary of pictures uses the word so. After
    that WordNet's own order decides.
    """

    names: int
    below: int
    listed: bool
    near: bool
    used: bool

    def why(self, rank: int, words: int) -> str:
        """Why it is not simply the first sense."""
        if rank == 1:
            return ""
        if words > 1 and self.names > 1:
            return "which its names share"
        by_parents = self.below or (self.near and not self.listed)
        return "by its parents" if by_parents else "as in pictures" if self.used else ""


def choose(
    words: Sequence[str], parents: Iterable[str], wordnet: WordNet, anchors: Anchors
) -> Sense | None:
    """The likeliest sense of one thing with several words (keys); None where WordNet has none."""
    used = {m[0]: m for w in words for m in anchors.senses(wordnet.lemma(w) or w)}
    senses = {word: _meanings(word, wordnet, anchors) for word in words}
    shared = Counter(synset for found in senses.values() for synset in found)
    broader = [_telling(parent, wordnet, anchors) for parent in parents]
    best: tuple[_Weight, Sense] | None = None
    for word, found in senses.items():
        for rank, synset in enumerate(found, 1):
            below, near = _beside(synset, broader, wordnet) if len(found) > 1 else (0, False)
            listed = synset in used and anchors.lists(wordnet.lemma(word) or word)
            weight = _Weight(shared[synset], below, listed, near, synset in used)
            if best is None or weight > best[0]:
                meaning, why = used.get(synset, (synset,)), weight.why(rank, len(words))
                best = weight, Sense(meaning, word, rank, len(found), why)
    return best[1] if best else None


def _meanings(word: str, wordnet: WordNet, anchors: Anchors) -> tuple[str, ...]:
    """WordNet's senses, then those that only labels give the word (people: persons)."""
    found = wordnet.senses(word)
    more = (meaning[0] for meaning in anchors.senses(wordnet.lemma(word) or word))
    return tuple(dict.fromkeys((*found, *more)))


def _telling(parent: str, wordnet: WordNet, anchors: Anchors) -> set[str]:
    """What a parent means. Not the person: vendors put there whatever people do or wear."""
    used = {synset for meaning in anchors.senses(parent) for synset in meaning}
    found = used or set(wordnet.senses(parent)[:1])
    return set() if PERSON in found else found


def _beside(synset: str, broader: Iterable[set[str]], wordnet: WordNet) -> tuple[int, bool]:
    """How many parents a synset is below; whether it shares something specific with one."""
    above = wordnet.ancestors([synset]) - {synset}
    below, near = 0, False
    for meant in broader:
        below += not meant.isdisjoint(above)
        common = above & wordnet.ancestors(meant)
        near = near or any(len(wordnet.ancestors([one])) >= SPECIFIC for one in common)
    return below, near
