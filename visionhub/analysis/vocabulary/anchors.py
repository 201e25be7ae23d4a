"""What classes of well-known vocabularies of pictures mean in WordNet: data/anchors.csv.

They serve twice: as identifiers (a mid or a COCO class has its synset), and to fix the sense of a
word that WordNet gives several: the `mouse` of a label on a photograph.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from visionhub.analysis.vocabulary.words import key

PICTURES, MIDS = "pictures", "open-images"


class Anchor(NamedTuple):
    """A class with the synsets that it is (exact), or than which it is narrower."""

    vocabulary: str
    name: str
    relation: str
    synsets: tuple[str, ...]
    mid: str


class Anchors:
    """All anchors, by what they are looked for."""

    def __init__(self, rows: Iterable[dict[str, str]]) -> None:
        self.of_mid: dict[str, Anchor] = {}
        self.of_class: dict[tuple[str, str], Anchor] = {}
        self._senses: dict[str, dict[tuple[str, ...], None]] = defaultdict(dict)
        self._words: dict[str, tuple[str, ...]] = {}
        for row in rows:
            anchor = Anchor(
                row["vocabulary"],
                row["name"],
                row["relation"],
                tuple(row["synset"].split(" ")),
                row["mid"],
            )
            if anchor.mid and (anchor.vocabulary == MIDS or anchor.mid not in self.of_mid):
                self.of_mid[anchor.mid] = anchor  # COCO's table has the nearest mid, MIDS the very
            for name in filter(None, (row["number"], key(row["name"]))):
                self.of_class.setdefault((anchor.vocabulary, name), anchor)
            if anchor.vocabulary == PICTURES:
                self._words[key(anchor.name)] = anchor.synsets
            elif anchor.relation == "exact":
                self._senses[key(anchor.name)][anchor.synsets] = None

    @classmethod
    def packaged(cls) -> Anchors:
        """The ones that came with this visionhub; read once."""
        return _packaged()

    def of(
        self, vocabulary: str, name: str, vendor_id: str | None, mid: str | None
    ) -> Anchor | None:
        """The anchor of a label: of its class, by number or name, else of its mid."""
        by_class = self.of_class.get((vocabulary, vendor_id or "")) if vendor_id else None
        found = by_class or self.of_class.get((vocabulary, key(name)))
        return found or self.of_mid.get(mid or "")

    def lists(self, word: str) -> bool:
        """Whether the list of words (PICTURES) says what a key means."""
        return word in self._words

    def senses(self, word: str) -> tuple[tuple[str, ...], ...]:
        """What a word (a key) means in these vocabularies.

        A meaning is one synset, or several that only WordNet tells apart. The list of words
        (PICTURES) decides where it has one.
        """
        if word in self._words:
            return (self._words[word],)
        return tuple(self._senses.get(word, ()))


@cache
def _packaged() -> Anchors:
    text = files("visionhub.analysis.vocabulary").joinpath("data", "anchors.csv")
    return Anchors(csv.DictReader(text.read_text("utf-8").splitlines()))
