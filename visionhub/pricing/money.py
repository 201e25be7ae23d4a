"""Amounts of money as users type and read them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeAlias

from visionhub.errors import UsageError

Amount: TypeAlias = str | int | float | Decimal

MICRO = 1_000_000
PLACES = 6  # decimal places of a micro-unit
CENTS = 2  # decimal places that are always shown
MOST = 10**12  # units of a currency; a study's sums stay well inside SQLite's 64 bits

_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:\s*([A-Za-z]{3}))?", re.ASCII)


def parse_money(given: Amount, what: str = "") -> tuple[int, str | None]:
    """Micro-units and the currency of an amount such as "5", "0.25" or "5 USD", or of a number.

    The currency is None when none is named. A float is the number that it is shown as. what: the
    option that errors name. Raises UsageError for anything else: a sign, a comma (it means
    thousands here and decimals there), or more than six decimal places.
    """
    said = f"{what} {given!r}".lstrip()
    found = _AMOUNT.fullmatch(_text(given))
    if found is None:
        raise UsageError(f"{said} is no amount of money: write it like 5, 0.25 or 5 USD.")
    amount = Decimal(found[1])
    if amount > MOST:
        raise UsageError(f"{said}: no amount above {MOST:,} can be handled.")
    micros = amount * MICRO
    if micros != int(micros):
        raise UsageError(f"{said}: at most {PLACES} decimal places can be handled.")
    return int(micros), found[2].upper() if found[2] else None


def _text(given: object) -> str:
    """An amount as a user would type it; empty for what is none."""
    if isinstance(given, str):
        return given.strip()
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        return ""
    return f"{Decimal(str(given)):f}"  # never 1E+1


def money(micros: int, currency: str) -> str:
    """An amount in full, such as "5.00 USD" or "0.0015 USD": it is never rounded."""
    whole, part = divmod(abs(micros), MICRO)
    digits = f"{part:0{PLACES}d}".rstrip("0").ljust(CENTS, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{digits} {currency}"
