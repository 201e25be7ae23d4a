"""`visionhub ledger reconcile`: the ledger beside the vendor's bill, day by day and line by line.

Days are those of the billing zone. Money is in micro-units. `visionhub.report.reconciled` puts what
is found before a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from visionhub import registry
from visionhub.pricing import MICRO, Price, PriceTable, day
from visionhub.report.billing import read_bills
from visionhub.report.books import Books, Day, Key
from visionhub.report.prices import table_of
from visionhub.store.ledger_away import BILLED, LATE
from visionhub.store.ledger_items import State
from visionhub.store.ledger_reconcile import Certain, abandoned, resolve
from visionhub.store.study import StudyFile

WITHIN = "bill within ledger"
ABOVE = "bill above ledger: spend that visionhub did not cause or does not know"
DEARER = "dearer than the ledger: check the prices, and the free units that were claimed"
ABSENT = "this line is nowhere in the export"
EARLY = "the export may not be complete for this day"
SHOWN = 15  # unclaimed kinds of rows

# What a dead process holds is as good as unknown, though nobody has written that down yet.
_LEDGER = (
    "SELECT a.provider, l.sku, l.region, substr(a.reserved_at, 1, 16) AS minute, "
    "sum((c.state = 'settled') * c.units), sum((c.state = 'unknown' OR {lost}) * c.units), "
    "sum((c.state = 'held' AND NOT {lost}) * c.units), "
    "sum((c.state <> 'released') * (1 - c.units)), "
    f"sum(CASE WHEN c.state = 'settled' AND c.reason <> '' AND c.reason NOT LIKE '{LATE}%' AND "
    f"c.reason NOT LIKE '{BILLED}%' THEN c.units ELSE 0 END), "
    "sum(CASE WHEN {lost} THEN c.hold ELSE c.charge END), a.currency "
    "FROM charges c JOIN attempts a ON a.id = c.attempt_id "
    "JOIN owners o ON o.id = a.owner_id JOIN price_lines l ON l.id = c.line_id "
    "WHERE NOT o.rehearsal GROUP BY 1, 2, 3, 4, a.currency"
)


def reconciled(
    path: Path,
    export: Path,
    provider: str | None,
    prices: Path | None,
    *,
    apply: bool,
    today: date | None = None,
) -> dict[str, Any]:
    """Compare a study's ledger with a billing export, as plain values.

    With `apply`, ambiguous units that the bill of a complete day makes certain are released (it
    shows exactly what was answered) or settled (it shows everything, the ambiguous ones too); all
    others stay.
    What a killed process holds counts as ambiguous, and with `apply` becomes so. Raises UsageError
    for an export that cannot be read, UnknownProvider, and StudyError.
    """
    table = table_of(prices)
    with StudyFile(path) as study:  # it is there, and of this version: writing would make a new one
        _check_provider(study, provider)
    with StudyFile(path, write=apply) as study:
        gone, killed = abandoned(study, recover=apply)
        ledger = _ledger(study, provider, gone)
        books = Books(_lines(study, table, {key.provider for key in ledger}))
        for bill in read_bills(export):
            books.add(bill)
        entries, certain = _compared(ledger, books, today or datetime.now(UTC).date())
        if apply:
            resolve(study, certain)
    return {
        "study": str(path),
        "export": str(export),
        "provider": provider,
        "applied": apply,
        "killed": killed,
        "days": entries,
        "unclaimed": [
            {"words": words, "units": _number(units)} for words, units in books.unclaimed.items()
        ][:SHOWN],
    }


def _check_provider(study: StudyFile, provider: str | None) -> None:
    """UnknownProvider for a name that no installed provider has, and nobody in the ledger."""
    asked = "SELECT 1 FROM attempts WHERE provider = ? LIMIT 1"
    if provider is not None and not study.query(asked, (provider,)).rows:
        registry.load(provider)


def _ledger(
    study: StudyFile, provider: str | None, gone: Sequence[int]
) -> dict[Key, dict[str, Day]]:
    """Units and money by line and minute; rehearsals are on nobody's bill. gone: dead owners."""
    found: dict[Key, dict[str, Day]] = {}
    owners = ", ".join(map(str, gone))
    sql = _LEDGER.replace("{lost}", f"(c.state = 'held' AND a.owner_id IN ({owners}))")
    for name, sku, region, minute, *sums in study.stream(sql):
        if provider in (None, name):
            key = Key(name, sku, region)
            found.setdefault(key, {}).setdefault(minute, Day()).add(Day(*sums))
    return found


def _lines(study: StudyFile, table: PriceTable, providers: set[str]) -> dict[Key, Price]:
    """The lines of these providers: of the tables that runs went by, and of `table` before them."""
    lines: dict[Key, Price] = {}
    kept = study.query("SELECT id, text FROM price_tables ORDER BY id").rows
    for held in (*(PriceTable.parse(text, f"price table {n}") for n, text in kept), table):
        lines |= {Key(*price.key): price for price in held if price.provider in providers}
    return lines


def _compared(
    ledger: Mapping[Key, Mapping[str, Day]], books: Books, today: date
) -> tuple[list[dict[str, Any]], list[Certain]]:
    """An entry for each day and group of lines, and what they make certain."""
    entries, certain = [], []
    for group in _groups([*books.seen, *((key,) for key in ledger)]):
        price = books.lines[group[0]]
        billed = any(keys[0] in group for keys in books.seen)
        for when, one in sorted(_days(group, ledger, books).items()):
            complete = books.covers(when, price.billing_zone, today)
            state = _certainty(one) if complete and billed else None
            entries.append(_entry(group, when, one, _verdict(one, billed, complete), state))
            if state is not None:
                certain.append(_certain(group, price, when, one, state))
    return sorted(entries, key=lambda entry: (entry["day"], entry["provider"])), certain


def _groups(together: Iterable[tuple[Key, ...]]) -> list[tuple[Key, ...]]:
    """Lines that some row of the export names together, and each line that stands alone."""
    groups: list[set[Key]] = []
    for keys in together:
        joined = set(keys).union(*(group for group in groups if group & set(keys)))
        groups = [group for group in groups if not group & joined]
        groups.append(joined)
    return [tuple(sorted(group)) for group in groups]


def _days(
    group: tuple[Key, ...], ledger: Mapping[Key, Mapping[str, Day]], books: Books
) -> dict[str, Day]:
    """Ledger and bill by day; of the bill, from the provider's first day here to its last one."""
    days: dict[str, Day] = {}
    span: set[str] = set()
    for key, minutes in ledger.items():
        for minute, one in minutes.items() if key.provider == group[0].provider else ():
            at = datetime.fromisoformat(minute).replace(tzinfo=UTC)
            when = day(at, books.lines[key].billing_zone)
            span.add(when)
            if key in group:
                days.setdefault(when, Day()).add(one)
    for keys, bills in books.seen.items():
        for when, bill in bills.items() if keys[0] in group else ():
            if min(span) <= when <= max(span):
                days.setdefault(when, Day()).add(bill)
    return days


def _verdict(one: Day, billed: bool, complete: bool) -> str:
    known = one.settled + one.unknown + one.held
    dearer = one.billed_in == one.currency and _micros(one.cost) > one.charge
    if one.billed > known and (one.billed > known + one.beside or dearer):
        return ABOVE
    if dearer and not one.held:
        return DEARER
    if not billed:
        return ABSENT
    return WITHIN if complete else EARLY


def _certainty(one: Day) -> State | None:
    """What the bill of a complete day says of its ambiguous units; None when it says nothing.

    Nobody outside knows whether calls are billed that the service answered with an error. So what
    is unknown is surely not on a bill that shows nothing beyond the answers.
    """
    if not one.unknown or one.held:
        return None
    if one.billed == one.settled - one.failed:
        return State.RELEASED
    return State.SETTLED if one.billed == one.settled + one.unknown else None


def _certain(group: tuple[Key, ...], price: Price, when: str, one: Day, state: State) -> Certain:
    begins = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(price.billing_zone))
    ends = begins + timedelta(days=1)  # the same hour of the next day there, whatever the clocks do
    since, until = (at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (begins, ends))
    lines = tuple((key.sku, key.region) for key in group)
    return Certain(price.provider, lines, since, until, state, one.unknown)


def _entry(
    group: tuple[Key, ...], when: str, one: Day, verdict: str, state: State | None
) -> dict[str, Any]:
    return {
        "day": when,
        "provider": group[0].provider,
        "lines": [key.sku for key in group],
        "region": group[0].region,
        "settled": one.settled,
        "unknown": one.unknown,
        "held": one.held,
        "billed": _number(one.billed),
        "difference": _number(one.billed - one.settled - one.unknown),
        "currency": one.currency,
        "charged": one.charge,
        "billed_currency": one.billed_in,
        "billed_cost": _micros(one.cost),
        "verdict": verdict,
        "certain": state.value if state else None,
    }


def _micros(cost: Decimal) -> int:
    return int((cost * MICRO).to_integral_value(ROUND_HALF_UP))


def _number(units: Decimal) -> int | str:
    """Units as JSON: whole as a rule, and exact where they are not."""
    return int(units) if units == units.to_integral_value() else str(units)
