"""Words as places on a scale of levels in order."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from visionhub.analysis.given import Column, items_of
from visionhub.analysis.resample import Integers

Words: TypeAlias = Sequence[Any] | NDArray[Any] | Column

UNKNOWN = frozenset({"UNKNOWN"})


def levels_of(first: Words, second: Words, unknown: Collection[Hashable]) -> list[int]:
    """Whole numbers that occur, in order. Raises ValueError of anything else."""
    import pandas as pd

    met = {x for row in (first, second) for x in pd.unique(column_of(row)).tolist()}
    known = [x for x in met if not pd.isna(x) and not is_missing(x, unknown)]
    if not all(isinstance(x, Real) and float(x).is_integer() for x in known):
        raise ValueError("name all `levels` in their order, also those that nobody used")
    return sorted({int(x) for x in known})


def is_missing(word: object, unknown: Collection[Hashable]) -> bool:
    """Whether a word is no level: None, nan, or one that means "not known"."""
    return word is None or word != word or word in unknown  # noqa: PLR0124 (nan is not itself)


def column_of(words: Words) -> NDArray[Any]:
    """(n,) words in their order, whatever they come in; None or nan where missing."""
    column: NDArray[Any]
    if isinstance(words, np.ndarray) and not isinstance(words, np.ma.MaskedArray):
        column = words
    else:
        items = items_of(words)
        column = np.fromiter(items, object, len(items))
    if column.ndim != 1:
        raise ValueError(f"words are one for each unit, these have {column.ndim} dimensions")
    return column


def places_of(words: Words, levels: Sequence[Hashable], unknown: Collection[Hashable]) -> Integers:
    """(n,) places of words on the scale, -1 where missing. Raises ValueError of any other word.

    >>> places_of(["no", None, "yes"], ["no", "maybe", "yes"], UNKNOWN)
    array([ 0, -1,  2])
    """
    import pandas as pd

    numbers, met = pd.factorize(column_of(words))
    place = {level: number for number, level in enumerate(levels)}
    names = [-1 if is_missing(word, unknown) else place.get(word, -2) for word in met.tolist()]
    if -2 in names:  # noqa: PLR2004
        strange = met.tolist()[names.index(-2)]
        raise ValueError(f"{strange!r} is none of the levels {list(levels)}")
    places: Integers = np.array([*names, -1], dtype=np.int64)[numbers]
    return places


def both_places(
    first: Words, second: Words, levels: Sequence[Hashable], unknown: Collection[Hashable]
) -> tuple[Integers, Integers]:
    """The same of two raters. Raises ValueError where one has more words than the other."""
    one, two = places_of(first, levels, unknown), places_of(second, levels, unknown)
    same_length(one, two, "words")
    return one, two


def same_length(first: NDArray[Any], second: NDArray[Any], what: str) -> None:
    """Raises ValueError, which names `what`, where one row is longer than the other."""
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} {what} beside {len(second)}")
