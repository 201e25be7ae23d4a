"""The ledger of a study: no attempt leaves this machine before its highest cost is held.

    held -> settled     the service charges for it
         -> released    it surely does not
         -> unknown     nobody can tell; counts as spent
    unknown -> settled (a late answer) | released (a bill that does not show it)

`settled + held <= cap`, unknown included in settled, holds in the database itself for all threads
and processes, and after any of them was killed.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from visionhub.pricing import Price, PriceTable
from visionhub.store import ledger_owners
from visionhub.store.explain import explained
from visionhub.store.ledger_accounts import (
    NO_CAP,
    bought,
    keep_table,
    last_attempt,
    read_totals,
    set_cap,
    set_room,
)
from visionhub.store.ledger_away import Book
from visionhub.store.ledger_end import end
from visionhub.store.ledger_items import (
    Away,
    Bought,
    Ended,
    Line,
    Recovered,
    Reserved,
    State,
    Totals,
    Wanted,
)
from visionhub.store.ledger_owners import IsAlive
from visionhub.store.ledger_queue import Queue
from visionhub.store.ledger_reserve import reserve
from visionhub.store.owners import LEASE, Owner, is_alive, is_due
from visionhub.store.study import StudyFile

__all__ = [
    "Away",
    "Bought",
    "Ended",
    "Ledger",
    "Line",
    "Recovered",
    "Reserved",
    "State",
    "Totals",
    "Wanted",
]

T = TypeVar("T")


class Ledger:
    """One run's access to the ledger of an open study; close it before the study.

    cap: the most that the whole study may spend, as named for this run, in micro-units of
    `currency`; this run keeps to it though a later one names a higher. room: where none is named,
    the most that this run may spend; None for no cap. A cap that was named earlier goes before it.
    free: units a month that are claimed to be free, by (provider, pool). retry: whether a request
    whose end is unknown is asked again. clock: seconds since the epoch. owner: who holds; None for
    this process. alive: whether another owner still does.

    Raises CapReached when the study has spent more than `cap`, and StudyError.
    """

    def __init__(
        self,
        study: StudyFile,
        run_id: int,
        table: PriceTable,
        currency: str,
        *,
        cap: int | None,
        room: int | None = None,
        free: Mapping[tuple[str, str], int],
        retry: bool,
        rehearsal: bool,
        clock: Callable[[], float] = time.time,
        owner: Owner | None = None,
        alive: IsAlive = is_alive,
    ) -> None:
        self._path, self._clock, self._alive = study.path, clock, alive
        self._writing, self._closed = study.writing, False
        self._capped = False
        self._prices: dict[int, Price] = {}  # by line, of all that is reserved here
        self._sql = study.second()
        self._queue = Queue(self._sql, study.writing, study.patience)

        self._lease_until = clock() + LEASE

        def enter(sql: sqlite3.Connection) -> tuple[Book, Totals, int]:
            when = self._now()
            me = owner or Owner.here()
            owner_id = ledger_owners.enter(sql, me, when, self._lease_until, rehearsal)
            if cap is not None:
                set_cap(sql, currency, cap)
            else:
                others = ledger_owners.at_work(sql, owner_id, when, alive)
                set_room(sql, currency, room, others=others)
            table_id = keep_table(sql, table, when)
            most = NO_CAP if cap is None else cap
            book = Book(run_id, owner_id, table_id, currency, most, dict(free), retry)
            return book, read_totals(sql, currency), last_attempt(sql)

        try:
            self._book, self._totals, self._before = self._do(enter)
        except BaseException:
            self._sql.close()
            raise

    def reserve(self, wanted: Wanted) -> Reserved:
        """Hold what an attempt can cost at most; when this returns, that is on the disk.

        For any thread, but not inside `study.transaction()`. Raises StudyError, and UsageError
        where a price list ends before the units that are wanted.
        """

        def work(sql: sqlite3.Connection) -> Reserved:
            if self._closed:  # between its last transaction and its end: nobody would end this hold
                raise sqlite3.ProgrammingError("its ledger is closed")
            reserved, prices = reserve(sql, self._book, wanted, self._now(), self._alive)
            self._prices.update(prices)
            return reserved

        reserved = self._write(work)
        self._capped = self._capped or bool(reserved.capped)
        return reserved

    def end(self, ended: Sequence[Ended]) -> None:
        """End requests that got no answer. For any thread, as `reserve`. Raises StudyError."""
        if any(one.body and one.state is State.SETTLED for one in ended):
            raise ValueError("an answer is settled together with its body")
        self._write(lambda sql: end(sql, self._book, self._prices, ended, None, self._now()))

    def settle(
        self, sql: sqlite3.Connection, ended: Sequence[Ended], bodies: Mapping[str, int]
    ) -> None:
        """End requests and link their bodies, inside `study.transaction()`: all or nothing.

        bodies: ids by request key, for all that say that they have one.
        """
        end(sql, self._book, self._prices, ended, bodies, self._now())
        self._renew(sql)
        self._totals = read_totals(sql, self._book.currency)

    def recover(self) -> Recovered:
        """Turn what dead processes hold into unknown."""

        def work(sql: sqlite3.Connection) -> Recovered:
            when = self._now()
            others = ledger_owners.holders(sql) - {self._book.owner_id}
            gone = ledger_owners.dead(sql, others, when, self._alive)
            return ledger_owners.recover(sql, gone, when)

        return self._write(work)

    def renew(self) -> None:
        """Stay alive in the eyes of other hosts; it writes once in a third of a lease at most."""
        if is_due(self._lease_until, self._clock()):
            self._write(lambda sql: None)

    def bought(self) -> Bought:
        """What this run has spent so far; others may spend from the same account."""
        return self._do(lambda sql: bought(sql, self._book.owner_id, self._before))

    @property
    def capped(self) -> bool:
        """Whether a reservation of this run has met the cap, in whatever thread."""
        return self._capped

    @property
    def totals(self) -> Totals:
        """The account when this ledger last wrote; its cap is this run's where that is lower."""
        now = self._totals
        return now if now.cap is None else replace(now, cap=min(now.cap, self._book.cap))

    def close(self) -> Recovered:
        """Leave; what is still held becomes unknown, for nobody will end it."""
        if self._closed:
            return Recovered()
        self._closed = True
        try:
            return self._do(
                lambda sql: ledger_owners.recover(sql, [self._book.owner_id], self._now())
            )
        finally:
            with self._writing:
                self._sql.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self._path):
            return self._queue.do(work)

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it, with the lease and the totals that follow."""

        def both(sql: sqlite3.Connection) -> tuple[T, Totals]:
            done = work(sql)
            self._renew(sql)
            return done, read_totals(sql, self._book.currency)

        done, self._totals = self._do(both)
        return done

    def _renew(self, sql: sqlite3.Connection) -> None:
        now = self._clock()
        if not self._closed and is_due(self._lease_until, now):
            ledger_owners.extend(sql, self._book.owner_id, now + LEASE)
            self._lease_until = now + LEASE
