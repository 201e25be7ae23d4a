"""The measures of `make evaluate` that are plain arithmetic: intervals, overlaps, words.

The COCO protocol has a module of its own, benchmarks.coco.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # the normal distribution's two-sided 95 %
TERM = re.compile(r"[^\W_]+")  # a run of letters and digits
SHORTEST = 3  # letters and digits; shorter fragments are found anywhere by chance

Floats = NDArray[np.float64]


def wilson(hits: int, n: int, z: float = Z) -> tuple[float, float]:
    """Bound a proportion by the score interval of Wilson (1927), without continuity correction.

    ValueError unless 0 <= hits <= n and n > 0.
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n} is no proportion")
    share, bend = hits / n, z * z / n
    middle = share + bend / 2
    half = z * math.sqrt(share * (1 - share) / n + bend / (4 * n))
    low = 0.0 if hits == 0 else (middle - half) / (1 + bend)
    high = 1.0 if hits == n else (middle + half) / (1 + bend)
    return low, high


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], n: int, draws: int = 300, seed: int = 0
) -> tuple[float, float]:
    """Bound a statistic by the 95 % percentile interval of resampled units (Efron 1979).

    statistic: takes the positions of one draw, n out of range(n) with replacement.
    """
    random = np.random.default_rng(seed)
    values = [statistic(random.integers(0, n, n)) for _ in range(draws)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def overlaps(found: Floats, truth: Floats, crowd: NDArray[np.bool_] | None = None) -> Floats:
    """Intersection over union of every pair of boxes: (d, 4) and (g, 4) give (d, g).

    Boxes are x, y, width, height in one unit, without the extra pixel of older benchmarks. For a
    true box that stands for a crowd, the intersection is divided by the found box's own area.
    """
    crowd = np.zeros(len(truth), dtype=bool) if crowd is None else crowd
    near = np.maximum(found[:, None, :2], truth[None, :, :2])
    far = np.minimum(
        found[:, None, :2] + found[:, None, 2:], truth[None, :, :2] + truth[None, :, 2:]
    )
    shared: Floats = np.clip(far - near, 0, None).prod(axis=2)
    own = found[:, 2:].prod(axis=1)[:, None]
    union = np.where(crowd[None], own, own + truth[:, 2:].prod(axis=1)[None] - shared)
    share: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return share


def pair(
    overlap: Floats, least: Floats, ignored: NDArray[np.bool_], shareable: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Give each found box, best first, a true box: (t, d) positions, -1 for none.

    overlap: (d, g); least: the (t,) overlaps that are asked for. Each found box takes the free
    true box of largest overlap, an ignored one only when no other will do, and the last among
    equals; a `shareable` true box stays free. This is the greedy rule of the COCO evaluation.
    """
    levels, (many, boxes) = np.arange(len(least)), overlap.shape
    given = np.full((len(least), many), -1, dtype=np.intp)
    taken = np.zeros((len(least), boxes), dtype=bool)
    if not boxes:
        return given
    for i, row in enumerate(overlap):
        open_ = (row >= np.minimum(least, 1 - 1e-10)[:, None]) & ~(taken & ~shareable)
        counted = open_ & ~ignored
        open_ = np.where(counted.any(axis=1, keepdims=True), counted, open_)
        best = boxes - 1 - np.where(open_, row, -1.0)[:, ::-1].argmax(axis=1)
        given[:, i] = np.where(open_.any(axis=1), best, -1)
        taken[levels, best] |= given[:, i] >= 0
    return given


def found_and_missed(
    found: Floats,
    truth: Floats,
    ignored: NDArray[np.bool_],
    *,
    crowd: NDArray[np.bool_] | None = None,
    least: float = 0.5,
) -> tuple[int, int, int]:
    """Count true boxes found, true boxes missed, and found boxes that are no true one.

    found: (d, 4), best first. An ignored box is neither hit nor miss, and who finds it is right.
    """
    shared = np.zeros(len(truth), dtype=bool) if crowd is None else crowd
    given = pair(overlaps(found, truth, crowd), np.array([least]), ignored, shared)[0]
    hits = int((~ignored[given[given >= 0]]).sum())
    return hits, int((~ignored).sum()) - hits, int((given < 0).sum())


def terms(text: str) -> list[str]:
    """Split a text into words: runs of letters and digits, casefolded."""
    return [word.casefold() for word in TERM.findall(text)]


def words_found(truth: str, found: Iterable[str]) -> tuple[int, int]:
    """Count the words of the truth that were read, each as often as it was read, and all of them.

    Order is not looked at, because columns are read in more than one right order.
    """
    wanted, read = Counter(terms(truth)), Counter(terms("\n".join(found)))
    return (wanted & read).total(), wanted.total()


def fragments_found(truth: str, found: Iterable[str]) -> tuple[int, int]:
    """Count the lines of the truth that stand within one line that was read, and all of them.

    Spaces and punctuation are left out on both sides; fragments under three characters are not
    counted at all.
    """
    pieces = ["".join(terms(line)) for line in truth.splitlines()]
    wanted = [piece for piece in pieces if len(piece) >= SHORTEST]
    read = ["".join(terms(line)) for line in found]
    return sum(any(piece in line for line in read) for piece in wanted), len(wanted)
