"""How far two raters agree about the attributes of the faces that both found.

An attribute is told in words (eyeglasses: true), or by a score alone (blurred: UNLIKELY), or as a
number. Two raters are compared where they tell it in one way; a score of a word says how sure a
rater is of that word, whichever it is, and is nothing to put beside another's likelihood. Gender
and emotion are guesses from appearance: they are compared only when asked for by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from visionhub.analysis.estimate import not_estimable
from visionhub.analysis.faces import EMOTION, SENSITIVE, TASK, Matched, Objects
from visionhub.analysis.measured import Measured
from visionhub.analysis.nominal import cohen_kappa, gwet_ac1, percent_agreement
from visionhub.analysis.scored import Scored, agreement
from visionhub.analysis.settings import Settings

REVERSED = {
    ("blurred", "sharpness"),
    ("under_exposed", "brightness"),
}  # one falls as the other rises
UNLIKE = (
    "one tells it as a word, the other as a number or a likelihood: they have no common measure"
)
UNTOLD = "no face that both found has it from both"
UNSHARED = "there is no emotion that both rate"


def attribute_measures(
    matched: Matched, settings: Settings, sensitive: Collection[str] = ()
) -> Iterator[Measured]:
    """Everything that both rate, of the faces that both found. sensitive: what was asked for."""
    mine, theirs = matched.first.names(), matched.second.names()
    for name in sorted((mine & theirs) - set(SENSITIVE)):
        yield from _one(matched, name, settings)
    for pair in sorted(REVERSED):
        for first, second in (pair, pair[::-1]):
            if first in mine and second in theirs:
                yield from _reversed(matched, first, second, settings)
    if "gender" in sensitive:
        yield from words(matched, "gender", settings)
    if EMOTION in sensitive:
        yield from emotions(matched, settings)


def _one(matched: Matched, name: str, settings: Settings) -> Iterator[Measured]:
    """An attribute that both give under one name."""
    form = matched.first.form(name)
    if form != matched.second.form(name):
        yield matched.row("agreement", not_estimable(UNLIKE, len(matched.i)), name)
    elif form == "word":
        yield from words(matched, name, settings)
    else:
        sides = (matched.first, matched.second)
        pair = [one.counted(name) if form == "number" else one.scored(name) for one in sides]
        yield from _scores(matched, name, pair[0], pair[1], settings)


def _scores(
    matched: Matched, thing: str, first: Scored, second: Scored, settings: Settings
) -> Iterator[Measured]:
    pair = first.take(matched.i), second.take(matched.j)
    yield from agreement(TASK, thing, *pair, matched.images, settings)


def _reversed(matched: Matched, one: str, other: str, settings: Settings) -> Iterator[Measured]:
    """Two attributes of which one falls as the other rises: a - stands before the one turned."""
    turned = {falls for _, falls in REVERSED}
    sides = [
        rated.scored(name).reversed() if name in turned else rated.scored(name)
        for rated, name in ((matched.first, one), (matched.second, other))
    ]
    names = [f"-{name}" if name in turned else name for name in (one, other)]
    yield from _scores(matched, " ~ ".join(names), sides[0], sides[1], settings)


def words(matched: Matched, name: str, settings: Settings) -> Iterator[Measured]:
    """Agreement about a word: gender, smile, eyeglasses."""
    first, second = matched.first.word(name)[matched.i], matched.second.word(name)[matched.j]
    yield from _agreement(matched, name, first, second, settings)


def _agreement(
    matched: Matched, thing: str, first: Objects, second: Objects, settings: Settings
) -> Iterator[Measured]:
    """Of the faces that have a word from both."""
    known = np.array([None not in pair for pair in zip(first, second, strict=True)], dtype=np.bool_)
    if not known.any():
        yield matched.row("percent_agreement", not_estimable(UNTOLD), thing)
        return
    first, second = first[known], second[known]
    rated = np.stack([first, second], axis=1)
    sources, how = settings.of(matched.images[known]), settings.how
    found = {
        "percent_agreement": percent_agreement(rated, sources=sources, how=how),
        "cohen_kappa": cohen_kappa(first, second, sources=sources, how=how),
        "gwet_ac1": gwet_ac1(rated, sources=sources, how=how),
    }
    for measure, value in found.items():
        yield matched.row(measure, value, thing)


def emotions(matched: Matched, settings: Settings) -> Iterator[Measured]:
    """Each emotion that both rate, by its scores; and the strongest, where both give numbers.

    A face whose strongest emotion is none that the other rates says nothing about agreement, and is
    left out.
    """
    shared = matched.first.graded(EMOTION) & matched.second.graded(EMOTION)
    if not shared:
        yield matched.row("percent_agreement", not_estimable(UNSHARED), EMOTION)
    for word in sorted(shared):
        pair = (matched.first.scored(EMOTION, word), matched.second.scored(EMOTION, word))
        yield from _scores(matched, f"{EMOTION}: {word}", *pair, settings)
    first, second = (
        _among(one.strongest(EMOTION), shared) for one in (matched.first, matched.second)
    )
    if any(first) and any(second):
        thing = f"{EMOTION}: strongest"
        yield from _agreement(matched, thing, first[matched.i], second[matched.j], settings)


def _among(words: Objects, shared: Collection[str]) -> Objects:
    return np.array([word if word in shared else None for word in words], dtype=object)


def by_image(settings: Settings) -> Settings:
    """Faces of one photograph are not independent: without sources, photographs are drawn whole."""
    return settings if settings.sources else replace(settings, sources=lambda images: images)


def told_by_image(row: Measured, settings: Settings) -> Measured:
    """The same, whose sources were images, says so; settings: those before `by_image`."""
    if settings.sources:
        return row
    found = row.estimate
    method, reason = (text.replace("source", "image") for text in (found.method, found.reason))
    return replace(row, estimate=replace(found, method=method, reason=reason))
