"""Text, and words of likelihood, at two times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.drift_scores import share_of_images
from visionhub.analysis.drift_things import Things
from visionhub.analysis.frames import Answers, Bools, Integers
from visionhub.analysis.labels import Settings
from visionhub.analysis.located import Located
from visionhub.analysis.measured import Measured
from visionhub.analysis.ordinal import weighted_kappa
from visionhub.analysis.part import Apart
from visionhub.analysis.safe_search import scored
from visionhub.analysis.scored import LIKELIHOODS, Scored
from visionhub.analysis.text import both_texts
from visionhub.analysis.texts import Edits, character_edits

ANY_TEXT = "any text"
YES = "LIKELY"  # the word from which on a category counts as given, for flips
CHANGES = ("unchanged", "raised", "lowered")
NO_WORD = "(none)"


@dataclass(frozen=True)
class Read:
    """What two versions read in the same images."""

    two: Located
    edits: Edits
    seen: tuple[Bools, Bools]

    @classmethod
    def of(cls, before: Answers, after: Answers) -> Read:
        """Of the images that both have answered for."""
        two = Located.of("text", [before, after])
        then, now = both_texts(two)
        seen = tuple(np.array([bool(t.strip()) for t in side], np.bool_) for side in (then, now))
        return cls(two, character_edits(then, now), (seen[0], seen[1]))

    @property
    def names(self) -> tuple[str, str]:
        """The versions."""
        return self.two.names[0], self.two.names[1]

    def measures(self, settings: Settings) -> Iterator[Measured]:
        """Characters that differ, and images whose text is the same."""
        sources, how = settings.of(self.two.images), settings.how
        rate = self.edits.rate(symmetric=True, sources=sources, how=how)
        yield Measured("text", "character_error_rate", self.names, rate)
        share = share_of_images(self.edits.edits == 0, sources, how)
        yield Measured("text", "identical_texts", self.names, share)

    def presence(self) -> Things:
        """Whether there is any text: a thing that images have."""
        at = [np.flatnonzero(seen) for seen in self.seen]
        rows = [(one, np.zeros(len(one), dtype=np.int64)) for one in at]
        return Things.of_rows("text", self.names, self.two.images, [ANY_TEXT], rows)

    def apart(self) -> Apart:
        """The symmetric character error rate, image by image."""
        rate = self.edits.edits / np.maximum(self.edits.longer, 1)
        return Apart(self.names, "text (character error rate)", self.two.images, rate)


@dataclass(frozen=True)
class Likelihoods:
    """Two versions' words for each category, image by image."""

    two: Located
    categories: tuple[str, ...]
    words: tuple[tuple[Scored, ...], tuple[Scored, ...]]

    @classmethod
    def of(cls, before: Answers, after: Answers) -> Likelihoods:
        """Of the images that both have answered for, and every category of either."""
        two = Located.of("safe_search", [before, after])
        found = {t.lower(): None for one in (before, after) for t in one.texts["category"]}
        categories = tuple(sorted(found))
        sides = [tuple(scored(one, (name,)) for name in categories) for one in two.answers]
        return cls(two, categories, (sides[0], sides[1]))

    @property
    def names(self) -> tuple[str, str]:
        """The versions."""
        return self.two.names[0], self.two.names[1]

    def measures(self, settings: Settings) -> Iterator[Measured]:
        """Category by category: how often the word stayed, rose or fell; weighted kappa."""
        sources, how = settings.of(self.two.images), settings.how
        for name, first, second in zip(self.categories, *self.words, strict=True):
            then, now = first.ranked, second.ranked
            known = np.flatnonzero(~np.isnan(then) & ~np.isnan(now))
            a, b = then[known], now[known]
            by = None if sources is None else sources[known]
            for measure, hits in zip(CHANGES, (a == b, b > a, b < a), strict=True):
                share = share_of_images(hits, by, how, "no image has both words")
                yield Measured("safe_search", measure, self.names, share, thing=name)
            words = (first.words, second.words)
            kappa = weighted_kappa(*words, levels=LIKELIHOODS, sources=sources, how=how)
            yield Measured("safe_search", "weighted_kappa_quadratic", self.names, kappa, thing=name)

    def transitions(self) -> Iterator[dict[str, Any]]:
        """How many images went from which word to which, category by category."""
        for name, first, second in zip(self.categories, *self.words, strict=True):
            pairs = Counter(zip(_said(first), _said(second), strict=True))
            for (then, now), images in sorted(pairs.items(), key=lambda pair: _order(pair[0])):
                yield {
                    "a": self.names[0],
                    "b": self.names[1],
                    "category": name,
                    "word_a": then,
                    "word_b": now,
                    "images": images,
                }

    def likely(self) -> Things:
        """Categories that are at least likely, as things that images have."""
        rows = [_likely(side) for side in self.words]
        labels = [f"{name} ({YES} or more)" for name in self.categories]
        return Things.of_rows("safe_search", self.names, self.two.images, labels, rows)


def _likely(side: Sequence[Scored]) -> tuple[Integers, Integers]:
    """Positions of images and categories, image after image."""
    table = [one.ranked >= LIKELIHOODS.index(YES) for one in side]
    if not table:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at, category = np.nonzero(np.stack(table, axis=1))
    return at, category


def _said(one: Scored) -> list[str]:
    words: NDArray[Any] = one.words
    return [str(word) or NO_WORD for word in words.tolist()]


def _order(words: tuple[str, str]) -> tuple[int, int, tuple[str, str]]:
    place = {word: at for at, word in enumerate(LIKELIHOODS)}
    return place.get(words[0], -1), place.get(words[1], -1), words
