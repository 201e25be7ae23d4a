"""Counting what a quote is made of: requests, calls, units and rates, by provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from visionhub.pricing import Price, units
from visionhub.provider import Provider, Work

Sku: TypeAlias = tuple[str, str]  # provider and price line
Asked: TypeAlias = tuple[str, str]  # provider and task


@dataclass(frozen=True, slots=True)
class Share:
    """What one image takes of one provider: calls that carry it, and units by price line."""

    provider: str
    calls: int
    units: tuple[tuple[str, int], ...]


Shares: TypeAlias = tuple[Share, ...]


@dataclass
class Compared:
    """Images to be asked about, with their hashes: parallel lists, for there may be many."""

    hashes: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)  # positions in Tally.shares
    left_out: int = 0


@dataclass
class Tally:
    """Counts of one survey. `away` counts requests by why they are not sent, provider and task."""

    files: int = 0
    images: int = 0
    unreadable_files: int = 0
    unreadable_images: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    held: Counter[Asked] = field(default_factory=Counter)
    asked: Counter[Asked] = field(default_factory=Counter)
    refused: Counter[Asked] = field(default_factory=Counter)
    away: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    takes: Counter[tuple[str, str]] = field(default_factory=Counter)  # by provider and rate
    units: Counter[Sku] = field(default_factory=Counter)
    bundled: Counter[Sku] = field(default_factory=Counter)  # images: free with another line
    shared: Counter[Sku] = field(default_factory=Counter)  # requests: one unit with another
    decoded: int = 0
    undecoded: int = 0
    copies: Counter[int] = field(default_factory=Counter)  # files, by position in shares
    shares: list[Shares] = field(default_factory=lambda: [()])
    compared: Compared = field(default_factory=Compared)
    interrupted: bool = False

    def take(
        self,
        provider: Provider,
        works: Sequence[Work],
        prices: Mapping[Sku, Price],
        times: int = 1,
    ) -> dict[str, Share]:
        """Count works of one provider, `times` over; what each image takes, by hash."""
        batches = list(provider.batches(works)) if works else []
        calls: Counter[str] = Counter()
        taken: dict[str, Counter[str]] = {}
        for batch in batches:
            self.calls[provider.name] += times
            for rate, number in provider.takes(batch).items():
                self.takes[provider.name, rate] += times * number
            for work in batch.works:
                image = work.requests[0].image_sha256
                calls[image] += 1
                mine = self._units(provider, work, prices, times)
                taken.setdefault(image, Counter()).update(mine)
        return {
            image: Share(provider.name, number, tuple(sorted(taken[image].items())))
            for image, number in calls.items()
        }

    def _units(
        self, provider: Provider, work: Work, prices: Mapping[Sku, Price], times: int
    ) -> Counter[str]:
        """Units of one image in one call, by price line."""
        own = {sku: price for (name, sku), price in prices.items() if name == provider.name}
        skus = [provider.tasks[request.task].sku for request in work.requests]
        lines = [sku if sku in own else None for sku in skus]
        together = set(lines)
        mine: Counter[str] = Counter()
        seen: set[str] = set()
        counts = units(lines, own)
        for request, sku, number in zip(work.requests, lines, counts, strict=True):
            self.asked[provider.name, request.task.value] += times
            if sku is None:
                continue
            if number:
                mine[sku] += number
                self.units[provider.name, sku] += times * number
            elif sku in seen:
                self.shared[provider.name, sku] += times
            elif not together.isdisjoint(own[sku].free_with):
                self.bundled[provider.name, sku] += times
            seen.add(sku)
        return mine
