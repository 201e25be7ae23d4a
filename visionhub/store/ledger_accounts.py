"""Accounts, one a currency: their caps and totals; and the price tables that runs went by."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from visionhub.errors import CapReached
from visionhub.pricing import PriceTable, money
from visionhub.store.ledger_items import Bought, Totals
from visionhub.store.ledger_owners import stamp

NO_CAP = 2**62
"""The cap of an account that has none: far beyond any amount, and within SQLite's integers."""


def set_cap(sql: sqlite3.Connection, currency: str, cap: int) -> None:
    """Open an account with the cap that was named, or name another.

    It stays until the next one is named. Raises CapReached when more is spent or held already.
    """
    _open(sql, currency)
    now = read_totals(sql, currency)
    if now.settled + now.held > cap:
        held = (
            f" and holds {money(now.held, currency)} for requests on their way" if now.held else ""
        )
        raise CapReached(
            f"The cap of {money(cap, currency)} is below what is gone already: this study has "
            f"spent {money(now.settled, currency)}{held}. Nothing was sent; give a higher "
            f"--max-cost."
        )
    sql.execute("UPDATE accounts SET cap = ?, named = 1 WHERE currency = ?", (cap, currency))


def set_room(sql: sqlite3.Connection, currency: str, room: int | None, *, others: bool) -> None:
    """Open an account for a run without a named cap, or raise the cap by its `room`.

    room: None for no cap. others: whether other runs are at work, whose room is left to them. A cap
    that was named stays as it is.
    """
    _open(sql, currency)
    base = "cap" if others else "settled + held"
    sql.execute(
        f"UPDATE accounts SET cap = min(?1, {base} + ?2) WHERE currency = ?3 AND NOT named",
        (NO_CAP, NO_CAP if room is None else room, currency),
    )


def _open(sql: sqlite3.Connection, currency: str) -> None:
    opening = "INSERT INTO accounts (currency, cap) VALUES (?, 0) ON CONFLICT DO NOTHING"
    sql.execute(opening, (currency,))


def read_totals(sql: sqlite3.Connection, currency: str) -> Totals:
    """An account as it stands."""
    find = "SELECT cap, settled, held, unknown FROM accounts WHERE currency = ?"
    cap, settled, held, unknown = sql.execute(find, (currency,)).fetchone()
    return Totals(currency, None if cap == NO_CAP else cap, settled, held, unknown)


def last_attempt(sql: sqlite3.Connection) -> int:
    """The id of the latest attempt; 0 before the first."""
    return int(sql.execute("SELECT coalesce(max(id), 0) FROM attempts").fetchone()[0])


def bought(sql: sqlite3.Connection, owner_id: int, after: int) -> Bought:
    """What an owner's attempts after a certain one came to; what it still holds counts as spent."""
    found = sql.execute(
        "SELECT a.provider, l.sku, sum(c.units), sum(CASE c.state WHEN 'held' THEN c.hold ELSE "
        "c.charge END) FROM attempts a JOIN charges c ON c.attempt_id = a.id JOIN price_lines l "
        "ON l.id = c.line_id WHERE a.id > ? AND a.owner_id = ? AND c.state <> 'released' "
        "GROUP BY 1, 2 HAVING sum(c.units) > 0 ORDER BY 1, 2",
        (after, owner_id),
    ).fetchall()
    units: dict[str, dict[str, int]] = {}
    for provider, sku, number, _ in found:
        units.setdefault(provider, {})[sku] = number
    return Bought(sum(micros for *_, micros in found), units)


def keep_table(sql: sqlite3.Connection, table: PriceTable, when: datetime) -> int:
    """Keep the text of a price table, once; its id."""
    row = (table.sha256, table.text, stamp(when))
    sql.execute(
        "INSERT INTO price_tables (sha256, text, added_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        row,
    )
    find = "SELECT id FROM price_tables WHERE sha256 = ?"
    return int(sql.execute(find, row[:1]).fetchone()[0])
