"""What money allows in one run: its price lines, the cap, and the free units that are claimed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from visionhub.errors import UsageError
from visionhub.pricing import HOW_TO_ADD, Price, PriceTable, parse_money
from visionhub.provider import Announce, Provider
from visionhub.store.items import Question

if TYPE_CHECKING:
    from visionhub.engine.plan import Ask

ON_AMBIGUOUS = ("skip", "retry", "ask")
DIGITS = 20  # of a claim; Python refuses to read a number of thousands of them


@dataclass(frozen=True, slots=True)
class Terms:
    """The money side of a run.

    lines: the price of each (provider, sku) that is asked. cap: the most that the study may spend,
    in micro-units of `currency`; None where the user named none. room: the most that this run may
    spend where no cap is named, as agreed. free: units a month, by (provider, pool), that the user
    claims as free. retry: requests whose outcome is unknown are asked again.
    """

    table: PriceTable
    lines: Mapping[tuple[str, str], Price]
    currency: str
    cap: int | None
    free: Mapping[tuple[str, str], int]
    retry: bool
    room: int | None = None


def make_terms(
    ask: Ask,
    providers: Mapping[str, Provider],
    questions: Sequence[Question],
    today: date,
    announce: Announce,
) -> Terms | None:
    """The terms of a run; None when nothing is asked that is charged for.

    Raises UsageError: a line without a price, several currencies, prices that are too old, a cap
    or a claim that cannot be read.
    """
    if ask.on_ambiguous not in ON_AMBIGUOUS:
        choices = ", ".join(ON_AMBIGUOUS)
        raise UsageError(f"--on-ambiguous {ask.on_ambiguous}: choose one of {choices}.")
    amount = parse_money(ask.max_cost, "--max-cost") if ask.max_cost is not None else None
    table = PriceTable.read(ask.prices) if ask.prices else PriceTable.packaged()
    lines = _lines(table, providers, questions, today)
    free = _claims(ask.assume_free, questions, lines)
    if not lines:
        return None
    old = table.check_age(today, allow_old=ask.old_prices, among=lines.values())
    if old:
        announce(old)
    currency = _currency(lines.values())
    if amount and amount[1] not in (None, currency):
        raise UsageError(f"--max-cost {ask.max_cost}: the prices of this run are in {currency}.")
    cap = amount[0] if amount else None
    return Terms(table, lines, currency, cap, free, retry=ask.on_ambiguous == "retry")


def _lines(
    table: PriceTable,
    providers: Mapping[str, Provider],
    questions: Iterable[Question],
    today: date,
) -> dict[tuple[str, str], Price]:
    """The price of every line that is asked; UsageError that lists all that have none."""
    lines: dict[tuple[str, str], Price] = {}
    missing: dict[tuple[str, str], list[str]] = {}  # the lines of each provider and reason
    asked = {(q.provider, q.spec.sku): None for q in questions}  # in order, each once
    for provider, sku in asked:
        if sku is None:
            continue
        region = providers[provider].region()
        price = table.get(provider, sku, region, today)
        if price is None:
            reason = table.reason(provider, sku, region, today)
            missing.setdefault((provider, reason), []).append(sku)
        else:
            lines[provider, sku] = price
    if missing:
        said = "; ".join(f"{p} {', '.join(skus)}{reason}" for (p, reason), skus in missing.items())
        advice = [_remedy(table, providers[name]) for name, _ in missing]
        raise UsageError(
            f"No price for {said}. Without a price nothing is sent. "
            f"{'. '.join(dict.fromkeys(advice))}."
        )
    return lines


def _remedy(table: PriceTable, provider: Provider) -> str:
    """What to do about a line without a price: name a region that has some, or add it."""
    known = table.regions(provider.name)
    if provider.region() or not known or "region" not in provider.settings:
        return HOW_TO_ADD
    return (
        f"Set a region that has prices:  --set {provider.name}.region={known[0]}  "
        f"({provider.settings['region'].help})"
    )


def _currency(prices: Iterable[Price]) -> str:
    """The one currency of a run."""
    first: dict[str, Price] = {}
    for price in prices:
        first.setdefault(price.currency, price)
    if len(first) > 1:
        said = ", ".join(f"{p.provider} {p.sku} in {p.currency}" for p in first.values())
        raise UsageError(
            f"A run has one currency, and these are priced in several: {said}. Ask them in runs of "
            f"their own, or give prices in one currency with --prices."
        )
    return next(iter(first))


def _claims(
    claimed: Mapping[str, str],
    questions: Iterable[Question],
    lines: Mapping[tuple[str, str], Price],
) -> dict[tuple[str, str], int]:
    """Free units a month by (provider, pool), from "provider.task" to typed numbers."""
    skus = {f"{q.provider}.{q.task}": (q.provider, q.spec.sku) for q in questions}
    free: dict[tuple[str, str], int] = {}
    for key, text in claimed.items():
        option = f"--assume-free {key}={text}"
        if key not in skus:
            known = ", ".join(name for name, (_, sku) in skus.items() if sku) or "none"
            raise UsageError(f"{option}: that is not asked here; charged for: {known}.")
        provider, sku = skus[key]
        price = lines.get((provider, sku)) if sku else None
        if price is None:
            raise UsageError(f"{option}: {key} is free of charge. Leave it out.")
        number = _number(option, text, price)
        if free.setdefault((provider, price.pool), number) != number:
            raise UsageError(
                f"{option}: it shares one free allowance ({price.pool!r}) with another task, for "
                f"which a different number is claimed. Claim it once."
            )
    return free


def _number(option: str, text: str, price: Price) -> int:
    most = price.free_per_month
    if not most:
        raise UsageError(
            f"{option}: no free units a month are known for {price.provider} {price.sku}. "
            f"{HOW_TO_ADD}."
        )
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 0
    if not 0 < number <= most:
        raise UsageError(f"{option}: give a whole number of units a month, 1 to {most:,}.")
    return number
