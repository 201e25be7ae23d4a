"""One batch: fetch, retry what may pass, parse, pack. Runs in a worker thread, never raises.

The only retry layer is here; a provider makes one attempt per `fetch`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    RateLimited,
    TransientError,
    UnexpectedBody,
    VisionHubError,
)
from visionhub.provider import Batch, Body, Outcome, Provider, Request
from visionhub.schema import Annotation
from visionhub.store.items import PackedBody

ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds, doubled each time
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Parsed:
    """One request's end: what its body says, or the error."""

    request: Request
    result: Annotation | ProviderError
    body: PackedBody | None = None


def ask(provider: Provider, batch: Batch) -> list[Parsed]:
    """Answer every request of a batch. An image can fail; a run does not end because of it.

    Raises AuthenticationError only: no other request of this provider could succeed.
    """
    try:
        outcomes = list(_attempts(provider, batch))
    except AuthenticationError:
        raise
    except ProviderError as error:
        outcomes = [Outcome(batch.requests, error)]
    except VisionHubError as error:
        outcomes = [Outcome(batch.requests, ProviderError(str(error)))]
    except Exception as error:
        outcomes = [Outcome(batch.requests, ProviderError(f"{type(error).__name__}: {error}"))]
    parsed = [part for outcome in outcomes for part in _parse(provider, outcome)]
    answered = {part.request.key for part in parsed}
    forgotten = ProviderError(f"{provider.name} returned no outcome for this request")
    parsed += [Parsed(r, forgotten) for r in batch.requests if r.key not in answered]
    return parsed


def _attempts(provider: Provider, batch: Batch) -> Iterable[Outcome]:
    import tenacity

    jitter = tenacity.wait_exponential_jitter(multiplier=FIRST_WAIT, max=LONGEST_WAIT)

    def pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, RateLimited) else None
        return min(max(jitter(state), asked or 0.0), LONGEST_WAIT)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=pause,
        reraise=True,
    )
    return retrying(lambda: list(provider.fetch(batch)))


def _parse(provider: Provider, outcome: Outcome) -> Iterable[Parsed]:
    if not isinstance(outcome.result, Body):
        yield from (Parsed(request, outcome.result) for request in outcome.requests)
        return
    body = PackedBody.pack(outcome.result)
    for request in outcome.requests:
        yield Parsed(request, parse(provider, outcome.result.data, request), body)


def parse(provider: Provider, body: bytes, request: Request) -> Annotation | ProviderError:
    """Read a body; whatever goes wrong is an UnexpectedBody, because the body is kept."""
    try:
        return provider.parse(body, request)
    except ProviderError as error:
        return error
    except Exception as error:
        return UnexpectedBody(f"{type(error).__name__}: {error}")
