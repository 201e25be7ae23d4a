"""One batch: fetch, retry what may pass, parse, pack. Runs in a worker thread, never raises.

The only retry layer is here; a provider makes one attempt per `fetch`. What came before a fault is
kept: it was paid for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from visionhub.engine.gate import Allowance, Gate, Stop
from visionhub.errors import (
    CapReached,
    ProviderError,
    RateLimited,
    TransientError,
    UnexpectedBody,
    VisionHubError,
)
from visionhub.provider import Batch, Outcome, Provider, Request
from visionhub.schema import Annotation
from visionhub.store.items import PackedBody
from visionhub.store.rows import flaw

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds, doubled each time
LONGEST_WAIT = 60.0
LONGEST_ASKED = 300.0  # a service that asks for more is given up for this run


@dataclass(frozen=True, slots=True)
class Parsed:
    """One request's end: what its body says, or the error."""

    request: Request
    result: Annotation | ProviderError
    body: PackedBody | None = None


def ask(
    provider: Provider, batch: Batch, stop: Stop | None = None, gate: Gate | None = None
) -> list[Parsed]:
    """Answer every request of a batch, each once, whatever the provider does.

    An image can fail; a run does not end because of it. Once `stop` is set nothing is tried again.
    What was not sent because of `stop` or the cap has no end here: it is still to be asked.
    """
    gate = gate or Gate(provider, Allowance(None))
    attempt = _Attempts(provider, batch, stop or threading.Event(), gate)
    error = _error_of(attempt.all)
    if error is not None or attempt.sent:
        lost = error or ProviderError(f"{provider.name} returned no outcome for this request")
        attempt.lose(lost)
    return [part for outcome in attempt.kept for part in _read(provider, outcome)]


class _Attempts:
    """Moves requests of one batch from `left` into `kept`, as they are answered."""

    def __init__(self, provider: Provider, batch: Batch, stop: Stop, gate: Gate) -> None:
        self.provider, self.batch, self.stop, self.gate = provider, batch, stop, gate
        self.left = {request.key: request for request in batch.requests}
        self.kept: list[Outcome] = []
        self.sent = False
        self._passing: dict[str, Outcome] = {}  # what came with an error that may pass
        self._last: TransientError | None = None

    def all(self) -> None:
        """Try until nothing is left that may pass; raises the last error."""
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=self._enough,
            wait=self._pause,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            retrying(self._one)
        except CapReached:  # the gate remembers it
            if self._last is not None:
                raise self._last from None

    def lose(self, error: ProviderError) -> None:
        """End what is left: with what its image was told, or with the error of all."""
        groups: dict[int, tuple[Outcome, list[Request]]] = {}
        for key, told in self._passing.items():
            if key in self.left:
                groups.setdefault(id(told), (told, []))[1].append(self.left.pop(key))
        for told, mine in groups.values():
            self.kept.append(Outcome(tuple(mine), told.result, told.body))
        self.kept.append(Outcome(tuple(self.left.values()), error))

    def _enough(self, state: RetryCallState) -> bool:
        """Whether to give up; asked after each failed attempt."""
        return (
            state.attempt_number >= ATTEMPTS
            or self.stop.is_set()
            or _asked_to_wait(state) > LONGEST_ASKED
            or not self.gate.may_retry()
        )

    def _pause(self, state: RetryCallState) -> float:
        import tenacity

        jitter = tenacity.wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT)(state)
        asked = _asked_to_wait(state)
        if 0 < asked <= LONGEST_ASKED:  # tenacity asks for the pause before it asks for the end
            self.gate.slow(self._rest(), asked)
        return max(jitter, asked)

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def _rest(self) -> Batch:
        return _only(self.batch, self.left)

    def _one(self) -> None:
        """One attempt. The error that may pass is raised when all of it is over."""
        rest = self._rest()
        if not self.gate.enter(rest, self.stop):
            if self._last is not None:  # it came to an end between two attempts
                raise self._last
            return
        self.sent = True
        try:
            self._last = self._fetch(rest)
        except TransientError as error:
            self._last = error
        if self._last is not None:
            raise self._last

    def _fetch(self, rest: Batch) -> TransientError | None:
        """Sort what a `fetch` brings; what may pass, of a part of the batch, is returned."""
        passing: TransientError | None = None
        for outcome in self.provider.fetch(rest):
            if isinstance(outcome.result, TransientError):
                passing = outcome.result
                self._passing.update((request.key, outcome) for request in outcome.requests)
                continue
            asked = [self.left.pop(r.key, None) for r in outcome.requests]  # no stranger, not twice
            mine = tuple(r for r in asked if r is not None)
            self.kept.append(Outcome(mine, outcome.result, outcome.body))
        return passing


def _asked_to_wait(state: RetryCallState) -> float:
    """Seconds that the service asked for."""
    error = state.outcome.exception() if state.outcome else None
    return (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0


def _only(batch: Batch, left: dict[str, Request]) -> Batch:
    """The part of a batch that has no answer yet."""
    works = [
        replace(work, requests=tuple(r for r in work.requests if r.key in left))
        for work in batch.works
    ]
    return replace(batch, works=tuple(work for work in works if work.requests))


def _error_of(call: Callable[[], None]) -> ProviderError | None:
    """What a provider raised, as an error about its requests."""
    try:
        call()
    except ProviderError as error:
        return error
    except VisionHubError as error:
        return ProviderError(str(error))
    except Exception as error:
        return ProviderError(f"{type(error).__name__}: {error}")
    return None


def _read(provider: Provider, outcome: Outcome) -> Iterable[Parsed]:
    result = outcome.result
    if isinstance(result, ProviderError):
        came = None if outcome.body is None else PackedBody.pack(outcome.body)
        return [Parsed(request, result, came) for request in outcome.requests]
    try:
        body = PackedBody.pack(result)
    except Exception as error:
        no_body = ProviderError(f"{provider.name} returned no body: {error}")
        return [Parsed(request, no_body) for request in outcome.requests]
    return [Parsed(r, parse(provider, result.data, r), body) for r in outcome.requests]


def parse(provider: Provider, body: bytes, request: Request) -> Annotation | ProviderError:
    """Read a body; whatever goes wrong is an UnexpectedBody, because the body is kept."""
    try:
        annotation = provider.parse(body, request)
        wrong = flaw(annotation)
    except ProviderError as error:
        return error
    except Exception as error:
        return UnexpectedBody(f"{type(error).__name__}: {error}")
    return (
        UnexpectedBody(f"{provider.name} made no annotation of it: {wrong}")
        if wrong
        else (annotation)
    )
