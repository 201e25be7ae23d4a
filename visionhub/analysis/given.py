"""What a caller gives, as arrays: columns, numbers, counts, sources; or what is wrong with it."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any, TypeAlias

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
    plain = values.tolist() if hasattr(values, "tolist") else list(values)  # type: ignore[call-overload]
    return [None if pd.api.types.is_scalar(one) and pd.isna(one) else one for one in plain]


def numbers_of(values: Column) -> Floats:
    """Numbers of any shape as floats; nan where missing. Raises ValueError where one is infinite.

    >>> numbers_of([1, None])
    array([ 1., nan])
    """
    table = values.to_numpy(np.float64, na_value=np.nan) if hasattr(values, "to_numpy") else values
    if isinstance(table, np.ma.MaskedArray):
        table = np.ma.filled(table.astype(np.float64), np.nan)
    numbers = np.array(table, dtype=np.float64)  # None becomes nan
    if np.isinf(numbers).any():
        raise ValueError("a number is infinite: leave it out, or say None where it is missing")
    return numbers


def counts_of(values: ArrayLike, what: str) -> Integers:
    """Whole numbers from 0. Raises ValueError, which names `what`, of any other.

    >>> counts_of([[3.0, 1.0]], "cells")
    array([[3, 1]])
    """
    numbers = np.asarray(values)
    if numbers.size and (numbers.dtype.kind not in "iufb" or not _whole(numbers)):
        raise ValueError(f"{what} are counts: whole numbers, none below 0")
    return numbers.astype(np.int64)


def _whole(numbers: NDArray[Any]) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(numbers).all() and (numbers >= 0).all() and not (numbers % 1).any())


def sources_of(sources: ArrayLike | None, units: int) -> Integers | None:
    """(units,) numbers of the sources; a unit without one is its own. None where none are given.

    Raises ValueError where there are not as many as `units`.

    >>> sources_of(["b", "a", None, None], 4)
    array([1, 0, 2, 3])
    """
    import pandas as pd

    if sources is None:
        return None
    if isinstance(sources, np.ndarray) and sources.dtype.kind in "iu" and sources.ndim == 1:
        names = sources  # of a million units, which have been numbered before
    else:
        names = np.empty(np.size(sources), dtype=object)
        names[:] = items_of(sources)
    if len(names) != units:
        raise ValueError(f"{len(names)} sources for {units} units")
    try:
        codes, met = pd.factorize(names, sort=True)
    except TypeError:  # of kinds that have no order among them
        codes, met = pd.factorize(names)
    alone = codes < 0
    codes[alone] = len(met) + np.arange(int(alone.sum()))
    return np.asarray(codes, dtype=np.int64)
