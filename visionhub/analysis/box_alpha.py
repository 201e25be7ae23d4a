"""Krippendorff's alpha for boxes: whether raters find the same things, and call them the same.

Tschirschwitz, Klemstein, Stein & Rodehorst, "A Dataset for Analysing Complex Document Layouts in
the Digital Humanities and its Evaluation with Krippendorff's Alpha" (2022), in two steps. First it
is settled which box of each rater is the same thing, whatever it is called: a unit. Then alpha is
that of nominal ratings (`alpha`), units by raters, where "no box" is a value like any other.

The paper settles the first step rater by rater, starting from one of them, and its result depends
on who that is. Here it does not: each two raters' boxes are matched (`matching`; of equally good
matchings the one that joins boxes of one category, then one that depends on where the boxes lie,
not on whose they are), and boxes that are linked by matches are one unit, unless two of them are
one rater's. Then the links are followed from the largest IoU down, each unless it would bring two
boxes of one rater together: a loop over such cases only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from visionhub.analysis.alpha import krippendorff_alpha
from visionhub.analysis.assignment import assign, renumbered
from visionhub.analysis.boxes import Bools, Boxes, Floats, Integers, categorised
from visionhub.analysis.estimate import Estimate
from visionhub.analysis.given import sources_of
from visionhub.analysis.matching import candidates
from visionhub.analysis.rated import Ratings
from visionhub.analysis.resample import DEFAULT, Resampling

NO_BOX = "no box"
SAME, PLACE = 1e-9, 1e-10  # what one category, and where boxes lie, add to an IoU
SPREAD = 1e5  # so that boxes that are nearly the same have different numbers


@dataclass(frozen=True)
class Units:
    """Things that raters drew boxes around, image after image.

    image: (u,). box: (u, raters) positions of the boxes among each rater's, -1 for no box.
    """

    image: Integers
    box: Integers


@dataclass(frozen=True)
class BoxAlpha:
    """Alpha; how many things it rests on, and how many of these only one rater drew; images.

    empty: images in which nobody drew a box: there is nothing in them that could disagree, and they
    have no part in alpha.
    """

    alpha: Estimate
    units: int
    alone: int
    images: int
    empty: int


def box_alpha(
    raters: Sequence[Boxes],
    images: int,
    threshold: float = 0.5,
    *,
    looked: Bools | None = None,
    sources: ArrayLike | None = None,
    how: Resampling = DEFAULT,
) -> BoxAlpha:
    """Krippendorff's alpha of several raters' boxes.

    images: how many there are. threshold: the IoU from which on boxes may be the same thing.
    looked: (images, raters) who has looked at what; None for all. A box that is missing from an
    image that its rater has not looked at is unknown, not "no box". sources: (images,) where they
    come from; without them, things of one image stay together when intervals are made.

    >>> one = Boxes.of([0, 0, 1], [[0, 0, 4, 4], [5, 5, 9, 9], [0, 0, 1, 1]], [1, 2, 1])
    >>> other = Boxes.of([0, 1], [[0, 0, 4, 5], [0, 0, 1, 1]], [1, 1])
    >>> found = box_alpha([one, other], 2)
    >>> round(found.alpha.value, 3), found.units, found.alone
    (0.444, 3, 1)
    """
    units = localise(raters, threshold)
    codes, names = _codes(units, raters)
    if looked is not None:
        codes[~np.asarray(looked, dtype=bool)[units.image]] = -1
    by = sources_of(sources, images)
    own = units.image if by is None else by[units.image]
    alpha = krippendorff_alpha(Ratings(codes, names), "nominal", sources=own, how=how)
    drawn = len(np.unique(units.image))
    return BoxAlpha(
        _of_images(alpha) if sources is None else alpha,
        len(units.image),
        int(((units.box >= 0).sum(axis=1) == 1).sum()),
        images,
        images - drawn,
    )


def _of_images(found: Estimate) -> Estimate:
    """An estimate whose sources were images says so."""
    method, reason = (text.replace("source", "image") for text in (found.method, found.reason))
    return replace(found, method=method, reason=reason)


def _codes(units: Units, raters: Sequence[Boxes]) -> tuple[Integers, tuple[object, ...]]:
    """(u, raters) what each calls each unit, 0 for no box; with the names of these numbers."""
    kinds = [np.zeros(len(r), dtype=int) if r.category is None else r.category for r in raters]
    names = np.unique(np.concatenate(kinds)) if kinds else np.zeros(0, dtype=int)
    columns = [
        np.append(np.searchsorted(names, kind) + 1, 0)[box]  # the position -1 is the 0 at the end
        for kind, box in zip(kinds, units.box.T, strict=True)
    ]
    return np.stack(columns, axis=1), (NO_BOX, *names.tolist())


def localise(raters: Sequence[Boxes], threshold: float = 0.5) -> Units:
    """Find out which boxes of several raters are the same thing, whatever they are called.

    The units do not depend on the order of raters, nor of a rater's boxes in an image.
    """
    if len(raters) < 2:  # noqa: PLR2004
        raise ValueError("one rater has nobody to agree with")
    categorised(raters)
    sizes = [len(rater) for rater in raters]
    first = np.cumsum([0, *sizes])
    owner = np.repeat(np.arange(len(raters)), sizes)
    places = [_places(rater) for rater in raters]
    links = []
    for one, other in combinations(range(len(raters)), 2):
        i, j, weight = _links(raters[one], raters[other], places[one], places[other], threshold)
        links.append((i + first[one], j + first[other], weight))
    i, j, weight = (np.concatenate([link[at] for link in links]) for at in range(3))
    unit = _joined(i, j, weight, owner)
    images = np.zeros(int(unit.max(initial=-1)) + 1, dtype=np.int64)
    images[unit] = np.concatenate([rater.image for rater in raters])
    box = np.full((len(images), len(raters)), -1)
    box[unit, owner] = np.arange(len(owner)) - first[owner]
    order = np.argsort(images, kind="stable")
    return Units(images[order], box[order])


def _places(rater: Boxes) -> Floats:
    """A number from 0 to 1 that is each box's own: of its sides and category, and of equal boxes.

    It is as good as random, and the same whoever the rater is and in whatever order boxes come.
    """
    columns = [*rater.boxes.T, *([] if rater.category is None else [rater.category])]
    place = np.zeros(len(rater))
    for column, prime in zip(columns, (2, 3, 5, 7, 11), strict=False):
        place += column * (SPREAD * np.sqrt(prime))
    place %= 1
    order = np.lexsort((place, rater.image))
    again = np.zeros(len(rater), dtype=bool)
    again[1:] = (np.diff(place[order]) == 0) & (np.diff(rater.image[order]) == 0)
    count = np.arange(len(rater))
    count -= np.maximum.accumulate(np.where(again, 0, count))  # how many equal ones come before
    place[order] += count * np.sqrt(0.5)
    return place % 1


def _links(
    a: Boxes, b: Boxes, place_a: Floats, place_b: Floats, threshold: float
) -> tuple[Integers, Integers, Floats]:
    """Matched boxes of two raters, and how much they weigh: IoU, and what settles ties."""
    found = candidates(a, b, threshold, same_category=False)
    weight = found.iou + PLACE * place_a[found.i] * place_b[found.j]
    if a.category is not None and b.category is not None:
        weight += SAME * (a.category[found.i] == b.category[found.j])
    chosen = assign(found.i, found.j, weight)
    return found.i[chosen], found.j[chosen], weight[chosen]


def _joined(i: Integers, j: Integers, weight: Floats, owner: Integers) -> Integers:
    """Which unit each box is in, numbers from 0; i, j and weight are links between boxes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(i)), (i, j)), shape=(len(owner), len(owner)))
    many, unit = connected_components(graph, directed=False)
    unit = unit.astype(np.int64)
    pairs = np.sort(unit * (int(owner.max(initial=0)) + 1) + owner)
    twice = pairs[1:][np.diff(pairs) == 0] // (int(owner.max(initial=0)) + 1)
    torn = np.zeros(many, dtype=bool)
    torn[twice] = True
    at = np.flatnonzero(torn[unit[i]])
    at = at[np.argsort(-weight[at], kind="stable")]
    parts = _apart(list(zip(i[at].tolist(), j[at].tolist(), strict=True)), owner)
    boxes = np.flatnonzero(torn[unit])
    unit[boxes] = many + np.array([parts[box] for box in boxes.tolist()], dtype=np.int64)
    return renumbered(unit)


def _apart(links: Sequence[tuple[int, int]], owner: Integers) -> dict[int, int]:
    """A box for each box that stands for its unit; units grow link by link, no rater twice."""
    head = {box: box for link in links for box in link}
    members = {box: [box] for box in head}
    owners = {box: {int(owner[box])} for box in head}
    for link in links:
        one, other = sorted((head[box] for box in link), key=lambda box: len(members[box]))
        if one != other and not owners[one] & owners[other]:
            owners[other] |= owners[one]
            members[other] += members[one]
            head.update(dict.fromkeys(members[one], other))
    return head
