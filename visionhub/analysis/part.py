"""What is wanted of a comparison, and what each task brings: measures, tables, notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from visionhub.analysis.codes import Codes
from visionhub.analysis.frames import Floats, Integers
from visionhub.analysis.measured import Measured
from visionhub.analysis.raters import Rater
from visionhub.analysis.settings import Settings
from visionhub.analysis.vocabulary.alignment import Alignment
from visionhub.analysis.vocabulary.codebook import Codebook
from visionhub.analysis.vocabulary.crosswalk import Crosswalk


@dataclass(frozen=True)
class Wanted:
    """What to compare.

    tasks: () for all that two raters have answered. raters: as `raters.choose` takes them, () for
    all. rows: the user's crosswalk. gold: the coder that is taken as true. sensitive: which guesses
    about people are compared.
    """

    tasks: Sequence[str] = ()
    raters: Sequence[str] = ()
    rows: Crosswalk | None = None
    codebook: Codebook | None = None
    coders: Sequence[Codes] = ()
    gold: str = ""
    sensitive: Collection[str] = ()
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Apart:
    """How far raters are apart about each image: (n,) ids, and 0 (as one) to 1.

    raters: the pair. about: what the distance is of, for people.
    """

    raters: tuple[str, str]
    about: str
    images: Integers
    distance: Floats


@dataclass(frozen=True)
class Worded:
    """What raters' words mean; said: of each rater the numbers of the terms that it ever said."""

    alignment: Alignment
    said: tuple[Integers, ...]


@dataclass
class Part:
    """One task. tables: rows by name, such as cells, sweep, mapped, collapses.

    worded: of labels, for who shows single words.
    """

    task: str
    raters: tuple[Rater, ...] = ()
    rows: list[Measured] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    apart: list[Apart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    worded: Worded | None = None

    def add(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """More rows of a table."""
        self.tables.setdefault(table, []).extend(rows)


def mean_apart(parts: Sequence[Apart]) -> tuple[Integers, Floats]:
    """(n,) images and how far apart raters are, on average over the pairs that answered both."""
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    image = np.concatenate([one.images for one in parts])
    distance = np.concatenate([one.distance for one in parts])
    names, place = np.unique(image, return_inverse=True)
    total = np.bincount(place, distance, len(names))
    return names, total / np.bincount(place, minlength=len(names))
