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
from numpy.typing import ArrayLike

from visionhub.analysis.estimate import Estimate
from visionhub.analysis.resample import DEFAULT, Floats, Integers, Resampling, Sums, estimate, ratio

Texts: TypeAlias = Sequence[str | None]
Sources: TypeAlias = ArrayLike | None

EMPTY = "all reference texts are empty: an error rate divides by their length"
BOTH_EMPTY = "all texts are empty: there is nothing to read"


@dataclass(frozen=True)
class Edits:
    """Of each pair of texts, (n,): edits, length of the reference, and of the longer of the two.

    kept: (n,) positions of these pairs among those given; pairs with a missing text are left out.
    """

    edits: Integers
    reference: Integers
    longer: Integers
    kept: Integers

    def rate(
        self, *, symmetric: bool = False, sources: Sources = None, how: Resampling = DEFAULT
    ) -> Estimate:
        """All edits over all lengths. sources: one for each of the pairs that were given."""
        lengths = self.longer if symmetric else self.reference
        by = None if sources is None else np.asarray(sources)[self.kept]
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


def _ready(
    references: Texts, others: Texts, fold_case: bool, fold_space: bool
) -> tuple[list[str], list[str], Integers]:
    """Both texts of the pairs that have them, normalised; and which pairs these are."""
    if isinstance(references, str) or isinstance(others, str):
        raise TypeError("give a list of texts, one for each image, not one text")
    if len(references) != len(others):
        raise ValueError(f"{len(references)} texts beside {len(others)}")
    kept = [i for i, pair in enumerate(zip(references, others, strict=True)) if None not in pair]

    def ready(texts: Texts) -> list[str]:
        return [
            normalised(texts[i] or "", fold_case=fold_case, fold_space=fold_space) for i in kept
        ]

    return ready(references), ready(others), np.array(kept, dtype=np.int64)


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

    ours, theirs, kept = _ready(references, others, fold_case, fold_space)
    edits = np.zeros(0, np.int64)
    if ours:
        edits = cpdist(ours, theirs, scorer=Levenshtein.distance).ravel().astype(np.int64)
    lengths = [np.array([len(text) for text in side], dtype=np.int64) for side in (ours, theirs)]
    return _edits(edits, lengths, kept)


def word_edits(references: Texts, others: Texts, *, fold_case: bool = False) -> Edits:
    """Levenshtein distances of words, which are what white space divides.

    >>> word_edits(["no entry"], ["no entry here"]).edits
    array([1])
    """
    from rapidfuzz.distance import Levenshtein

    first, second, kept = _ready(references, others, fold_case, fold_space=True)
    ours, theirs = [text.split() for text in first], [text.split() for text in second]
    edits = [Levenshtein.distance(a, b) for a, b in zip(ours, theirs, strict=True)]
    lengths = [np.array([len(words) for words in side], dtype=np.int64) for side in (ours, theirs)]
    return _edits(np.array(edits, dtype=np.int64), lengths, kept)


def bag_of_words_edits(references: Texts, others: Texts, *, fold_case: bool = False) -> Edits:
    """Words that one has and the other lacks, in any order; one of either side is one edit.

    (|n - m| + sum over words of |count - other count|) / 2 for texts of n and m words (Vidal et al.
    2023, Pattern Recognition 142:109695, equation for bWER).

    >>> bag_of_words_edits(["no entry here"], ["here no way"]).edits
    array([1])
    """
    import pandas as pd

    first, second, kept = _ready(references, others, fold_case, fold_space=True)
    sides = [[text.split() for text in texts] for texts in (first, second)]
    lengths = [np.array([len(words) for words in side], dtype=np.int64) for side in sides]
    pair = np.concatenate([np.repeat(np.arange(len(kept)), n) for n in lengths])
    flat = np.fromiter(chain.from_iterable(chain(*sides)), dtype=object, count=len(pair))
    word, names = pd.factorize(flat)
    _, place = np.unique(pair * max(len(names), 1) + word, return_inverse=True)
    sign = np.where(np.arange(len(pair)) < lengths[0].sum(), 1.0, -1.0)
    owner = np.zeros(int(place.max(initial=-1)) + 1, dtype=np.int64)
    owner[place] = pair
    apart = np.bincount(place, sign, len(owner))
    edits = [np.bincount(owner, np.maximum(side * apart, 0), len(kept)) for side in (1, -1)]
    return _edits(np.maximum(*edits).astype(np.int64), lengths, kept)


def _edits(edits: Integers, lengths: Sequence[Integers], kept: Integers) -> Edits:
    return Edits(edits, lengths[0], np.maximum(*lengths), kept)


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

    An empty reference adds its insertions and no length; if all are empty there is no rate. None is
    missing, and its pair left out.

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
