"""Text, and words of likelihood, at two times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visionhub.analysis.drift_scores import share_of_images
from visionhub.analysis.drift_things import Things
from visionhub.analysis.frames import Answers, Bools, Integers
from visionhub.analysis.located import Located
from visionhub.analysis.measured import Measured
from visionhub.analysis.ordinal import weighted_kappa
from visionhub.analysis.part import Apart
from visionhub.analysis.scored import LIKELIHOODS
from visionhub.analysis.settings import Settings
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
    """Two versions' words for each category, image by image.

    words: those that occur, after the likelihoods in their order; the last is NO_WORD. said:
    (before, after), each (images, categories) numbers of words. A word that is no likelihood
    (UNKNOWN) is in no order: it shows where words go, and counts as missing elsewhere.
    """

    two: Located
    categories: tuple[str, ...]
    words: tuple[str, ...]
    said: tuple[Integers, Integers]

    @classmethod
    def of(cls, before: Answers, after: Answers) -> Likelihoods:
        """Of the images that both have answered for, and every category of either."""
        two = Located.of("safe_search", [before, after])
        both = (before, after)
        categories = tuple(sorted({t.lower() for one in both for t in one.texts["category"]}))
        others = sorted({t for one in both for t in one.texts["score_word"]} - {*LIKELIHOODS})
        words = (*LIKELIHOODS, *others, NO_WORD)
        sides = [_said(one, categories, words) for one in two.answers]
        return cls(two, categories, words, (sides[0], sides[1]))

    @property
    def names(self) -> tuple[str, str]:
        """The versions."""
        return self.two.names[0], self.two.names[1]

    def measures(self, settings: Settings) -> Iterator[Measured]:
        """Category by category: how often the word stayed, rose or fell; weighted kappa."""
        sources, how = settings.of(self.two.images), settings.how
        levels = range(len(LIKELIHOODS))
        for at, name in enumerate(self.categories):
            then, now = (side[:, at] for side in self.said)
            known = np.flatnonzero(np.maximum(then, now) < len(levels))
            a, b = then[known], now[known]
            by = None if sources is None else sources[known]
            for measure, hits in zip(CHANGES, (a == b, b > a, b < a), strict=True):
                share = share_of_images(hits, by, how, "no image has both words")
                yield Measured("safe_search", measure, self.names, share, thing=name)
            kappa = weighted_kappa(a, b, levels=levels, sources=by, how=how)
            yield Measured("safe_search", "weighted_kappa_quadratic", self.names, kappa, thing=name)

    def transitions(self) -> Iterator[dict[str, Any]]:
        """How many images went from which word to which, category by category."""
        many = len(self.words)
        for at, name in enumerate(self.categories):
            then, now = (side[:, at] for side in self.said)
            pairs, images = np.unique(then * many + now, return_counts=True)
            for pair, count in zip(pairs.tolist(), images.tolist(), strict=True):
                yield {
                    "a": self.names[0],
                    "b": self.names[1],
                    "category": name,
                    "word_a": self.words[pair // many],
                    "word_b": self.words[pair % many],
                    "images": count,
                }

    def likely(self) -> Things:
        """Categories that are at least likely, as things that images have."""
        least = LIKELIHOODS.index(YES)
        yes = [(side >= least) & (side < len(LIKELIHOODS)) for side in self.said]
        rows = [(at, category) for at, category in map(np.nonzero, yes)]
        labels = [f"{name} ({YES} or more)" for name in self.categories]
        return Things.of_rows("safe_search", self.names, self.two.images, labels, rows)


def _said(one: Answers, categories: Sequence[str], words: Sequence[str]) -> Integers:
    """(images, categories) numbers of words; NO_WORD for nothing."""
    category = [categories.index(text.lower()) for text in one.texts["category"]]
    word = [words.index(text) for text in one.texts["score_word"]] + [len(words) - 1]
    found = np.full((len(one.images), len(categories)), len(words) - 1, dtype=np.int64)
    columns = np.array(category, dtype=np.int64)[one.words["category"]]
    found[one.at, columns] = np.array(word, dtype=np.int64)[one.words["score_word"]]
    return found
