"""What people said about images, as raters beside the providers.

A code is a yes, a no or "could not tell" about a label, a box, or a number of a rating. Of a label
that a person codes with yes and no, silence about an image is no "no": the person has not decided.
Of one that a person never codes with no, silence in an image that was looked at is taken for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visionhub.analysis.frames import BOX, Answers, Bools, Floats, Integers
from visionhub.analysis.raters import CODER, Rater

VOCABULARY = "codes"
YES_OR_NO = (0.0, 1.0)


@dataclass(frozen=True)
class Code:
    """One code: who, which image, what. value: nan for "could not tell". box: four nan for none."""

    coder: str
    image: int
    label: str
    value: float = 1.0
    box: tuple[float, ...] = (math.nan,) * 4
    crowd: bool = False


@dataclass(frozen=True)
class Codes:
    """The codes of one coder.

    image: (m,) ids; label: (m,) places in `labels`, -1 for none; value: (m,); boxes: (m, 4), nan
    for none; crowd: (m,) whether a box stands for a crowd. ratings: labels that are numbers on a
    scale, which are no yes or no. notes: what a reader should know about the file.
    """

    name: str
    labels: tuple[str, ...]
    image: Integers
    label: Integers
    value: Floats
    boxes: Floats
    crowd: Bools
    ratings: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, rows: Sequence[Code], notes: tuple[str, ...] = ()) -> Codes:
        """From one coder's codes, in any order."""
        labels = tuple(dict.fromkeys(code.label for code in rows if code.label))
        places = {label: at for at, label in enumerate(labels)}
        return cls(
            name,
            labels,
            np.array([code.image for code in rows], dtype=np.int64),
            np.array([places.get(code.label, -1) for code in rows], dtype=np.int64),
            np.array([code.value for code in rows], dtype=np.float64),
            np.array([code.box for code in rows], dtype=np.float64).reshape(-1, 4),
            np.array([code.crowd for code in rows], dtype=np.bool_),
            notes=notes,
        )

    @property
    def rater(self) -> Rater:
        """The coder as a rater."""
        return Rater(self.name, CODER, 0, vocabulary=VOCABULARY, images=len(np.unique(self.image)))

    @property
    def boxed(self) -> Bools:
        """(m,) whether a row is a box."""
        return ~np.isnan(self.boxes[:, 0])

    @property
    def scaled(self) -> Bools:
        """(m,) whether a row is a number on a scale."""
        rated = [place for place, label in enumerate(self.labels) if label in self.ratings]
        return np.isin(self.label, rated)

    @property
    def of_images(self) -> bool:
        """Whether it says yes or no, or nothing, about whole images."""
        return bool((~self.boxed & ~self.scaled & (self.label >= 0)).any())

    def looked(self, *, boxed: bool = False) -> Integers:
        """Ids of the images that the coder has looked at, ascending.

        boxed: for things to draw boxes around: those with a box, or with the word that none is
        there. An image that was only rated has not been looked at for labels.
        """
        kept = self.boxed | (self.label < 0) if boxed else ~self.scaled
        return np.unique(self.image[kept])

    def answers(self, *, boxed: bool, crowds: bool = False) -> Answers:
        """What was said to be there, as answers: with a box each, or of whole images.

        crowds: whether boxes around a crowd are there. They stand for no single thing, so that
        nobody's box can be right or wrong about them; only COCO's protocol knows what to do.
        """
        about = self.label >= 0
        about &= self.boxed & (crowds | ~self.crowd) if boxed else ~self.scaled
        kept = np.flatnonzero(about & (self.value > 0))
        images = self.looked(boxed=boxed)
        at = np.searchsorted(images, self.image[kept])
        order = np.argsort(at, kind="stable")
        kept, at = kept[order], at[order]
        spoken = np.unique(self.label[about])  # also what is never there: a no is an answer
        return Answers(
            self.rater,
            images,
            np.zeros(len(images), dtype=np.bool_),
            at,
            np.arange(len(at)) - np.searchsorted(at, at) + 1,
            {
                **(dict(zip(BOX, self.boxes[kept].T, strict=True)) if boxed else {}),
                "score": np.full(len(kept), np.nan),
                "crowd": self.crowd[kept].astype(np.float64),
            },
            {
                "name": np.searchsorted(spoken, self.label[kept]),
                "vendor_id": np.full(len(kept), -1, dtype=np.int64),
            },
            {"name": [self.labels[place] for place in spoken], "vendor_id": []},
        )

    def values(self, label: str) -> dict[int, float]:
        """What was coded about one label of whole images; nan where the coder could not tell."""
        if label not in self.labels:
            return {}
        kept = (self.label == self.labels.index(label)) & ~self.boxed
        pairs = zip(self.image[kept].tolist(), self.value[kept].tolist(), strict=True)
        found: dict[int, float] = {}
        for image, value in pairs:
            if math.isnan(found.get(image, math.nan)):
                found[image] = value
        return found

    def noes(self, label: str) -> Integers:
        """Ids of the images of which it is decided that a label is not there."""
        values = self.values(label)
        coded = [image for image, value in values.items() if value <= 0]
        if coded:
            return np.array(sorted(coded), dtype=np.int64)
        return np.setdiff1d(self.looked(), np.array(list(values), dtype=np.int64))


def scales(coders: Sequence[Codes]) -> frozenset[str]:
    """Labels of which somebody gave a number other than 0 and 1: these are ratings for everybody.

    A coder of a scale from 0 to 4 may have used 0 and 1 alone.
    """
    return frozenset(
        codes.labels[place]
        for codes in coders
        for place in np.unique(
            codes.label[
                (codes.label >= 0) & ~np.isnan(codes.value) & ~np.isin(codes.value, YES_OR_NO)
            ]
        ).tolist()
    )
