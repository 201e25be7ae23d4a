"""The assignment problem for very many small cases at once: the best one-to-one choice of pairs.

Given weighted pairs (edges) between two sides, the choice in which no member of a side occurs twice
and the weights sum to the most (Kuhn 1955). The pairs may belong to a million unconnected cases;
no loop runs over these.

1. An edge that weighs as much as the heaviest other edges of its two ends together is in a best
   choice: put in the place of these, it costs nothing. Such edges are taken, round by round, and
   what they touch is left out.
2. What remains falls into connected components. Those of up to five members a side are solved
   together, by trying all permutations; larger ones one by one, by
   `scipy.optimize.linear_sum_assignment`.
"""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np

from visionhub.analysis.boxes import Bools, Floats, Integers

ROUNDS = 8  # of taking edges that nothing outweighs; the fifth takes next to none
TRIED = 5  # members a side up to which all permutations are tried
PIECE = 1 << 20  # numbers that are worked on at a time


def assign(i: Integers, j: Integers, weight: Floats) -> Bools:
    """Which edges are in the choice of greatest total weight: (n,).

    i, j: (n,) members of the two sides, numbers from 0; no pair may be given twice. weight: (n,)
    above 0. Of equally good choices the one that is made depends on the order of the edges.

    >>> assign(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.9, 0.5, 0.5])).tolist()
    [False, True, True]
    """
    chosen: Bools = (np.bincount(i, minlength=1)[i] == 1) & (np.bincount(j, minlength=1)[j] == 1)
    rest = np.flatnonzero(~chosen)
    chosen[rest] = _contested(renumbered(i[rest]), renumbered(j[rest]), weight[rest])
    return chosen


def renumbered(names: Integers) -> Integers:
    """The same numbers without gaps, in the same order.

    >>> renumbered(np.array([7, 3, 7])).tolist()
    [1, 0, 1]
    """
    met = np.zeros(int(names.max()) + 1 if len(names) else 0, dtype=np.int64)
    met[names] = 1
    numbers: Integers = np.cumsum(met)[names] - 1
    return numbers


def _contested(i: Integers, j: Integers, weight: Floats) -> Bools:
    chosen = np.zeros(len(i), dtype=bool)
    left = np.argsort(-weight, kind="stable")
    for _ in range(ROUNDS):
        sure = _unrivalled(i[left], j[left], weight[left])
        if not sure.any():
            break
        chosen[left[sure]] = True
        left = left[~(_touched(i[left], sure) | _touched(j[left], sure))]
    if len(left):
        chosen[left] = _by_component(renumbered(i[left]), renumbered(j[left]), weight[left])
    return chosen


def _unrivalled(i: Integers, j: Integers, weight: Floats) -> Bools:
    """Edges, given heaviest first, that weigh as much as the best others of both ends together.

    Of equally heavy edges of one member only the first can be such, so no two share a member.
    """
    edges, padded = np.arange(len(weight)), np.append(weight, 0.0)
    sure, rivals = np.ones(len(weight), dtype=bool), np.zeros(len(weight))
    for names in (i, j):
        first = _first(names, edges)
        leads = first[names] == edges
        sure &= leads
        rivals += padded[_first(names, np.flatnonzero(~leads))[names]]
    return sure & (weight >= rivals)


def _first(names: Integers, edges: Integers) -> Integers:
    """The first of these edges of each member; where it has none, the number of all edges."""
    first = np.full(int(names.max()) + 1 if len(names) else 0, len(names))
    first[names[edges][::-1]] = edges[::-1]  # what is written last stays
    return first


def _touched(names: Integers, sure: Bools) -> Bools:
    """Edges of members that have a sure edge."""
    gone = np.zeros(int(names.max()) + 1, dtype=bool)
    gone[names[sure]] = True
    return gone[names]


def _by_component(i: Integers, j: Integers, weight: Floats) -> Bools:
    """Solve each connected component by itself."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, m = int(i.max()) + 1, int(j.max()) + 1
    graph = coo_array((np.ones(len(i)), (i, j + n)), shape=(n + m, n + m))
    _, component = connected_components(graph, directed=False)
    (row, height), (column, width) = _places(component[:n]), _places(component[n:])
    order = np.argsort(component[i], kind="stable")
    mine, row, column = component[i][order], row[i][order], column[j][order]
    size = np.maximum(height, width)[mine]
    chosen = np.zeros(len(i), dtype=bool)
    for side in range(1, int(size.max()) + 1):
        at = np.flatnonzero(size == side)
        if len(at):
            solve = _permuted if side <= TRIED else _one_by_one
            case = renumbered(mine[at])
            chosen[order[at]] = solve(case, row[at], column[at], weight[order[at]], side)
    return chosen


def _places(component: Integers) -> tuple[Integers, Integers]:
    """The place of each member among those of its component, and how many these are."""
    sizes = np.bincount(component)
    order = np.argsort(component, kind="stable")
    places = np.empty(len(component), dtype=np.int64)
    places[order] = np.arange(len(component)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return places, sizes


def _permuted(case: Integers, row: Integers, column: Integers, weight: Floats, side: int) -> Bools:
    """Solve cases of at most `side` rows and columns, ascending by case, by all permutations."""
    orders = np.array(list(permutations(range(side))))
    step = max(1, PIECE // orders.size)
    cuts = np.searchsorted(case, np.arange(0, int(case[-1]) + 1 + step, step))
    chosen = np.zeros(len(case), dtype=bool)
    for low, high in pairwise(cuts.tolist()):
        here = case[low:high] - case[low]
        weights = np.zeros((int(here[-1]) + 1, side, side))
        weights[here, row[low:high], column[low:high]] = weight[low:high]
        best = weights[:, np.arange(side), orders].sum(axis=2).argmax(axis=1)
        chosen[low:high] = orders[best][here, row[low:high]] == column[low:high]
    return chosen


def _one_by_one(
    case: Integers, row: Integers, column: Integers, weight: Floats, side: int
) -> Bools:
    """Solve cases of at most `side` rows and columns, ascending by case, each by itself."""
    from scipy.optimize import linear_sum_assignment

    chosen = np.zeros(len(case), dtype=bool)
    cuts = np.searchsorted(case, np.arange(int(case[-1]) + 2))
    for low, high in pairwise(cuts.tolist()):
        weights = np.zeros((side, side))
        weights[row[low:high], column[low:high]] = weight[low:high]
        _, partner = linear_sum_assignment(weights, maximize=True)
        chosen[low:high] = partner[row[low:high]] == column[low:high]
    return chosen
