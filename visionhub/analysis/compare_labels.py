"""The comparison of labels: every pair at every level, and all raters together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from visionhub.analysis.codes import Codes
from visionhub.analysis.constructs_said import empty_lists, unused_words
from visionhub.analysis.decided import Decided, decided_things, left_open
from visionhub.analysis.label_things import Thing
from visionhub.analysis.labels import TASK, LabelPair
from visionhub.analysis.measured import Measured
from visionhub.analysis.part import Apart, Part, Worded
from visionhub.analysis.reliability import LEAST, matrices
from visionhub.analysis.reliability import measures as reliability_measures
from visionhub.analysis.set_alpha import set_alpha
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import Speech
from visionhub.analysis.sweep import Point, sweep
from visionhub.analysis.vocabulary.accounting import accounting, collapses, unmapped
from visionhub.analysis.vocabulary.alignment import Alignment
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.analysis.vocabulary.level import Level
from visionhub.analysis.vocabulary.terms import Terms


@dataclass(frozen=True)
class Vocabulary:
    """What the words of a comparison mean."""

    terms: Terms
    alignment: Alignment
    codebook: Codebook | None

    @property
    def best(self) -> Level:
        """The level that single labels are compared at: the codebook's, if there is one."""
        return self.alignment.levels[-1]


def compare_labels(
    speeches: Sequence[Speech],
    coders: Sequence[Codes],
    words: Vocabulary,
    settings: Settings,
) -> Part:
    """Everything about labels."""
    part = Part(TASK, tuple(one.answers.rater for one in speeches))
    part.worded = Worded(words.alignment, tuple(one.can_say() for one in speeches))
    people = {level.name: Decided.all(coders, speeches, level) for level in words.alignment.levels}
    for first, second in combinations(speeches, 2):
        _pair(part, first, second, words, people, settings)
    part.add("collapses", _collapses(words, speeches))
    if len(speeches) >= LEAST:
        part.rows += _together(speeches, people[words.best.name], words, settings)
    part.notes += left_open(people[words.best.name])
    if words.codebook and words.alignment.codebook:
        level = words.alignment.codebook
        pairs = [LabelPair.of(*two, level) for two in combinations(speeches, 2)]
        part.notes += [*empty_lists(pairs), *unused_words(words.codebook, words.alignment)]
    return part


def _pair(
    part: Part,
    first: Speech,
    second: Speech,
    words: Vocabulary,
    people: Mapping[str, Mapping[str, Decided]],
    settings: Settings,
) -> None:
    for level in words.alignment.levels:
        found = LabelPair.of(first, second, level)
        part.rows += found.measure(settings)
        if level is words.alignment.exact:
            continue
        for thing in decided_things(found, people[level.name], settings):
            part.rows += thing.measures
            part.add("cells", [_cells(found, thing)])
        part.add("sweep", (_point(found, at, one) for at, one in enumerate(sweep(found, settings))))
    found = LabelPair.of(first, second, words.alignment.crosswalk)
    distance = 1 - found.comparable.counted().overlaps.jaccard
    part.apart.append(Apart(found.names, "labels (1 - Jaccard)", found.images, distance))
    for one, other in ((first, second), (second, first)):
        part.add("mapped", _mapped(one, other, words))
        part.add("unmapped", _left(one, other, words))


def _cells(found: LabelPair, thing: Thing) -> dict[str, Any]:
    yes, only_a, only_b, no = thing.cells
    n = yes + only_a + only_b + no
    return {
        "level": found.level.name,
        "thing": thing.name,
        "a": found.names[0],
        "b": found.names[1],
        "both": yes,
        "only_a": only_a,
        "only_b": only_b,
        "neither": no,
        "unknown": thing.unknown,
        "prevalence_a": (yes + only_a) / n,
        "prevalence_b": (yes + only_b) / n,
    }


def _point(found: LabelPair, at: int, point: Point) -> dict[str, Any]:
    return {
        "level": found.level.name,
        "a": found.names[0],
        "b": found.names[1],
        "point": at,
        "labels_an_image_a": point.rates[0],
        "labels_an_image_b": point.rates[1],
        "threshold_a": point.cuts[0],
        "threshold_b": point.cuts[1],
        "jaccard": point.jaccard.value,
        "low": point.jaccard.low,
        "high": point.jaccard.high,
        "lowest": point.lowest,
        "highest": point.highest,
        "n": point.jaccard.n,
        "clusters": point.jaccard.clusters,
        "confidence": None if point.jaccard.low is None else point.jaccard.level,
        "method": point.jaccard.method,
        "reason": point.jaccard.reason,
    }


def _mass(one: Speech, words: Vocabulary) -> Any:  # noqa: ANN401 (an array)
    return np.bincount(one.terms[one.terms >= 0], minlength=len(words.terms))


def _mapped(one: Speech, other: Speech, words: Vocabulary) -> Iterator[dict[str, Any]]:
    """Tier by tier, what of one rater's words the other has words for."""
    rows = words.alignment.crosswalk_rows
    for tier in accounting(
        words.terms, rows, _mass(one, words), _mass(other, words), words.codebook
    ):
        yield {
            "of": one.name,
            "to": other.name,
            "tier": tier.tier,
            "how": tier.how,
            "labels": tier.terms,
            "mass": tier.mass,
            "share": tier.share,
        }


def _left(one: Speech, other: Speech, words: Vocabulary) -> Iterator[dict[str, Any]]:
    """The most frequent words that the other has no word for."""
    rows = words.alignment.crosswalk_rows
    masses = _mass(one, words), _mass(other, words)
    for name, mass in unmapped(words.terms, rows, *masses, words.codebook):
        yield {"of": one.name, "to": other.name, "label": name, "mass": mass}


def _collapses(words: Vocabulary, speeches: Sequence[Speech]) -> Iterator[dict[str, Any]]:
    said = np.unique(np.concatenate([one.terms for one in speeches]))
    for one in collapses(words.terms, words.alignment.crosswalk, said[said >= 0].tolist()):
        yield {
            "vocabulary": one.vocabulary,
            "concept": one.label,
            "labels": ", ".join(one.names),
            "mass": sum(one.masses),
        }


def _together(
    speeches: Sequence[Speech],
    people: Mapping[str, Decided],
    words: Vocabulary,
    settings: Settings,
) -> Iterator[Measured]:
    """All raters at once: of sets, and label by label, with and without each of them."""
    names = tuple(one.name for one in speeches)
    images = np.unique(np.concatenate([one.answers.images for one in speeches]))
    for level in words.alignment.levels:
        yield from _alphas(speeches, images, level, settings, names, "")
        for at, name in enumerate(names):
            others = [one for place, one in enumerate(speeches) if place != at]
            yield from _alphas(others, images, level, settings, names, f"_without:{name}")
    for matrix in matrices(speeches, people, words.best, settings.most):
        yield from reliability_measures(matrix, words.best.name, settings)


def _alphas(
    speeches: Sequence[Speech],
    images: Any,  # noqa: ANN401 (an array)
    level: Level,
    settings: Settings,
    names: tuple[str, ...],
    ending: str,
) -> Iterator[Measured]:
    spread = [one.over(images) for one in speeches]
    answered = [np.isin(images, one.answers.images) for one in speeches]
    for distance in ("jaccard", "masi"):
        found = set_alpha(
            [one.sets(level) for one in spread],
            distance,
            answered=answered,
            sources=settings.of(images),
            how=settings.how,
        )
        yield Measured(TASK, f"alpha_{distance}{ending}", names, found, level.name)
