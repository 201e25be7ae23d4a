"""What every attempt to ask a provider has to pass: its rate, its pauses, the run's patience.

This is the one place for limits: adapters only name them (`Provider.rates`, `Provider.takes`).
What an attempt costs is the ledger's business.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from visionhub.engine.adaptive import BURST, RETAKES, Bucket, Memory, Store, Turn
from visionhub.engine.breaker import LOOK, Breaker
from visionhub.engine.plan import is_service
from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    RateLimited,
    RefusedImage,
    TransientError,
)
from visionhub.provider import Batch, Provider

RETRIES = 20  # that a run may always make
SHARE = 0.10  # of its calls that may be retries beyond these
LONGEST_ASKED = 300.0  # seconds; a service that asks for more is given up for this run
REFUSING = 600.0  # seconds of nothing but "too many", after which it is given up too
FAILURES = 5  # in a row, over all threads: the service is down
REST, LONGEST_REST = 15.0, 300.0  # seconds in which it is left alone then
EARLY = 2  # openings of the breaker when it has not answered once in this run; else
OPENINGS = 6  # of the breaker without a success; with the pauses between them about eight minutes


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


Taken: TypeAlias = Sequence[tuple[Bucket, int]]


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt under way: when it was let through, and what it took of each rate."""

    at: float
    taken: Taken


class Gate:
    """The limits of one provider in one run, for all its threads.

    store: where its rates stand; a `Pace` shares them with other processes, None keeps them here.
    calls: attempts let through. throttled: those that were told to slow down. retries: attempts for
    what was tried before, throttled or not; see `may_retry`. given_up: why nothing more is sent to
    this provider in this run; empty when it is.
    """

    def __init__(self, provider: Provider, pace: Store | None = None) -> None:
        self.provider = provider
        self.calls = self.throttled = self.retries = 0
        self.given_up = ""
        self._store: Store = pace or Memory()
        self._rates = provider.rates()
        self._scope = str(provider.setting("sandbox")) if provider.rehearsing else provider.region()
        self._buckets: dict[str, Bucket] = {}
        # A model on this machine that fails is not down: the next image may well do.
        self._breaker = None if provider.models else Breaker(FAILURES, REST, LONGEST_REST)
        self._sent: dict[int, Sent] = {}  # by thread
        self._answered = 0.0
        self._lock = threading.RLock()

    def enter(self, batch: Batch, stop: Stop) -> bool:
        """Wait for this attempt's turn; whether it is to be sent.

        It is not when `stop` is set before its turn comes, nor once the provider is given up. After
        an attempt its thread says what came of it (`told`), or that none was made (`unsent`).
        """
        taken = self._taken(batch)
        turns: list[tuple[Bucket, Turn]] = []
        retakes = 0
        self._forget()
        while not stop.is_set() and not self.given_up:
            wait = self._shut(taken)
            if not wait:
                if not turns or (retakes < RETAKES and _is_late(turns)):
                    retakes += bool(turns)
                    turns = [(bucket, bucket.take(tokens)) for bucket, tokens in taken]
                wait = max((bucket.wait(turn) for bucket, turn in turns), default=0.0)
            if not wait:
                self._pass(taken)
                return True
            stop.wait(min(wait, LOOK))
        self._forget(taken)
        return False

    def unsent(self) -> None:
        """Nothing was sent of what `enter` let this thread send: it is no call."""
        if self._forget() is not None:
            with self._lock:
                self.calls -= 1

    def may_retry(self) -> bool:
        """Whether the run still has retries left; counts one."""
        with self._lock:
            if self.retries + 1 > RETRIES + SHARE * self.calls:
                return False
            self.retries += 1
            return True

    def retry(self) -> None:
        """Count a retry that is made whether or not there are some left."""
        with self._lock:
            self.retries += 1

    def told(self, batch: Batch, error: ProviderError | None) -> None:
        """Learn from what came of this thread's attempt; None when it was answered."""
        with self._lock:
            sent = self._forget() or Sent(self._store.clock(), self._taken(batch))
            if isinstance(error, RateLimited):
                self._refused(sent, error)
            elif error is None or isinstance(error, RefusedImage):
                self._answer(sent)
            elif not isinstance(error, AuthenticationError):  # that one ends the run
                self._failed(sent, error)

    def _refused(self, sent: Sent, error: RateLimited) -> None:
        self.throttled += 1
        asked = error.retry_after or 0.0
        if asked > LONGEST_ASKED:
            self._give_up(f"asks to be left alone for {asked:,.0f} seconds ({error})")
            return
        for bucket, tokens in sent.taken:
            bucket.refused(sent.at, tokens, asked)
        since = max(self._answered, *(bucket.outage.began for bucket, _ in sent.taken))
        if self._store.clock() - since > REFUSING:
            self._give_up(f"has taken nothing for {REFUSING / 60:.0f} minutes ({error})")

    def _answer(self, sent: Sent) -> None:
        self._answered = self._store.clock()
        for bucket, tokens in sent.taken:
            bucket.succeeded(sent.at, tokens)
        if self._breaker is not None:
            self._breaker.succeeded(sent.at)

    def _failed(self, sent: Sent, error: ProviderError) -> None:
        passing = isinstance(error, TransientError)
        if self._breaker is None or not (passing or is_service(type(self.provider))):
            return  # a fault in what runs here is no outage; where it may cost money it counts
        self._breaker.failed(self._store.clock(), sent.at)
        if self._breaker.opened >= (OPENINGS if self._answered else EARLY):
            row = self._breaker.row
            self._give_up(f"failed {row} times in a row, the last time with: {error}")

    def _give_up(self, why: str) -> None:
        self.given_up = self.given_up or (
            f"{self.provider.name} {why.rstrip('.')}. Nothing more is sent to it in this run; the "
            f"same command goes on later."
        )

    def _shut(self, taken: Taken) -> float:
        """Seconds until this thread should look again; 0 when no breaker holds it."""
        me = threading.get_ident()
        with self._lock:
            now, breakers = self._store.clock(), self._breakers(taken)
            wait = max((breaker.wait(now, me) for breaker in breakers), default=0.0)
            if not wait:
                for breaker in breakers:
                    breaker.enter(now, me)
            return wait

    def _pass(self, taken: Taken) -> None:
        with self._lock:
            self.calls += 1
            self._sent[threading.get_ident()] = Sent(self._store.clock(), taken)

    def _forget(self, taken: Taken = ()) -> Sent | None:
        """What this thread was let through with, which is over; it probes nothing any more."""
        me = threading.get_ident()
        with self._lock:
            sent = self._sent.pop(me, None)
            for breaker in self._breakers(sent.taken if sent else taken):
                breaker.leave(me)
            return sent

    def _breakers(self, taken: Taken) -> list[Breaker]:
        mine = [bucket.outage for bucket, _ in taken]
        return mine if self._breaker is None else [self._breaker, *mine]

    def _taken(self, batch: Batch) -> Taken:
        """What a batch takes of each rate; a rate that nobody has named is not limited as yet."""
        takes = self.provider.takes(batch) or {"": 1}
        with self._lock:
            return [(self._bucket(name), tokens) for name, tokens in takes.items()]

    def _bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            rate = self._rates.get(name, 0.0)
            key = f"{self.provider.name} {self._scope} {name}"
            self._buckets[name] = Bucket(key, rate if rate > 0 else math.inf, self._store)
        return self._buckets[name]


def _is_late(turns: Sequence[tuple[Bucket, Turn]]) -> bool:
    """Whether turns have lapsed: of several rates the one that came last counts."""
    late = [bucket.late(turn) for bucket, turn in turns]
    return bool(late) and (min(late) > BURST or max(late) == math.inf)
