"""The processes that hold money in a study: entering, leases, and what the dead leave behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from visionhub.store.ledger_items import Recovered
from visionhub.store.owners import Owner

IsAlive: TypeAlias = Callable[[Owner, float, float], bool]
"""Whether an owner lives: its lease's end and the present, in seconds since the epoch."""

LOST = "its process ended before the answer was stored"


def stamp(when: datetime) -> str:
    """A moment as a study keeps it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def enter(
    sql: sqlite3.Connection, owner: Owner, when: datetime, lease_until: float, rehearsal: bool
) -> int:
    """Note a new owner; its id."""
    row = (owner.host, owner.boot, owner.pid, owner.started, rehearsal)
    cursor = sql.execute(
        "INSERT INTO owners (host, boot, pid, started, rehearsal, lease_until, began_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*row, lease_until, stamp(when)),
    )
    return int(cursor.lastrowid or 0)


def extend(sql: sqlite3.Connection, owner_id: int, until: float) -> None:
    """Write an owner's lease anew. Another host may have taken it for dead: it lives."""
    change = "UPDATE owners SET lease_until = ?, ended_at = NULL WHERE id = ?"
    sql.execute(change, (until, owner_id))


def holders(sql: sqlite3.Connection) -> set[int]:
    """The owners of all that is held."""
    find = (
        "SELECT DISTINCT a.owner_id FROM charges c JOIN attempts a ON a.id = c.attempt_id "
        "WHERE c.state = 'held'"
    )
    return {owner_id for (owner_id,) in sql.execute(find)}


def at_work(sql: sqlite3.Connection, me: int, when: datetime, is_alive: IsAlive) -> bool:
    """Whether another owner than this one has not ended and lives."""
    find = "SELECT id FROM owners WHERE ended_at IS NULL AND id <> ?"
    others = [owner_id for (owner_id,) in sql.execute(find, (me,))]
    return len(dead(sql, others, when, is_alive)) < len(others)


def dead(
    sql: sqlite3.Connection, owner_ids: Iterable[int], when: datetime, is_alive: IsAlive
) -> list[int]:
    """Those owners that will end nothing any more."""
    find = "SELECT host, boot, pid, started, lease_until FROM owners WHERE id = ?"
    found = []
    for owner_id in owner_ids:
        *owner, lease_until = sql.execute(find, (owner_id,)).fetchone()
        if not is_alive(Owner(*owner), lease_until, when.timestamp()):
            found.append(owner_id)
    return found


def recover(sql: sqlite3.Connection, owner_ids: Iterable[int], when: datetime) -> Recovered:
    """End owners: what they hold becomes unknown, and counts as spent."""
    requests = micros = 0
    for owner_id in owner_ids:
        rows = sql.execute(
            "UPDATE charges SET state = 'unknown', charge = hold, reason = ? WHERE state = 'held' "
            "AND (SELECT owner_id FROM attempts WHERE id = attempt_id) = ? RETURNING hold",
            (LOST, owner_id),
        ).fetchall()
        requests, micros = requests + len(rows), micros + sum(hold for (hold,) in rows)
        ended = (stamp(when), owner_id)
        sql.execute(
            "UPDATE attempts SET ended_at = ? WHERE owner_id = ? AND ended_at IS NULL", ended
        )
        sql.execute("UPDATE owners SET ended_at = ? WHERE id = ? AND ended_at IS NULL", ended)
    return Recovered(requests, micros)
