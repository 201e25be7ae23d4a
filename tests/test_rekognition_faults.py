"""Every error that the service or the SDK can bring is one of visionhub's own."""

from __future__ import annotations

import json
import string

import pytest
from visionhub_rekognition import faults
from visionhub_rekognition.operations import OPERATIONS

from tests.rekognition_service import model
from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    TransientError,
    UsageError,
)
from visionhub.provider import installed

if not installed(("boto3",)):
    pytest.skip("the extra 'aws' is not installed: not tested", allow_module_level=True)

CODES = {
    "InvalidParameterException": RefusedImage,
    "InvalidImageFormatException": RefusedImage,
    "ImageTooLargeException": RefusedImage,
    "InvalidS3ObjectException": RefusedImage,
    "AccessDeniedException": AuthenticationError,
    "AccessDenied": AuthenticationError,
    "UnrecognizedClientException": AuthenticationError,
    "InvalidClientTokenId": AuthenticationError,
    "ExpiredTokenException": AuthenticationError,
    "ExpiredToken": AuthenticationError,
    "InvalidSignatureException": AuthenticationError,
    "SignatureDoesNotMatch": AuthenticationError,
    "IncompleteSignature": AuthenticationError,
    "MissingAuthenticationToken": AuthenticationError,
    "OptInRequired": AuthenticationError,
    "RequestExpired": AuthenticationError,
    "NotAuthorized": AuthenticationError,
    "ThrottlingException": RateLimited,
    "Throttling": RateLimited,
    "ProvisionedThroughputExceededException": RateLimited,
    "LimitExceededException": RateLimited,
    "TooManyRequestsException": RateLimited,
    "InternalServerError": ProviderUnavailable,
    "InternalFailure": ProviderUnavailable,
    "ServiceUnavailable": ProviderUnavailable,
    "ServiceUnavailableException": ProviderUnavailable,
    "RequestTimeout": ProviderUnavailable,
    "RequestTimeoutException": ProviderUnavailable,
    # Final, and about the request rather than the picture: a row, and the run goes on.
    "HumanLoopQuotaExceededException": ProviderError,
    "ResourceNotFoundException": ProviderError,
    "ResourceNotReadyException": ProviderError,
    "ValidationError": ProviderError,
    "SerializationException": ProviderError,
    "UnknownOperationException": ProviderError,
}
TRANSPORT = {
    "ConnectionError": ProviderUnavailable,
    "EndpointConnectionError": ProviderUnavailable,
    "ConnectionClosedError": ProviderUnavailable,
    "ConnectTimeoutError": ProviderUnavailable,
    "ReadTimeoutError": ProviderUnavailable,
    "ProxyConnectionError": ProviderUnavailable,
    "SSLError": ProviderUnavailable,
    "HTTPClientError": ProviderUnavailable,
    "ResponseStreamingError": ProviderUnavailable,
    "IncompleteReadError": ProviderUnavailable,
    "NoCredentialsError": AuthenticationError,
    "PartialCredentialsError": AuthenticationError,
    "CredentialRetrievalError": AuthenticationError,
    "ProfileNotFound": AuthenticationError,
    "ConfigParseError": AuthenticationError,
    "NoRegionError": AuthenticationError,
    "InvalidRegionError": AuthenticationError,
    "UnauthorizedSSOTokenError": AuthenticationError,
    "SSOTokenLoadError": AuthenticationError,
    "TokenRetrievalError": AuthenticationError,
    "LoginRefreshRequired": AuthenticationError,
    "RefreshWithMFAUnsupportedError": AuthenticationError,
    "EndpointResolutionError": AuthenticationError,
    "ParamValidationError": ProviderError,
}


def client_error(code: str, http: int = 400, message: str = "", **headers: str):
    from botocore.exceptions import ClientError

    about = {"HTTPStatusCode": http, "HTTPHeaders": headers}
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": about}, "DetectLabels"
    )


def translate(error: BaseException) -> ProviderError:
    with pytest.raises(ProviderError) as caught, faults.translated("DetectLabels"):
        raise error
    return caught.value


def documented() -> set[str]:
    shapes = {
        shape.metadata.get("error", {}).get("code", shape.name)
        for operation in OPERATIONS
        for shape in model().operation_model(operation.name).error_shapes
    }
    assert len(shapes) > 8
    return shapes


def test_every_error_that_the_sdk_documents_has_its_class_here():
    assert documented() <= CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_is_translated(code):
    error = translate(client_error(code, message="So it is."))
    assert type(error) is CODES[code]
    assert "DetectLabels" in str(error)
    assert code in str(error)
    assert "So it is" in str(error)
    assert ".." not in str(error), "what the service says ends in a full stop of its own"


def test_the_classes_of_the_client_are_translated_too():
    """The client makes a class of its own for each error shape."""
    import boto3

    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    client = boto3.session.Session().client("rekognition", region_name="us-east-1", **keys)
    for code in documented():
        kind = client.exceptions.from_code(code)
        raised = kind(client_error(code).response, "DetectLabels")
        assert type(translate(raised)) is CODES[code]


@pytest.mark.parametrize("http", [500, 502, 503, 504, 599, 408])
def test_a_failing_server_without_a_word_may_pass(http):
    assert type(translate(client_error(str(http), http))) is ProviderUnavailable
    assert type(translate(client_error("NeverHeardOf", http))) is ProviderUnavailable


def test_throttling_is_throttling_at_400_and_at_500():
    for http in (400, 429, 500):
        assert type(translate(client_error("ThrottlingException", http))) is RateLimited
    assert type(translate(client_error("429", 429))) is RateLimited


@pytest.mark.parametrize("http", [401, 403, 407])
def test_a_refusal_without_a_word_stops_the_run(http):
    assert type(translate(client_error(str(http), http))) is AuthenticationError


def test_too_large_a_request_is_a_refused_picture():
    assert type(translate(client_error("413", 413))) is RefusedImage


def test_other_errors_are_final():
    error = translate(client_error("NeverHeardOf", 400))
    assert type(error) is ProviderError
    assert "NeverHeardOf" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            30.0,
        ),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT",
                "date": "Wed, 21 Oct 2026 07:28:30 GMT",
            },
            0.0,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read(headers, seconds):
    throttled = translate(client_error("ThrottlingException", 400, **headers))
    assert isinstance(throttled, RateLimited)
    assert throttled.retry_after == seconds
    down = translate(client_error("ServiceUnavailable", 503, **headers))
    assert isinstance(down, TransientError)
    assert getattr(down, "retry_after", None) == seconds


def all_of_botocore() -> list[type[Exception]]:
    from botocore import exceptions, parsers

    found = [
        kind
        for module in (exceptions, parsers)
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__ == module.__name__
    ]
    assert len(found) > 90
    return found


def make(kind: type[Exception]) -> Exception:
    """An exception of the SDK, with something for each member that its text names."""
    from botocore.exceptions import ClientError

    if issubclass(kind, ClientError):
        return kind({"Error": {"Code": "SlowDown"}}, "DetectLabels")
    named = string.Formatter().parse(getattr(kind, "fmt", ""))
    members = {name.partition("[")[0]: "something" for _, name, _, _ in named if name}
    if kind.__name__ == "WaiterError":
        members["last_response"] = {}
    return kind(**members)


def test_no_exception_of_the_sdk_leaks():
    for kind in all_of_botocore():
        error = translate(make(kind))
        assert isinstance(error, ProviderError), kind
        assert kind.__name__ in str(error) or "SlowDown" in str(error), kind


def test_exceptions_about_keys_stop_the_run():
    words = ("Credential", "Token", "SSO", "Login", "Profile", "Region", "Config")
    others = ("S3", "Waiter", "Discovery", "Checksum", "Warning")
    for kind in all_of_botocore():
        if any(w in kind.__name__ for w in words) and not any(w in kind.__name__ for w in others):
            assert type(translate(make(kind))) is AuthenticationError, kind


@pytest.mark.parametrize("name", TRANSPORT)
def test_exceptions_of_the_sdk_have_their_class(name):
    from botocore import exceptions

    error = translate(make(getattr(exceptions, name)))
    assert type(error) is TRANSPORT[name]


def test_missing_keys_and_regions_name_what_to_set():
    from botocore.exceptions import NoCredentialsError, NoRegionError

    keys = str(translate(NoCredentialsError()))
    for word in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "~/.aws/credentials"):
        assert word in keys
    region = str(translate(NoRegionError()))
    for word in ("AWS_REGION", "--set rekognition.region"):
        assert word in region


def test_ones_own_errors_pass_as_they_are():
    own = UsageError("that was wrong")
    with pytest.raises(UsageError) as caught, faults.translated("DetectLabels"):
        raise own
    assert caught.value is own


def test_other_exceptions_become_errors_of_one_request():
    assert type(translate(KeyError("x"))) is ProviderError
    assert type(translate(ConnectionResetError("gone"))) is ProviderUnavailable


def test_recorded_errors_are_translated(shared):
    """Bodies made after AWS's guide, and those that somebody really got."""
    from botocore.parsers import create_parser

    shape = model().operation_model("DetectLabels").output_shape
    folder = shared / "recorded"
    made = [json.loads(path.read_text()) for path in folder.glob("constructed_errors/aws_*.json")]
    answers = [(one["status"], json.dumps(one["body"]).encode()) for one in made]
    seen = [path.read_bytes() for path in folder.glob("errors_verbatim/rekognition_*.body")]
    for path in folder.glob("errors_verbatim/rekognition_*.http"):
        seen += [path.read_bytes().replace(b"\r", b"").partition(b"\n\n")[2]]
    answers += [(400, body) for body in seen]
    assert len(answers) >= 9
    for status, body in answers:
        raw = {"status_code": status, "headers": {}, "body": body}
        response = create_parser("json").parse(raw, shape)
        error = faults.answered("DetectLabels", response)
        assert type(error) is CODES[json.loads(body)["__type"]], body


def test_the_shortest_refusal_that_was_seen():
    """`{"__type":"AccessDeniedException"}`, as botocore reads it."""
    from botocore.parsers import create_parser

    shape = model().operation_model("DetectLabels").output_shape
    raw = {
        "status_code": 400,
        "headers": {},
        "body": json.dumps({"__type": "AccessDeniedException"}).encode(),
    }
    response = create_parser("json").parse(raw, shape)
    assert type(faults.answered("DetectLabels", response)) is AuthenticationError
