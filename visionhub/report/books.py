"""What a billing export says of the price lines of a study, gathered by day.

Which of its rows mean a line is told by the words in the price table (`Price.billing`). A vendor
may put several lines into one row, as a group of operations with one price: these are compared
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from visionhub.errors import UsageError
from visionhub.pricing import Price, day
from visionhub.pricing.rows import ANYWHERE
from visionhub.report.billing import Bill

ENDED = timedelta(days=1)  # a day that is so long ago by UTC has ended in every time zone


class Key(NamedTuple):
    """A price line in a region."""

    provider: str
    sku: str
    region: str


@dataclass(slots=True)
class Day:
    """A day, or a part of it, of lines that are compared together.

    Units by state; beside: requests that are no unit of their own, such as what is free with
    another. failed: those of `settled` that the service answered with an error. charge: micro-units
    of `currency`. cost: units of `billed_in`.
    """

    settled: int = 0
    unknown: int = 0
    held: int = 0
    beside: int = 0
    failed: int = 0
    charge: int = 0
    currency: str = ""
    billed: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    billed_in: str = ""

    def add(self, other: Day) -> None:
        """Count another part of the day as well."""
        self.settled += other.settled
        self.unknown += other.unknown
        self.held += other.held
        self.beside += other.beside
        self.failed += other.failed
        self.charge += other.charge
        self.billed += other.billed
        self.cost += other.cost
        self.currency = other.currency or self.currency
        self.billed_in = other.billed_in or self.billed_in


@dataclass(slots=True)
class Books:
    """Everything of one export that concerns these lines.

    seen: by the lines that rows name, and by day. unclaimed: rows of the same services that no line
    claims, by their words, with their units. last: the beginning of the last row of usage, of
    whatever service.
    """

    lines: Mapping[Key, Price]
    seen: dict[tuple[Key, ...], dict[str, Day]] = field(default_factory=dict)
    unclaimed: dict[str, Decimal] = field(default_factory=dict)
    last: datetime | None = None
    _known: dict[tuple[str, str], tuple[Key, ...]] = field(default_factory=dict)

    def add(self, bill: Bill) -> None:
        """Count a row of the export. UsageError for one that no single day can be compared with."""
        self.last = bill.since if self.last is None else max(self.last, bill.since)
        said = (bill.words, bill.region)
        if said not in self._known:
            self._known[said] = claimed(self.lines, *said)
        keys = self._known[said]
        if not keys:
            if _is_near(self.lines.values(), bill.words):
                self.unclaimed[bill.words] = self.unclaimed.get(bill.words, Decimal(0)) + bill.units
            return
        if not bill.whole_day:
            raise UsageError(
                f"The export has rows that cover more than a day ({bill.words.strip()}): export it "
                f"by hour or by day."
            )
        when = day(bill.since, self.lines[keys[0]].billing_zone)
        one = Day(billed=bill.units, cost=bill.cost, billed_in=bill.currency)
        self.seen.setdefault(keys, {}).setdefault(when, Day()).add(one)

    def covers(self, when: str, zone: str, today: date) -> bool:
        """Whether a day of a time zone is over, and the export goes on after it."""
        over = when < (today - ENDED).isoformat()
        return over and self.last is not None and when < day(self.last, zone)


def claimed(lines: Mapping[Key, Price], words: str, region: str) -> tuple[Key, ...]:
    """The lines that a row means: those whose surest words it has."""
    text = words.lower()
    ranks: dict[Key, int] = {}
    for key, price in lines.items():
        if region and price.region not in (ANYWHERE, region):
            continue
        found = [rank for rank, said in enumerate(price.billing) if _has(text, said)]
        if found:
            ranks[key] = found[0]
    return tuple(sorted(key for key in ranks if ranks[key] == min(ranks.values())))


def _has(text: str, said: str) -> bool:
    return all(word in text for word in said.lower().split())


def _is_near(prices: Iterable[Price], words: str) -> bool:
    """Whether a row is of a service that some line belongs to: the first of its words names it."""
    text = words.lower()
    return any(said.lower().split()[0] in text for price in prices for said in price.billing)
