"""What requests cost. Money is an integer of micro-units of one currency, never a float."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from visionhub.errors import UsageError

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """The highest price of one unit of a price line, in micro-units of `currency`."""

    provider: str
    sku: str
    currency: str
    micros: int

    def __post_init__(self) -> None:
        if self.micros < 0:
            raise ValueError(f"a price below zero: {self}")


class PriceTable:
    """Prices by (provider, sku). What it does not hold has no price, and is not sent."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices = {(price.provider, price.sku): price for price in prices}

    @classmethod
    def read(cls, path: Path) -> PriceTable:
        """A user's own table: `[[price]]` with provider, sku, currency and micros (an integer).

        Raises UsageError naming the file when it is not such a table.
        """
        try:
            rows = tomllib.loads(path.read_text("utf-8"))["price"]
            prices = [Price(r["provider"], r["sku"], r["currency"], int(r["micros"])) for r in rows]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} is no price table: {error!r}") from error
        return cls(prices)

    def cost(self, units: Mapping[tuple[str, str], int]) -> dict[str, int]:
        """The highest cost of units by (provider, sku): micro-units by currency.

        Raises UsageError when a line has no price: without a price nothing paid is sent.
        """
        totals: dict[str, int] = {}
        for line, count in units.items():
            price = self._prices.get(line)
            if price is None:
                raise UsageError(f"No price for {line[1]!r} of {line[0]!r}: add it to the table.")
            totals[price.currency] = totals.get(price.currency, 0) + price.micros * count
        return totals
