"""Which requests are not to be sent: answered, on their way, or nobody knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from visionhub.store.ledger_items import Away, State
from visionhub.store.ledger_owners import IsAlive, dead, recover

LATE = "answered after it had been released"
"""How the reason of a charge begins that says nothing against its answer."""
BILLED = "on the bill"
"""How the reason of a charge begins that was settled by a bill: nothing was answered."""

_MANY = 500  # values bound in one statement
_STRENGTH = (Away.ANSWERED, Away.UNREADABLE, Away.HELD, Away.AMBIGUOUS)


@dataclass(frozen=True, slots=True)
class Book:
    """Who reserves, and on which terms. free: units a month that the user claims to be free."""

    run_id: int
    owner_id: int
    price_table_id: int
    currency: str
    free: Mapping[tuple[str, str], int]
    retry: bool


def half(key: str) -> bytes:
    """The half of a request's key by which the ledger knows it."""
    return bytes.fromhex(key)[:16]


def away_of(
    sql: sqlite3.Connection,
    book: Book,
    keys: Collection[str],
    when: datetime,
    is_alive: IsAlive,
) -> dict[str, Away]:
    """Which requests are not to be sent, and why; what a dead owner holds is recovered first."""
    charges = list(_charges(sql, keys))
    holders = {owner_id for _, state, _, owner_id in charges if state == State.HELD}
    gone = dead(sql, holders - {book.owner_id}, when, is_alive)
    if gone:
        recover(sql, gone, when)
        charges = list(_charges(sql, keys))
    away: dict[str, Away] = {}
    for key, state, reason, _ in charges:
        why = _why(state, reason, book)
        if why and (key not in away or _STRENGTH.index(why) < _STRENGTH.index(away[key])):
            away[key] = why
    return away


def _why(state: State, reason: str, book: Book) -> Away | None:
    """Why a charge keeps its request from being sent; None when it does not."""
    if state == State.HELD:
        return Away.HELD
    if state == State.UNKNOWN or reason.startswith(BILLED):
        return None if book.retry else Away.AMBIGUOUS
    return Away.UNREADABLE if reason and not reason.startswith(LATE) else Away.ANSWERED


def _charges(
    sql: sqlite3.Connection, keys: Collection[str]
) -> Iterator[tuple[str, State, str, int]]:
    """What counts of earlier charges: key, state, reason, owner."""
    whole = {half(key): key for key in keys}
    halves = list(whole)
    for start in range(0, len(halves), _MANY):
        some = halves[start : start + _MANY]
        found = sql.execute(
            "SELECT c.key, c.state, c.reason, a.owner_id FROM charges c JOIN attempts a ON a.id = "
            f"c.attempt_id WHERE c.key IN ({', '.join('?' * len(some))}) AND c.state <> 'released'",
            some,
        )
        for key, state, reason, owner_id in found:
            yield whole[key], State(state), reason, owner_id
