"""Where people have decided about a concept: their yes, their no, and what they have left open.

A provider's silence is what it says of an image. A person who codes a label with yes and no has
decided about the coded images alone; about others nothing is known, and it is no "no". So single
labels are compared, and reliability is computed, over the images of which every person decided.
Sets of labels, which have no such gaps, take what was left open as not said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from visionhub.analysis.codes import Codes
from visionhub.analysis.frames import Bools, Integers
from visionhub.analysis.label_things import Thing, things
from visionhub.analysis.labels import LabelPair
from visionhub.analysis.settings import Settings
from visionhub.analysis.spoken import Speech
from visionhub.analysis.vocabulary.level import Level


@dataclass(frozen=True)
class Decided:
    """One person's decisions, at one level. labels: (l,) what is coded, term after term."""

    codes: Codes
    speech: Speech
    level: Level

    @classmethod
    def all(
        cls, coders: Sequence[Codes], speeches: Sequence[Speech], level: Level
    ) -> dict[str, Decided]:
        """Of every coder, by name."""
        by_name = {one.name: one for one in speeches}
        return {one.name: cls(one, by_name[one.name], level) for one in coders}

    def noes(self, concept: int) -> Integers:
        """Ids of the images of which it is decided that a concept is not there.

        A person who has a label for just this concept says so with that label's no; one who has
        only narrower ones when all of these are not there.
        """
        labels = self._labels(concept, own=True) or self._labels(concept, own=False)
        found = self.speech.answers.images
        for label in labels:
            found = np.intersect1d(found, self._noes[label], assume_unique=True)
        return found

    def decided(self, concept: int) -> Integers:
        """Ids of the images of which it is decided whether a concept is there."""
        image, thing = self._said
        return np.union1d(image[thing == concept], self.noes(concept))

    @cached_property
    def _noes(self) -> dict[str, Integers]:
        """The noes of every label, which many concepts ask for."""
        return {label: self.codes.noes(label) for label in self.speech.answers.texts["name"]}

    @cached_property
    def _said(self) -> tuple[Integers, Integers]:
        """Ids of images, and what is there."""
        sets = self.speech.sets(self.level)
        return self.speech.answers.images[sets.image], sets.thing

    def _labels(self, concept: int, *, own: bool) -> list[str]:
        """The coder's labels that say a concept; own: those that are it."""
        terms = self.speech.coded if self.speech.coded is not None else np.zeros(0, np.int64)
        place, said = self.level.expand(terms, own=own)
        names = self.speech.answers.texts["name"]
        return [names[at] for at in np.unique(place[said == concept]).tolist()]


def decided_things(
    found: LabelPair, people: Mapping[str, Decided], settings: Settings
) -> list[Thing]:
    """`labels.things`, each over the images of which every person of the pair has decided."""
    deciding = [people[name] for name in found.names if name in people]
    gaps: dict[int, Bools] = {}
    for concept in np.flatnonzero(found.shared).tolist() if deciding else ():
        kept = np.ones(len(found.images), dtype=np.bool_)
        for one in deciding:
            kept &= np.isin(found.images, one.decided(concept))
        if not kept.all():
            gaps[concept] = kept
    whole = found.shared.copy()
    whole[list(gaps)] = False
    measured = things(replace(found, shared=whole), settings)
    for concept, kept in gaps.items():
        measured += things(_only(found, concept, found.images[kept]), settings)
    return sorted(measured, key=lambda one: -sum(one.cells[:3]))[: settings.most]


def _only(found: LabelPair, concept: int, images: Integers) -> LabelPair:
    """One concept in some of the images."""
    shared = np.zeros_like(found.shared)
    shared[concept] = True
    return LabelPair(
        found.first.only(images), found.second.only(images), found.level, images, shared
    )


def left_open(people: Mapping[str, Decided]) -> list[str]:
    """What a reader should know about labels that a person has not decided about everywhere."""
    notes = []
    for name, one in people.items():
        images = one.speech.answers.images
        gaps = {label: _undecided(one, label, images) for label in one.speech.answers.texts["name"]}
        labels = [label for label, left in gaps.items() if len(left)]
        if labels:
            some = ", ".join(labels[:3]) + (" …" if len(labels) > 3 else "")  # noqa: PLR2004
            many = len(np.unique(np.concatenate(list(gaps.values()))))
            notes.append(
                f"{name} has left labels open ({some}) in {many:,} of {len(images):,} images: "
                f"measures of a single label leave out the images where it is open, those of sets "
                f"take it as not said."
            )
    return notes


def _undecided(one: Decided, label: str, images: Integers) -> Integers:
    """Ids of the images of which a person has said neither yes nor no about a label."""
    return np.setdiff1d(images, np.union1d(one.codes.noes(label), _yes(one.codes, label)))


def _yes(codes: Codes, label: str) -> Integers:
    values = codes.values(label)
    coded = [image for image, value in values.items() if value > 0]
    boxed = codes.image[codes.boxed & (codes.label == codes.labels.index(label))]
    return np.union1d(np.array(coded, dtype=np.int64), boxed)
