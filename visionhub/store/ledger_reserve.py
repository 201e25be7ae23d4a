"""Reserving: which requests of an attempt may be sent, and what they can cost at most."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeAlias

from visionhub.pricing import Price, month, units
from visionhub.store.ledger_away import Book, away_of, half
from visionhub.store.ledger_items import Away, Line, Reserved, Wanted
from visionhub.store.ledger_owners import IsAlive, stamp

_Row: TypeAlias = tuple[Line, int, int, int]  # with units, free units, hold


@dataclass(slots=True)
class _Pool:
    """Units of one month that count together: how many there are, and how many are still free."""

    used: int
    free: int


def reserve(
    sql: sqlite3.Connection, book: Book, wanted: Wanted, when: datetime, is_alive: IsAlive
) -> tuple[Reserved, Mapping[int, Price]]:
    """Hold what an attempt can cost; with the prices of its lines by id. Inside a transaction.

    Raises UsageError where a price list ends before the units that are wanted.
    """
    lines = {line.key: line for image in wanted.images for line in image}
    away = away_of(sql, book, lines, when, is_alive)
    attempt = _Attempt(sql, book, wanted, when)
    for image in wanted.images:
        own = {line.key: lines.pop(line.key) for line in image if line.key in lines}  # each once
        attempt.add([line for key, line in own.items() if key not in away])
    return attempt.store(away), attempt.prices


class _Attempt:
    """One attempt as it is put together, image by image."""

    def __init__(self, sql: sqlite3.Connection, book: Book, wanted: Wanted, when: datetime) -> None:
        self._sql, self._book, self._wanted, self._when = sql, book, wanted, when
        zones = (line.price.billing_zone for image in wanted.images for line in image if line.price)
        self._month = month(when, next(zones, "UTC"))
        self._left = _left(sql, book)
        self._pools: dict[str, _Pool] = {}
        self._rows: list[_Row] = []
        self._capped: set[str] = set()
        self.prices: dict[int, Price] = {}

    def add(self, lines: Sequence[Line]) -> None:
        """Hold one image's requests, all or none of them.

        Their units are counted here and not by the caller: what is free beside another request is
        not when that one is away.
        """
        prices = {line.price.sku: line.price for line in lines if line.price}
        counts = units([line.price.sku if line.price else None for line in lines], prices)
        taken: Counter[str] = Counter()  # units, by pool
        rows = [self._row(line, n, taken) for line, n in zip(lines, counts, strict=True)]
        hold = sum(row[-1] for row in rows)
        if hold > self._left:
            self._capped.update(line.key for line in lines)
            return
        self._left -= hold
        self._rows += rows
        for name, n in taken.items():
            pool = self._pools[name]
            pool.used, pool.free = pool.used + n, max(0, pool.free - n)

    def _row(self, line: Line, n: int, taken: Counter[str]) -> _Row:
        """A line with what it is held at: the highest price, unless a claimed free unit is left."""
        price = line.price
        if price is None or n == 0:
            return line, 0, 0, 0
        if price.currency != self._book.currency:
            raise ValueError(f"a price in {price.currency}, held in {self._book.currency}")
        pool = self._pool(price.pool)
        price.cost(pool.used + taken[price.pool], n)  # whether there is a price for this one
        free = int(taken[price.pool] < pool.free)
        taken[price.pool] += n
        return line, n, free, (n - free) * price.highest

    def _pool(self, name: str) -> _Pool:
        if name not in self._pools:
            key = (self._wanted.provider, name, self._month)
            find = "SELECT settled + held, free_used FROM usage WHERE (provider, pool, month) = "
            used, free = self._sql.execute(f"{find}(?, ?, ?)", key).fetchone() or (0, 0)
            claimed = self._book.free.get(key[:2], 0)
            self._pools[name] = _Pool(used, max(0, claimed - free))
        return self._pools[name]

    def store(self, away: Mapping[str, Away]) -> Reserved:
        """Write what is held; nothing when nothing is granted."""
        capped = frozenset(self._capped)
        if not self._rows:
            return Reserved(None, frozenset(), away, capped)
        attempt = self._insert_attempt()
        ids = {price: self._line_id(price) for price in {row[0].price for row in self._rows}}
        self.prices = {line_id: price for price, line_id in ids.items() if price and line_id}
        self._sql.executemany(
            "INSERT INTO charges (key, attempt_id, image_id, question_id, line_id, units, free, "
            "hold) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (half(ln.key), attempt, ln.image_id, ln.question_id, ids[ln.price], *amounts)
                for ln, *amounts in self._rows
            ],
        )
        self._note_claims()
        granted = frozenset(line.key for line, *_ in self._rows)
        return Reserved(attempt, granted, away, capped)

    def _insert_attempt(self) -> int:
        book, wanted = self._book, self._wanted
        cursor = self._sql.execute(
            "INSERT INTO attempts (run_id, owner_id, provider, operation, region, month, currency, "
            "price_table_id, requests, hold, reserved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                book.run_id,
                book.owner_id,
                wanted.provider,
                wanted.operation,
                wanted.region,
                self._month,
                book.currency,
                book.price_table_id,
                len(self._rows),
                sum(hold for *_, hold in self._rows),
                stamp(self._when),
            ),
        )
        return int(cursor.lastrowid or 0)

    def _line_id(self, price: Price | None) -> int | None:
        """The id of a price line of this run's table, new or known."""
        if price is None:
            return None
        key = (self._book.price_table_id, *price.key, price.effective_from.isoformat())
        known = self._sql.execute(
            "SELECT id FROM price_lines WHERE (price_table_id, provider, sku, region, "
            "effective_from) = (?, ?, ?, ?, ?)",
            key,
        ).fetchone()
        if known:
            return int(known[0])
        tiers = json.dumps([asdict(tier) for tier in price.tiers])
        cursor = self._sql.execute(
            "INSERT INTO price_lines (price_table_id, provider, sku, region, effective_from, pool, "
            "currency, tiers) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, price.pool, price.currency, tiers),
        )
        return int(cursor.lastrowid or 0)

    def _note_claims(self) -> None:
        """Keep how many units a month were said to be free, for those who read the study."""
        for name in self._pools:
            key = (self._wanted.provider, name, self._month)
            if claimed := self._book.free.get(key[:2], 0):
                self._sql.execute(
                    "UPDATE usage SET free_claimed = ? WHERE (provider, pool, month) = (?, ?, ?) "
                    "AND free_claimed < ?",
                    (claimed, *key, claimed),
                )


def _left(sql: sqlite3.Connection, book: Book) -> int:
    """What may still be held, in micro-units; what is free goes on when others passed our cap."""
    find = "SELECT max(0, min(cap, ?) - settled - held) FROM accounts WHERE currency = ?"
    return int(sql.execute(find, (book.cap, book.currency)).fetchone()[0])
