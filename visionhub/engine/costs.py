"""From units to money: what a month's tiers make of them, and the most that they can cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from visionhub.engine.tally import Sku
from visionhub.errors import UsageError
from visionhub.pricing import Price

Used = Callable[[Price], tuple[int, int]]
"""Units of a line's pool in this month so far, and how many of these were claimed to be free."""


@dataclass(frozen=True, slots=True)
class LineQuote:
    """One price line. Money is in micro-units of the quote's currency.

    units: to be sent. claimed: those of them that the user claims as free. bundled: images for
    which the line is free with another one. shared: requests that need no unit beside another one.
    used: units of its pool in this month so far, by this study. before: these, and those of lines
    of its pool that are quoted ahead of it. cost: with tiers; highest: what is reserved.
    """

    price: Price
    units: int
    claimed: int
    bundled: int
    shared: int
    used: int
    before: int
    cost: int
    highest: int


def line_quotes(
    lines: Mapping[Sku, Price],
    free: Mapping[Sku, int],
    used: Used,
    units: Mapping[Sku, int],
    bundled: Mapping[Sku, int],
    shared: Mapping[Sku, int],
) -> tuple[LineQuote, ...]:
    """All price lines of a plan, with what is counted of each.

    free: units a month that are claimed, by (provider, pool). Lines of one pool are counted in this
    order, the cheapest first, so that claimed units are not taken from the most that it can cost.
    Raises UsageError where a price ends before the units do.
    """
    pools: dict[Sku, tuple[int, int, int]] = {}
    found: dict[Sku, LineQuote] = {}
    for sku, price in sorted(lines.items(), key=lambda line: line[1].highest):
        pool = (price.provider, price.pool)
        if pool not in pools:
            so_far, gone = used(price)
            pools[pool] = so_far, so_far, max(0, free.get(pool, 0) - gone)
        so_far, before, left = pools[pool]
        number = units.get(sku, 0)
        claimed = min(left, number)
        cost = price.cost(before + claimed, number - claimed)
        pools[pool] = so_far, before + number, left - claimed
        counted = (number, claimed, bundled.get(sku, 0), shared.get(sku, 0), so_far, before)
        found[sku] = LineQuote(price, *counted, cost, (number - claimed) * price.highest)
    return tuple(found[sku] for sku in lines)


def more(quoted: tuple[LineQuote, ...], extra: Mapping[Sku, int]) -> int:
    """What units beyond those quoted would cost; at the highest price where none is known."""
    total, ahead = 0, {(q.price.provider, q.price.pool): 0 for q in quoted}
    for line in quoted:
        pool = (line.price.provider, line.price.pool)
        ahead[pool] = max(ahead[pool], line.before + line.units)
    for line in quoted:
        pool = (line.price.provider, line.price.pool)
        number = extra.get((line.price.provider, line.price.sku), 0)
        try:
            total += line.price.cost(ahead[pool], number)
        except UsageError:
            total += number * line.price.highest
        ahead[pool] += number
    return total


def less(quoted: tuple[LineQuote, ...], fewer: Mapping[Sku, int]) -> int:
    """What would be saved by asking for so many units less, claimed free ones last."""
    total = 0
    for line in quoted:
        number = min(fewer.get((line.price.provider, line.price.sku), 0), line.units - line.claimed)
        end = line.before + line.units
        total += line.price.cost(end - number, number)
    return total
