"""Ledgers for tests: made-up prices, a study with a run, and requests by number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from visionhub.pricing import Price, PriceTable, Tier
from visionhub.store.ledger import Ended, Ledger, Line, Reserved, State, Wanted
from visionhub.store.owners import Owner, is_alive
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

ALL = (State.SETTLED, State.RELEASED, State.UNKNOWN)
START = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()


def price(sku: str, *tiers: tuple[int | None, int], pool: str = "", free_with=()) -> Price:
    """A price line of the service `cloud`, in dollars."""
    return Price(
        "cloud",
        sku,
        "*",
        "USD",
        pool or sku,
        tuple(Tier(up_to, micros) for up_to, micros in tiers),
        tuple(free_with),
        1000,
        "America/Los_Angeles",
        date(2026, 1, 1),
        "made up",
        date(2026, 11, 1),
        "",
    )


LABELS = price("LABELS", (3, 1500), (None, 1000))
SAFE = price("SAFE", (None, 700), free_with=("LABELS",))
FACES = price("FACES", (4, 900), (None, 500), pool="DETECT")
TEXT = price("TEXT", (4, 900), (None, 500), pool="DETECT")
TABLE = PriceTable([LABELS, SAFE, FACES, TEXT], "one")
DEARER = replace(LABELS, tiers=(Tier(None, 4000),))
OTHER_TABLE = PriceTable([DEARER, SAFE, FACES, TEXT], "other")


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def line(number: int, price: Price | None = LABELS) -> Line:
    return Line(key(number), image_id=number, question_id=1, price=price)


def wanted(*numbers: int, price: Price | None = LABELS) -> Wanted:
    """One request an image."""
    return Wanted("cloud", "annotate", "east", tuple((line(n, price),) for n in numbers))


def new_study(path: Path) -> StudyFile:
    """A study that is open for writing, with one run."""
    study = StudyFile(path, write=True, shared=True)
    Recorder.start(study, "0", "x")
    return study


def open_ledger(
    study: StudyFile,
    cap: int | None = None,
    *,
    room: int | None = None,
    table: PriceTable = TABLE,
    free: Mapping[tuple[str, str], int] | None = None,
    retry: bool = False,
    clock: Callable[[], float] | None = None,
    owner: Owner | None = None,
    alive: Callable[[Owner, float, float], bool] = is_alive,
) -> Ledger:
    """A ledger of the study's first run."""
    return Ledger(
        study,
        1,
        table,
        "USD",
        cap=cap,
        room=room,
        free=free or {},
        retry=retry,
        rehearsal=False,
        clock=clock or Clock(),
        owner=owner,
        alive=alive,
    )


def ended(
    reserved: Reserved, state: State, keys: Iterable[str] | None = None, body: bool = False
) -> list[Ended]:
    """All that was granted (or these keys of it), in one state."""
    assert reserved.attempt is not None
    granted = reserved.granted if keys is None else keys
    return [Ended(reserved.attempt, one, state, body=body) for one in sorted(granted)]


def store_body(study_connection) -> int:
    """A body; its id."""
    return study_connection.execute(
        "INSERT INTO bodies (sha256, bytes, encoding, media_type, received_at, data) "
        "VALUES ('', 0, 'zstd', '', '', x'')"
    ).lastrowid


def settle(study: StudyFile, ledger: Ledger, reserved: Reserved, keys=None) -> None:
    """Settle with bodies, in the study's own transaction."""
    with study.transaction() as sql:
        found = ended(reserved, State.SETTLED, keys, body=True)
        bodies = {one.key: store_body(sql) for one in found}
        ledger.settle(sql, found, bodies)


SUMS = {
    "an account is not the sum of its charges": (
        "SELECT currency FROM accounts a WHERE (settled, held, unknown) IS NOT (SELECT "
        "coalesce(sum(CASE WHEN state IN ('settled', 'unknown') THEN charge END), 0), "
        "coalesce(sum(CASE state WHEN 'held' THEN c.hold END), 0), "
        "coalesce(sum(CASE state WHEN 'unknown' THEN charge END), 0) FROM charges c "
        "JOIN attempts t ON t.id = c.attempt_id WHERE t.currency = a.currency)"
    ),
    "the cap is passed": "SELECT currency FROM accounts WHERE settled + held > cap",
    "usage is not the sum of its charges": (
        "SELECT pool FROM usage u WHERE (settled, held, free_used) IS NOT (SELECT "
        "coalesce(sum(CASE WHEN c.state IN ('settled', 'unknown') THEN c.units END), 0), "
        "coalesce(sum(CASE c.state WHEN 'held' THEN c.units END), 0), "
        "coalesce(sum(CASE WHEN c.state <> 'released' THEN c.free END), 0) FROM charges c "
        "JOIN attempts t ON t.id = c.attempt_id JOIN price_lines l ON l.id = c.line_id "
        "WHERE (t.provider, l.pool, t.month) = (u.provider, u.pool, u.month))"
    ),
    "units are counted nowhere": (
        "SELECT 1 FROM charges c JOIN attempts t ON t.id = c.attempt_id JOIN price_lines l ON "
        "l.id = c.line_id WHERE c.units AND NOT EXISTS (SELECT 1 FROM usage u WHERE (u.provider, "
        "u.pool, u.month) = (t.provider, l.pool, t.month))"
    ),
    "a key is held twice": (
        "SELECT key FROM charges WHERE state = 'held' GROUP BY key HAVING count(*) > 1"
    ),
    "a charge is above its hold": "SELECT key FROM charges WHERE charge > hold OR charge < 0",
    "what is unknown is not counted in full": (
        "SELECT key FROM charges WHERE state = 'unknown' AND charge <> hold"
    ),
    "an attempt's end is not that of its charges": (
        "SELECT id FROM attempts a WHERE (ended_at IS NULL) <> (EXISTS (SELECT 1 FROM charges "
        "WHERE attempt_id = a.id AND state = 'held'))"
    ),
    "an attempt is not the sum of its charges": (
        "SELECT id FROM attempts a WHERE (requests, hold) IS NOT (SELECT count(*), sum(hold) FROM "
        "charges WHERE attempt_id = a.id)"
    ),
}


def check_sums(study: StudyFile) -> None:
    """What holds in every study, whatever has happened to it."""
    for fault, sql in SUMS.items():
        assert not study.query(sql).rows, fault


def states(study: StudyFile) -> dict[int, str]:
    """The state of each request's newest charge, by number."""
    numbers = {bytes.fromhex(key(n))[:16]: n for n in range(300)}
    rows = study.query("SELECT key, state FROM charges ORDER BY attempt_id").rows
    return {numbers[half]: state for half, state in rows}
