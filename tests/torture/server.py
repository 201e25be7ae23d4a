"""The service as the torture sees it: what was asked, what it might bill, and whom it kills."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from visionhub_sandbox import Fault, Sandbox
from visionhub_sandbox.calls import KEPT, Call

from tests.torture.books import Books
from visionhub.pricing import Price, PriceTable, units

REGION = "us-east-1"
Unit: TypeAlias = tuple[str, str]  # SHA-256 of an image as it was sent, price line


class Prices:
    """The highest packaged price of each line of a provider."""

    def __init__(self, provider: str) -> None:
        today = datetime.now(UTC).date()
        table = PriceTable.packaged()
        found = {
            p.sku: table.get(provider, p.sku, REGION, today)
            for p in table
            if p.provider == provider
        }
        self._prices: Mapping[str, Price] = {sku: price for sku, price in found.items() if price}

    def of(self, lines: Sequence[str]) -> int:
        """Micro-units for one image in one call."""
        counts = units(lines, self._prices)
        return sum(n * self._prices[sku].highest for sku, n in zip(lines, counts, strict=True))


class Service:
    """A stand-in that knows whether each call was reserved, and kills clients that are doomed.

    study: what its clients write to. doomed: pids, and how many calls each has left. unreserved:
    units that were asked for while the study held no money for them. kills: pids killed here.
    """

    def __init__(self, provider: str, study: Path, faults: Sequence[Fault]) -> None:
        self.provider, self._study = provider, study
        self._prices = Prices(provider)
        self._lock = threading.Lock()
        self._books: Books | None = None
        self.doomed: dict[int, int] = {}
        self.kills: set[int] = set()
        self.asked = self.unreserved = 0
        self._sandbox = Sandbox(None, faults=faults, on_call=self._look)

    def __enter__(self) -> Service:
        self._sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sandbox.stop()
        if self._books is not None:
            self._books.close()

    @property
    def address(self) -> str:
        """host:port."""
        return self._sandbox.address

    @property
    def calls(self) -> int:
        """Calls that came in."""
        return self._sandbox.calls.count()

    def billed(self) -> tuple[Counter[Unit], int]:
        """How often each unit may have been billed, and what all of it costs at most."""
        counted = self._sandbox.calls.recent
        if len(counted) >= KEPT:
            raise RuntimeError("more calls than the stand-in remembers: make the study smaller")
        found: Counter[Unit] = Counter()
        cost = 0
        for one in counted:
            if one.billable:
                for image, lines in zip(one.call.images, one.call.lines, strict=True):
                    found.update((image, line) for line in lines)
                    cost += self._prices.of(lines)
        return found, cost

    def _look(self, call: Call) -> None:
        """One call has come in: it was reserved before it left, and its client may have to die."""
        wanted = {
            (image, line)
            for image, lines in zip(call.images, call.lines, strict=True)
            for line in lines
        }
        with self._lock:
            if self._books is None:
                self._books = Books(self._study)
            held = self._books.reserved(self.provider, call.images)
            self.asked += len(wanted)
            self.unreserved += len(wanted - held.keys())
            for pid in {held[unit] for unit in wanted & held.keys()} & self.doomed.keys():
                self.doomed[pid] -= 1
                if self.doomed[pid] <= 0:
                    del self.doomed[pid]
                    self.kills.add(pid)
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
