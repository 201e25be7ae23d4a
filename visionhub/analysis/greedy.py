"""COCO's greedy rule: which true box a found box counts for, the best scored box first.

For a model against gold. The rule is not symmetric and needs scores; for raters of equal standing
there is `matching`. Rule and crowds: Lin et al., "Microsoft COCO: Common Objects in Context"
(2014), and the challenge's page on detection evaluation. Boxes are x, y, width, height, as there.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from visionhub.analysis.boxes import Bools, Floats, Integers, from_xywh, intersections

WHOLE = 1 - 1e-10  # a threshold of 1 is this much


def overlaps(found: Floats, truth: Floats, crowd: Bools | None = None) -> Floats:
    """Intersection over union of every pair of boxes: (d, 4) and (g, 4) give (d, g).

    For a true box that stands for a crowd, the intersection is divided by the found box's own area.

    >>> overlaps(np.array([[0, 0, 10, 10.0]]), np.array([[5, 0, 100, 10.0]]), np.array([True]))
    array([[0.5]])
    """
    crowd = np.zeros(len(truth), dtype=bool) if crowd is None else crowd
    i, j = np.divmod(np.arange(len(found) * len(truth)), max(len(truth), 1))
    return paired_overlaps(found[i], truth[j], crowd[j]).reshape(len(found), len(truth))


def paired_overlaps(found: Floats, truth: Floats, crowd: Bools) -> Floats:
    """The same of boxes one by one: (n,)."""
    common = intersections(from_xywh(found), from_xywh(truth))
    own = found[:, 2] * found[:, 3]
    union = np.where(crowd, own, own + truth[:, 2] * truth[:, 3] - common)
    share: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return share


def pair(overlap: Floats, least: Floats, ignored: Bools, shareable: Bools) -> Integers:
    """Give each found box of one image, best first, a true box: (t, d) positions, -1 for none.

    overlap: (d, g). least: the (t,) overlaps that are asked for. ignored, shareable: (g,), as in
    `give`.
    """
    i, j = np.nonzero(overlap > 0)
    turns = np.arange(len(overlap))
    given: Integers = give(turns, i, j, overlap[i, j], least, ignored[None], shareable)[0]
    return given


def give(
    turn: Integers,
    i: Integers,
    j: Integers,
    overlap: Floats,
    least: Floats,
    ignored: Bools,
    shareable: Bools,
) -> Integers:
    """Give each found box of many images a true box: (s, t, d) positions, -1 for none.

    turn: (d,) when each found box chooses: 0 for the best scored of an image and category. i, j:
    (n,) pairs of a found and a true box of one image and category, and their overlap. least: (t,)
    overlaps that are asked for. ignored: (s, g) true boxes that do not count, in s ways to count.
    shareable: (g,) true boxes that stay free when they are taken.

    Each found box takes the free true box of largest overlap, an ignored one only when no other
    will do, and the last among equals. A loop over turns; all images take theirs at once.
    """
    least = np.minimum(least, WHOLE)[:, None]
    near = np.flatnonzero(overlap >= least.min())
    near = near[np.lexsort((j[near], overlap[near], i[near], turn[i[near]]))]
    i, j, overlap = i[near], j[near], overlap[near]
    liking = np.arange(len(i)) + len(i) * ~ignored[:, None, j]
    given = np.full((len(ignored), len(least), len(turn)), -1)
    taken = np.zeros((len(ignored), len(least), len(shareable)), dtype=bool)
    turns = np.flatnonzero(np.diff(turn[i])) + 1
    for low, high in pairwise([0, *turns.tolist(), len(i)] if len(i) else []):
        here, who = j[low:high], i[low:high]
        free = (overlap[low:high] >= least) & (~taken[:, :, here] | shareable[here])
        likes = np.where(free, liking[:, :, low:high], -1)
        starts = np.flatnonzero(np.diff(who, prepend=-1))
        best = np.maximum.reduceat(likes, starts, axis=2)
        taken[:, :, here] |= free & (likes == np.repeat(best, _lengths(starts, likes), axis=2))
        given[:, :, who[starts]] = np.where(best >= 0, j[best % len(i)], -1)
    return given


def _lengths(starts: Integers, rows: Integers) -> Integers:
    return np.diff(np.append(starts, rows.shape[-1]))


def found_and_missed(
    found: Floats,
    truth: Floats,
    ignored: Bools,
    *,
    crowd: Bools | None = None,
    least: float = 0.5,
) -> tuple[int, int, int]:
    """Count true boxes found, true boxes missed, and found boxes that are no true one: one image.

    found: (d, 4), best first. An ignored box is neither hit nor miss, and who finds it is right.
    """
    shared = np.zeros(len(truth), dtype=bool) if crowd is None else crowd
    given = pair(overlaps(found, truth, crowd), np.array([least]), ignored, shared)[0]
    hits = int((~ignored[given[given >= 0]]).sum())
    return hits, int((~ignored).sum()) - hits, int((given < 0).sum())
