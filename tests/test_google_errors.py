"""Every exception of Google's libraries becomes one of visionhub's, and each on purpose."""

from __future__ import annotations

import inspect
import ssl
import urllib.error
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import google.auth.exceptions
import grpc
import pytest
import requests.exceptions
import urllib3.exceptions
from google.api_core import exceptions as api
from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from visionhub_google.translate import translate, translated

from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    TransientError,
    UnexpectedBody,
    UsageError,
)

CALLS = {
    **dict.fromkeys(["Unauthorized", "Unauthenticated", "Forbidden", "PermissionDenied"],
                    AuthenticationError),
    **dict.fromkeys(["TooManyRequests", "ResourceExhausted"], RateLimited),
    **dict.fromkeys(["InternalServerError", "Unknown", "BadGateway", "ServiceUnavailable",
                     "GatewayTimeout", "DeadlineExceeded", "Cancelled"], ProviderUnavailable),
    "Aborted": TransientError,
    # The request is wrong, or the address, or what the service offers: asking again is no use.
    **dict.fromkeys(["GoogleAPICallError", "Redirection", "MovedPermanently", "NotModified",
                     "TemporaryRedirect", "ResumeIncomplete", "ClientError", "BadRequest",
                     "InvalidArgument", "FailedPrecondition", "OutOfRange", "NotFound",
                     "MethodNotAllowed", "Conflict", "AlreadyExists", "LengthRequired",
                     "PreconditionFailed", "RequestRangeNotSatisfiable", "ServerError", "DataLoss",
                     "MethodNotImplemented"], ProviderError),
    # Uploads in pieces: not made by this adapter.
    **dict.fromkeys(["ResumableTransferError", "TransferStalledError", "UnseekableStreamError",
                     "UploadCancelledError", "MissingStatusHeaderError"], ProviderError),
}  # fmt: skip
STATUSES = {
    **dict.fromkeys(["UNAUTHENTICATED", "PERMISSION_DENIED"], AuthenticationError),
    "RESOURCE_EXHAUSTED": RateLimited,
    "ABORTED": TransientError,
    **dict.fromkeys(["CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE"],
                    ProviderUnavailable),
    **dict.fromkeys(["OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "OUT_OF_RANGE",
                     "FAILED_PRECONDITION", "UNIMPLEMENTED", "DATA_LOSS"], ProviderError),
}  # fmt: skip
AUTH = {
    **dict.fromkeys(["TransportError", "TimeoutError", "ResponseError"], ProviderUnavailable),
    **dict.fromkeys(["GoogleAuthError", "RefreshError", "UserAccessTokenError",
                     "DefaultCredentialsError", "MutualTLSChannelError", "ClientCertError",
                     "OAuthError", "ReauthFailError", "ReauthSamlChallengeFailError",
                     "MalformedError", "InvalidResource", "InvalidOperation", "InvalidValue",
                     "InvalidType", "OSError"], AuthenticationError),
}  # fmt: skip
REQUESTS = {
    **dict.fromkeys(["ConnectionError", "ConnectTimeout", "ReadTimeout", "Timeout", "SSLError",
                     "ProxyError", "ChunkedEncodingError", "ContentDecodingError", "RetryError",
                     "StreamConsumedError"], ProviderUnavailable),
    "JSONDecodeError": UnexpectedBody,
    # How the call was put together is wrong: an endpoint that is no address, a header.
    **dict.fromkeys(["RequestException", "HTTPError", "InvalidHeader", "InvalidJSONError",
                     "InvalidProxyURL", "InvalidSchema", "InvalidURL", "MissingSchema",
                     "TooManyRedirects", "URLRequired", "UnrewindableBodyError"], ProviderError),
}  # fmt: skip


def raised(error):
    """What a caller gets to see of an exception."""
    with pytest.raises(ProviderError) as caught, translated():
        raise error
    assert caught.value.__cause__ is error
    assert len(str(caught.value)) < 700
    return caught.value


def classes(module, base):
    found = {
        name: kind
        for name, kind in vars(module).items()
        if inspect.isclass(kind) and issubclass(kind, base) and not issubclass(kind, Warning)
    }
    assert found
    return found


def test_every_kind_of_call_error_is_mapped():
    kinds = classes(api, api.GoogleAPICallError)
    assert kinds.keys() == CALLS.keys()
    for name, kind in kinds.items():
        assert type(raised(kind("M"))) is CALLS[name], name


@pytest.mark.parametrize("name", STATUSES)
def test_every_status_of_grpc_is_mapped(name):
    error = api.from_grpc_status(grpc.StatusCode[name], "M")
    assert type(raised(error)) is STATUSES[name]


def test_no_status_of_grpc_is_left_out():
    assert {status.name for status in grpc.StatusCode} == STATUSES.keys()


@pytest.mark.parametrize("status", range(300, 600))
def test_every_http_status_is_mapped(status):
    error = raised(api.from_http_status(status, "M"))
    if status in (401, 403):
        assert type(error) is AuthenticationError
    elif status == 429:
        assert type(error) is RateLimited
    elif status in (408, 499) or (status >= 500 and status != 501):
        assert type(error) is ProviderUnavailable
    else:
        assert type(error) is ProviderError


def test_every_error_of_google_auth_is_mapped():
    kinds = classes(google.auth.exceptions, google.auth.exceptions.GoogleAuthError)
    assert kinds.keys() == AUTH.keys()
    for name, kind in kinds.items():
        error = raised(kind("M"))
        assert type(error) is AUTH[name], name
        if isinstance(error, AuthenticationError):
            assert "GOOGLE_APPLICATION_CREDENTIALS" in str(error)
        if not kind("M", retryable=True).retryable:
            continue  # ClientCertError: never, whatever it is told
        again = raised(kind("M", retryable=True))
        assert type(again) is ProviderUnavailable, f"{name} that may pass"


def test_every_error_of_requests_is_mapped():
    kinds = classes(requests.exceptions, requests.exceptions.RequestException)
    assert kinds.keys() == REQUESTS.keys()
    for name, kind in kinds.items():
        error = kind("M", "{", 1) if name == "JSONDecodeError" else kind("M")
        assert type(raised(error)) is REQUESTS[name], name


def test_every_error_of_urllib3_may_pass():
    for name, kind in classes(urllib3.exceptions, urllib3.exceptions.HTTPError).items():
        error = kind.__new__(kind)
        Exception.__init__(error, "M")
        vars(error).update(partial=0, expected=1, length=1, response=None)  # what some print
        assert type(translate(error)) is ProviderUnavailable, name


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (api.RetryError("M", api.ServiceUnavailable("N")), ProviderUnavailable),
        (api.RetryError("M", api.Forbidden("N")), AuthenticationError),
        (api.RetryError("M", None), ProviderUnavailable),
        (api.GoogleAPIError("M"), ProviderError),
        (api.DuplicateCredentialArgs("M"), ProviderError),
        (api.AsyncRestUnsupportedParameterError("M"), ProviderError),
        (ConnectionResetError("M"), ProviderUnavailable),
        (TimeoutError("M"), ProviderUnavailable),
        (ssl.SSLError("M"), ProviderUnavailable),
        (urllib.error.URLError("M"), ProviderUnavailable),
        (ParseError("M"), UnexpectedBody),
        (DecodeError("M"), UnexpectedBody),
        (grpc.RpcError("M"), ProviderUnavailable),
        (grpc.FutureTimeoutError(), ProviderUnavailable),
        (grpc.FutureCancelledError(), ProviderUnavailable),
        (ValueError("Cannot invoke RPC on closed channel!"), ProviderError),
        (RuntimeError(), ProviderError),
    ],
)
def test_errors_from_below_are_mapped(error, kind):
    assert type(raised(error)) is kind


def test_errors_of_visionhub_pass():
    with pytest.raises(UsageError, match="mine"), translated():
        raise UsageError("mine")


@pytest.mark.parametrize(
    "error",
    [
        api.BadRequest("API key expired. Please renew the API key.",
                       error_info={"reason": "API_KEY_INVALID"}),
        api.BadRequest("API key not valid. Please pass a valid API key."),
        api.PermissionDenied("This API method requires billing to be enabled.",
                             error_info={"reason": "BILLING_DISABLED"}),
        api.FailedPrecondition("M", error_info={"reason": "BILLING_DISABLED"}),
        api.Forbidden("Cloud Vision API has not been used in project 1 before or it is disabled."),
        api.Unauthorized("Request had invalid authentication credentials."),
        api.ServiceUnavailable("Getting metadata from plugin failed with error: ('invalid_grant')"),
    ],
)  # fmt: skip
def test_trouble_with_credentials_says_what_to_set(error):
    result = raised(error)
    assert type(result) is AuthenticationError
    for variable in ("GOOGLE_APPLICATION_CREDENTIALS", "VISIONHUB_GOOGLE_API_KEY"):
        assert variable in str(result)


def test_a_sign_in_that_is_not_reached_may_pass():
    words = "Getting metadata from plugin failed with error: TransportError(HTTPSConnectionPool…)"
    assert type(raised(api.ServiceUnavailable(words))) is ProviderUnavailable


@pytest.mark.parametrize(
    "error",
    [
        api.ResourceExhausted("SERVER: Received message larger than max (5 vs. 4)"),
        api.BadRequest("Request payload size exceeds the limit: 41943040 bytes."),
        api.from_http_status(413, "M"),
    ],
)
def test_a_call_that_is_too_large_names_the_setting(error):
    result = raised(error)
    assert type(result) is ProviderError
    assert "--set google.call_bytes" in str(result)


def test_old_quota_errors_come_as_forbidden():
    error = api.Forbidden("Rate Limit Exceeded", errors=[{"reason": "userRateLimitExceeded"}])
    assert type(raised(error)) is RateLimited


class Http:
    def __init__(self, after):
        self.headers = {"Retry-After": after} if after else {}


class Ended:
    def __init__(self, *pairs):
        self.pairs = pairs

    def trailing_metadata(self):
        return self.pairs


JSON_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}
INFO = error_details_pb2.RetryInfo(retry_delay={"seconds": 3, "nanos": 500_000_000})
OTHER = error_details_pb2.ErrorInfo(reason="R")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"response": Http("7")}, 7.0),
        ({"response": Http("")}, None),
        ({"response": Http("soon")}, None),
        ({"details": [{"@type": "T"}, JSON_INFO]}, 2.5),
        ({"details": [JSON_INFO], "response": Http("4")}, 4.0),
        ({"details": [OTHER, INFO]}, 3.5),
        ({"response": Ended(("x", "1"), ("retry-after", "9"))}, 9.0),
        ({"response": Ended()}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("kind", [api.TooManyRequests, api.ResourceExhausted])
def test_how_long_to_wait_is_kept(kind, given, seconds):
    error = raised(kind("M", **given))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_service_that_is_down_may_say_when_to_come_back():
    error = raised(api.ServiceUnavailable("M", response=Http("5")))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 5


def test_retry_after_may_be_a_date():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    error = raised(api.TooManyRequests("M", response=Http(date)))
    assert isinstance(error, RateLimited)
    assert error.retry_after is not None
    assert 25 < error.retry_after <= 30
