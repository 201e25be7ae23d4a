"""One price line: its tiers over a calendar month, and what is free with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from visionhub.errors import UsageError


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of one unit up to and including the month's unit `up_to`; None is without end.

    Units of a month are counted from 1, free ones included. `micros` are micro-units of currency.
    """

    up_to: int | None
    micros: int


@dataclass(frozen=True, slots=True)
class Price:
    """One price line of a service in one region.

    region: as the provider names it; "*" holds anywhere. pool: lines of one pool share their count
    of units a month, and so their tiers and their free allowance. free_with: lines that make this
    one free when they are in the same call for the same image. free_per_month: the units a month
    that the vendor gives away, counted only where a user claims them. billing_zone: the time zone
    in which the vendor's months begin. effective_from: the first day on which the price is known to
    hold. retrieved: when the source was read. billing: words by which the vendor's billing export
    can be told to mean this line, the surest first (`visionhub ledger reconcile`).
    """

    provider: str
    sku: str
    region: str
    currency: str
    pool: str
    tiers: tuple[Tier, ...]
    free_with: tuple[str, ...]
    free_per_month: int
    billing_zone: str
    effective_from: date
    source: str
    retrieved: date
    note: str
    billing: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Provider, sku, region: a table holds it once for each day from which a price holds."""
        return self.provider, self.sku, self.region

    @property
    def highest(self) -> int:
        """The most that one unit can cost, in micro-units."""
        return max(tier.micros for tier in self.tiers)

    def cost(self, before: int, units: int) -> int:
        """The cost of `units` more after `before` units of this month, in micro-units.

        Raises UsageError where they pass the end of the last tier: there is no price for them.
        """
        total, position, left = 0, before, units
        for tier in self.tiers:
            if not left:
                break
            room = left if tier.up_to is None else min(left, max(0, tier.up_to - position))
            total += room * tier.micros
            position, left = position + room, left - room
        if left:
            raise UsageError(
                f"{self.provider} {self.sku}: its price ends with unit "
                f"{self.tiers[-1].up_to or 0:,} of a month; what follows is not asked without one. "
                f"Wait for the next month, or ask the vendor and add a tier to a price table of "
                f"your own (--prices)."
            )
        return total


def units(skus: Sequence[str | None], prices: Mapping[str, Price]) -> list[int]:
    """The units of each request about one image in one call: 1 where it is charged for, else 0.

    Requests with the same sku are one unit, which the first of them carries; a line that is free
    with another one of the call is none. A sku of None is free of charge.
    """
    together = {sku for sku in skus if sku is not None}
    seen: set[str] = set()
    counts = []
    for sku in skus:
        charged = sku is not None and sku not in seen and together.isdisjoint(prices[sku].free_with)
        counts.append(int(charged))
        if sku is not None:
            seen.add(sku)
    return counts


def month(when: datetime, zone: str) -> str:
    """The calendar month "YYYY-MM" that a moment (with its time zone) falls into there."""
    return day(when, zone)[:7]


def day(when: datetime, zone: str) -> str:
    """The day "YYYY-MM-DD" that a moment (with its time zone) falls into there."""
    if when.tzinfo is None:
        raise ValueError(f"a moment without its time zone: {when}")
    return when.astimezone(ZoneInfo(zone)).date().isoformat()
