"""The SDK's exceptions and the service's error codes, in visionhub's own classes.

Codes: the error shapes of the SDK's own model for the operations used, the developer guide's table
of error codes, and AWS's errors that are common to all services (both read 2026). Classes are
looked up by name, along the exception's ancestry, so that no SDK is imported here and an older or
newer one does no harm.

What surely never left this machine, and what the service refused, is not charged. AWS does not
document what it charges for calls that end in another way (as of 2026): nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from traceback import walk_tb
from typing import Any

from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    VisionHubError,
)

KEYS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE or --set rekognition.profile "
    "for a profile of ~/.aws/credentials"
)
REGION = (
    "set AWS_REGION, or --set rekognition.region, for example us-east-1, or a region for your "
    "profile in ~/.aws/config"
)

REFUSED = frozenset(
    {
        "InvalidParameterException",
        "InvalidImageFormatException",
        "ImageTooLargeException",
        "InvalidS3ObjectException",
    }
)
DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
UNKNOWN_KEYS = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "ExpiredTokenException",
        "ExpiredToken",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "TokenRefreshRequired",
        "OptInRequired",
        "SubscriptionRequiredException",
        "NotAuthorized",
        "AuthFailure",
    }
)
TOO_FAST = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
        "SlowDown",
    }
)
DOWN = frozenset(
    {
        "InternalServerError",
        "InternalServerException",
        "InternalFailure",
        "InternalError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "RequestTimeout",
        "RequestTimeoutException",
        "PriorRequestNotComplete",
    }
)
NOT_TAKEN = "Rekognition does not take this picture."
REDIRECT, TOO_LARGE, TIMED_OUT, TOO_MANY, SERVER = 300, 413, 408, 429, 500  # HTTP
NOT_ALLOWED = (401, 403, 407)

NO_KEYS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "UnknownCredentialError",
        "NoAuthTokenError",
        "TokenRetrievalError",
        "UnknownTokenProviderError",
        "ProfileNotFound",
        "ConfigNotFound",
        "ConfigParseError",
        "InvalidConfigError",
        "RefreshWithMFAUnsupportedError",
        "SSOError",
        "LoginError",
        "MetadataRetrievalError",
        "InvalidIMDSEndpointError",
        "InvalidIMDSEndpointModeError",
        "UnknownSignatureVersionError",
        "UnsupportedSignatureVersionError",
    }
)
NO_PLACE = frozenset(
    {
        "NoRegionError",
        "InvalidRegionError",
        "UnknownRegionError",
        "ServiceNotInRegionError",
        "BaseEndpointResolverError",
        "EndpointProviderError",
        "InvalidEndpointConfigurationError",
        "InvalidProxiesConfigError",
        "InvalidRetryConfigurationError",
        "InvalidSTSRegionalEndpointsConfigError",
        "InvalidDefaultsMode",
    }
)
NOT_REACHED = frozenset(
    {
        "ConnectionError",
        "HTTPClientError",
        "IncompleteReadError",
        "CapacityNotAvailableError",
        "ChecksumError",
        "FlexibleChecksumError",
        "OSError",
    }
)
UNSENT = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ParamValidationError"})
CONNECTING = ("urllib3.connection", "connect")
"""The function that finds the address, opens a connection, greets a proxy and agrees on TLS: it is
over before the first byte of a request is sent."""
HINTS = {
    "SSLError": " Is AWS_CA_BUNDLE right?",
    "ProxyConnectionError": " Is HTTPS_PROXY right?",
    "EndpointConnectionError": " Is the network up, and is the region's name right?",
    "ReadTimeoutError": " A longer --set rekognition.timeout may help.",
}


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn what the SDK raises while it calls `operation` into a ProviderError."""
    try:
        yield
    except VisionHubError:
        raise
    except Exception as error:
        response = getattr(error, "response", None)
        if isinstance(response, dict) and "Error" in response:
            raise answered(operation, response) from error
        raise failed(operation, error) from error


def answered(operation: str, response: Mapping[str, Any]) -> ProviderError:
    """The error that the service answered with, from what botocore makes of it."""
    error = response.get("Error") or {}
    code, said = str(error.get("Code") or ""), str(error.get("Message") or "")
    about = response.get("ResponseMetadata") or {}
    http = int(about.get("HTTPStatusCode") or 0)
    wait = retry_after(about.get("HTTPHeaders") or {})
    words = ": ".join(filter(None, (code or str(http), said)))
    what = f"{operation} was answered with {words}".rstrip(".")
    if code in REFUSED or http == TOO_LARGE:
        return RefusedImage(f"{what}. {NOT_TAKEN}")
    if code in DENIED:
        return AuthenticationError(
            f"{what}. These credentials may not call it: allow rekognition:{operation}, or use "
            f"others: {KEYS}."
        )
    if code in UNKNOWN_KEYS:
        return AuthenticationError(f"{what}. AWS refuses these credentials: {KEYS}.")
    passing = _passing(code, http, what, wait)
    if passing is None and http in NOT_ALLOWED:
        return AuthenticationError(f"{what}. Something on the way refuses these calls: {KEYS}.")
    return passing or ProviderError(
        f"{what}.", charged=False if REDIRECT <= http < SERVER else None
    )


def _passing(code: str, http: int, what: str, wait: float | None) -> ProviderError | None:
    """An error that may pass; None for one that is final."""
    if code in TOO_FAST or http == TOO_MANY:
        return RateLimited(f"{what}.", wait)
    if code in DOWN or http >= SERVER or http == TIMED_OUT:
        if wait is None:
            return ProviderUnavailable(f"{what}.")
        return RateLimited(f"{what}.", wait, charged=None)  # down, not throttling
    return None


def failed(operation: str, error: Exception) -> ProviderError:
    """The error that stands for one of the SDK's own: no answer came."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    what = f"{operation}: {type(error).__name__}: {error}".rstrip(".")
    if kinds & NO_KEYS:
        return AuthenticationError(f"{what}. No usable AWS credentials: {KEYS}.")
    if kinds & NO_PLACE:
        return AuthenticationError(f"{what}. Rekognition cannot be reached so: {REGION}.")
    charged = False if kinds & UNSENT or never_sent(error) else None
    if kinds & NOT_REACHED:
        hint = "".join(text for name, text in HINTS.items() if name in kinds)
        return ProviderUnavailable(f"{what}.{hint}", charged=charged)
    return ProviderError(f"{what}.", charged=charged)


def never_sent(error: BaseException | None) -> bool:
    """Whether an exception came up while connecting (found by experiment with urllib3 2.8).

    Types do not tell: a proxy that hangs up after it has read the request is a ProxyConnectionError
    as well, TLS that breaks in mid-answer is an SSLError, and TLS that hangs is a ReadTimeoutError.
    """
    while error is not None:
        frames = (frame for frame, _ in walk_tb(error.__traceback__))
        if any((f.f_globals.get("__name__"), f.f_code.co_name) == CONNECTING for f in frames):
            return True
        error = error.__cause__ or error.__context__
    return False


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait for, as a number or as a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    try:
        if text.replace(".", "", 1).isdecimal():
            return float(text)
        until = parsedate_to_datetime(text)
        sent = headers.get("date")
        now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
