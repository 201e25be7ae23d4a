"""Foreign exceptions become visionhub's here, and nowhere else in this adapter.

Whether Google charges for calls that fail is not documented (as of 2026). So only what surely never
left this machine, or what the service refused as a whole, is taken to be free of charge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    TransientError,
    UnexpectedBody,
    VisionHubError,
)
from visionhub_google.unsent import broke_off, never_sent, not_connected

Foreign: TypeAlias = Any  # an object of a client's library

KEY_VARIABLE = "VISIONHUB_GOOGLE_API_KEY"
FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
HINT = (
    f"set {FILE_VARIABLE} to the path of a service account's key file, or {KEY_VARIABLE} to an API "
    "key, or run  gcloud auth application-default login"
)
PROJECT_HINT = (
    "see that the project has the Cloud Vision API and billing enabled, and that the credentials "
    f"in {FILE_VARIABLE} or {KEY_VARIABLE} may use it"
)
KEY_TROUBLE = re.compile(
    r"API[_ ]KEY|BILLING|SERVICE_DISABLED|CONSUMER_(INVALID|SUSPENDED)|ACCESS_TOKEN|"
    r"requires billing|has not been used in project",
    re.IGNORECASE,
)
TOO_MANY = re.compile(r"rateLimitExceeded|RATE_LIMIT_EXCEEDED|quotaExceeded", re.IGNORECASE)
TOO_LARGE = re.compile(r"larger than max|payload size exceeds", re.IGNORECASE)
TOO_LONG = "CLIENT: Received message larger than max"  # gRPC: the answer, not the call
PLUGIN = "Getting metadata from plugin failed"  # gRPC: a token could not be had

REDIRECTED, UNAUTHORIZED, FORBIDDEN, NO_ANSWER, TOO_BIG = 300, 401, 403, 408, 413
ABORTED, TOO_MANY_REQUESTS, CANCELLED = 409, 429, 499
FAULTS = 500  # from here on the service's own, which may pass
NOT_OFFERED, UNAVAILABLE = 501, 503


@contextmanager
def translated() -> Iterator[None]:
    """Let a block raise ProviderErrors only, whatever Google's libraries throw in it."""
    try:
        yield
    except VisionHubError:
        raise
    except Exception as error:
        raise translate(error) from error


def translate(error: BaseException) -> ProviderError:
    """The error of visionhub for an exception of google-api-core, google-auth, grpc or requests."""
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    if isinstance(error, api.RetryError):
        return translate(error.cause) if error.cause else ProviderUnavailable(_say(error))
    if isinstance(error, api.GoogleAPICallError):
        return _of_call(error)
    if isinstance(error, auth.GoogleAuthError):
        return _of_credentials(error)
    return _of_network(error)


def _of_call(error: Foreign) -> ProviderError:
    """By the error's HTTP code, which its gRPC kinds have as well."""
    code, words = error.code or 0, f"{error.reason or ''} {error.message} {error.errors}"
    wait = retry_after(error)
    if TOO_LONG in words:
        return UnexpectedBody(f"Google's answer is too long to be one: {_say(error)}")
    if code == TOO_BIG or TOO_LARGE.search(words):
        return ProviderError(
            f"Google Cloud Vision takes no call of this size ({_say(error)}): give a smaller "
            "number with --set google.call_bytes=… or --set google.batch=…",
            charged=False,
        )
    if code == TOO_MANY_REQUESTS or TOO_MANY.search(words):
        charged = None if broke_off(error) else False
        say = f"Google Cloud Vision asks for fewer calls: {_say(error)}"
        return RateLimited(say, wait, charged=charged)
    if PLUGIN in words and "TransportError" not in words:
        return AuthenticationError(f"Google's credentials do not work ({_say(error)}): {HINT}.")
    if code == UNAUTHORIZED or (KEY_TROUBLE.search(words) and code < FAULTS):
        return AuthenticationError(f"Google refused the credentials ({_say(error)}): {HINT}.")
    if code == FORBIDDEN:
        return AuthenticationError(f"Google refused the call ({_say(error)}): {PROJECT_HINT}.")
    return _of_code(error, code, wait)


def _of_code(error: Foreign, code: int, wait: float | None) -> ProviderError:
    kind = type(error).__name__
    if code == UNAVAILABLE and wait is not None:  # down, not throttling: it may have done the work
        return RateLimited(f"Google Cloud Vision asks to wait: {_say(error)}", wait, charged=None)
    if kind == "Aborted":
        return TransientError(f"Google Cloud Vision gave the call up: {_say(error)}")
    passing = code in (NO_ANSWER, CANCELLED) or (code >= FAULTS and code != NOT_OFFERED)
    if passing or kind == "Unknown":  # a kind of gRPC's that has no HTTP code
        charged = False if not_connected(error) else None
        say = f"Google Cloud Vision did not answer: {_say(error)}"
        return ProviderUnavailable(say, charged=charged)
    refused = REDIRECTED <= code < FAULTS and code != ABORTED
    charged = False if refused else None
    say = f"Google Cloud Vision refused the call as a whole: {_say(error)}"
    return ProviderError(say, charged=charged)


def _of_credentials(error: Foreign) -> ProviderError:
    """A token is had before a call is sent: nothing of this is charged."""
    from google.auth import exceptions as auth

    passing = (auth.TransportError, auth.TimeoutError, auth.ResponseError)
    if isinstance(error, passing) or getattr(error, "retryable", False):
        return ProviderUnavailable(f"Google's sign-in did not answer: {_say(error)}", charged=False)
    return AuthenticationError(f"Google's credentials do not work ({_say(error)}): {HINT}.")


def _of_network(error: BaseException) -> ProviderError:
    """What the layers below let through: grpc, requests, urllib3, sockets, decoders."""
    import grpc
    import requests
    from google.api_core import exceptions as api
    from google.protobuf.json_format import ParseError
    from google.protobuf.message import DecodeError

    if isinstance(error, grpc.RpcError) and hasattr(error, "code"):
        return translate(api.from_grpc_error(error))
    if isinstance(error, ParseError | DecodeError | requests.exceptions.JSONDecodeError):
        return UnexpectedBody(f"Google's answer cannot be decoded: {_say(error)}")
    if isinstance(error, requests.exceptions.RequestException):
        return _of_requests(error)
    if isinstance(error, OSError) or type(error).__module__.startswith("urllib3"):
        return _not_reached(error)
    if isinstance(error, grpc.FutureTimeoutError | grpc.FutureCancelledError | grpc.RpcError):
        return ProviderUnavailable(f"Google Cloud Vision did not answer: {_say(error)}")
    return ProviderError(f"Google's client failed: {_say(error)}")


def _of_requests(error: BaseException) -> ProviderError:
    from requests import exceptions as kinds

    passing = (
        kinds.ConnectionError,
        kinds.Timeout,
        kinds.ChunkedEncodingError,
        kinds.ContentDecodingError,
        kinds.StreamConsumedError,
        kinds.RetryError,
    )
    if isinstance(error, passing):
        return _not_reached(error)
    # A ValueError among them is about an address or a header, before anything is sent.
    charged = False if isinstance(error, ValueError | kinds.TooManyRedirects) else None
    say = f"Google Cloud Vision cannot be called (see its settings): {_say(error)}"
    return ProviderError(say, charged=charged)


def _not_reached(error: BaseException) -> ProviderError:
    inner = getattr(error.args[0], "reason", None) if error.args else None  # why urllib3 gave up
    why = inner if isinstance(inner, Exception) else error
    say = f"Google Cloud Vision was not reached: {_say(why)}"
    return ProviderUnavailable(say, charged=False if never_sent(error) else None)


def retry_after(error: Foreign) -> float | None:
    """Seconds after which to try again: of a Retry-After header, or of a RetryInfo detail."""
    said = [_seconds_of(detail) for detail in error.details]
    said += [_seconds(value) for value in _headers(error.response)]
    known = [seconds for seconds in said if seconds is not None]
    return max(known) if known else None


def _headers(response: Foreign) -> list[str]:
    """Values of Retry-After: in an HTTP answer, or in what ends a gRPC call."""
    if response is None:
        return []
    if hasattr(response, "headers"):
        return [response.headers["Retry-After"]] if "Retry-After" in response.headers else []
    trailing = getattr(response, "trailing_metadata", lambda: None)()
    return [str(value) for name, value in trailing or () if name.lower() == "retry-after"]


def _seconds_of(detail: Foreign) -> float | None:
    """The delay of a google.rpc.RetryInfo, as JSON ("3.5s") or as a message."""
    if isinstance(detail, dict):
        delay = str(detail.get("retryDelay", ""))
        return _seconds(delay.removesuffix("s")) if delay.endswith("s") else None
    wait = getattr(detail, "retry_delay", None)
    return float(wait.seconds + wait.nanos / 1e9) if wait is not None else None


def _seconds(text: str) -> float | None:
    """Seconds, or an HTTP date as seconds from now (RFC 9110, 10.2.3)."""
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def _say(error: BaseException) -> str:
    """An exception in one line, without the address that the client puts before it."""
    several = len(error.args) > 1 and isinstance(error.args[0], str)  # str() would give a tuple
    said = getattr(error, "message", "") or (error.args[0] if several else error)
    text = " ".join(str(said).split()) or type(error).__name__
    return re.sub(r"^[A-Z]+ https?://\S+: ", "", text)[:300]
