"""The price table that a run goes by: the one in the package, with a user's own rows over it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from visionhub.errors import UsageError
from visionhub.pricing.price import Price
from visionhub.pricing.rows import ANYWHERE, read_rows, written

PACKAGED = "prices-2026-11-23.toml"
OLD_DAYS, TOO_OLD_DAYS = 90, 365
MOST = 10_000_000  # characters of a table
HOW_TO_ADD = (
    "To add it:  visionhub prices --toml > my-prices.toml , copy a row, put in what the vendor's "
    "price list says, and give  --prices my-prices.toml"
)


class PriceTable:
    """Prices by provider, sku and region. What it does not hold has no price, and is not sent."""

    def __init__(self, prices: Iterable[Price], version: str) -> None:
        self._prices = sorted(prices, key=lambda price: (*price.key, price.effective_from))
        self.version = version

    def __iter__(self) -> Iterator[Price]:
        return iter(self._prices)

    @classmethod
    def packaged(cls) -> PriceTable:
        """The table that came with this visionhub."""
        text = files("visionhub.pricing").joinpath(PACKAGED).read_text("utf-8")
        return cls.parse(text, PACKAGED)

    @classmethod
    def read(cls, path: Path) -> PriceTable:
        """A user's own rows over the packaged ones with the same provider, sku and region.

        Raises UsageError, which names the file and every wrong row and member.
        """
        try:
            with path.open(encoding="utf-8-sig") as file:
                text = file.read(MOST + 1)
        except OSError as error:
            raise UsageError(f"--prices {path}: {error.strerror or error}.") from error
        except UnicodeDecodeError:
            raise UsageError(f"--prices {path}: it is no UTF-8 text.") from None
        if len(text) > MOST:
            raise UsageError(f"--prices {path}: it is too long for a price table.")
        return cls.packaged().under(text, str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> PriceTable:
        """A table from its text alone; `where` names it in errors (UsageError)."""
        version, prices = read_rows(text, where)
        return _checked(cls(prices, version or "own rows"), where)

    def under(self, text: str, where: str) -> PriceTable:
        """A table with the rows of a text over those of this one.

        A row for any region goes over those of all regions. Raises UsageError for a sku that a
        provider of this table does not have: its price would never be used.
        """
        version, prices = read_rows(text, where)
        self._check_skus(prices, where)
        own = {price.key for price in prices}
        merged = [*prices]
        for price in self:
            anywhere = (price.provider, price.sku, ANYWHERE)
            merged += [] if own & {price.key, anywhere} else [price]
        both = PriceTable(merged, version or f"{self.version} and own rows")
        return _checked(both, where)

    def _check_skus(self, own: Iterable[Price], where: str) -> None:
        known: dict[str, dict[str, None]] = {}
        for price in self:
            known.setdefault(price.provider, {})[price.sku] = None
        for price in own:
            skus = known.get(price.provider, {price.sku: None})
            if price.sku not in skus:
                raise UsageError(
                    f"{where}: {price.provider} has no sku {price.sku!r}: choose among "
                    f"{', '.join(skus)}."
                )

    @cached_property
    def text(self) -> str:
        """The table as TOML: what is hashed, and what `parse` reads back to the same table."""
        return written(self.version, self._prices)

    @cached_property
    def sha256(self) -> str:
        """The table's identity in ledgers."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def get(self, provider: str, sku: str, region: str, on: date) -> Price | None:
        """The newest price in a region, else anywhere; None when none is in force on that day."""
        for place in (region, ANYWHERE):
            held = [price for price in self if price.key == (provider, sku, place)]
            in_force = [price for price in held if price.effective_from <= on]
            if in_force:
                return in_force[-1]
        return None

    def find(self, provider: str, sku: str, region: str, on: date) -> Price:
        """As `get`. Raises UsageError, which says how to add one, when there is none."""
        price = self.get(provider, sku, region, on)
        if price is None:
            raise UsageError(f"No price for {self.why(provider, sku, region, on)}. {HOW_TO_ADD}.")
        return price

    def why(self, provider: str, sku: str, region: str, on: date) -> str:
        """What `get` does not find, in words: the line, and the rows that come near."""
        return f"{provider} {sku}{self.reason(provider, sku, region, on)}"

    def reason(self, provider: str, sku: str, region: str, on: date) -> str:
        """The same without the line, so that lines with one reason can share it."""
        where = f" in region {region}" if region else ""
        near = [p for p in self if (p.provider, p.sku) == (provider, sku)]
        later = [p.effective_from for p in near if p.region in (region, ANYWHERE)]
        if later:
            return f"{where} on {on} (a price is known from {min(later)} on)"
        known = ", ".join(p.region for p in near)
        unset = "" if region or not known else ", for no region is set"
        return f"{where}{unset} (a price is known for {known})" if known else where

    def regions(self, provider: str) -> list[str]:
        """The regions that a provider's prices are of; none where they hold anywhere."""
        return list(
            dict.fromkeys(p.region for p in self if p.provider == provider and p.region != ANYWHERE)
        )

    def check_age(
        self, today: date, *, allow_old: bool, among: Iterable[Price] | None = None
    ) -> str | None:
        """A warning when prices (all, or those `among`) were read long ago; None when they are new.

        Raises UsageError from 365 days on, unless `allow_old`.
        """
        read = min(self if among is None else among, key=lambda p: p.retrieved, default=None)
        if read is None:
            return None
        age = (today - read.retrieved).days
        what = f"the price of {read.provider} {read.sku} was read on {read.retrieved}"
        if age < 0:
            return f"WARNING {what}, which is still to come: check the table, or the clock."
        if age >= TOO_OLD_DAYS and not allow_old:
            raise UsageError(
                f"Prices are too old: {what}, {age} days ago. Check {read.source} and give your "
                f"own table with --prices, or take them as they are with --old-prices."
            )
        if age >= OLD_DAYS:
            return f"WARNING {what}, {age} days ago: check {read.source}"
        return None


def _checked(table: PriceTable, where: str) -> PriceTable:
    """The table itself. Raises UsageError when its lines do not go together."""
    known = {(price.provider, price.sku) for price in table}
    bundled = {(price.provider, price.sku) for price in table if price.free_with}
    pools: dict[tuple[str, str], Price] = {}
    for price in table:
        line = f"{where}: {price.provider} {price.sku} in region {price.region}"
        for other in price.free_with:
            if (price.provider, other) not in known:
                raise UsageError(f"{line}: free_with: {price.provider} has no sku {other!r}.")
            if (price.provider, other) in bundled:
                raise UsageError(f"{line}: free_with: {other} is itself free with another.")
        first = pools.setdefault((price.provider, price.pool), price)
        for name in ("billing_zone", "free_per_month"):
            if getattr(first, name) != getattr(price, name):
                raise UsageError(
                    f"{line}: {name}: it differs from that of {first.sku} in region "
                    f"{first.region}, which is in the same pool {price.pool!r}."
                )
    return table
