"""What every attempt to ask a provider has to pass: its rate, its allowance, the run's patience.

This is the one place for limits: adapters only name them (`Provider.rates`, `Provider.takes`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from visionhub.errors import CapReached
from visionhub.provider import Batch, Provider

BURST = 1.0  # seconds' worth of tokens that may be used at once
RETRIES = 20  # that a run may always make
SHARE = 0.25  # of its calls that may be retries beyond these


class Bucket:
    """A token bucket for any number of threads: `per_second` tokens, `BURST` seconds of them kept.

    Each taker is told how long to wait for its turn, so that nobody wakes up in vain.
    """

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._next = time.monotonic() - BURST
        self._lock = threading.Lock()

    def take(self, tokens: float) -> float:
        """Take tokens; the seconds until they are there."""
        with self._lock:
            now = time.monotonic()
            begin = max(self._next, now - BURST)
            self._next = begin + tokens / self.per_second
            return max(0.0, begin - now)

    def pause(self, seconds: float) -> None:
        """Give no token before `seconds` from now: the service asked for that."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Allowance:
    """At most so many paid units in a run, whoever asks: a unit is one price line on one image.

    Units are counted before they are sent, and every attempt counts: a service may charge for one
    that it did not answer.
    """

    def __init__(self, units: int | None) -> None:
        self.units, self.spent = units, 0
        self._lock = threading.Lock()

    def take(self, units: int) -> None:
        """Count units that are about to be sent; CapReached, and nothing counted, at the end."""
        with self._lock:
            if self.units is not None and self.spent + units > self.units:
                raise CapReached(
                    f"The cap of {self.units} paid units is reached: {self.spent} were sent, and "
                    f"the next call needs {units}. What was answered is stored; the same command "
                    f"with a higher --max-units goes on."
                )
            self.spent += units


class Gate:
    """The limits of one provider in one run."""

    def __init__(self, provider: Provider, allowance: Allowance) -> None:
        self.provider, self.allowance = provider, allowance
        rates: Mapping[str, float] = provider.rates()
        self._buckets = {name: Bucket(rate) for name, rate in rates.items() if rate > 0}
        self._calls = self._retries = 0
        self._lock = threading.Lock()
        self.capped: CapReached | None = None

    def enter(self, batch: Batch, stop: threading.Event) -> None:
        """Wait for this attempt's turn and count what it may cost.

        Raises CapReached. Returns at once when `stop` is set: the caller then sends nothing.
        """
        with self._lock:
            self._calls += 1
        waits = [b.take(n) for b, n in self._taken(batch)]
        if stop.wait(max(waits, default=0.0)):
            return
        try:
            self.allowance.take(self.units(batch))
        except CapReached as error:
            self.capped = error
            raise

    def slow(self, batch: Batch, seconds: float) -> None:
        """Hold every call that shares a rate with this one."""
        for bucket, _ in self._taken(batch):
            bucket.pause(seconds)

    def may_retry(self) -> bool:
        """Whether the run still has retries left; counts one."""
        with self._lock:
            if self._retries >= RETRIES + SHARE * self._calls:
                return False
            self._retries += 1
            return True

    def units(self, batch: Batch) -> int:
        """Paid units of one attempt."""
        if self.provider.rehearsing:
            return 0
        skus = (
            {self.provider.tasks[request.task].sku for request in work.requests}
            for work in batch.works
        )
        return sum(len(lines - {None}) for lines in skus)

    def _taken(self, batch: Batch) -> list[tuple[Bucket, int]]:
        takes = self.provider.takes(batch) if self._buckets else {}
        return [(self._buckets[name], n) for name, n in takes.items() if name in self._buckets]
