"""What several raters' answers say together, and how each of them errs: Dawid & Skene's model.

Dawid & Skene 1979, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm",
Applied Statistics 28:20-28. Each item has one true class; each rater answers it with probabilities
of his own, given the class, independently of the others and of himself. Raters that share a fault
(two services trained on the same photographs) break this, and the model then trusts them too much:
check against gold.

EM starts from the shares of votes (equation 3.1) and ends when the log-likelihood no longer grows.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.given import items_of
from visionhub.analysis.rated import Ratings, coded
from visionhub.analysis.resample import Floats, Integers, ratio

Column: TypeAlias = Sequence[Any] | NDArray[Any]
Names: TypeAlias = tuple[
    tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]
]  # items, raters, classes

TOLERANCE = 1e-12  # of the log-likelihood, relative to its size
MOST = 10_000  # rounds
FEWEST = 3  # answers to an item, below which its truth rests on little but the model


@dataclass(frozen=True)
class DawidSkene:
    """What the model makes of the answers.

    posterior: (items, K) how probable each class is for each item. marginals: (K,) shares of
    classes. error_rates: (raters, K, K) for each rater and true class the probabilities of answers;
    nan where a rater answered no item that can be of this class. log_likelihood: without the
    constant of the multinomial. reason: what a reader must know; empty if all is well.
    """

    items: tuple[Any, ...]
    raters: tuple[Any, ...]
    classes: tuple[Any, ...]
    posterior: Floats
    marginals: Floats
    error_rates: Floats
    log_likelihood: float
    rounds: int
    converged: bool
    reason: str

    @property
    def labels(self) -> tuple[Any, ...]:
        """The most probable class of each item; of equals the first."""
        return tuple(self.classes[k] for k in self.posterior.argmax(axis=1))


@dataclass(frozen=True)
class _Answers:
    """(m,) numbers of items, raters and classes; an item can have several answers of one rater."""

    item: Integers
    rater: Integers
    answer: Integers
    shape: tuple[int, int, int]  # items, raters, classes

    def votes(self) -> Floats:
        """(items, K) shares of answers."""
        items, _, k = self.shape
        counts = np.bincount(self.item * k + self.answer, minlength=items * k).reshape(items, k)
        return ratio(counts, counts.sum(axis=1, keepdims=True))

    def rates(self, posterior: Floats, smoothing: float) -> Floats:
        """(raters, K, K) equation 2.3, with `smoothing` added to each count."""
        _, raters, k = self.shape
        place = self.rater * k + self.answer
        columns = [np.bincount(place, posterior[self.item, j], raters * k) for j in range(k)]
        counts = np.stack(columns, axis=1).reshape(raters, k, k).transpose(0, 2, 1) + smoothing
        return ratio(counts, counts.sum(-1, keepdims=True))

    def evidence(self, marginals: Floats, rates: Floats) -> Floats:
        """(items, K) logarithms of class and answers together (equation 2.5)."""
        items, _, k = self.shape
        with np.errstate(divide="ignore"):
            logs = np.log(np.nan_to_num(rates))[self.rater, :, self.answer]
            prior = np.log(marginals)
        sums = [np.bincount(self.item, logs[:, j], items) for j in range(k)]
        return np.asarray(np.stack(sums, axis=1) + prior, dtype=np.float64)


def dawid_skene(
    items: Column | Ratings,
    raters: Column | None = None,
    ratings: Column | None = None,
    *,
    classes: Sequence[Hashable] | None = None,
    smoothing: float = 0.0,
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> DawidSkene:
    """Fit the model by EM.

    Three columns of one length (who answered what about which item; a rater may answer one item
    several times), or one table of (items, raters) ratings, None where missing. classes: all that
    are possible, if more than were answered. smoothing: added to each count of an answer, so that
    what a rater never did is improbable and not impossible (Dirichlet prior of 1 + smoothing);
    0 is maximum likelihood. Raises ValueError where nothing was answered, or an answer has no item
    or no rater.

    >>> found = dawid_skene([["a", "a", "a"], ["b", "b", "a"], ["b", "b", "b"], ["a", "a", "a"]])
    >>> found.labels
    ('a', 'b', 'b', 'a')
    """
    if smoothing < 0:
        raise ValueError("smoothing is 0 or more")
    answers, names = _answers(items, raters, ratings, classes)
    if not len(answers.item):
        raise ValueError("no answers: there is nothing to fit")
    posterior, before, rounds = answers.votes(), -math.inf, 0
    while True:
        marginals = posterior.mean(axis=0)
        rates = answers.rates(posterior, smoothing)
        evidence = answers.evidence(marginals, rates)
        top = evidence.max(axis=1, keepdims=True)
        weights = np.exp(evidence - top)
        likelihood = float((np.log(weights.sum(axis=1)) + top[:, 0]).sum())
        aim = likelihood + _prior(rates, smoothing)
        if aim - before <= tolerance * max(1.0, abs(aim)) or rounds >= most:
            break
        posterior, before, rounds = weights / weights.sum(axis=1, keepdims=True), aim, rounds + 1
    converged = rounds < most
    reason = _doubts(answers, converged)
    return DawidSkene(*names, posterior, marginals, rates, likelihood, rounds, converged, reason)


def _prior(rates: Floats, smoothing: float) -> float:
    """What the prior adds to the log-likelihood, up to a constant; EM then climbs their sum."""
    return smoothing * float(np.log(rates).sum()) if smoothing else 0.0


def _doubts(answers: _Answers, converged: bool) -> str:
    found = [] if converged else ["the log-likelihood still grew at the last round"]
    few = int((np.bincount(answers.item, minlength=answers.shape[0]) < FEWEST).sum())
    if few:
        found.append(f"{few} of {answers.shape[0]} items have fewer than {FEWEST} answers")
    return "; ".join(found)


def _answers(
    items: Column | Ratings,
    raters: Column | None,
    ratings: Column | None,
    classes: Sequence[Hashable] | None,
) -> tuple[_Answers, Names]:
    """Numbers for what was answered, and its names."""
    if (raters is None) != (ratings is None):
        raise ValueError("give items, raters and ratings, or one table of ratings")
    if raters is not None and ratings is not None:
        return _of_columns(items_of(items), items_of(raters), items_of(ratings), classes)
    table = Ratings.of(items, classes)
    if table.counts is not None or not table.named:
        raise ValueError("the model needs to know who answered what")
    item, rater = np.nonzero(table.codes >= 0)
    kept, place = np.unique(item, return_inverse=True)
    names = (tuple(kept.tolist()), tuple(range(table.codes.shape[1])), table.categories)
    return _named(place, rater, table.codes[item, rater], names)


def _of_columns(
    items: list[Any], raters: list[Any], ratings: list[Any], classes: Sequence[Hashable] | None
) -> tuple[_Answers, Names]:
    if not len(items) == len(raters) == len(ratings):
        raise ValueError("items, raters and ratings are columns of one length")
    codes, three = coded([[rating] for rating in ratings], classes)
    there = np.flatnonzero(codes.ravel() >= 0)
    item, one = _numbered([items[i] for i in there.tolist()])
    rater, two = _numbered([raters[i] for i in there.tolist()])
    return _named(item, rater, codes.ravel()[there], (one, two, three))


def _named(
    item: Integers, rater: Integers, answer: Integers, names: Names
) -> tuple[_Answers, Names]:
    shape = (len(names[0]), len(names[1]), len(names[2]))
    return _Answers(item, rater, answer, shape), names


def _numbered(column: list[Any]) -> tuple[Integers, tuple[Any, ...]]:
    """Numbers for names, in their order."""
    if None in column:
        raise ValueError("an answer lacks its item or its rater: leave it out, or name them")
    codes, names = coded([[name] for name in column])
    return codes.ravel(), names
