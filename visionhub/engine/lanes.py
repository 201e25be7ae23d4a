"""A lane for each provider: its threads, and a bounded number of calls that wait for them.

A full lane holds the others up, so that memory stays bounded; one that has come to a standstill
does not: what it is to be asked is put off.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType

from visionhub.engine.ask import Parsed
from visionhub.engine.flow import available_cpus
from visionhub.provider import Batch, Provider

AHEAD = 2  # calls in a lane for each of its threads
IDLE_SECONDS = 1.0
STANDSTILL = 5.0  # seconds in which a full lane brings nothing


class Lane:
    """One provider's threads and calls. Used by the writing thread only."""

    def __init__(self, provider: Provider) -> None:
        threads = provider.concurrency or available_cpus()
        self.provider, self._most = provider, AHEAD * threads
        self._pool = ThreadPoolExecutor(threads, provider.name)
        self._moved = time.monotonic()
        self.calls: set[Future[list[Parsed]]] = set()

    def submit(self, ask: Callable[[Provider, Batch], list[Parsed]], batch: Batch) -> None:
        """Put a call into the lane."""
        if not self.calls:
            self._moved = time.monotonic()
        self.calls.add(self._pool.submit(ask, self.provider, batch))

    def leave(self, done: set[Future[list[Parsed]]]) -> None:
        """Take out what is completed."""
        if self.calls & done:
            self._moved = time.monotonic()
            self.calls -= done

    @property
    def full(self) -> bool:
        """Whether no call fits in."""
        return len(self.calls) >= self._most

    @property
    def stands(self) -> bool:
        """Whether nothing has come out of it for a while, nor waits to be taken out."""
        late = time.monotonic() - self._moved > STANDSTILL
        return late and not any(call.done() for call in self.calls)

    def close(self, *, at_once: bool) -> None:
        """End the threads; `at_once` leaves those that are in a call to themselves."""
        self._pool.shutdown(wait=not at_once, cancel_futures=True)


class Lanes:
    """All providers of a run. `idle` is called now and then while nothing completes."""

    def __init__(self, providers: Mapping[str, Provider], idle: Callable[[], None]) -> None:
        self._lanes = {name: Lane(provider) for name, provider in providers.items()}
        self._idle = idle

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        interrupted = kind is not None and not issubclass(kind, Exception)
        for lane in self._lanes.values():
            lane.close(at_once=interrupted)

    def run(
        self,
        ask: Callable[[Provider, Batch], list[Parsed]],
        items: Iterable[tuple[Provider, Batch]],
        put_off: Callable[[Batch], bool],
    ) -> Iterator[list[Parsed]]:
        """Put every batch into its provider's lane; results come as room is made for others.

        When all are in, those under way are left to `completed`. put_off: keeps a batch for later,
        or says that it does not; called when a lane is full and stands still, while others could
        go on.
        """
        for provider, batch in items:
            lane = self._lanes[provider.name]
            while lane.full:
                if len(self._lanes) > 1 and lane.stands and put_off(batch):
                    break
                yield from self.completed()
            else:
                lane.submit(ask, batch)

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return any(lane.calls for lane in self._lanes.values())

    def rest(self) -> Iterator[list[Parsed]]:
        """What is still in flight when a run ends early: it may have been paid for."""
        for lane in self._lanes.values():
            for call in lane.calls:
                if not call.cancel() and call.exception() is None:
                    yield call.result()

    def completed(self) -> Iterator[list[Parsed]]:
        """What is completed next; nothing when that takes long."""
        calls = [call for lane in self._lanes.values() for call in lane.calls]
        done, _ = wait(calls, IDLE_SECONDS, FIRST_COMPLETED)
        if not done:
            self._idle()
        # One may raise: the others are still there for `rest` then.
        for call in done:
            answered = call.result()
            for lane in self._lanes.values():
                lane.leave({call})
            yield answered
