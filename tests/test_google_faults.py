"""Faults of the service, as the Google adapter meets them through the real client."""

from __future__ import annotations

import json
import socket
import threading
import time

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from visionhub_google import GoogleVision

from tests.conftest import jpeg
from tests.google_asked import ONE, TRANSPORTS, fetched, google, item_error, work, works
from tests.google_server import Reply, protobuf, serving
from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    UnexpectedBody,
)
from visionhub.provider import Body
from visionhub.schema import Annotation, Status, Task


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_mixed_batch_ends_image_by_image(transport):
    good = ONE["responses"][0]
    mixed = [good, item_error(3), {}, item_error(14), item_error(8), item_error(7)]
    with serving(lambda _: Reply({"responses": mixed})) as server:
        provider = google(server, transport)
        asked = works(6)
        outcomes = fetched(provider, *asked)
    assert [outcome.requests for outcome in outcomes] == [each.requests for each in asked]
    kinds = [type(outcome.result) for outcome in outcomes]
    assert kinds == [Body, Body, Body, ProviderUnavailable, RateLimited, Body]
    assert "M14" in str(outcomes[3].result)
    assert all(outcomes[i].body is not None for i in (3, 4)), "what was received is kept"

    def parsed(outcome):
        return provider.parse((outcome.body or outcome.result).data, outcome.requests[0])

    assert len(parsed(outcomes[0])) == 1
    assert parsed(outcomes[2]) == Annotation()
    with pytest.raises(RefusedImage, match="M3"):
        parsed(outcomes[1])
    for index in 3, 4, 5:
        with pytest.raises(ProviderError) as caught:
            parsed(outcomes[index])
        assert type(caught.value) is ProviderError


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("code", range(1, 17))
def test_every_code_of_one_image_ends_it(transport, code):
    passing = {
        4: ProviderUnavailable,
        8: RateLimited,
        **dict.fromkeys((10, 13, 14), ProviderUnavailable),
    }
    with serving(lambda _: Reply({"responses": [item_error(code)]})) as server:
        provider = google(server, transport)
        (outcome,) = fetched(provider, *works(1))
    assert type(outcome.result) is passing.get(code, Body)
    if code not in passing:
        with pytest.raises(ProviderError) as caught:
            provider.parse(outcome.result.data, outcome.requests[0])
        assert type(caught.value) is (RefusedImage if code in (3, 11) else ProviderError)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_was_answered_beside_an_error_is_kept(transport):
    both = {**ONE["responses"][0], **item_error(14)}
    with serving(lambda _: Reply({"responses": [both]})) as server:
        provider = google(server, transport)
        asked = work(jpeg(64, 48), Task.LABELS, Task.FACES)
        kept, lost = fetched(provider, asked)
    assert [r.task for r in kept.requests] == [Task.LABELS]
    annotation = provider.parse(kept.result.data, kept.requests[0])
    assert (annotation.status, len(annotation)) == (Status.OBSERVED, 1)
    assert "M14 (code 14)" in annotation.reason
    assert [r.task for r in lost.requests] == [Task.FACES]
    assert type(lost.result) is ProviderUnavailable


def test_an_error_that_the_client_cannot_decode_costs_no_other_image():
    """Details of a type that the client lacks make it throw away the whole answer."""
    strange = item_error(3, details=[{"@type": "type.googleapis.com/no.Such", "a": 1}])
    with serving(lambda _: Reply({"responses": [ONE["responses"][0], strange]})) as server:
        first, second = fetched(google(server, "rest"), *works(2))
    assert isinstance(first.result, Body)
    assert b"cat" in first.result.data
    assert isinstance(second.result, Body)
    assert b"no.Such" in second.result.data
    assert b"no.Such" not in first.result.data


@pytest.mark.parametrize(
    "sent",
    [b'{"responses": [{"labelAnno', b"", b"{}", b"[]", b"null", b'{"responses": []}',
     b'{"responses": [{}, {}, {}]}', b"<html>maintenance</html>", b'{"responses": [3, 4]}'],
)  # fmt: skip
def test_a_200_that_is_no_answer_is_unexpected_and_kept(sent):
    with serving(lambda _: Reply(sent)) as server:
        asked = works(2)
        (outcome,) = fetched(google(server, "rest"), *asked)
    assert type(outcome.result) is UnexpectedBody
    assert outcome.requests == tuple(r for each in asked for r in each.requests)
    assert outcome.body.data == sent
    assert len(server.calls) == 1, "it was asked again"
    for request in outcome.requests:
        with pytest.raises(UnexpectedBody):
            GoogleVision().parse(outcome.body.data, request)


@pytest.mark.parametrize("sent", [b"", b"\n\xff\xff\x01", protobuf({"responses": [{}] * 3})])
def test_a_protobuf_answer_that_is_none_is_unexpected_and_kept(sent):
    with serving(lambda _: Reply(sent)) as server:
        (outcome,) = fetched(google(server, "grpc"), *works(2))
    assert type(outcome.result) is UnexpectedBody
    assert outcome.body.data == sent
    for request in outcome.requests:
        with pytest.raises(UnexpectedBody):
            GoogleVision().parse(outcome.body.data, request)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_one_answer_for_two_images_is_never_read_as_either_s(transport):
    with serving(lambda _: Reply(ONE)) as server:
        (outcome,) = fetched(google(server, transport), *works(2))
    assert type(outcome.result) is UnexpectedBody
    assert outcome.body is None


HTTP = [
    (400, ProviderError), (401, AuthenticationError), (403, AuthenticationError),
    (404, ProviderError), (429, RateLimited), (500, ProviderUnavailable),
    (502, ProviderUnavailable), (503, ProviderUnavailable), (504, ProviderUnavailable),
]  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), HTTP)
def test_an_http_error_is_one_attempt_and_its_body_is_kept(status, kind):
    told = {"error": {"code": status, "message": "Told.", "status": "S"}}
    with serving(lambda _: Reply(told, status)) as server:
        provider = google(server, "rest")
        (outcome,) = fetched(provider, *works(1))
    if status != 401:  # of which the client says that it has nothing to refresh
        assert "Told." in str(outcome.result)
    assert type(outcome.result) is kind
    assert json.loads(outcome.body.data) == told
    assert len(server.calls) == 1
    with pytest.raises(ProviderError):
        provider.parse(outcome.body.data, outcome.requests[0])


def test_an_error_page_is_kept_with_its_media_type():
    page = Reply(b"<html>502</html>", 502, {"Content-Type": "text/html; charset=x"})
    with serving(lambda _: page) as server:
        (outcome,) = fetched(google(server, "rest"), *works(1))
    assert (outcome.body.data, outcome.body.media_type) == (b"<html>502</html>", "text/html")


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_of_http(status):
    told = Reply({"error": {"message": "M"}}, status, {"Retry-After": "11"})
    with serving(lambda _: told) as server:
        (outcome,) = fetched(google(server, "rest"), *works(1))
    assert outcome.result.retry_after == 11


GRPC = {
    "INVALID_ARGUMENT": ProviderError, "UNAUTHENTICATED": AuthenticationError,
    "PERMISSION_DENIED": AuthenticationError, "RESOURCE_EXHAUSTED": RateLimited,
    "INTERNAL": ProviderUnavailable, "UNAVAILABLE": ProviderUnavailable,
    "DEADLINE_EXCEEDED": ProviderUnavailable, "UNKNOWN": ProviderUnavailable,
}  # fmt: skip


@pytest.mark.parametrize("status", GRPC)
def test_a_grpc_error_is_one_attempt(status):
    told = Reply(status=grpc.StatusCode[status], message="Told.")
    with serving(lambda _: told) as server, pytest.raises(GRPC[status], match="Told") as caught:
        fetched(google(server, "grpc"), *works(1))
    assert type(caught.value) is GRPC[status]
    assert len(server.calls) == 1


def test_retry_info_of_grpc():
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.RetryInfo(retry_delay={"seconds": 6}))
    status = status_pb2.Status(code=8, message="M", details=[detail])
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    told = Reply(status=grpc.StatusCode.RESOURCE_EXHAUSTED, message="M", trailing=trailing)
    with serving(lambda _: told) as server, pytest.raises(RateLimited) as caught:
        fetched(google(server, "grpc"), *works(1))
    assert caught.value.retry_after == 6


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_service_that_hangs_is_given_up(transport):
    free = threading.Event()

    def hang(_):
        free.wait(20)
        return Reply(ONE)

    with serving(hang) as server:
        begun = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            fetched(google(server, transport, timeout=0.4), *works(1))
        assert time.monotonic() - begun < 5
        free.set()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nobody_listening_is_unavailable(transport):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        sandbox = f"127.0.0.1:{taken.getsockname()[1]}"
    provider = GoogleVision()
    provider.configure({"sandbox": sandbox, "transport": transport, "timeout": "3"})
    with pytest.raises(ProviderUnavailable):
        fetched(provider, *works(1))


def test_a_connection_that_breaks_is_unavailable():
    with serving(lambda _: Reply(hang_up=True)) as server, pytest.raises(ProviderUnavailable):
        fetched(google(server, "rest"), *works(1))
