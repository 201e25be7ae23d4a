"""The ledger beside a model of it in plain Python: whatever is done, in whatever order.

VISIONHUB_LEDGER_EXAMPLES makes it run longer (the default takes some seconds).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.ledgers import (
    ALL,
    Clock,
    check_sums,
    key,
    new_study,
    open_ledger,
    price,
    store_body,
)
from visionhub.errors import CapReached
from visionhub.pricing import Price, PriceTable, Tier
from visionhub.store.ledger import Away, Ended, Ledger, Line, Recovered, State, Wanted
from visionhub.store.owners import LEASE, Owner
from visionhub.store.study import StudyFile

LABELS = price("LABELS", (1, 1500), (3, 1200), (None, 1000))
DEARER = replace(LABELS, tiers=(Tier(2, 4000), Tier(None, 100)))
SAFE = price("SAFE", (None, 700), free_with=("LABELS",))
FACES = price("FACES", (1, 900), (None, 500), pool="DETECT")
TEXT = price("TEXT", (1, 900), (None, 500), pool="DETECT")
TABLE = PriceTable([LABELS, SAFE, FACES, TEXT], "one")
OTHER_TABLE = PriceTable([DEARER, SAFE, FACES, TEXT], "other")
KEYS = 8
PRICES = [LABELS, SAFE, FACES, None, LABELS, TEXT, SAFE, LABELS]  # of the requests, by number
FULL = -1  # a cap at what is gone already
CAPS = (9000, FULL, 0, 1400, 1500, 4000, 50_000, None)
SPENT = ("settled", "unknown")
MOST_LEDGERS = 4
WHO = st.integers(0, MOST_LEDGERS - 1)
BODY = st.booleans()
IMAGES = st.lists(
    st.lists(st.integers(0, KEYS - 1), min_size=1, max_size=3), min_size=1, max_size=4
)


def highest(price: Price) -> int:
    return max(tier.micros for tier in price.tiers)


def at(price: Price, position: int) -> int:
    """The price of the month's unit at a position, counted from 1."""
    for tier in price.tiers:
        if tier.up_to is None or position <= tier.up_to:
            return tier.micros
    raise AssertionError


class Quick(StudyFile):
    """A study for what is written, not for how the disk keeps it."""

    def __init__(self, path: Path, *, write: bool, shared: bool) -> None:
        super().__init__(path, write=write, shared=shared)
        self.connection.execute("PRAGMA synchronous = OFF")

    def second(self) -> sqlite3.Connection:
        connection = super().second()
        connection.execute("PRAGMA synchronous = OFF")
        return connection


@dataclass
class Charge:
    """One request of one attempt, as the model knows it."""

    number: int
    attempt: int
    owner: int
    price: Price | None
    month: str
    units: int
    free: int
    hold: int
    charge: int = 0
    state: str = "held"
    body: bool = False
    unreadable: bool = False


@dataclass
class Process:
    """A ledger, and what the model knows of its owner."""

    id: int
    pid: int
    ledger: Ledger
    free: int
    retry: bool
    dear: bool
    lease: float
    cap: int | None
    ended: bool = False
    given_up: bool = False  # by another, until it writes again


class LedgerModel(RuleBasedStateMachine):
    """Several processes over one study; each rule is done to the ledger and to the model."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "study.db"
        shutil.copy(_template(), path)
        self.study = Quick(path, write=True, shared=True)
        self.clock = Clock()
        self.killed: set[int] = set()
        self.charges: list[Charge] = []
        self.all: list[Process] = []
        self.cap: int | None = 0
        self.named = False
        self.attempts = self.pids = 0
        self.come(None, 30_000, 0, False, False)
        self.come(None, 20_000, 2, True, True)

    def teardown(self) -> None:
        if hasattr(self, "study"):
            try:
                for process in self.all:
                    process.ledger.close()
                check_sums(self.study)
            finally:
                self.study.close()
                self.folder.cleanup()

    # What happens

    def some(self, which: int) -> Process:
        """One of those that work."""
        working = [p for p in self.all if not p.ended and p.pid not in self.killed]
        return working[which % len(working)]

    def works(self) -> int:
        return sum(not p.ended and p.pid not in self.killed for p in self.all)

    @precondition(lambda self: self.works() < MOST_LEDGERS)
    @rule(
        cap=st.sampled_from((*CAPS, None, None)),
        room=st.sampled_from([None, 0, 4000, 25_000]),
        free=st.integers(0, 3),
        retry=st.booleans(),
        dear=st.booleans(),
    )
    def come(self, cap: int | None, room: int | None, free: int, retry: bool, dear: bool) -> None:
        pid = self.pids = self.pids + 1
        cap = self.spent() + self.held() if cap == FULL else cap
        try:
            ledger = open_ledger(
                self.study,
                cap,
                room=room,
                table=OTHER_TABLE if dear else TABLE,
                free={("cloud", "LABELS"): free, ("cloud", "DETECT"): free} if free else {},
                retry=retry,
                clock=self.clock,
                owner=Owner("host", "", pid, ""),
                alive=self.lives,
            )
        except CapReached:
            assert cap is not None
            assert cap < self.spent() + self.held()
            return
        assert cap is None or cap >= self.spent() + self.held()
        self.agree(cap, room)
        owner_id = ledger._book.owner_id
        lease = self.clock.now + LEASE
        self.all.append(Process(owner_id, pid, ledger, free, retry, dear, lease, cap))

    def agree(self, cap: int | None, room: int | None) -> None:
        """What the study may spend now. A cap that was named stays until another is."""
        if cap is not None:
            self.cap, self.named = cap, True
        elif not self.named:
            others = any(not self.is_dead(p) and not p.given_up for p in self.all)
            base = self.cap if others else self.spent() + self.held()
            self.cap = None if room is None or base is None else base + room

    @precondition(works)
    @rule(calls=st.lists(st.tuples(WHO, IMAGES, st.none() | st.sampled_from(ALL)), min_size=1))
    def reserve(self, calls: list[tuple[int, list[list[int]], State | None]]) -> None:
        for call in calls:
            self.one(*call)

    def one(self, who: int, images: list[list[int]], end: State | None) -> None:
        """One attempt; perhaps all that is granted ends at once."""
        process = self.some(who)
        prices = [DEARER if p is LABELS and process.dear else p for p in PRICES]
        lines = tuple(
            tuple(Line(key(n), image, 1, prices[n]) for n in image_keys)
            for image, image_keys in enumerate(images)
        )
        reserved = process.ledger.reserve(Wanted("cloud", "annotate", "", lines))
        granted, away, capped = self.expect(process, images, prices)
        assert reserved.granted == {key(n) for n in granted}
        assert reserved.away == {key(n): why for n, why in away.items()}
        assert reserved.capped == {key(n) for n in capped}
        assert reserved.attempt == (self.attempts if granted else None)
        self.wrote(process)
        if end is not None:
            mine = [c for c in self.charges if c.attempt == reserved.attempt]
            self.finish(process, mine, end, with_body=end is State.SETTLED)

    @precondition(lambda self: self.works() and self.charges)
    @rule(who=WHO, data=st.data(), mine=st.booleans(), state=st.sampled_from(ALL), body=BODY)
    def end(self, who: int, data: st.DataObject, mine: bool, state: State, body: bool) -> None:
        """What is on its way, or anything: ended already, or another's."""
        process = self.some(who)
        held = [c for c in self.charges if c.state == "held" and c.owner == process.id]
        among = held if mine and held else self.charges
        some = data.draw(st.lists(st.sampled_from(among), min_size=1, max_size=4, unique_by=id))
        self.finish(process, some, state, with_body=body and state is not State.RELEASED)

    @precondition(lambda self: any(c.state in ("unknown", "released") for c in self.charges))
    @rule(data=st.data())
    def late(self, data: st.DataObject) -> None:
        """An answer that was given up, by a process that was."""
        lost = [c for c in self.charges if c.state in ("unknown", "released")]
        charge = data.draw(st.sampled_from(lost))
        process = next(p for p in self.all if p.id == charge.owner)
        self.finish(process, [charge], State.SETTLED, with_body=True)

    def finish(
        self, process: Process, some: list[Charge], state: State, *, with_body: bool
    ) -> None:
        told = [Ended(c.attempt, key(c.number), state, body=with_body) for c in some]
        if with_body:
            with self.study.transaction() as sql:
                bodies = {key(c.number): store_body(sql) for c in some}
                process.ledger.settle(sql, told, bodies)
        else:
            told = [replace(one, reason="no answer") for one in told]
            process.ledger.end(told)
        for charge in some:
            self.ends(process, charge, state, body=with_body, unreadable=not with_body)
        if not process.ended:
            self.wrote(process)

    @precondition(lambda self: any(c.state == "unknown" for c in self.charges))
    @rule(data=st.data())
    def reconcile(self, data: st.DataObject) -> None:
        """A bill does not show something that was unknown."""
        charge = data.draw(st.sampled_from([c for c in self.charges if c.state == "unknown"]))
        with self.study.transaction() as sql:
            sql.execute(
                "UPDATE charges SET state = 'released', charge = 0 "
                "WHERE (key, attempt_id) = (?, ?)",
                (bytes.fromhex(key(charge.number))[:16], charge.attempt),
            )
        charge.state, charge.charge = "released", 0

    @precondition(works)
    @rule(who=WHO)
    def kill(self, who: int) -> None:
        self.killed.add(self.some(who).pid)

    @precondition(works)
    @rule(who=WHO)
    def recover(self, who: int) -> None:
        process = self.some(who)
        gone = {p.id for p in self.all if p is not process and self.is_dead(p)}
        lost = [c for c in self.charges if c.state == "held" and c.owner in gone]
        micros = sum(c.hold for c in lost)
        assert process.ledger.recover() == Recovered(len(lost), micros)
        self.lose(lost)
        self.wrote(process)

    @precondition(works)
    @rule(who=WHO)
    def leave(self, who: int) -> None:
        process = self.some(who)
        left = [c for c in self.charges if c.state == "held" and c.owner == process.id]
        micros = sum(c.hold for c in left)
        assert process.ledger.close() == Recovered(len(left), micros)
        process.ended = True
        self.lose(left)

    @precondition(works)
    @rule(who=WHO, days=st.sampled_from([0, 0, 31]), leases=st.sampled_from([0.25, 0.5, 1, -1]))
    def time_passes(self, who: int, days: int, leases: float) -> None:
        """One may tell that it lives; a clock may go back."""
        self.clock.now += timedelta(days=days).total_seconds() + leases * LEASE
        process = self.some(who)
        process.ledger.renew()
        self.wrote(process)

    # What the model expects

    def lives(self, owner: Owner, lease_until: float, now: float) -> bool:
        return owner.pid not in self.killed and now < lease_until

    def is_dead(self, process: Process) -> bool:
        """A lease that ran out leaves a process for dead until it writes again."""
        return process.ended or process.pid in self.killed or self.clock.now >= process.lease

    def wrote(self, process: Process) -> None:
        """Its lease is written anew when a third of it is gone, or more than all is left."""
        left = process.lease - self.clock.now
        if left <= LEASE * 2 / 3 or left > LEASE:
            process.lease, process.given_up = self.clock.now + LEASE, False

    def lose(self, charges: Iterable[Charge]) -> None:
        for charge in charges:
            charge.state, charge.charge, charge.unreadable = "unknown", charge.hold, True
            next(p for p in self.all if p.id == charge.owner).given_up = True

    def spent(self) -> int:
        return sum(c.charge for c in self.charges)

    def held(self) -> int:
        return sum(c.hold for c in self.charges if c.state == "held")

    def units(self, pool: str, month: str, states: Iterable[str]) -> int:
        return sum(c.units for c in self._of(pool, month) if c.state in states)

    def _of(self, pool: str, month: str) -> list[Charge]:
        return [c for c in self.charges if c.price and c.price.pool == pool and c.month == month]

    @property
    def month(self) -> str:
        when = datetime.fromtimestamp(self.clock.now, UTC)
        return when.astimezone(ZoneInfo("America/Los_Angeles")).strftime("%Y-%m")

    def away(self, process: Process, number: int) -> Away | None:
        found = {c.state: c for c in self.charges if c.number == number and c.state != "released"}
        settled = [c for c in self.charges if c.number == number and c.state == "settled"]
        if settled:
            unreadable = all(c.unreadable for c in settled)
            return Away.UNREADABLE if unreadable else Away.ANSWERED
        if "held" in found:
            return Away.HELD
        return Away.AMBIGUOUS if "unknown" in found and not process.retry else None

    def expect(
        self, process: Process, images: list[list[int]], prices: list[Price | None]
    ) -> tuple[set[int], dict[int, Away], set[int]]:
        wanted = {n for image in images for n in image}
        gone = {p.id for p in self.all if p is not process and self.is_dead(p)}
        blocking = {
            c.owner
            for c in self.charges
            if c.number in wanted and c.state == "held" and c.owner in gone
        }
        self.lose([c for c in self.charges if c.state == "held" and c.owner in blocking])
        away = {n: why for n in wanted if (why := self.away(process, n)) is not None}
        granted: set[int] = set()
        capped: set[int] = set()
        for image in images:
            numbers = [n for n in dict.fromkeys(image) if n not in {*away, *granted, *capped}]
            rows = self.image(process, numbers, prices)
            caps = [cap for cap in (self.cap, process.cap) if cap is not None]
            room = max(0, min(caps) - self.spent() - self.held()) if caps else None
            if room is not None and sum(row.hold for row in rows) > room:
                capped.update(numbers)
                continue
            granted.update(numbers)
            self.charges += rows
        self.attempts += bool(granted)
        return granted, away, capped

    def image(
        self, process: Process, numbers: list[int], prices: list[Price | None]
    ) -> list[Charge]:
        """What one image's requests are held at."""
        rows: list[Charge] = []
        skus = [p.sku for n in numbers if (p := prices[n]) is not None]
        for n in numbers:
            price, units, free = prices[n], 0, 0
            if price is not None:
                known = any(r.price and r.price.sku == price.sku for r in rows)
                units = int(not known and not set(price.free_with) & set(skus))
                claimed = process.free if price.pool in ("LABELS", "DETECT") else 0
                used = sum(
                    c.free for c in self._of(price.pool, self.month) if c.state != "released"
                )
                used += sum(r.free for r in rows if r.price and r.price.pool == price.pool)
                free = int(units and used < claimed)
            hold = highest(price) if price is not None and units > free else 0
            owner = (self.attempts + 1, process.id)
            rows.append(Charge(n, *owner, price, self.month, units, free, hold))
        return rows

    def ends(
        self,
        process: Process,
        charge: Charge,
        state: State,
        *,
        body: bool = False,
        unreadable: bool = False,
    ) -> None:
        if charge.owner != process.id:
            return
        if charge.state == "held" or (state is State.SETTLED and charge.state != "settled"):
            was, charge.state = charge.state, "away"  # not counted where it was
            if state is State.SETTLED and charge.price and charge.units > charge.free:
                before = self.units(charge.price.pool, charge.month, SPENT)
                free = [c for c in self._of(charge.price.pool, charge.month) if c.free]
                before += sum(c.state == "held" for c in free)  # a month's first
                charge.charge = at(charge.price, before + 1)
            elif state is State.UNKNOWN:
                charge.charge = charge.hold
            else:
                charge.charge = 0
            charge.state, charge.unreadable = state.value, unreadable
            if was == "released" and self.cap is not None:
                gone = self.spent() + self.held()
                if gone > self.cap:
                    self.cap, charge.unreadable = gone, False
        charge.body = charge.body or body

    # What holds after every step

    @invariant()
    def the_study_is_as_the_model_says(self) -> None:
        if not hasattr(self, "study"):
            return
        rows = self.study.query(
            "SELECT key, attempt_id, state, units, free, hold, charge, body_id IS NOT NULL "
            "FROM charges"
        ).rows
        assert {(bytes(row[0]), *row[1:]) for row in rows} == {
            (
                bytes.fromhex(key(c.number))[:16],
                c.attempt,
                c.state,
                c.units,
                c.free,
                c.hold,
                c.charge,
                c.body,
            )
            for c in self.charges
        }
        assert len(rows) == len(self.charges)
        for cap, settled, held in self.study.query("SELECT cap, settled, held FROM accounts").rows:
            assert (settled, held) == (self.spent(), self.held())
            assert cap == self.cap or (self.cap is None and cap > 10**15)
        for pool, month, settled, held in self.study.query(
            "SELECT pool, month, settled, held FROM usage"
        ).rows:
            assert settled == self.units(pool, month, SPENT)
            assert held == self.units(pool, month, ["held"])

    @invariant()
    def the_sums_are_right(self) -> None:
        if hasattr(self, "study"):
            check_sums(self.study)


_made: list[Path] = []


def _template() -> Path:
    """An empty study: migrating one takes longer than a test case."""
    if not _made:
        folder = Path(tempfile.mkdtemp())
        new_study(folder / "study.db").close()
        _made.append(folder / "study.db")
    return _made[0]


TestLedger = LedgerModel.TestCase
TestLedger.settings = settings(
    max_examples=int(os.environ.get("VISIONHUB_LEDGER_EXAMPLES", "100")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
