"""Ratings as numbers: units by raters, from whatever they come in."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.given import counts_of, items_of, sources_of
from visionhub.analysis.resample import Integers, Sums

Sources: TypeAlias = ArrayLike | None
Names: TypeAlias = Sequence[Hashable] | None
Moments: TypeAlias = Any  # an array of numpy's, or a sparse one of scipy's
Rows: TypeAlias = Any  # whatever two raters' ratings come in: see `pair`
PAIR = 2
LARGEST = 1 << 62  # of whole numbers that stand for rows
NO_ROWS = (str, bytes, set, frozenset, dict)
RAGGED = "ratings are units x raters: rows of one length, None where missing"


@dataclass(frozen=True)
class Ratings:
    """Which category each rater put each unit into.

    codes: (units, raters) numbers of categories, -1 where missing. counts: (units,) how many units
    are just like this row; None is one each. named: whether a column is one rater throughout.
    """

    codes: Integers
    categories: tuple[Hashable, ...]
    counts: Integers | None = None
    named: bool = True

    @classmethod
    def of(cls, ratings: Rated, categories: Names = None) -> Ratings:
        """From (units, raters) ratings. categories: all that were possible, if more than occur."""
        return ratings if isinstance(ratings, Ratings) else cls(*coded(ratings, categories))

    @classmethod
    def of_table(cls, table: ArrayLike, categories: Names = None) -> Ratings:
        """From a (q, q) table of two raters' units: rows are the first one's categories."""
        cells = counts_of(table, "cells of a table")
        if cells.ndim != PAIR or cells.shape[0] != cells.shape[1]:
            raise ValueError(f"a table of two raters is square, this one is {cells.shape}")
        names = tuple(range(len(cells)) if categories is None else categories)
        return cls(np.indices(cells.shape).reshape(2, -1).T, names, cells.ravel())

    @classmethod
    def of_counts(cls, counts: ArrayLike, categories: Names = None) -> Ratings:
        """From (units, q) numbers of raters who chose each category; who they were is not known."""
        chosen = counts_of(counts, "raters who chose a category")
        if not chosen.size and chosen.ndim == 1:
            chosen = chosen.reshape(0, len(categories or ()))
        if chosen.ndim != PAIR:
            raise ValueError(f"counts are units x categories, these have {chosen.ndim} dimensions")
        rated = chosen.sum(axis=1)
        codes = np.full((len(chosen), int(rated.max(initial=0))), -1, dtype=np.int64)
        values = np.repeat(np.tile(np.arange(chosen.shape[1]), len(chosen)), chosen.ravel())
        codes[np.arange(codes.shape[1]) < rated[:, None]] = values
        names = tuple(range(chosen.shape[1]) if categories is None else categories)
        return cls(codes, names, named=False)


Rated: TypeAlias = Sequence[Sequence[Any]] | NDArray[Any] | Ratings


def coded(
    ratings: Sequence[Sequence[Any]] | NDArray[Any], categories: Names = None
) -> tuple[Integers, tuple[Any, ...]]:
    """Numbers for categories, (units, raters), -1 where missing; and the categories themselves.

    Categories that can be compared are put in order, others stand as they were met. Raises
    ValueError where a rating is none of the `categories` that were named.

    >>> coded([["cat", "dog"], ["dog", None]])
    (array([[ 0,  1],
           [ 1, -1]]), ('cat', 'dog'))
    """
    import pandas as pd

    values = _matrix(ratings)
    numbers, met = pd.factorize(values.ravel())
    names = met.tolist()
    known = list(categories) if categories is not None else _in_order(names)
    place = {name: number for number, name in enumerate(known)}
    if strange := [name for name in names if name not in place]:
        raise ValueError(f"{strange[0]!r} is none of the categories {known}")
    places = np.array([place[name] for name in names] + [-1], dtype=np.int64)
    return places[numbers].reshape(values.shape), tuple(known)


def _matrix(ratings: Sequence[Sequence[Any]] | NDArray[Any]) -> NDArray[Any]:
    """Anything of two dimensions as an array whose items are left as they are."""
    values: Any = ratings.to_numpy() if hasattr(ratings, "to_numpy") else ratings
    if isinstance(values, np.ma.MaskedArray):
        hidden, values = np.ma.getmaskarray(values), values.data.astype(object)
        values[hidden] = None
    if not isinstance(values, np.ndarray):
        values = _of_rows(values)
    if values.ndim != PAIR:
        raise ValueError(f"ratings are units x raters, these have {values.ndim} dimensions")
    matrix: NDArray[Any] = values
    return matrix


def _of_rows(given: Sequence[Any]) -> NDArray[Any]:
    """Rows that can be gone through and have an order, which texts and sets are not."""
    kinds = set(map(type, given))  # few, of a million rows
    if any(issubclass(kind, NO_ROWS) or not issubclass(kind, Iterable) for kind in kinds):
        raise ValueError(RAGGED)
    masked = any(issubclass(kind, np.ma.MaskedArray) for kind in kinds)
    rows = [tuple(items_of(row)) for row in given] if masked else [tuple(row) for row in given]
    width = len(rows[0]) if rows else 0
    if any(len(row) != width for row in rows):
        raise ValueError(RAGGED)
    items = np.fromiter(chain.from_iterable(rows), dtype=object, count=len(rows) * width)
    return items.reshape(len(rows), width)


def _in_order(names: list[Any]) -> list[Any]:
    try:
        return sorted(names)
    except TypeError:
        return names


def patterns(codes: Integers) -> tuple[Integers, Integers]:
    """The different rows of whole numbers from -1, (P, r); and which of them each is, (units,)."""
    base, width = int(codes.max(initial=0)) + 2, codes.shape[1]
    if width and base**width < LARGEST:
        keys = (codes + 1) @ (base ** np.arange(width, dtype=np.int64))
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        return codes[first], which
    rows, which = np.unique(codes, axis=0, return_inverse=True)
    return rows, which.reshape(-1)


def gathered(moments: Moments, which: Integers, sources: Sources = None) -> Sums:
    """Sums of the (P, k) moments of patterns, dense or sparse; each unit's pattern is `which`."""
    from scipy import sparse

    place = sources_of(sources, len(which))
    if place is None:
        counts = np.bincount(which, minlength=moments.shape[0])
        return Sums(moments, np.ones(len(counts), dtype=np.int64), counts)
    shape = (int(place.max(initial=-1)) + 1, moments.shape[0])
    table = sparse.coo_array((np.ones(len(which)), (place, which)), shape=shape).tocsr()
    return Sums(table @ moments, np.bincount(place), sourced=True)


def _column(row: Rows) -> NDArray[Any]:
    """One rater's ratings as an array whose items are left as they are."""
    if isinstance(row, np.ndarray) and not isinstance(row, np.ma.MaskedArray):
        values = row
    else:
        items = items_of(row)
        values = np.fromiter(items, dtype=object, count=len(items))
    if values.ndim != 1:
        raise ValueError(f"a rater's ratings are one row, these have {values.ndim} dimensions")
    return values


def _beside(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """(units, 2) of two rows."""
    if len(first) != len(second):
        raise ValueError(f"two rows of one length, not {len(first)} and {len(second)} ratings")
    if first.dtype.kind != second.dtype.kind:  # or numpy would make texts of numbers
        first, second = first.astype(object), second.astype(object)
    return np.column_stack([first, second])


def pair(first: Rows, second: Rows = None, categories: Names = None) -> Ratings:
    """Two raters' ratings from what they come in: two rows, a square table, or units x 2.

    A square of numbers without a `second` is a table.
    """
    if isinstance(first, Ratings):
        return first
    if second is not None:
        return Ratings.of(_beside(_column(first), _column(second)), categories)
    cells = np.asarray(first)
    if cells.ndim == PAIR and cells.shape[0] == cells.shape[1] and cells.dtype.kind in "iuf":
        return Ratings.of_table(first, categories)
    if cells.ndim != PAIR or cells.shape[1] != PAIR:
        raise ValueError("two raters are a square table, two rows of ratings, or units x 2")
    return Ratings.of(first, categories)
