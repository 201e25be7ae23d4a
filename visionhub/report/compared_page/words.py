"""What the script searches: names and words of each photograph, small enough for thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from visionhub.analysis.frames import Floats
from visionhub.report.compared_page.photo import Photo
from visionhub.report.compared_page.roster import Roster
from visionhub.report.plain import plain

LONGEST = 100  # characters of a word
DIGITS = 3  # of distances


@dataclass
class Index:
    """Numbers for words, as they are met; each block of photographs brings its new ones."""

    roster: Roster
    tasks: Sequence[str]
    _numbers: dict[str, int] = field(default_factory=dict)

    def block(self, photos: Sequence[Photo], distances: Floats) -> dict[str, Any]:
        """What is found of some photographs.

        names: of files. apart: distances by column, null for none. answered: by task, who did, as
        bits. told: three numbers for each word, its own, task * raters + rater, and who shares it
        (see `Code.packed`). words: those that are new, in the order of their numbers.
        """
        before = len(self._numbers)
        told = [self._told(photo) for photo in photos]
        return {
            "names": [_names(photo) for photo in photos],
            "apart": [[_distance(one) for one in row] for row in distances.tolist()],
            "answered": [[task.bits for task in photo.tasks] for photo in photos],
            "told": told,
            "words": list(self._numbers)[before:],
        }

    def _told(self, photo: Photo) -> list[int]:
        found: dict[tuple[int, int, int], None] = {}
        raters = len(self.roster.names)
        for task in photo.tasks:
            for one in task.told:
                who = self.tasks.index(task.name) * raters + self.roster.place(one.rater)
                for word, code in one.words:
                    text = plain(word, LONGEST)
                    number = self._numbers.setdefault(text, len(self._numbers))
                    found[number, who, code.packed(raters)] = None
        return [number for entry in found for number in entry]


def _names(photo: Photo) -> str:
    paths = photo.image.paths or (photo.image.name,)
    return plain(" ".join(paths))


def _distance(value: float) -> float | None:
    return None if np.isnan(value) else round(value, DIGITS)
