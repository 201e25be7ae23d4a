"""What a caller gives, as arrays: columns, numbers, counts, sources; or what is wrong with it."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visionhub.analysis.resample import Floats, Integers

Column: TypeAlias = Any  # a list, an array of numpy's, masked or not, a column or table of pandas'


def items_of(values: Column) -> list[Any]:
    """A list, array or pandas column as a list in its order; None where missing.

    Missing are None, nan, NA, NaT, and what is masked. Raises TypeError of one text, of a set and
    of what has no length.

    >>> items_of(np.array([1.0, np.nan]))
    [1.0, None]
    """
    import pandas as pd

    if isinstance(values, (str, bytes, set, frozenset, dict)) or not isinstance(values, Sized):
        raise TypeError(f"give a list or a column, not {type(values).__name__}")
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        values = pd.Series(values)  # as a list they would be bare numbers
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    missing = pd.isna(_row(plain)).tolist()
    pairs = zip(plain, missing, strict=True)
    return [None if gone or one is np.ma.masked else one for one, gone in pairs]


def _row(items: list[Any]) -> NDArray[Any]:
    """One item a place, whatever they are; numpy would make a table of tuples."""
    return np.fromiter(items, dtype=object, count=len(items))


def numbers_of(values: Column) -> Floats:
    """Numbers of any shape as floats; nan where missing. Raises ValueError where one is infinite.

    >>> numbers_of([1, None])
    array([ 1., nan])
    """
    table = values.to_numpy() if hasattr(values, "to_numpy") else values
    if isinstance(table, np.ma.MaskedArray):
        table = np.ma.filled(table.astype(np.float64), np.nan)
    if not isinstance(table, np.ndarray) or table.dtype.kind == "O":
        table = _table(table)
    numbers = np.array(table, dtype=np.float64)  # None becomes nan
    if np.isinf(numbers).any():
        raise ValueError("a number is infinite: leave it out, or say None where it is missing")
    return numbers


def _table(values: ArrayLike) -> NDArray[Any]:
    """Lists of numbers as an array; with nan for pandas' NA, which numpy does not know."""
    import pandas as pd

    table = np.array(values, dtype=object)
    table[pd.isna(table)] = np.nan
    return table


def counts_of(values: ArrayLike, what: str) -> Integers:
    """Whole numbers from 0. Raises ValueError, which names `what`, of any other.

    >>> counts_of([[3.0, 1.0]], "cells")
    array([[3, 1]])
    """
    numbers = np.asarray(values)
    known = numbers.dtype.kind in "iufb" and not np.ma.is_masked(values)
    if numbers.size and not (known and _whole(numbers)):
        raise ValueError(f"{what} are counts: whole numbers, none below 0")
    return numbers.astype(np.int64)


def _whole(numbers: NDArray[Any]) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(numbers).all() and (numbers >= 0).all() and not (numbers % 1).any())


@overload
def sources_of(sources: None, units: int) -> None: ...
@overload
def sources_of(sources: ArrayLike, units: int) -> Integers: ...
def sources_of(sources: ArrayLike | None, units: int) -> Integers | None:
    """(units,) numbers of the sources; a unit without one is its own. None where none are given.

    Raises ValueError where there are not as many as `units`.

    >>> sources_of(["b", "a", None, None], 4)
    array([1, 0, 2, 3])
    """
    import pandas as pd

    if sources is None:
        return None
    names = np.asarray(sources) if _plain(sources) else _row(items_of(sources))
    if len(names) != units:
        raise ValueError(f"{len(names)} sources for {units} units")
    try:
        codes, met = pd.factorize(names, sort=True)
    except TypeError:  # of kinds that have no order among them
        codes, met = pd.factorize(names)
    alone = codes < 0
    codes[alone] = len(met) + np.arange(int(alone.sum()))
    return np.asarray(codes, dtype=np.int64)


def clusters_of(sources: Integers | None, units: int) -> int:
    """How many sources some units come from, by `sources_of`; without sources each is its own."""
    return units if sources is None else len(np.unique(sources))


def _plain(sources: ArrayLike) -> bool:
    """Whether pandas can number them as they are, which is fast: an array of one kind."""
    array = isinstance(sources, np.ndarray) and not isinstance(sources, np.ma.MaskedArray)
    return array and np.ndim(sources) == 1 and np.asarray(sources).dtype.kind != "O"
