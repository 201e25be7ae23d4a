"""A study's ledger as an onlooker sees it, while others write to it and are killed."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.ledgers import SUMS

PATIENCE = 60.0  # seconds for writers
Unit: TypeAlias = tuple[str, str]  # SHA-256 of an image, price line
OPEN = (
    "SELECT i.sha256, l.sku, o.pid FROM charges c JOIN attempts a ON a.id = c.attempt_id "
    "JOIN owners o ON o.id = a.owner_id JOIN images i ON i.id = c.image_id "
    "JOIN price_lines l ON l.id = c.line_id "
    "WHERE c.state IN ('held', 'unknown') AND a.provider = ? AND i.sha256 IN ({}) "
    "ORDER BY c.state = 'held', a.id"  # of several the one that is on its way comes last
)
SETTLED = (
    "SELECT c.key, c.attempt_id, i.sha256, l.sku, b.sha256 FROM charges c "
    "JOIN images i ON i.id = c.image_id JOIN price_lines l ON l.id = c.line_id "
    "LEFT JOIN bodies b ON b.id = c.body_id WHERE c.state = 'settled'"
)
HISTORY = (
    "SELECT 'attempt', c.attempt_id, 'run', a.run_id, 'owner', a.owner_id, 'pid', o.pid, q.task, "
    "c.state, c.reason, 'reserved', a.reserved_at, 'ended', a.ended_at, 'owner ended', o.ended_at "
    "FROM charges c JOIN attempts a ON a.id = c.attempt_id JOIN owners o ON o.id = a.owner_id "
    "JOIN images i ON i.id = c.image_id JOIN price_lines l ON l.id = c.line_id "
    "JOIN questions q ON q.id = c.question_id WHERE i.sha256 = ? AND l.sku = ? ORDER BY 2"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """A settled charge. body: the hash of its answer; None when it has none."""

    unit: Unit
    body: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """The books at one moment. faults: what does not add up."""

    cap: int
    spent: int
    held: int
    unknown: int
    settled: Mapping[tuple[bytes, int], Settled]
    faults: tuple[str, ...]


class Books:
    """Reads only; but it opens for writing, so that it can undo what a kill cut off."""

    def __init__(self, study: Path) -> None:
        self._lock = threading.Lock()
        self._sql = sqlite3.connect(
            f"{study.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        self._sql.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Let go of the file."""
        self._sql.close()

    def reserved(self, provider: str, images: Sequence[str]) -> dict[Unit, int]:
        """The units of these images that money is held for (or lost from), and the pid of whom."""
        marks = ", ".join("?" * len(images))
        with self._lock:
            rows = self._sql.execute(OPEN.format(marks), (provider, *images)).fetchall()
        return {(image, sku): pid for image, sku, pid in rows}

    def page(self) -> Page | None:
        """All at one moment; None before there are any books."""
        with self._lock:
            self._sql.execute("BEGIN")
            try:
                return self._page()
            finally:
                self._sql.execute("COMMIT")

    def _page(self) -> Page | None:
        ask = self._sql.execute
        if not ask("SELECT 1 FROM sqlite_master WHERE name = 'accounts'").fetchone():
            return None
        account = ask("SELECT cap, settled, held, unknown FROM accounts").fetchone()
        if account is None:
            return None
        settled = {
            (key, attempt): Settled((image, sku), body)
            for key, attempt, image, sku, body in ask(SETTLED)
        }
        faults = tuple(fault for fault, sql in SUMS.items() if ask(sql).fetchone())
        return Page(*account, settled, faults)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What a query finds."""
        with self._lock:
            return self._sql.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        """The one figure that a query finds."""
        return int(str(self.rows(sql)[0][0] or 0))

    def history(self, image: str, line: str) -> str:
        """All that befell a unit, attempt by attempt."""
        found = self._sql.execute(HISTORY, (image, line)).fetchall()
        return "; ".join(" ".join(map(str, row)) for row in found)

    def damaged_bodies(self) -> int:
        """Stored answers whose bytes are not those that were stored."""
        import zstandard

        found = 0
        for sha256, size, data in self.rows("SELECT sha256, bytes, data FROM bodies"):
            plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=max(1, size))  # type: ignore[arg-type, type-var]
            found += hashlib.sha256(plain).hexdigest() != sha256
        return found
