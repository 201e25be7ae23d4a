"""How far two readings of the same text differ: error rates of characters, words, bags of words.

An error rate is edits over the reference's length, both added up over all pairs, so that long texts
count for more (Morris, Maier & Green 2004). It is not symmetric and can pass 1. Between two
services neither is the reference: `symmetric` divides by the longer text of each pair, which lies
between 0 and 1 and is the same both ways.

Characters are Unicode code points after normalisation to NFC, so that e with an accent is one
character however it was written. Two services order the lines of a sign differently; the bag of
words does not look at order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np

from visionhub.analysis.estimate import Estimate
from visionhub.analysis.given import Column, items_of, sources_of
from visionhub.analysis.rated import Sources
from visionhub.analysis.resample import DEFAULT, Floats, Integers, Resampling, Sums, estimate, ratio

Texts: TypeAlias = Sequence[str | None] | Column

EMPTY = "all reference texts are empty: an error rate divides by their length"
BOTH_EMPTY = "all texts are empty: there is nothing to read"


@dataclass(frozen=True)
class Edits:
    """Of each pair of texts, (n,): edits, length of the reference, and of the longer of the two.

    kept: (n,) positions of these pairs among the `given`; pairs with a missing text are left out.
    """

    edits: Integers
    reference: Integers
    longer: Integers
    kept: Integers
    given: int

    def rate(
        self, *, symmetric: bool = False, sources: Sources = None, how: Resampling = DEFAULT
    ) -> Estimate:
        """All edits over all lengths. sources: one for each of the pairs that were given."""
        lengths = self.longer if symmetric else self.reference
        numbers = sources_of(sources, self.given)
        by = None if numbers is None else numbers[self.kept]
        pairs = np.stack([self.edits, lengths], axis=1)
        if by is None:
            rows, counts = np.unique(pairs, axis=0, return_counts=True)
            data = Sums.counted(rows.astype(np.float64), counts)
        else:
            data = Sums.of(pairs, by)
        limits = (0.0, 1.0 if symmetric else np.inf)
        return estimate(data, rate_of, how, limits=limits, why=BOTH_EMPTY if symmetric else EMPTY)


def rate_of(sums: Floats) -> Floats:
    """(...,) edits over lengths, of (..., 2) sums."""
    return ratio(sums[..., 0], sums[..., 1])


def normalised(text: str, *, fold_case: bool = False, fold_space: bool = True) -> str:
    r"""A text as it is compared: NFC; each run of white space is one space, and none at the ends.

    fold_case: capitals are the same as small letters (Unicode case folding). fold_space: False
    leaves line ends and spaces as they are.

    >>> normalised("  Cafe\u0301 \n OPEN", fold_case=True)
    'café open'
    """
    if fold_case:  # folding can undo the normal form
        text = unicodedata.normalize("NFC", text).casefold()
    text = unicodedata.normalize("NFC", text)
    return " ".join(text.split()) if fold_space else text


@dataclass(frozen=True)
class _Ready:
    """Both texts of the pairs that have them, normalised; which of the `given` pairs these are."""

    ours: list[str]
    theirs: list[str]
    kept: Integers
    given: int

    @classmethod
    def of(
        cls, references: Texts, others: Texts, *, fold_case: bool, fold_space: bool = True
    ) -> _Ready:
        first, second = _texts(references), _texts(others)
        if len(first) != len(second):
            raise ValueError(f"{len(first)} texts beside {len(second)}")
        both = zip(first, second, strict=True)
        kept = [i for i, (a, b) in enumerate(both) if a is not None and b is not None]

        def ready(texts: list[str | None]) -> list[str]:
            return [
                normalised(texts[i] or "", fold_case=fold_case, fold_space=fold_space) for i in kept
            ]

        return cls(ready(first), ready(second), np.array(kept, dtype=np.int64), len(first))

    def edits(self, edits: Integers, lengths: Sequence[Integers]) -> Edits:
        """What was counted, with the (2, n) lengths that it is to be divided by."""
        return Edits(edits, lengths[0], np.maximum(*lengths), self.kept, self.given)


def _texts(column: Texts) -> list[str | None]:
    """The texts in their order, None where missing, whatever column they come in."""
    if isinstance(column, (str, bytes)):
        raise TypeError("give a list of texts, one for each image, not one text")
    texts = items_of(column)
    for text in texts:
        if text is not None and not isinstance(text, str):
            raise TypeError(f"{text!r} is no text but of type {type(text).__name__}")
    return texts


def character_edits(
    references: Texts, others: Texts, *, fold_case: bool = False, fold_space: bool = True
) -> Edits:
    """Levenshtein distances of characters (1966): insertions, deletions, substitutions, 1 each.

    >>> found = character_edits(["STOP", "EXIT"], ["ST0P", "EXIT 5"])
    >>> found.edits, found.reference, found.longer
    (array([1, 2]), array([4, 4]), array([4, 6]))
    """
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cpdist

    ready = _Ready.of(references, others, fold_case=fold_case, fold_space=fold_space)
    ours, theirs = ready.ours, ready.theirs
    edits = np.zeros(0, np.int64)
    if ours:
        edits = cpdist(ours, theirs, scorer=Levenshtein.distance).ravel().astype(np.int64)
    lengths = [np.array([len(text) for text in side], dtype=np.int64) for side in (ours, theirs)]
    return ready.edits(edits, lengths)


def word_edits(references: Texts, others: Texts, *, fold_case: bool = False) -> Edits:
    """Levenshtein distances of words, which are what white space divides.

    >>> word_edits(["no entry"], ["no entry here"]).edits
    array([1])
    """
    from rapidfuzz.distance import Levenshtein

    ready = _Ready.of(references, others, fold_case=fold_case)
    ours, theirs = [text.split() for text in ready.ours], [text.split() for text in ready.theirs]
    edits = [Levenshtein.distance(a, b) for a, b in zip(ours, theirs, strict=True)]
    lengths = [np.array([len(words) for words in side], dtype=np.int64) for side in (ours, theirs)]
    return ready.edits(np.array(edits, dtype=np.int64), lengths)


def bag_of_words_edits(references: Texts, others: Texts, *, fold_case: bool = False) -> Edits:
    """Words that one has and the other lacks, in any order; one of either side is one edit.

    (|n - m| + sum over words of |count - other count|) / 2 for texts of n and m words (Vidal et al.
    2023, Pattern Recognition 142:109695, equation for bWER).

    >>> bag_of_words_edits(["no entry here"], ["here no way"]).edits
    array([1])
    """
    import pandas as pd

    ready = _Ready.of(references, others, fold_case=fold_case)
    sides = [[text.split() for text in texts] for texts in (ready.ours, ready.theirs)]
    lengths = [np.array([len(words) for words in side], dtype=np.int64) for side in sides]
    pair = np.concatenate([np.repeat(np.arange(len(ready.kept)), n) for n in lengths])
    flat = np.fromiter(chain.from_iterable(chain(*sides)), dtype=object, count=len(pair))
    word, names = pd.factorize(flat)
    _, place = np.unique(pair * max(len(names), 1) + word, return_inverse=True)
    sign = np.where(np.arange(len(pair)) < lengths[0].sum(), 1.0, -1.0)
    owner = np.zeros(int(place.max(initial=-1)) + 1, dtype=np.int64)
    owner[place] = pair
    apart = np.bincount(place, sign, len(owner))
    edits = [np.bincount(owner, np.maximum(side * apart, 0), len(ready.kept)) for side in (1, -1)]
    return ready.edits(np.maximum(*edits).astype(np.int64), lengths)


def character_error_rate(
    references: Texts,
    others: Texts,
    *,
    symmetric: bool = False,
    fold_case: bool = False,
    fold_space: bool = True,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Character edits over characters, of all pairs of texts together.

    An empty reference adds its insertions and no length; if all are empty there is no rate. None,
    nan and NA are missing, and their pairs left out. Raises TypeError of what is no text.

    >>> round(character_error_rate(["STOP", "EXIT"], ["ST0P", "EXIT 5"]).value, 3)
    0.375
    """
    found = character_edits(references, others, fold_case=fold_case, fold_space=fold_space)
    return found.rate(symmetric=symmetric, sources=sources, how=how)


def word_error_rate(
    references: Texts,
    others: Texts,
    *,
    symmetric: bool = False,
    fold_case: bool = False,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Word edits over words, of all pairs of texts together; as `character_error_rate`.

    >>> word_error_rate(["no entry"], ["no entry here"]).value
    0.5
    """
    found = word_edits(references, others, fold_case=fold_case)
    return found.rate(symmetric=symmetric, sources=sources, how=how)


def bag_of_words_error_rate(
    references: Texts,
    others: Texts,
    *,
    symmetric: bool = False,
    fold_case: bool = False,
    sources: Sources = None,
    how: Resampling = DEFAULT,
) -> Estimate:
    """Word error rate without regard to order; never above it.

    >>> bag_of_words_error_rate(["no entry"], ["entry no"]).value
    0.0
    """
    found = bag_of_words_edits(references, others, fold_case=fold_case)
    return found.rate(symmetric=symmetric, sources=sources, how=how)
