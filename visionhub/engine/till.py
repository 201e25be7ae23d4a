"""What one provider's attempts may cost: reserved before a byte leaves, ended when one fails.

The one place where a run meets the ledger, but for answers: those are settled together with their
bodies, by the thread that stores them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from visionhub.engine.terms import Terms
from visionhub.errors import ProviderError
from visionhub.pricing import Price
from visionhub.provider import Batch, Provider, Request
from visionhub.store.ledger import Away, Ended, Ledger, Line, State, Wanted

NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may be sent of a batch, as which attempt, and why the rest is not."""

    batch: Batch
    attempt: int | None = None
    away: Mapping[str, Away] = field(default_factory=dict)


class Till:
    """One provider's money in one run; for one that never charges it does nothing.

    locate: image id and question id of a request's key. Used by many threads.
    """

    def __init__(
        self,
        provider: Provider,
        ledger: Ledger | None,
        terms: Terms | None,
        locate: Callable[[str], tuple[int, int]],
    ) -> None:
        charges = any(spec.sku for spec in provider.tasks.values())
        self._ledger = ledger if charges else None
        self._retry = terms is not None and terms.retry
        self._prices = _prices(provider, terms)
        self._provider, self._locate = provider, locate

    @property
    def capped(self) -> bool:
        """Whether the cap has been met, by this provider or another one of the run."""
        return self._ledger is not None and self._ledger.capped

    def may_pass(self, error: ProviderError) -> bool:
        """Whether asking again after this error is within what the user allows."""
        return self._ledger is None or self._retry or error.charged is False

    def admit(self, batch: Batch) -> Admitted:
        """Reserve the cost of one attempt, durably. Raises StudyError."""
        if self._ledger is None:
            return Admitted(batch)
        lines = tuple(self._lines(work.requests) for work in batch.works)
        name = self._provider.name
        reserved = self._ledger.reserve(
            Wanted(name, batch.operation, self._provider.region(), lines)
        )
        sent = only(batch, reserved.granted)
        return Admitted(sent, reserved.attempt, reserved.away)

    def failed(self, attempt: int | None, keys: Iterable[str], error: ProviderError) -> None:
        """End requests that an attempt did not answer, at once. Raises StudyError."""
        if self._ledger is not None and attempt is not None:
            state = after(error)
            self._ledger.end([Ended(attempt, key, state, str(error)) for key in keys])

    def give_back(self, admitted: Admitted) -> None:
        """End an attempt that was not made after all."""
        keys = [request.key for request in admitted.batch.requests]
        self.failed(admitted.attempt, keys, ProviderError(NOT_SENT, charged=False))

    def _lines(self, requests: tuple[Request, ...]) -> tuple[Line, ...]:
        """The price lines of one image in one call."""
        skus = (self._provider.tasks[request.task].sku for request in requests)
        return tuple(
            Line(request.key, *self._locate(request.key), self._prices.get(sku) if sku else None)
            for request, sku in zip(requests, skus, strict=True)
        )


def _prices(provider: Provider, terms: Terms | None) -> Mapping[str, Price]:
    lines = terms.lines if terms else {}
    return {sku: price for (name, sku), price in lines.items() if name == provider.name}


def after(error: ProviderError) -> State:
    """What becomes of money held for a request that ends with an error."""
    if error.charged is None:
        return State.UNKNOWN
    return State.SETTLED if error.charged else State.RELEASED


def only(batch: Batch, keys: Iterable[str]) -> Batch:
    """The part of a batch that these keys make up."""
    wanted = frozenset(keys)
    works = [
        replace(work, requests=tuple(r for r in work.requests if r.key in wanted))
        for work in batch.works
    ]
    return replace(batch, works=tuple(work for work in works if work.requests))
