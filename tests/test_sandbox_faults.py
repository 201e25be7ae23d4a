"""Each scripted fault, as the SDKs' own clients meet it by each protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
import requests.exceptions
from google.api_core import exceptions
from google.cloud import vision
from visionhub_sandbox import Fault, Sandbox, read_faults
from visionhub_sandbox.calls import Call
from visionhub_sandbox.faults import Script

from tests.sandboxed import Seer, annotate, google, rekognition
from visionhub.errors import UsageError

LABELS = [vision.Feature.Type.LABEL_DETECTION]
TRANSPORTS = ("json", "rest", "grpc")
Ask = Callable[..., Any]


def ask(sandbox: Sandbox, transport: str, image: bytes, timeout: float = 10.0) -> Any:
    """One attempt for labels; what the SDK returns or raises."""
    if transport == "json":
        with rekognition(sandbox, timeout) as client:
            return client.detect_labels(Image={"Bytes": image})
    with google(sandbox, transport) as client:
        return annotate(client, image, features=LABELS, timeout=timeout)


def failing(fault: Fault, transport: str, image: bytes, timeout: float = 10.0) -> BaseException:
    """What the first call raises; the second must go well."""
    fault = Fault(**{name: getattr(fault, name) for name in fault.__slots__} | {"times": 1})
    with Sandbox(Seer(), faults=[fault]) as sandbox:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - tests look at what it is
            ask(sandbox, transport, image, timeout)
        assert sandbox.calls.recent[-1].fault == fault.kind
        ask(sandbox, transport, image)
        assert sandbox.calls.recent[-1].fault == ""
        assert sandbox.calls.count() == 2
    return caught.value


def code_of(error: BaseException) -> str:
    assert isinstance(error, botocore.exceptions.ClientError)
    return str(error.response["Error"]["Code"])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_latency_delays_a_good_answer(transport: str, photo: bytes) -> None:
    with Sandbox(faults=[Fault("latency", seconds=0.3), Fault("latency", seconds=0.1)]) as sandbox:
        begun = time.monotonic()
        ask(sandbox, transport, photo)
        assert time.monotonic() - begun >= 0.4


def test_throttling_says_when_to_come_back_or_not(photo: bytes) -> None:
    for wait in (1.5, None):
        fault = Fault("throttle", retry_after=wait)
        error = failing(fault, "json", photo)
        assert code_of(error) == "ThrottlingException"
        assert isinstance(error, botocore.exceptions.ClientError)
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        assert headers.get("retry-after") == ("1.5" if wait else None)
        rest = failing(fault, "rest", photo)
        assert isinstance(rest, exceptions.TooManyRequests)
        assert rest.response.headers.get("Retry-After") == ("1.5" if wait else None)
        rpc = failing(fault, "grpc", photo)
        assert isinstance(rpc, exceptions.ResourceExhausted)
        delays = [each.retry_delay.ToMilliseconds() for each in rpc.details]
        assert delays == ([1500] if wait else [])
    code = "ProvisionedThroughputExceededException"
    assert code_of(failing(Fault("throttle", code=code), "json", photo)) == code


@pytest.mark.parametrize(
    ("status", "code", "rest", "rpc"),
    [
        (
            500,
            "InternalServerError",
            exceptions.InternalServerError,
            exceptions.InternalServerError,
        ),
        (
            503,
            "ServiceUnavailableException",
            exceptions.ServiceUnavailable,
            exceptions.ServiceUnavailable,
        ),
        (403, "AccessDeniedException", exceptions.Forbidden, exceptions.PermissionDenied),
    ],
)
def test_errors_have_the_vendors_shape(
    status: int, code: str, rest: type[Exception], rpc: type[Exception], photo: bytes
) -> None:
    fault = Fault("error", status=status)
    error = failing(fault, "json", photo)
    assert code_of(error) == code
    assert isinstance(error, botocore.exceptions.ClientError)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert type(failing(fault, "rest", photo)) is rest
    assert type(failing(fault, "grpc", photo)) is rpc


def test_any_code_can_be_scripted(photo: bytes) -> None:
    fault = Fault("error", status=400, code="ImageTooLargeException")
    assert code_of(failing(fault, "json", photo)) == "ImageTooLargeException"
    fault = Fault("error", code="FAILED_PRECONDITION", status=400)
    assert isinstance(failing(fault, "grpc", photo), exceptions.FailedPrecondition)


def test_hanging_lasts_until_the_client_gives_up(photo: bytes) -> None:
    begun = time.monotonic()
    fault = Fault("hang")
    assert isinstance(failing(fault, "json", photo, 0.5), botocore.exceptions.ReadTimeoutError)
    assert isinstance(failing(fault, "rest", photo, 0.5), requests.exceptions.ReadTimeout)
    assert isinstance(failing(fault, "grpc", photo, 0.5), exceptions.DeadlineExceeded)
    assert time.monotonic() - begun >= 1.5


def test_connections_are_reset(photo: bytes) -> None:
    fault = Fault("reset")
    error = failing(fault, "json", photo)
    assert isinstance(error, botocore.exceptions.ConnectionClosedError)
    assert "reset by peer" in repr(error.kwargs["error"])
    rest = failing(fault, "rest", photo)
    assert isinstance(rest, requests.exceptions.ConnectionError)
    assert "reset by peer" in str(rest)
    assert isinstance(failing(fault, "grpc", photo), exceptions.ServiceUnavailable)


@pytest.mark.parametrize("whole", [False, True])
def test_boto3_takes_a_cut_body_for_an_empty_answer(whole: bool, photo: bytes) -> None:
    """So that whoever relies on its parsed answer sees a picture that shows nothing."""
    seen: list[tuple[bytes, int]] = []

    def hook(response_dict: Any, **_: Any) -> None:
        seen.append((response_dict["body"], int(response_dict["headers"]["content-length"])))

    fault = Fault("truncated", whole_length=whole, times=1)
    with Sandbox(Seer(), faults=[fault]) as sandbox, rekognition(sandbox) as client:
        client.meta.events.register("before-parse.rekognition.*", hook)
        answers = [client.detect_labels(Image={"Bytes": photo}) for _ in range(2)]
    assert ["Labels" in each for each in answers] == [False, True]
    (cut, announced), (body, _) = seen
    assert body.startswith(cut)
    assert len(cut) == len(body) // 2
    assert announced == (len(body) if whole else len(cut))


def test_google_refuses_a_cut_body(photo: bytes) -> None:
    fault = Fault("truncated")
    assert type(failing(fault, "rest", photo)).__name__ == "ParseError"
    assert isinstance(failing(fault, "grpc", photo), exceptions.InternalServerError)
    dropped = failing(Fault("truncated", whole_length=True), "rest", photo)
    assert isinstance(dropped, requests.exceptions.ChunkedEncodingError)


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_one_image_of_a_good_call_fails(transport: str, photo: bytes) -> None:
    faults = [Fault("item_error", item=1, code=14, times=1), Fault("item_error", item=9)]
    with Sandbox(Seer(), faults=faults) as sandbox, google(sandbox, transport) as client:
        answers = annotate(client, photo, photo, photo, features=LABELS).responses
        assert [each.error.code for each in answers] == [0, 14, 0]
        assert [len(each.label_annotations) for each in answers] == [3, 0, 3]
        answers = annotate(client, photo, photo, features=LABELS).responses
        assert [each.error.code for each in answers] == [0, 13]  # the last, where there are fewer


def test_item_errors_pass_over_a_service_without_batches(photo: bytes) -> None:
    with Sandbox(Seer(), faults=[Fault("item_error")]) as sandbox:
        assert len(ask(sandbox, "json", photo)["Labels"]) == 2
        assert sandbox.calls.recent[-1].fault == ""


def test_unknown_members_are_in_the_body_and_do_not_hurt(photo: bytes) -> None:
    with Sandbox(Seer(), faults=[Fault("unknown_field")]) as sandbox:
        bodies: list[Any] = []
        with rekognition(sandbox) as client:
            hook = lambda response_dict, **_: bodies.append(response_dict["body"])  # noqa: E731
            client.meta.events.register("before-parse.rekognition.*", hook)
            assert len(client.detect_labels(Image={"Bytes": photo})["Labels"]) == 2
        body = json.loads(bodies[0])
        assert "SandboxUnknown" in body
        assert ["SandboxUnknown" in each for each in body["Labels"]] == [True, False]
        with google(sandbox, "rest") as client:
            client.transport._session.hooks["response"] = lambda r, *a, **k: bodies.append(
                r.content
            )
            [answer] = annotate(client, photo, features=LABELS).responses
        assert len(answer.label_annotations) == 3
        body = json.loads(bodies[1])
        [item] = body["responses"]
        assert all("sandboxUnknown" in each for each in (body, item, item["labelAnnotations"][0]))


def test_unknown_fields_are_in_the_message(photo: bytes) -> None:
    from google.protobuf.unknown_fields import UnknownFieldSet

    with (
        Sandbox(Seer(), faults=[Fault("unknown_field")]) as sandbox,
        google(sandbox, "grpc") as client,
    ):
        answer = annotate(client, photo, features=LABELS)
    message = type(answer).pb(answer)
    [item] = message.responses
    for each in (message, item, item.label_annotations[0]):
        assert [field.field_number for field in UnknownFieldSet(each)] == [9001]
    assert len(item.label_annotations) == 3


def test_credentials_expire(photo: bytes) -> None:
    error = failing(Fault("expired_credentials"), "json", photo)
    assert code_of(error) == "ExpiredTokenException"
    forbidden = Fault("expired_credentials", status=403)
    assert isinstance(failing(forbidden, "rest", photo), exceptions.Forbidden)
    rpc = failing(Fault("expired_credentials"), "grpc", photo)
    assert isinstance(rpc, exceptions.Unauthenticated)


def test_faults_meet_the_calls_that_their_filters_name(photo: bytes) -> None:
    faults = [
        Fault("error", provider="rekognition", operation="DetectFaces"),
        Fault("error", transport="grpc"),
        Fault("error", operation="TEXT_DETECTION"),
        Fault("error", image="0" * 64),
    ]
    script = Script(faults)

    def met(*words: Any) -> bool:
        return script.meet(Call(*words)).fault is not None

    assert met("rekognition", "DetectFaces", "json")
    assert not met("rekognition", "DetectLabels", "json")
    assert met("google", "BatchAnnotateImages", "grpc")
    assert not met("google", "BatchAnnotateImages", "rest", ("LABEL_DETECTION",))
    assert met("google", "BatchAnnotateImages", "rest", ("LABEL_DETECTION", "TEXT_DETECTION"))
    assert met("google", "BatchAnnotateImages", "rest", (), ("1" * 64, "0" * 64))


def pattern(fault: Fault, calls: int = 12) -> str:
    script = Script([fault])
    call = Call("rekognition", "DetectLabels", "json")
    return "".join("x" if script.meet(call).fault else "." for _ in range(calls))


def test_faults_fall_when_they_are_told_to() -> None:
    assert pattern(Fault("error", times=2)) == "xx.........."
    assert pattern(Fault("error", after=3, times=2)) == "...xx......."
    assert pattern(Fault("error", every=4)) == "...x...x...x"
    assert pattern(Fault("error", after=1, every=5)) == ".....x....x."
    lots = pattern(Fault("error", share=0.3, seed=1), 1000)
    assert lots == pattern(Fault("error", share=0.3, seed=1), 1000)
    assert lots != pattern(Fault("error", share=0.3, seed=2), 1000)
    assert 250 < lots.count("x") < 350
    assert pattern(Fault("error", share=0.0)) == "." * 12


def test_the_first_of_several_faults_wins_and_keeps_the_others() -> None:
    script = Script([Fault("reset", times=1), Fault("hang", times=1), Fault("latency", seconds=2)])
    call = Call("google", "BatchAnnotateImages", "rest")
    met = [script.meet(call) for _ in range(3)]
    assert [each.fault and each.fault.kind for each in met] == ["reset", "hang", None]
    assert [each.latency for each in met] == [2, 2, 2]


def test_a_faults_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(
        '[[fault]]\nkind = "throttle"\nretry_after = 2\nafter = 1\n[[fault]]\nkind = "reset"\n'
    )
    assert read_faults(path) == (Fault("throttle", retry_after=2, after=1), Fault("reset"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fault = 1", "write each fault as a table"),
        ("[[faults]]\nkind='reset'", "write each fault as a table"),
        ("[[fault]\n", "it is no TOML"),
        ("[[fault]]\nafter = 1", "fault 1: it needs a kind"),
        ("[[fault]]\nkind='reset'\n[[fault]]\nkind='thottle'", "fault 2: kind 'thottle' is none"),
        ("[[fault]]\nkind='reset'\nseconds=1", "reset takes no 'seconds'"),
        ("[[fault]]\nkind='latency'\nseconds='1'", "seconds = '1' is not float"),
        ("[[fault]]\nkind='latency'\nafter=true", "after = True is not int"),
        ("[[fault]]\nkind='latency'\nseconds=-1", "a time is negative"),
        ("[[fault]]\nkind='latency'\nshare=1.5", "is not from 0 to 1"),
        ("[[fault]]\nkind='latency'\nprovider='azure'", "provider 'azure' is none of"),
        ("[[fault]]\nkind='error'\nstatus=200", "status is no error"),
        ("[[fault]]\nkind='item_error'\ncode='3'", "code is no number"),
    ],
)
def test_a_faults_file_is_refused_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_faults(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_faults_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.toml: No such file"):
        read_faults(tmp_path / "nothing.toml")
