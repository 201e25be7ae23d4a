"""Which requests are not to be sent: answered, on their way, or nobody knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from visionhub.store.ledger_items import Away, State
from visionhub.store.ledger_owners import IsAlive, dead, recover

LATE = "answered after it had been released"
"""How the reason of a charge begins that says nothing against its answer."""
BILLED = "on the bill"
"""How the reason of a charge begins that was settled by a bill: nothing was answered."""

_MANY = 500  # values bound in one statement
_STRENGTH = (Away.ANSWERED, Away.UNREADABLE, Away.HELD, Away.AMBIGUOUS, Away.BILLED)


@dataclass(frozen=True, slots=True)
class Book:
    """Who reserves, and on which terms.

    cap: of the whole study, as named for this run. free: units a month that the user claims.
    """

    run_id: int
    owner_id: int
    price_table_id: int
    currency: str
    cap: int
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
    found = list(charges(sql, keys))
    holders = {charge.owner_id for charge in found if charge.state is State.HELD}
    gone = dead(sql, holders - {book.owner_id}, when, is_alive)
    if gone:
        recover(sql, gone, when)
        found = list(charges(sql, keys))
    return reasons(found, retry=book.retry)


class Earlier(NamedTuple):
    """What an earlier attempt came to for a request; one that was released is none."""

    key: str
    state: State
    reason: str
    owner_id: int


def reasons(
    found: Iterable[Earlier], *, retry: bool, gone: Collection[int] = ()
) -> dict[str, Away]:
    """Why requests are not to be sent, by key; the strongest reason counts.

    gone: owners that are dead; what they hold is as good as unknown.
    """
    away: dict[str, Away] = {}
    for charge in found:
        why = _why(charge, retry=retry, gone=gone)
        if why is not None:
            away[charge.key] = min(why, away.get(charge.key, why), key=_STRENGTH.index)
    return away


def _why(charge: Earlier, *, retry: bool, gone: Collection[int]) -> Away | None:
    """Why a charge keeps its request from being sent; None when it does not."""
    if charge.state is State.HELD and charge.owner_id not in gone:
        return Away.HELD
    if charge.state is not State.SETTLED:
        return None if retry else Away.AMBIGUOUS
    if charge.reason.startswith(BILLED):
        return None if retry else Away.BILLED
    read = not charge.reason or charge.reason.startswith(LATE)
    return Away.ANSWERED if read else Away.UNREADABLE


def charges(sql: sqlite3.Connection, keys: Collection[str]) -> Iterator[Earlier]:
    """What counts of the earlier attempts at requests."""
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
            yield Earlier(whole[key], State(state), reason, owner_id)
