"""Agreement of two raters' scores of one thing: words in order, numbers, or one beside the other.

Words of likelihood are never stretched to numbers. Beside a number they are compared by ranks, and
by a weighted kappa after cuts that were learnt on other data (`ordinal.monotone_fit`). Numbers on
different scales are compared by ranks alone. A score that was not reported because it lies below a
floor is lower than any that was: it ranks lowest, whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.alpha import krippendorff_alpha
from visionhub.analysis.bland_altman import bland_altman
from visionhub.analysis.continuous import lin_ccc
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.frames import Bools, Floats, Integers
from visionhub.analysis.intraclass import icc
from visionhub.analysis.measured import Measured
from visionhub.analysis.monotone import monotone_fit
from visionhub.analysis.ordinal import weighted_kappa
from visionhub.analysis.ranked import auc_by_cut, kendall_tau_b, spearman
from visionhub.analysis.settings import Settings

Words: TypeAlias = NDArray[Any]

LIKELIHOODS = ("VERY_UNLIKELY", "UNLIKELY", "POSSIBLE", "LIKELY", "VERY_LIKELY")
WORDS = "likelihood"


@dataclass(frozen=True)
class Scored:
    """One rater's scores of n units.

    scale: likelihood (`words` has the words, None for none), or that of the numbers: two raters'
    numbers are one quantity where the scales are the same and `unit` says so. numbers: (n,), nan
    for missing. below: (n,) not reported, for it is below the floor.
    """

    name: str
    scale: str
    words: Words
    numbers: Floats
    below: Bools
    unit: str = ""

    @classmethod
    def of_words(cls, name: str, words: Words) -> Scored:
        """From words of likelihood; "" and whatever is no such word (UNKNOWN) is missing."""
        n = len(words)
        known = [str(word).upper() if word else None for word in words]
        said = np.array([w if w in LIKELIHOODS else None for w in known], dtype=object)
        return cls(name, WORDS, said, np.full(n, np.nan), np.zeros(n, np.bool_))

    @classmethod
    def of_numbers(
        cls, name: str, scale: str, numbers: Floats, below: Bools | None = None, unit: str = ""
    ) -> Scored:
        """From numbers; below: those that are lower than the lowest that was reported."""
        under = np.zeros(len(numbers), np.bool_) if below is None else below
        return cls(name, scale, np.full(len(numbers), ""), numbers, under, unit)

    def take(self, rows: Integers) -> Scored:
        """Some units, by position."""
        return replace(
            self, words=self.words[rows], numbers=self.numbers[rows], below=self.below[rows]
        )

    def reversed(self) -> Scored:
        """The same the other way round: what was the highest is the lowest."""
        if self.ordinal:
            other = dict(zip((*LIKELIHOODS, None), (*LIKELIHOODS[::-1], None), strict=True))
            words = np.array([other[word] for word in self.words], dtype=object)
            return replace(self, words=words)
        return replace(self, numbers=-self.ranked, below=np.zeros_like(self.below))

    @property
    def ordinal(self) -> bool:
        """Whether it is in words."""
        return self.scale == WORDS

    @property
    def ranked(self) -> Floats:
        """(n,) numbers whose order is that of the scores; nan for missing."""
        if self.ordinal:
            place = {word: float(at) for at, word in enumerate(LIKELIHOODS)}
            return np.array([place.get(str(word), np.nan) for word in self.words])
        known = self.numbers[~np.isnan(self.numbers)]
        lowest = known.min() - 1.0 if len(known) else 0.0
        return np.where(self.below, lowest, self.numbers)


def agreement(
    task: str,
    thing: str,
    first: Scored,
    second: Scored,
    images: Integers,
    settings: Settings,
    *,
    measure_prefix: str = "",
) -> Iterator[Measured]:
    """Every measure that two kinds of scores allow. images: (n,) whose the units are."""
    names = (first.name, second.name)
    sources, how = settings.of(images), settings.how

    def row(measure: str, found: Estimate, at: float | None = None, what: str = "") -> Measured:
        return Measured(
            task, measure_prefix + measure, names, found, thing=thing, at=at, at_what=what
        )

    x, y = first.ranked, second.ranked
    yield row("spearman", spearman(x, y, sources=sources, how=how))
    yield row("kendall_tau_b", kendall_tau_b(x, y, sources=sources, how=how))
    if first.ordinal and second.ordinal:
        both = (first.words, second.words)
        kappa = weighted_kappa(
            *both, weights="linear", levels=LIKELIHOODS, sources=sources, how=how
        )
        yield row("weighted_kappa_linear", kappa)
        kappa = weighted_kappa(*both, levels=LIKELIHOODS, sources=sources, how=how)
        yield row("weighted_kappa_quadratic", kappa)
        pair = np.stack([x, y], axis=1)
        alpha = krippendorff_alpha(pair, "ordinal", sources=sources, how=how)
        yield row("alpha_ordinal", alpha)
    elif first.ordinal or second.ordinal:
        words, numbers = (first, second) if first.ordinal else (second, first)
        yield from _mixed(row, words, numbers, sources, settings)
    elif first.unit and first.unit == second.unit:
        yield from _one_unit(row, first.numbers, second.numbers, sources, settings)


def _mixed(
    row: Any,  # noqa: ANN401 (the function above)
    words: Scored,
    numbers: Scored,
    sources: Integers | None,
    settings: Settings,
) -> Iterator[Measured]:
    how = settings.how
    cuts = auc_by_cut(words.words, numbers.ranked, LIKELIHOODS, sources=sources, how=how)
    for place, (_, found) in enumerate(cuts.items(), 1):
        yield row("auc", found, float(place), "number of the word from which on it counts as yes")
    fitted = monotone_fit(words.words, numbers.ranked, LIKELIHOODS, sources=sources, how=how)
    yield row("weighted_kappa_after_monotone_fit", fitted.kappa)


def _one_unit(
    row: Any,  # noqa: ANN401 (the function above)
    first: Floats,
    second: Floats,
    sources: Integers | None,
    settings: Settings,
) -> Iterator[Measured]:
    how = settings.how
    pair = np.stack([first, second], axis=1)
    yield row("icc_agreement", icc(pair, "ICC(A,1)", sources=sources, how=how))
    yield row("lin_ccc", lin_ccc(first, second, sources=sources, how=how))
    yield row("alpha_interval", krippendorff_alpha(pair, "interval", sources=sources, how=how))
    limits = bland_altman(first, second, sources=sources, how=how)
    yield row("mean_difference", limits.bias)
    yield row("limit_of_agreement_lower", limits.lower)
    yield row("limit_of_agreement_upper", limits.upper)
