"""What is saved by asking once: for files with the same bytes, and for pictures that look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from visionhub.engine.costs import LineQuote, less, more
from visionhub.engine.likeness import distance, groups
from visionhub.engine.plan import Plan, is_service
from visionhub.engine.tally import Sku, Tally

Row: TypeAlias = tuple[str, int, int]
"""A near duplicate's path, the number of its group, and the bits that differ from its first."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Files with the same bytes as another one, which are asked about once anyway.

    calls, units, cost (micro-units): what they would take if each was asked about.
    """

    files: int
    calls: int
    units: int
    cost: int


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Images that look alike, among those that are still to be asked about.

    compared: how many were. left_out: those beyond the most that are. beyond: images beyond the
    first of each group; calls, units, cost (micro-units): what asking about the first ones only
    would save. They are asked about all the same: whether they are one photograph, a person says.
    """

    compared: int
    left_out: int
    groups: int
    beyond: int
    calls: int
    units: int
    cost: int
    rows: tuple[Row, ...]


def copies(found: Tally, plan: Plan, lines: tuple[LineQuote, ...]) -> Copies:
    """What exact copies do not cost."""
    units, calls = _taken(found, found.copies, plan)
    return Copies(found.copies.total(), calls, units.total(), more(lines, units))


def near_duplicates(found: Tally, plan: Plan, lines: tuple[LineQuote, ...]) -> NearDuplicates:
    """Groups of near duplicates, and what they cost beyond their first images."""
    compared = found.compared
    beyond: Counter[int] = Counter()
    rows: list[Row] = []
    alike = groups(compared.hashes)
    for number, group in enumerate(alike, 1):
        first = compared.hashes[group[0]]
        beyond.update(compared.shares[at] for at in group[1:])
        rows += [(compared.paths[at], number, distance(first, compared.hashes[at])) for at in group]
    units, calls = _taken(found, beyond, plan)
    return NearDuplicates(
        compared=len(compared.hashes),
        left_out=compared.left_out,
        groups=len(alike),
        beyond=beyond.total(),
        calls=calls,
        units=units.total(),
        cost=less(lines, units),
        rows=tuple(rows),
    )


def _taken(found: Tally, images: Mapping[int, int], plan: Plan) -> tuple[Counter[Sku], int]:
    """Units by line, and calls of services, of so many images by position of their shares.

    Where a call carries several images, its full size is supposed.
    """
    units: Counter[Sku] = Counter()
    carried: Counter[str] = Counter()
    for place, number in images.items():
        for share in found.shares[place]:
            carried[share.provider] += number * share.calls
            for sku, each in share.units:
                units[share.provider, sku] += number * each
    return units, sum(
        -(-number // plan.providers[name].images_per_batch)
        for name, number in carried.items()
        if is_service(type(plan.providers[name]))
    )
