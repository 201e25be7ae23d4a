"""Price lines as text: TOML in and out. Reading is strict, for a mistake here costs money.

Writing is done here and not by a package, because the text's hash stands in every ledger: equal
prices must give equal bytes, whatever is installed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from itertools import pairwise
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from visionhub.errors import UsageError
from visionhub.pricing.price import Price, Tier

Reader: TypeAlias = Callable[[object], Any]  # raises ValueError, which says what is expected
Faults: TypeAlias = dict[str, list[int]]  # what is wrong, and in which rows
MOST = 10**12  # micro-units of one unit, and units of a month
ANYWHERE = "*"


def read_rows(text: str, where: str) -> tuple[str | None, list[Price]]:
    """The version (None when it has none) and the price lines of a table; `where` names it.

    Raises UsageError, which names every fault with the first row that has it, by number and member.
    """
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # a number of very many digits too
        raise UsageError(f"{where} is no price table (TOML): {error}.") from None
    except RecursionError:
        raise UsageError(f"{where} is no price table (TOML): it is nested too deeply.") from None
    version, rows = document.pop("version", None), document.pop("price", None)
    if document:
        raise UsageError(f"{where}: {next(iter(document))!r} is unknown here: write [[price]].")
    if version is not None and (not isinstance(version, str) or not version):
        raise UsageError(f"{where}: version: expected a text.")
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"{where}: it holds no prices: write [[price]] before each.")
    faults: Faults = {}
    prices = [price for n, row in enumerate(rows, 1) if (price := _read(n, row, faults))]
    said = list(_told(faults)) or list(_twice(prices))
    if said:
        raise UsageError(f"{where} is no price table: " + "; ".join(said) + ".")
    return version, prices


def _told(faults: Faults) -> Iterator[str]:
    """Each fault once, with its first row: the same mistake is often in all of them."""
    for what, numbers in faults.items():
        first, more = numbers[0], len(numbers) - 1
        rows = "row" if more == 1 else "rows"
        yield f"price {first}: {what}" + (f" (so in {more} {rows} more)" if more else "")


def _read(number: int, row: object, faults: Faults) -> Price | None:
    """A row's price; None where something is wrong, which is added to `faults`."""
    if not isinstance(row, dict):
        faults.setdefault("expected a table, written [[price]]", []).append(number)
        return None
    wrong = [f"{name}: there is no such member" for name in row if name not in MEMBERS]
    values: dict[str, Any] = {}
    for name, (read, needed) in MEMBERS.items():
        if name in row:
            try:
                values[name] = read(row[name])
            except ValueError as error:
                wrong.append(f"{name}: {error}")
        elif needed:
            wrong.append(f"{name}: it is missing")
    for each in wrong:
        faults.setdefault(each, []).append(number)
    return None if wrong else _price(values)


def _price(given: Mapping[str, Any]) -> Price:
    defaults = {"pool": given["sku"], "free_with": (), "free_per_month": 0, "note": ""}
    return Price(**{**defaults, **given})


def _twice(prices: Sequence[Price]) -> Iterator[str]:
    seen: dict[tuple[object, ...], int] = {}
    for number, price in enumerate(prices, 1):
        first = seen.setdefault((*price.key, price.effective_from), number)
        if first != number:
            yield f"price {number}: sku: price {first} is for the same line, region and day"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text")
    return value


def _note(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("expected a text")


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise ValueError("expected a list of texts")
    return tuple(value)


def _currency(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise ValueError("expected three capitals, such as USD")
    return value


def _whole(value: object, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST:
        raise ValueError(f"expected a whole number, {least} to {MOST:,}")
    return value


def _day(value: object) -> date:
    if type(value) is not date:  # a moment is a date too
        raise ValueError("expected a day, such as 2026-11-23 (without quotes)")
    return value


def _zone(value: object) -> str:
    name = _text(value)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write it like Europe/Berlin") from None
    return name


def _tiers(value: object) -> tuple[Tier, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("expected a list such as [{ up_to = 1_000_000, micros = 1000 }]")
    tiers = [_tier(number, each) for number, each in enumerate(value, 1)]
    ends = [tier.up_to for tier in tiers]
    if None in ends[:-1]:
        raise ValueError("only the last tier may leave out up_to")
    known = [end for end in ends if end is not None]
    if any(a >= b for a, b in pairwise(known)):
        raise ValueError("each up_to has to be above the one before")
    return tuple(tiers)


def _tier(number: int, value: object) -> Tier:
    if not isinstance(value, dict) or "micros" not in value or set(value) - {"up_to", "micros"}:
        raise ValueError(f"tier {number}: expected micros, and up_to where it ends, nothing else")
    try:
        up_to = _whole(value["up_to"], 1) if "up_to" in value else None
        return Tier(up_to, _whole(value["micros"]))
    except ValueError as error:
        raise ValueError(f"tier {number}: {error}") from None


MEMBERS: Mapping[str, tuple[Reader, bool]] = {  # each with whether it is needed
    "provider": (_text, True),
    "sku": (_text, True),
    "region": (_text, True),
    "currency": (_currency, True),
    "pool": (_text, False),
    "tiers": (_tiers, True),
    "free_with": (_texts, False),
    "free_per_month": (_whole, False),
    "billing_zone": (_zone, True),
    "effective_from": (_day, True),
    "source": (_text, True),
    "retrieved": (_day, True),
    "note": (_note, False),
    "billing": (_texts, False),
}


def written(version: str, prices: Sequence[Price]) -> str:
    """The text of a table, lines in their order; `read_rows` gives back the same."""
    return "\n".join([f"version = {_said(version)}", *map(_row, prices), ""])


def _row(price: Price) -> str:
    members = [f"{f.name} = {_said(getattr(price, f.name))}" for f in fields(price)]
    return "\n".join(["", "[[price]]", *members])


def _said(value: object) -> str:
    """A value in TOML, whose basic strings are those of JSON but for the character DEL."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_said, value))}]"
    if isinstance(value, Tier):
        end = "" if value.up_to is None else f"up_to = {value.up_to}, "
        return f"{{ {end}micros = {value.micros} }}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
