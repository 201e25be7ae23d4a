"""A rate that many callers share, that learns from a service which is told too much.

Turns are spaced by the generic cell rate algorithm (ITU-T I.371, Annex A), so that no window sees
much more than its share. A service that says "too many" lowers the rate by a factor, successes
raise it by small steps (additive increase, multiplicative decrease: Chiu and Jain 1989,
doi:10.1016/0169-7552(89)90019-6). Steps count successes and not seconds, because it is the share
of wasted calls that has to stay small, whatever the quota.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol, TypeVar

from visionhub.engine.breaker import LOOK, Breaker

T = TypeVar("T")

BURST = 0.1  # seconds' worth of tokens that may be used at once; a turn lapses as much later
RETAKES = 3  # turns that a call may let lapse, so that a machine that is always late gets on too
SOFT = 0.9  # of its rate is kept when that is known from many successes,
HARD = 0.5  # and when it is not: then it may be far from right
AWAKE = 0.8  # of the time, at least, in which these successes came, was no pause
BACK = 30  # successes, for each call that was refused, bring a lowered rate back
WORTH = 10  # times as long as the service asked to be left alone, that has to take
BEYOND = 0.01  # of the rate is added at most for each further success: the quota is higher
LOWEST = 0.1  # tokens a second
ENOUGH = 10_000.0  # tokens a second: as good as no limit
SEEN = 64  # calls by which the rate of a service that names none is told
PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds in which nobody asks a service that refuses everybody
REFUSED = 2  # round trips in a row with refusals only, before that begins


@dataclass(slots=True)
class State:
    """Where a rate stands. Times are seconds of the host's monotonic clock.

    The clock of turns stands still during pauses, so that nobody wakes up in vain, and those who
    wait already wait the longer for a pause.
    """

    next: float = 0.0  # the turn that is given next
    apart: float = 0.0  # seconds that the last one lasts
    paused: float = 0.0  # seconds of all pauses
    resumes: float = 0.0  # when the last one ends
    limit: float = math.inf  # tokens a second, as learnt; what is configured holds too
    cut: float = 0.0  # when it was lowered last,
    since: float = 0.0  # and what turn it was then
    lost: float = 0.0  # by how much
    back: float = 1.0  # tokens of successes that are to bring that back
    good: float = 0.0  # tokens of successes since then

    def clock(self, now: float) -> float:
        """The time without pauses."""
        return now - self.paused + max(0.0, self.resumes - now)

    def take(self, now: float, seconds: float) -> float:
        """The next turn, which lasts so many seconds."""
        turn = max(self.next, self.clock(now) - BURST)
        self.next, self.apart = turn + seconds, seconds
        return turn

    def wait(self, now: float, turn: float) -> float:
        """Seconds until a turn, as things stand now: a pause may come in between."""
        return max(0.0, turn + self.paused - now, self.resumes - now)

    def pause(self, now: float, seconds: float) -> None:
        """Give no turn before `seconds` from now; what was saved up is forfeit."""
        self.next = max(self.next, self.clock(now))
        more = now + seconds - max(now, self.resumes)
        if more > 0:
            self.paused, self.resumes = self.paused + more, now + seconds

    def lower(self, now: float, rate: float, tokens: int, asked: float) -> None:
        """Lower the rate; turns given before are void.

        Since it was lowered last the service gave what it had: so many successes in so many seconds
        are its quota, unless too much of that time was a pause.
        """
        turn = self.clock(now)
        worked = turn - self.since
        told = self.cut > 0 and self.good >= BACK * tokens and worked > AWAKE * (now - self.cut)
        base = min(rate, self.good / worked) if told else rate
        self.limit = max(LOWEST, base * (SOFT if told else HARD))
        self.lost, self.good = max(0.0, base - self.limit), 0.0
        self.back = max(BACK * tokens, WORTH * asked * self.limit)
        self.cut, self.since, self.next = now, turn, turn + tokens / self.limit

    def higher(self, most: float, tokens: int) -> None:
        """Raise the rate for a success; after many at `most` nothing is left of what was learnt."""
        self.good += tokens
        over = min(1.0, max(0.0, self.good / self.back - 1))
        self.limit += max(self.lost / self.back * tokens, self.limit * BEYOND * over)
        most = min(most, ENOUGH)
        if self.limit >= most:
            self.limit = most
            if self.good > WORTH * self.back:
                self.limit, self.cut, self.good = math.inf, 0.0, 0.0


class Store(Protocol):
    """Keeps states by name, for all threads or for all processes."""

    clock: Callable[[], float]

    def look(self, name: str) -> State:
        """A state as it is or was a moment ago; not to be changed."""
        ...

    def change(self, name: str, how: Callable[[State, float], T]) -> T:
        """Change a state, one caller after the other; `how` is told the time."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """When a caller may go, on the clock that stands still during pauses; when it was given."""

    at: float
    given: float


class Bucket:
    """One rate of a provider: `per_second` tokens, math.inf until the service says otherwise."""

    def __init__(self, name: str, per_second: float, store: Store) -> None:
        self.name, self.per_second, self._store = name, per_second, store
        self.outage = Breaker(REFUSED, PAUSE, LONGEST_PAUSE)
        self._refused = -math.inf  # when the last refusal came that told something new
        self._taken: deque[tuple[float, int]] = deque(maxlen=SEEN)

    def take(self, tokens: int) -> Turn:
        """Take tokens; the turn at which they may be used."""

        def how(state: State, now: float) -> Turn:
            return Turn(state.take(now, tokens / min(self.per_second, state.limit)), now)

        now = self._store.clock()
        self._taken.append((now, tokens))
        if self.per_second == math.inf:
            state = self._store.look(self.name)
            if state.limit == math.inf:  # nothing to be counted
                return Turn(state.clock(now), now)
        return self._store.change(self.name, how)

    def wait(self, turn: Turn) -> float:
        """Seconds until a turn, as things stand now."""
        return self._store.look(self.name).wait(self._store.clock(), turn.at)

    def late(self, turn: Turn) -> float:
        """Seconds for which a turn has been there; infinite when a lower rate has made it void."""
        state = self._store.look(self.name)
        return math.inf if turn.given < state.cut else state.clock(self._store.clock()) - turn.at

    def pause(self, seconds: float) -> None:
        """Hold everybody: the service asked for that."""
        self._store.change(self.name, lambda state, now: state.pause(now, seconds))

    def refused(self, sent: float, tokens: int, asked: float) -> None:
        """The service said "too many" of what was sent at a time, and asked for seconds or none.

        The first time slows down; when nothing succeeds after that, all pause and one probes.
        """
        news = sent > self._refused  # else one of those that were under way together
        slow = news and not self.outage.row  # a lone probe tells nothing about a rate
        seen = self._seen()

        def how(state: State, now: float) -> float:
            if slow and sent > state.cut:
                state.lower(now, self._rate(state, seen), tokens, asked)
            else:
                state.back += BACK * tokens
            return now

        now = self._store.change(self.name, how)
        if news:
            self._refused = now
            asked = self.outage.failed(now, sent, asked)
        if asked:
            self.pause(asked)

    def succeeded(self, sent: float, tokens: int) -> None:
        """The service answered what was sent at a time."""
        if sent <= self._refused:
            return
        self.outage.succeeded(sent)
        state = self._store.look(self.name)
        if state.limit < math.inf and sent > state.cut:
            self._store.change(self.name, lambda state, _: state.higher(self.per_second, tokens))

    def _rate(self, state: State, seen: float) -> float:
        rate = min(self.per_second, state.limit)
        return seen if rate == math.inf else rate

    def _seen(self) -> float:
        """Tokens a second of late."""
        taken = list(self._taken)
        if not taken:
            return 1.0
        return sum(tokens for _, tokens in taken) / max(self._store.clock() - taken[0][0], LOOK)


class Memory:
    """States of this process alone, for all its threads."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        states: Mapping[str, State] = MappingProxyType({}),
    ) -> None:
        self.clock = clock
        self._states = {name: replace(state) for name, state in states.items()}
        self._lock = threading.Lock()

    def look(self, name: str) -> State:
        """The state as it is."""
        return self._states.get(name) or State()

    def change(self, name: str, how: Callable[[State, float], T]) -> T:
        """Change it."""
        with self._lock:
            changed = replace(self.look(name))
            told = how(changed, self.clock())
            self._states[name] = changed
            return told
