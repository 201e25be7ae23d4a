"""Threads on a clock that only moves when all of them wait: hours pass in a moment, in order."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tests.toy import Toy
from visionhub.engine.gate import Gate
from visionhub.errors import ProviderError, ProviderUnavailable, RateLimited
from visionhub.provider import Batch, Parameter


class World:
    """One thread runs at a time. It is also the `Stop` of those who live in it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.stopped = False
        self._asleep: list[tuple[float, int, threading.Event]] = []
        self._count = self._awake = 0
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return self.stopped

    def wait(self, timeout: float) -> bool:
        """Sleep; whoever falls asleep last wakes the one who is due first."""
        event = threading.Event()
        with self._lock:
            self._count += 1
            heapq.heappush(self._asleep, (self.now + timeout, self._count, event))
            self._yield()
        event.wait()
        return self.stopped

    def _yield(self) -> None:
        self._awake -= 1
        if not self._awake and self._asleep:
            due, _, event = heapq.heappop(self._asleep)
            self.now = max(self.now, due)
            self._awake = 1
            event.set()

    def live(self, lives: Sequence[Callable[[], None]]) -> None:
        """Run each in a thread of its own, until all have ended."""

        def run(life: Callable[[], None]) -> None:
            self.wait(0.0)
            try:
                life()
            finally:
                with self._lock:
                    self._yield()

        self._awake = len(lives)
        threads = [threading.Thread(target=run, args=(life,), daemon=True) for life in lives]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)


@dataclass
class Service:
    """A server with a quota, a token bucket of `saved` seconds' worth, and bad times.

    shut: from when to when it refuses everything, in seconds of its own; down: when it fails. hint:
    the Retry-After it gives, if any.
    """

    world: World
    quota: float
    saved: float = 1.0
    latency: float = 0.02
    shut: tuple[float, float] = (0.0, 0.0)
    down: tuple[float, float] = (0.0, 0.0)
    hint: float | None = None
    good: list[float] = field(default_factory=list)
    bad: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = self._at = self.world.now
        self._tokens = self.quota * self.saved

    def call(self) -> ProviderError | None:
        self.world.wait(self.latency / 2)
        now = self.world.now
        at = now - self._began
        error: ProviderError | None = None
        self._tokens = min(self.quota * self.saved, self._tokens + self.quota * (now - self._at))
        self._at = now
        if self.down[0] <= at < self.down[1]:
            error = ProviderUnavailable("down")
        elif self.shut[0] <= at < self.shut[1] or self._tokens < 1:
            error = RateLimited("too many", self.hint)
        else:
            self._tokens -= 1
        (self.bad if error else self.good).append(at)
        self.world.wait(self.latency / 2)
        return error

    def share(self) -> float:
        """The part of all calls that was wasted."""
        return len(self.bad) / (len(self.good) + len(self.bad))

    def pace(self, since: float, until: float) -> float:
        """Good calls a second in a time."""
        return sum(since <= at < until for at in self.good) / (until - since)


class Rated(Toy):
    """A service that names a rate for the operation x, or none."""

    settings: ClassVar[Mapping[str, Parameter]] = {"sandbox": Parameter("", "host:port")}

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def rates(self) -> dict[str, float]:
        return {"x": self.rate} if self.rate else {}


X = Batch((), "x")


def visit(world: World, gate: Gate, service: Service, until: float) -> Callable[[], None]:
    """One thread of a run: asks again and again, as long as the gate lets it."""
    ends = world.now + until

    def life() -> None:
        while world.now < ends and gate.enter(X, world):
            gate.told(X, service.call())

    return life


def busiest(times: list[float], window: float = 1.0) -> int:
    """The most in any window: one that begins with some call."""
    return max(sum(at <= other < at + window for other in times) for at in times)
