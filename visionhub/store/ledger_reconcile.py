"""What a vendor's bill makes certain: ambiguous requests that it shows, or does not show."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from visionhub.errors import StudyError
from visionhub.store import ledger_owners
from visionhub.store.explain import explained
from visionhub.store.ledger_away import BILLED
from visionhub.store.ledger_items import State
from visionhub.store.ledger_owners import dead, holders
from visionhub.store.owners import is_alive
from visionhub.store.study import StudyFile

NOT_BILLED = "not on the bill"

_FIND = (
    "SELECT c.key, c.attempt_id FROM charges c JOIN attempts a ON a.id = c.attempt_id "
    "JOIN owners o ON o.id = a.owner_id JOIN price_lines l ON l.id = c.line_id "
    "WHERE c.state = 'unknown' AND c.units = 1 AND NOT o.rehearsal AND a.provider = ? "
    "AND a.reserved_at >= ? AND a.reserved_at < ? AND (l.sku, l.region) IN (VALUES {})"
)
_SET = (
    "UPDATE charges SET state = ?1, charge = CASE ?1 WHEN 'released' THEN 0 ELSE charge END, "
    "reason = ?2 || CASE reason WHEN '' THEN '' ELSE '; ' || reason END "
)


@dataclass(frozen=True, slots=True)
class Certain:
    """What a bill says of the ambiguous units of some price lines (sku, region) in a time.

    since, until: UTC, as `attempts.reserved_at` has it; `until` is left out. state: SETTLED or
    RELEASED. units: how many there have to be.
    """

    provider: str
    lines: tuple[tuple[str, str], ...]
    since: str
    until: str
    state: State
    units: int


def abandoned(study: StudyFile, *, recover: bool) -> tuple[list[int], int]:
    """Owners that are dead and still hold requests, and how many; `recover` makes these unknown.

    The next run would do the same. Raises StudyError.
    """
    now = datetime.now(UTC)
    with explained(study.path):
        gone = dead(study.connection, holders(study.connection), now, is_alive)
    find = (
        "SELECT count(*) FROM charges c JOIN attempts a ON a.id = c.attempt_id WHERE "
        f"c.state = 'held' AND a.owner_id IN ({', '.join('?' * len(gone))})"
    )
    requests = int(study.query(find, gone).rows[0][0])
    if recover and gone:
        with study.transaction() as sql:
            ledger_owners.recover(sql, gone, now)
    return gone, requests


def resolve(study: StudyFile, found: Sequence[Certain]) -> int:
    """Settle or release ambiguous requests, all or nothing; how many units there were.

    A settled one keeps the highest price that it was held at. Requests about the same image in the
    same call that are no unit of their own follow. Raises StudyError when the ledger is no longer
    the one that was compared.
    """
    changed = 0
    with study.transaction() as sql:
        for certain in found:
            changed += _resolve(study, sql, certain)
    return changed


def _resolve(study: StudyFile, sql: sqlite3.Connection, certain: Certain) -> int:
    marks = ", ".join(["(?, ?)"] * len(certain.lines))
    names = [name for line in certain.lines for name in line]
    values = (certain.provider, certain.since, certain.until, *names)
    charges = sql.execute(_FIND.format(marks), values).fetchall()
    if len(charges) != certain.units:
        raise StudyError(
            f"The study {str(study.path)!r}: its ledger has changed since it was compared. Nothing "
            f"was changed; run the command again."
        )
    state = certain.state.value
    reason = BILLED if certain.state is State.SETTLED else NOT_BILLED
    where = "WHERE (key, attempt_id) = (?3, ?4)"
    sql.executemany(f"{_SET}{where}", [(state, reason, *charge) for charge in charges])
    follow = (
        "WHERE attempt_id = ?3 AND state = 'unknown' AND units = 0 AND NOT EXISTS (SELECT 1 FROM "
        "charges o WHERE (o.attempt_id, o.image_id) = (charges.attempt_id, charges.image_id) "
        "AND o.units = 1 AND o.state <> ?1)"
    )
    attempts = {attempt for _, attempt in charges}
    sql.executemany(f"{_SET}{follow}", [(state, reason, attempt) for attempt in attempts])
    return len(charges)
