"""What every attempt to ask a provider has to pass: its rate, its allowance, the run's patience.

This is the one place for limits: adapters only name them (`Provider.rates`, `Provider.takes`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Protocol

from visionhub.errors import CapReached
from visionhub.provider import Batch, Provider

BURST = 1.0  # seconds' worth of tokens that may be used at once
LOOK = 0.1  # seconds between two looks at the caller's wish to stop
RETRIES = 20  # that a run may always make
SHARE = 0.25  # of its calls that may be retries beyond these


class Bucket:
    """A token bucket for any number of threads: `per_second` tokens, `BURST` seconds of them kept.

    Each taker is given its turn on a clock that stands still during a pause, so that nobody wakes
    up in vain, and those who wait already wait the longer for a pause.
    """

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._paused, self._resumes = 0.0, 0.0  # seconds of all pauses; when the last one ends
        self._next = time.monotonic() - BURST
        self._lock = threading.Lock()

    def take(self, tokens: float) -> float:
        """Take tokens; the turn at which they may be used, for `wait`."""
        with self._lock:
            turn = max(self._next, self._clock(time.monotonic()) - BURST)
            self._next = turn + tokens / self.per_second
            return turn

    def wait(self, turn: float) -> float:
        """Seconds until a turn, as things stand now: a pause may come in between."""
        with self._lock:
            now = time.monotonic()
            return max(0.0, turn + self._paused - now, self._resumes - now)

    def pause(self, seconds: float) -> None:
        """Give no token before `seconds` from now: the service asked for that."""
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next, self._clock(now))  # what was saved up is forfeit
            more = now + seconds - max(now, self._resumes)
            if more > 0:
                self._paused, self._resumes = self._paused + more, now + seconds

    def _clock(self, now: float) -> float:
        """The time without pauses: during one it stands still."""
        return now - self._paused + max(0.0, self._resumes - now)


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
                    f"goes on, with as many units again."
                )
            self.spent += units


class Stop(Protocol):
    """What ends a run, as far as those who wait need to know it; a threading.Event is one."""

    def is_set(self) -> bool:
        """Whether nothing more is to be sent."""
        ...

    def wait(self, timeout: float) -> bool:
        """Wait for it, so many seconds at most; whether it is set."""
        ...


class Ending:
    """Set when the caller stops the run, and when the run ends by itself (`end`).

    The caller's own event is only read: it may serve another run.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop, self._ended = stop, threading.Event()

    def end(self) -> None:
        """Nothing more is to be sent, whatever the caller wants."""
        self._ended.set()

    def is_set(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._stop.is_set() or self._ended.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait for either, so many seconds at most; whether one came."""
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            if self._ended.wait(min(left, LOOK)):
                break
        return self.is_set()


class Gate:
    """The limits of one provider in one run."""

    def __init__(self, provider: Provider, allowance: Allowance) -> None:
        self.provider, self.allowance = provider, allowance
        rates: Mapping[str, float] = provider.rates()
        self._buckets = {name: Bucket(rate) for name, rate in rates.items() if rate > 0}
        self._calls = self._retries = 0
        self.spent = 0  # paid units sent or, in a rehearsal, that would have been
        self._lock = threading.Lock()
        self.capped: CapReached | None = None

    def enter(self, batch: Batch, stop: Stop) -> bool:
        """Wait for this attempt's turn and count what it may cost; whether it is to be sent.

        It is not when `stop` is set before its turn comes. Raises CapReached.
        """
        with self._lock:
            self._calls += 1
        turns = [(bucket, bucket.take(tokens)) for bucket, tokens in self._taken(batch)]
        while wait := max((bucket.wait(turn) for bucket, turn in turns), default=0.0):
            if stop.wait(wait):
                break
        if stop.is_set():
            return False
        units = self.units(batch)
        try:
            self.allowance.take(units)
        except CapReached as error:
            self.capped = error
            raise
        with self._lock:
            self.spent += units
        return True

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
        """Paid units of one attempt; a rehearsal counts what it would have cost."""
        skus = (
            {self.provider.tasks[request.task].sku for request in work.requests}
            for work in batch.works
        )
        return sum(len(lines - {None}) for lines in skus)

    def _taken(self, batch: Batch) -> list[tuple[Bucket, int]]:
        takes = self.provider.takes(batch) if self._buckets else {}
        return [(self._buckets[name], n) for name, n in takes.items() if name in self._buckets]
