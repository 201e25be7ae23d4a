"""Ending: what becomes of the money that was held for a request."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from visionhub.errors import UsageError
from visionhub.pricing import Price, money
from visionhub.store.ledger_away import BILLED, LATE, Book, half
from visionhub.store.ledger_items import Ended, State
from visionhub.store.ledger_owners import stamp

_AFTER = {
    State.HELD: (State.SETTLED, State.RELEASED, State.UNKNOWN),
    State.UNKNOWN: (State.SETTLED,),  # a late answer
    State.RELEASED: (State.SETTLED,),  # a late answer to what a bill did not show
    State.SETTLED: (),
}


# Free units are a month's first, whenever their answers come. The index: few are held, of millions.
_FREE_AHEAD = (
    "(SELECT count(*) FROM charges f INDEXED BY charges_held CROSS JOIN attempts fa ON fa.id = "
    "f.attempt_id CROSS JOIN price_lines fl ON fl.id = f.line_id WHERE f.state = 'held' AND "
    "f.free = 1 AND (fa.provider, fl.pool, fa.month) = (a.provider, l.pool, a.month))"
)


@dataclass(frozen=True, slots=True)
class _Charge:
    """A charge as it stands. paid: units that cost something.

    used: units of its pool's month that come before the next; those that are free are the first.
    """

    state: State
    units: int
    paid: int
    hold: int
    line_id: int | None
    used: int


def end(
    sql: sqlite3.Connection,
    book: Book,
    prices: Mapping[int, Price],
    ended: Iterable[Ended],
    bodies: Mapping[str, int] | None,
    when: datetime,
) -> None:
    """End requests that this owner holds, and link their bodies. Inside a transaction.

    What is ended already, or held by another, stays as it is. bodies: None where they follow later.
    """
    attempts = set()
    for one in ended:
        charge = _find(sql, book, one)
        if charge is None:
            continue
        attempts.add(one.attempt)
        if one.state in _AFTER[charge.state]:
            _change(sql, book, prices, one, charge)
        if one.body and bodies is not None:
            _link(sql, one, bodies[one.key])
    sql.executemany(
        "UPDATE attempts SET ended_at = ?1 WHERE id = ?2 AND ended_at IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM charges WHERE attempt_id = ?2 AND state = 'held')",
        [(stamp(when), attempt) for attempt in attempts],
    )


def _find(sql: sqlite3.Connection, book: Book, one: Ended) -> _Charge | None:
    row = sql.execute(
        "SELECT c.state, c.units, c.units - c.free, c.hold, c.line_id, coalesce(u.settled, 0) + "
        f"CASE WHEN u.free_used > 0 THEN {_FREE_AHEAD} ELSE 0 END "
        "FROM charges c JOIN attempts a ON a.id = c.attempt_id LEFT JOIN price_lines l ON l.id = "
        "c.line_id LEFT JOIN usage u ON (u.provider, u.pool, u.month) = (a.provider, l.pool, "
        "a.month) WHERE (c.key, c.attempt_id) = (?, ?) AND a.owner_id = ?",
        (half(one.key), one.attempt, book.owner_id),
    ).fetchone()
    return _Charge(State(row[0]), *row[1:]) if row else None


def _change(
    sql: sqlite3.Connection,
    book: Book,
    prices: Mapping[int, Price],
    one: Ended,
    was: _Charge,
) -> None:
    charge, reason = 0, one.reason
    if one.state is State.UNKNOWN:
        charge = was.hold
    elif one.state is State.SETTLED:
        charge = _price(prices, was)
        if was.state is State.RELEASED:
            reason = _make_room(sql, book.currency, charge, reason)
    sql.execute(
        "UPDATE charges SET state = ?, charge = ?, reason = ? WHERE (key, attempt_id) = (?, ?)",
        (one.state.value, charge, reason, half(one.key), one.attempt),
    )


def _link(sql: sqlite3.Connection, one: Ended, body_id: int) -> None:
    """Keep what came, once; an answer to what a bill has settled says more than the bill."""
    sql.execute(
        "UPDATE charges SET body_id = ?, reason = CASE WHEN reason LIKE ? THEN ? ELSE reason END "
        "WHERE (key, attempt_id) = (?, ?) AND body_id IS NULL",
        (body_id, f"{BILLED}%", one.reason, half(one.key), one.attempt),
    )


def _price(prices: Mapping[int, Price], was: _Charge) -> int:
    """What a unit costs at its place in the month: the next, or that which it has as unknown."""
    if was.line_id is None or not was.paid:
        return 0
    before = was.used - was.units if was.state is State.UNKNOWN else was.used
    try:
        return min(was.hold, prices[was.line_id].cost(before, was.paid))
    except UsageError:  # another run went beyond the end of this run's price list
        return was.hold


def _make_room(sql: sqlite3.Connection, currency: str, charge: int, reason: str) -> str:
    """Raise the cap where money was spent that had been given back; the reason that says so."""
    raised = sql.execute(
        "UPDATE accounts SET cap = settled + held + ?1 WHERE currency = ?2 AND "
        "settled + held + ?1 > cap RETURNING cap",
        (charge, currency),
    ).fetchall()
    if not raised:
        return reason
    said = f"{LATE}: the cap was raised to {money(raised[0][0], currency)}"
    return f"{said}; {reason}" if reason else said
