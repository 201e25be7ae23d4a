"""One batch: reserve, fetch, retry what may pass, parse, pack. Runs in a worker thread.

The only retry layer is here; a provider makes one attempt per `fetch`. What came before a fault is
kept: it was paid for. Nothing is sent that was not reserved.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from visionhub.engine.gate import Gate, Stop
from visionhub.engine.till import Admitted, Till, only
from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    RateLimited,
    RefusedImage,
    StudyError,
    TransientError,
    UnexpectedBody,
    VisionHubError,
)
from visionhub.provider import Batch, Body, Outcome, Provider, Request
from visionhub.schema import Annotation
from visionhub.store.items import PackedBody
from visionhub.store.ledger import Away, Ended, State
from visionhub.store.rows import flaw

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 4
THROTTLED = 10  # while a service only asks for patience, which it does not charge for
FIRST_WAIT = 0.5  # seconds, doubled each time
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Parsed:
    """One request's end: what its body says, or the error; None when it was not sent.

    ended: how its reservation ends once the answer is stored. away: why it was turned away.
    """

    request: Request
    result: Annotation | ProviderError | None
    body: PackedBody | None = None
    ended: Ended | None = None
    away: Away | None = None


def ask(
    provider: Provider,
    batch: Batch,
    stop: Stop | None = None,
    gate: Gate | None = None,
    till: Till | None = None,
    *,
    again: bool = False,
) -> list[Parsed]:
    """End every request of a batch, each once, whatever the provider does.

    An image can fail; a run does not end because of it. Once `stop` is set nothing is tried again.
    again: some of it was put off after an attempt, so that the first attempt here is a retry too.
    Raises StudyError when the study cannot be written: then nothing can be reserved.
    """
    gate = gate or Gate(provider)
    till = till or Till(provider, None, None, lambda _: (0, 0))
    attempts = _Attempts(provider, batch, stop or threading.Event(), gate, till)
    attempts.again = again
    attempts.all()
    answers = [part for kept in attempts.kept for part in _read(provider, *kept)]
    return answers + [Parsed(r, None, away=attempts.away.get(r.key)) for r in attempts.unsent]


class _Attempts:
    """Moves requests of one batch from `left` into `kept` or `unsent`."""

    def __init__(
        self, provider: Provider, batch: Batch, stop: Stop, gate: Gate, till: Till
    ) -> None:
        self.provider, self.batch = provider, batch
        self.stop, self.gate, self.till = stop, gate, till
        self.left = {request.key: request for request in batch.requests}
        self.kept: list[tuple[Outcome, int | None]] = []  # with the attempt that it settles
        self.unsent: list[Request] = []
        self.away: dict[str, Away] = {}
        self.again = False  # whether the next attempt is a retry that the gate has not counted
        self._told: dict[str, Outcome] = {}  # what came with an error that may pass
        self._ledgerless = False  # the ledger could not be written: nothing more can be reserved

    def all(self) -> None:
        """Try until nothing is left that may pass, and give what is left its end."""
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=self._enough,
            wait=self._pause,
            sleep=self._sleep,
            reraise=True,
        )
        with suppress(TransientError):
            retrying(self._one)
        groups: dict[int, tuple[Outcome, list[Request]]] = {}
        for key, request in self.left.items():
            told = self._told.get(key)
            if told is None:
                self.unsent.append(request)
            else:
                groups.setdefault(id(told), (told, []))[1].append(request)
        for told, mine in groups.values():
            self.kept.append((Outcome(tuple(mine), told.result, told.body), None))

    def _enough(self, state: RetryCallState) -> bool:
        """Whether to give up; asked after each failed attempt."""
        if self.stop.is_set() or self._ledgerless:
            return True
        error = state.outcome.exception() if state.outcome else None
        most = THROTTLED if isinstance(error, RateLimited) else ATTEMPTS
        return state.attempt_number >= most or not self.gate.may_retry()

    def _pause(self, state: RetryCallState) -> float:
        """Seconds before the next attempt; for a service that asks for patience the gate waits."""
        import tenacity

        if state.outcome and isinstance(state.outcome.exception(), RateLimited):
            return 0.0
        wait = tenacity.wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT)
        return wait(state)

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def _one(self) -> None:
        """One attempt. The error that may pass is raised when all of it is over."""
        rest = only(self.batch, self.left)
        if not rest.works or not self.gate.enter(rest, self.stop):
            return
        admitted = None
        try:
            admitted = self._booked(rest)
        finally:
            if admitted is None:
                self.gate.unsent()  # else others would wait for what this attempt brings
        if admitted is None:
            return
        if self.again:
            self.gate.retry()
            self.again = False
        passing = self._fetch(admitted)
        if passing is not None:
            raise passing

    def _booked(self, rest: Batch) -> Admitted | None:
        """What of it is to be sent now, with money held for it; None for nothing."""
        admitted = self._admit(rest)
        if admitted is None:
            return None
        for key, why in admitted.away.items():
            self.away[key] = why
            self.unsent.append(self.left.pop(key))
        if not admitted.batch.works:
            return None
        # It came while the reservation was written. If the cap brought it, this one had its place
        # below the cap, and is sent: else a run would end there with money to spare.
        if self.stop.is_set() and not self.till.capped:
            with suppress(StudyError):  # it becomes unknown then; answers are kept first
                self.till.give_back(admitted)
            return None
        return admitted

    def _admit(self, rest: Batch) -> Admitted | None:
        """Reserve; None when that fails after answers came, which have to reach the writer first.

        It meets the same full disk or broken study, and ends the run.
        """
        try:
            return self.till.admit(rest)
        except VisionHubError:
            if not self.kept:
                raise
            return None

    def _fetch(self, admitted: Admitted) -> TransientError | None:
        """Sort what a `fetch` brings; the error of what may be asked again is returned."""
        waiting = {request.key: request for request in admitted.batch.requests}
        worst: ProviderError | None = None
        passing: TransientError | None = None
        answered = False
        try:
            for outcome in self.provider.fetch(admitted.batch):
                # No stranger, and none twice.
                mine = tuple(r for o in outcome.requests if (r := waiting.pop(o.key, None)))
                if isinstance(outcome.result, ProviderError):
                    worst = outcome.result
                    passing = self._fail(mine, outcome, admitted) or passing
                else:
                    self._keep(mine, outcome, admitted)
                    answered = True
            lost = ProviderError(f"{self.provider.name} returned no outcome for this request")
        except Exception as error:
            worst = lost = _explained(error)
        if waiting:
            rest = Outcome(tuple(waiting.values()), lost)
            passing = self._fail(rest.requests, rest, admitted) or passing
        throttled = isinstance(worst, RateLimited)
        self.gate.told(admitted.batch, None if answered and not throttled else worst)
        return passing

    def _may_pass(self, error: TransientError) -> bool:
        return not self._ledgerless and self.till.may_pass(error)

    def _keep(self, mine: tuple[Request, ...], outcome: Outcome, admitted: Admitted) -> None:
        for request in mine:
            self.left.pop(request.key)
        self.kept.append((Outcome(mine, outcome.result, outcome.body), admitted.attempt))

    def _fail(
        self, mine: tuple[Request, ...], outcome: Outcome, admitted: Admitted
    ) -> TransientError | None:
        """End requests in the ledger; the error is returned when they may be asked again."""
        error = outcome.result
        if not mine or not isinstance(error, ProviderError):
            return None
        if error.charged and not isinstance(error, TransientError | AuthenticationError):
            self._keep(mine, outcome, admitted)  # paid for, as an answer is: settled with what came
            return None
        try:
            self.till.failed(admitted.attempt, [request.key for request in mine], error)
        except StudyError:  # it stays held, so unknown in the end; answers beside it are kept
            self._ledgerless = True
        if isinstance(error, TransientError) and self._may_pass(error):
            self._told.update((request.key, outcome) for request in mine)
            return error
        for request in mine:
            self.left.pop(request.key)
        self.kept.append((Outcome(mine, error, outcome.body), None))
        return None


def _explained(error: Exception) -> ProviderError:
    """What a provider raised, as an error about its requests."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, VisionHubError):
        return ProviderError(str(error))
    return ProviderError(f"{type(error).__name__}: {error}")


def _read(provider: Provider, outcome: Outcome, attempt: int | None) -> Iterable[Parsed]:
    result = outcome.result
    if isinstance(result, ProviderError):
        came = None if outcome.body is None else PackedBody.pack(outcome.body)
        return [
            Parsed(r, result, came, _ended(r, attempt, result, State.SETTLED, came))
            for r in outcome.requests
        ]
    try:
        body = PackedBody.pack(result)
    except Exception as error:
        no_body = ProviderError(f"{provider.name} returned no body: {error}")
        return [
            Parsed(r, no_body, ended=_ended(r, attempt, no_body, State.UNKNOWN, None))
            for r in outcome.requests
        ]
    return [_parsed(provider, result, r, body, attempt) for r in outcome.requests]


def _parsed(
    provider: Provider, raw: Body, request: Request, body: PackedBody, attempt: int | None
) -> Parsed:
    """A complete answer was paid for, whatever it says."""
    result = parse(provider, raw.data, request)
    return Parsed(request, result, body, _ended(request, attempt, result, State.SETTLED, body))


def _ended(
    request: Request,
    attempt: int | None,
    result: Annotation | ProviderError,
    state: State,
    body: PackedBody | None,
) -> Ended | None:
    if attempt is None:
        return None
    unread = isinstance(result, ProviderError) and not isinstance(result, RefusedImage)
    reason = str(result) if unread else ""
    return Ended(attempt, request.key, state, reason, body is not None)


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
