"""`visionhub prices`: the price table that runs go by, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from visionhub.pricing import Price, PriceTable, money
from visionhub.report.terminal import Section

COLUMNS = (
    "provider",
    "sku",
    "region",
    "per 1,000 units",
    "free a month",
)
EDIT = """\
# A price table of your own. Change it, leave out rows that are right as they come, give it another
# version, and use it with --prices FILE: its rows take the place of packaged ones with the same
# provider, sku and region, or are added.
# micros: millionths of the currency for one unit, a whole number (1500 is 1.50 for 1,000 units).
# tiers count the units of a calendar month in billing_zone, free ones included; what lies beyond
# the last up_to has no price and is not sent. Rows with one pool share that count and
# free_per_month: give rows of another region a pool of their own where the vendor counts it apart.
"""


def table_of(path: Path | None) -> PriceTable:
    """The user's own rows over the packaged table, or that alone."""
    return PriceTable.read(path) if path else PriceTable.packaged()


def editable(table: PriceTable) -> str:
    """The table as a file to edit; it reads back to the same prices and hash."""
    return EDIT + table.text


def listed(table: PriceTable, today: date) -> dict[str, Any]:
    """All of a table as plain values; prices are micro-units of a currency for one unit."""
    return {
        "version": table.version,
        "sha256": table.sha256,
        "prices": [_entry(price, today) for price in table],
    }


def _entry(price: Price, today: date) -> dict[str, Any]:
    return {
        "provider": price.provider,
        "sku": price.sku,
        "region": price.region,
        "currency": price.currency,
        "pool": price.pool,
        "tiers": [{"up_to": tier.up_to, "micros": tier.micros} for tier in price.tiers],
        "free_with": list(price.free_with),
        "free_per_month": price.free_per_month,
        "billing_zone": price.billing_zone,
        "effective_from": price.effective_from.isoformat(),
        "source": price.source,
        "retrieved": price.retrieved.isoformat(),
        "age_days": (today - price.retrieved).days,
        "note": price.note,
        "billing": list(price.billing),
    }


def sections(found: Mapping[str, Any]) -> Iterator[Section]:
    """What `listed` found."""
    rows = [
        [
            price["provider"],
            price["sku"],
            price["region"],
            _tiers(price),
            f"{price['free_per_month']:,}" if price["free_per_month"] else "",
        ]
        for price in found["prices"]
    ]
    notes = (
        *_bundles(found["prices"]),
        *_sources(found["prices"]),
        "A unit is one line on one image. Free units count where you claim them: --assume-free",
        "Taxes, storage and transfer are not in these prices. Notes on each line: --toml",
        f"version {found['version']}, sha256 {found['sha256']}",
    )
    yield Section("Prices", COLUMNS, rows, notes, ("free a month",))


def _bundles(prices: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for price in prices:
        if price["free_with"]:
            beside = ", ".join(price["free_with"])
            yield f"{price['provider']} {price['sku']}: free with {beside} in the same call"


def _sources(prices: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Where prices were read and how long ago, each source once."""
    told = {(p["provider"], p["source"], p["retrieved"], p["age_days"]): None for p in prices}
    for provider, source, retrieved, days in told:
        yield f"{provider}: {source}, read on {retrieved}, {days} days ago"


def _tiers(price: Mapping[str, Any]) -> str:
    """Such as "1.50 USD to 5,000,000, then 1.00 USD"."""
    said = []
    for tier in price["tiers"]:
        amount = money(tier["micros"] * 1000, price["currency"])
        said.append(f"{amount} to {tier['up_to']:,}" if tier["up_to"] else amount)
    if price["tiers"][-1]["up_to"]:
        said.append("no price")
    return ", then ".join(said)
