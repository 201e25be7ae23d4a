"""One batch: fetch, retry what may pass, parse, pack. Runs in a worker thread, never raises.

The only retry layer is here; a provider makes one attempt per `fetch`. What came before a fault is
kept: it was paid for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from visionhub.errors import (
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

ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds, doubled each time
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Parsed:
    """One request's end: what its body says, or the error."""

    request: Request
    result: Annotation | ProviderError
    body: PackedBody | None = None


def ask(provider: Provider, batch: Batch, stop: threading.Event | None = None) -> list[Parsed]:
    """Answer every request of a batch, each once, whatever the provider does.

    An image can fail; a run does not end because of it. Once `stop` is set nothing is tried again.
    """
    left = {request.key: request for request in batch.requests}
    kept: list[Outcome] = []
    error = _error_of(lambda: _attempts(provider, batch, stop or threading.Event(), left, kept))
    lost = error or ProviderError(f"{provider.name} returned no outcome for this request")
    outcomes = [*kept, Outcome(tuple(left.values()), lost)]
    return [part for outcome in outcomes for part in _read(provider, outcome)]


def _attempts(
    provider: Provider,
    batch: Batch,
    stop: threading.Event,
    left: dict[str, Request],
    kept: list[Outcome],
) -> None:
    """Move requests from `left` into `kept` as they are answered; raises the last error."""
    import tenacity

    jitter = tenacity.wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT)

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, RateLimited) else None
        return min(max(jitter(state), asked or 0.0), LONGEST_WAIT)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_any(
            tenacity.stop_after_attempt(ATTEMPTS), tenacity.stop_when_event_set(stop)
        ),
        wait=pause,
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
    retrying(lambda: _attempt(provider, _only(batch, left), left, kept))


def _attempt(
    provider: Provider, batch: Batch, left: dict[str, Request], kept: list[Outcome]
) -> None:
    """One `fetch`. An error that may pass, of a part of the batch, is raised when it is over."""
    passing: TransientError | None = None
    for outcome in provider.fetch(batch):
        if isinstance(outcome.result, TransientError):
            passing = outcome.result
            continue
        asked = [left.pop(r.key, None) for r in outcome.requests]  # neither a stranger nor twice
        kept.append(Outcome(tuple(r for r in asked if r is not None), outcome.result))
    if passing is not None:
        raise passing


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
        return [Parsed(request, result) for request in outcome.requests]
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
