"""What is charged: how every fault ends, by both SDKs and both of Google's transports.

Each case is one `fetch`. What an adapter takes for free must be free at the server as well: there
every call is counted before anything is answered.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from visionhub_sandbox import Fault, Sandbox

from tests.bare import (
    HEADERS,
    agrees,
    bare,
    breaks_off,
    closes,
    frame,
    keeps_silent,
    nobody,
    resets,
    sends,
)
from tests.conftest import jpeg
from tests.sandboxed import Seer
from visionhub.errors import (
    AuthenticationError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RefusedImage,
    TransientError,
    UnexpectedBody,
)
from visionhub.images import render, sha256_of
from visionhub.provider import Batch, Body, Outcome, Provider, Request, Work, canonical, installed
from visionhub.schema import Task

if not installed(("boto3", "google.cloud.vision_v1")):
    pytest.skip("the extras 'google' and 'aws' are not installed", allow_module_level=True)

WAYS = ("json", "rest", "grpc")
RPC_GONE = frame(7, 0, 0, 0)  # GOAWAY, nothing was taken up
REFUSED_STREAM, INTERNAL, CALM = 7, 2, 11


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that open nothing, and neither proxy nor variables of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "VISIONHUB_", "GOOGLE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("VISIONHUB_GOOGLE_API_KEY", "k")


def adapter(way: str, **settings: str) -> Provider:
    from visionhub_google import GoogleVision
    from visionhub_rekognition import Rekognition

    made: Provider = Rekognition() if way == "json" else GoogleVision()
    made.configure({**settings, **({} if way == "json" else {"transport": way})})
    return made


def ask(made: Provider, *images: bytes, tasks: tuple[Task, ...] = (Task.LABELS,)) -> list[Outcome]:
    """One call about some images; an error that is raised is that of all."""
    works = [_work(made, image, tasks) for image in images or (jpeg(160, 120),)]
    batch = Batch(tuple(works), next(iter(made.batches(works))).operation)
    try:
        return list(made.fetch(batch))
    except ProviderError as error:
        return [Outcome(batch.requests, error)]


def _work(made: Provider, data: bytes, tasks: tuple[Task, ...]) -> Work:
    _, image = render(data, made.limits)
    sent = (sha256_of(data), image.sha256, image.width, image.height)
    options = [{n: p.default for n, p in made.tasks[task].parameters.items()} for task in tasks]
    requests = (
        Request(*sent, task, made.name, "r", canonical(given))
        for task, given in zip(tasks, options, strict=True)
    )
    return Work(image, tuple(requests))


def told(outcomes: list[Outcome]) -> tuple[type, bool | None]:
    """Class and charge of the only error; a body is paid for."""
    (outcome,) = outcomes
    result = outcome.result
    return (Body, True) if isinstance(result, Body) else (type(result), result.charged)


FREE, UNKNOWN = False, None
THROTTLED, GONE = (RateLimited, FREE), (ProviderUnavailable, UNKNOWN)
DENIED, DAMAGED = (AuthenticationError, FREE), (UnexpectedBody, UNKNOWN)
UNSENT, ANSWERED = (ProviderUnavailable, FREE), (Body, True)
REFUSED = (ProviderError, FREE)
CASES: list[tuple[Fault, tuple[Any, Any, Any]]] = [  # by way: json, rest, grpc
    (Fault("latency", seconds=0.01), (ANSWERED,) * 3),
    (Fault("unknown_field"), (ANSWERED,) * 3),
    (Fault("throttle"), (THROTTLED,) * 3),
    (Fault("throttle", retry_after=2), (THROTTLED,) * 3),
    (Fault("throttle", provider="rekognition", status=500), (THROTTLED, ANSWERED, ANSWERED)),
    (
        Fault("throttle", code="ProvisionedThroughputExceededException", provider="rekognition"),
        (THROTTLED, ANSWERED, ANSWERED),
    ),
    (Fault("error"), (GONE,) * 3),
    (Fault("error", status=503), (GONE,) * 3),
    (Fault("error", status=504), (GONE,) * 3),
    (Fault("error", status=400), ((RefusedImage, FREE), REFUSED, REFUSED)),
    (Fault("error", status=404, code="NOT_FOUND"), (REFUSED,) * 3),
    (Fault("error", status=403), (DENIED,) * 3),
    (Fault("error", code="CANCELLED", provider="google"), (ANSWERED, GONE, GONE)),
    (
        Fault("error", code="ABORTED", provider="google"),
        (ANSWERED, (ProviderError, UNKNOWN), (TransientError, UNKNOWN)),
    ),
    (
        Fault("error", status=408, code="RequestTimeoutException", transport="json"),
        (GONE, ANSWERED, ANSWERED),
    ),
    (Fault("expired_credentials"), (DENIED,) * 3),
    (Fault("expired_credentials", status=401), (DENIED,) * 3),
    (Fault("hang"), (GONE,) * 3),
    (Fault("reset"), (GONE,) * 3),
    (Fault("truncated"), (DAMAGED,) * 3),
    (Fault("truncated", whole_length=True), (DAMAGED, GONE, DAMAGED)),
    (Fault("item_error", code=8), (ANSWERED, THROTTLED, THROTTLED)),
    *((Fault("item_error", code=c), (ANSWERED, GONE, GONE)) for c in (4, 10, 13, 14)),
    (Fault("item_error", code=3), (ANSWERED,) * 3),  # `parse` says what it says
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("fault", "ends"), CASES, ids=[f"{f.kind}-{f.status or f.code or ''}" for f, _ in CASES]
)
def test_every_fault_is_one_attempt_and_what_is_free_is_free_at_the_server(
    way: str, fault: Fault, ends: tuple[Any, Any, Any]
) -> None:
    waits = "0.4" if fault.kind == "hang" else "10"
    with Sandbox(Seer(), faults=[fault]) as sandbox:
        outcomes = ask(adapter(way, sandbox=sandbox.address, timeout=waits))
        assert told(outcomes) == ends[WAYS.index(way)]
        assert sandbox.calls.count() == 1, "physical attempts"
        ((kind, _),) = sandbox.calls.kinds.items()
        assert kind.transport == way
        units = sandbox.calls.units
    free = told(outcomes)[1] is False
    assert free == (not units), "the adapter and the server disagree about what is free"
    if not isinstance(outcomes[0].result, Body) and outcomes[0].result.charged is None:
        assert kind.billable


@pytest.mark.parametrize("way", ["rest", "grpc"])
@pytest.mark.parametrize(("code", "kind"), [(3, RefusedImage), (7, ProviderError)])
def test_an_image_refused_within_a_good_call_is_charged(way: str, code: int, kind: type) -> None:
    with Sandbox(Seer(), faults=[Fault("item_error", code=code)]) as sandbox:
        made = adapter(way, sandbox=sandbox.address)
        (outcome,) = ask(made)
    assert isinstance(outcome.result, Body)
    with pytest.raises(ProviderError) as caught:
        made.parse(outcome.result.data, outcome.requests[0])
    assert type(caught.value) is kind
    assert caught.value.charged is True


def test_a_service_that_is_down_and_says_when_to_come_back_may_have_done_the_work() -> None:
    from tests.google_server import Reply, serving
    from tests.rekognition_service import Answer, Service

    down = Reply({"error": {"message": "M"}}, 503, {"Retry-After": "7"})
    with serving(lambda _: down) as server:
        (outcome,) = ask(adapter("rest", sandbox=server.sandbox))
    service = Service()
    service.next = [Answer(503, b"{}", {"Retry-After": "7"})]
    (other,) = ask(adapter("json", sandbox=service.address))
    service.stop()
    for error in (outcome.result, other.result):
        assert isinstance(error, RateLimited)
        assert (error.retry_after, error.charged) == (7, None)


# ------------------------------------------------------------------ no answer: the socket


def at(address: str, way: str) -> str:
    """The setting `sandbox` for a server at an address; gRPC goes to the port above it."""
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) - (way == 'grpc')}"


@pytest.mark.parametrize("way", WAYS)
def test_nobody_listening_is_free(way: str) -> None:
    (outcome,) = ask(adapter(way, sandbox=nobody(), timeout="5"))
    assert told([outcome]) == UNSENT
    assert way == "json" or "Connection refused" in str(outcome.result)


@pytest.mark.parametrize("way", ["json", "rest"])
def test_a_name_that_does_not_resolve_is_free(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert told(ask(adapter(way, sandbox="nobody.invalid:80", timeout="5"))) == UNSENT


def test_a_name_that_cannot_be_one_is_free_over_grpc() -> None:
    """Its resolver is its own: this name it refuses before it asks anybody."""
    assert told(ask(adapter("grpc", sandbox=f"{'n' * 64}.invalid:80", timeout="5"))) == UNSENT


@pytest.mark.parametrize(("act", "rpc"), [(closes, UNSENT), (resets, UNSENT), (keeps_silent, GONE)])
@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_ends_or_keeps_silent(way: str, act: Any, rpc: Any) -> None:
    """gRPC waits for the server's first word before it sends a call; HTTP/1.1 does not."""
    with bare(act) as address:
        ends = told(ask(adapter(way, sandbox=at(address, way), timeout="0.5")))
    if act is resets and way != "grpc":  # it may overtake the news that there is a connection
        assert ends in (GONE, UNSENT)
    else:
        assert ends == (rpc if way == "grpc" else GONE)


CUT = {
    "within the headers": (HEADERS + b"Content-Le", DAMAGED, DAMAGED),
    "after the headers": (HEADERS + b"Content-Length: 90\r\n\r\n", DAMAGED, GONE),
    "in the body": (HEADERS + b'Content-Length: 90\r\n\r\n{"Labels": [', DAMAGED, GONE),
    "in a chunk": (HEADERS + b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"Lab', GONE, GONE),
    "before a chunk": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", GONE, GONE),
    "no word": (b"", GONE, GONE),
}


@pytest.mark.parametrize("badly", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("where", CUT)
def test_an_answer_that_is_cut_is_never_one(where: str, *, badly: bool) -> None:
    data, aws, rest = CUT[where]
    for way, ends in (("json", aws), ("rest", rest)):
        with bare(sends(data, badly=badly)) as address:
            found = told(ask(adapter(way, sandbox=address, timeout="3")))
        if badly:  # the bytes before a reset may be lost
            assert found in (ends, GONE), way
        else:
            assert found == ends, way


@pytest.mark.parametrize(
    "act",
    [
        breaks_off(b""),
        breaks_off(b"", badly=True),
        breaks_off(RPC_GONE),
        breaks_off(frame(3, 1, REFUSED_STREAM)),
        breaks_off(frame(3, 1, INTERNAL)),
        agrees,
    ],
    ids=["closed", "reset", "goaway", "refused stream", "internal", "silent"],
)
def test_a_grpc_connection_that_breaks_off_may_have_brought_the_call(act: Any) -> None:
    with bare(act) as address:
        assert told(ask(adapter("grpc", sandbox=at(address, "grpc"), timeout="2"))) == GONE


def test_a_stream_that_is_ended_is_no_throttle_that_was_told() -> None:
    """gRPC gives the status of a quota to a stream that was ended to calm the client down."""
    with bare(breaks_off(frame(3, 1, CALM))) as address:
        ends = told(ask(adapter("grpc", sandbox=at(address, "grpc"), timeout="2")))
    assert ends == (RateLimited, UNKNOWN)


def test_words_of_grpc_in_the_mouth_of_a_server_are_no_proof() -> None:
    import grpc

    from tests.google_server import Reply, serving

    words = "failed to connect to all addresses; last error: x"
    reply = Reply(status=grpc.StatusCode.UNAVAILABLE, message=words, trailing=(("a", "b"),))
    with serving(lambda _: reply) as server:
        assert told(ask(adapter("grpc", sandbox=server.sandbox))) == GONE


@pytest.fixture
def collected() -> Iterator[None]:
    """urllib3 leaves a socket whose TLS failed to the garbage collector, which complains."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


tls = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


def secure(way: str, address: str) -> dict[str, str]:
    """Settings that lead to an address by TLS."""
    return {"endpoint": address if way == "grpc" else f"https://{address}", "timeout": "1"}


@tls
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    "act",
    [sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), closes, resets],
    ids=["plain", "end", "reset"],
)
@pytest.mark.parametrize("way", WAYS)
def test_tls_that_is_not_agreed_on_is_free(way: str, act: Any, capfd: Any) -> None:
    with bare(act) as address:
        assert told(ask(adapter(way, **secure(way, address)))) == UNSENT


@tls
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("way", ["json", "rest"])
def test_tls_that_hangs_is_free(way: str) -> None:
    """The SDKs call it a timeout of reading; over gRPC it cannot be told from a lost answer."""
    with bare(keeps_silent) as address:
        assert told(ask(adapter(way, **secure(way, address)))) == UNSENT


@tls
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    ("way", "name"), [("json", "AWS_CA_BUNDLE"), ("rest", "REQUESTS_CA_BUNDLE")]
)
def test_a_file_of_certificates_that_is_not_there_is_free(
    way: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "/nowhere/certificates.pem")
    with bare(keeps_silent) as address:
        assert told(ask(adapter(way, **secure(way, address)))) == UNSENT


@tls
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("way", ["json", "rest"])
def test_a_proxy_that_refuses_is_free_and_one_that_read_the_call_is_not(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for act, scheme, ends in (
        (None, "https", UNSENT),
        (None, "http", UNSENT),
        (sends(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), "https", UNSENT),
        (sends(b""), "https", UNSENT),
        (sends(b""), "http", GONE),
    ):
        with bare(act or closes) as address:
            proxy = address if act else nobody()
            monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
            monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
            made = adapter(way, endpoint=f"{scheme}://nobody.invalid", timeout="2")
            assert told(ask(made)) == ends, (act, scheme)


def test_parameters_that_the_sdk_refuses_are_free() -> None:
    made = adapter("json", sandbox=nobody())
    work = _work(made, jpeg(160, 120), (Task.LABELS,))
    wrong = json.dumps({**work.requests[0].options, "max_results": -1})
    request = Request("o", "s", 160, 120, Task.LABELS, "rekognition", "r", wrong)
    (outcome,) = made.fetch(Batch((Work(work.image, (request,)),), "DetectLabels"))
    assert "ParamValidationError" in str(outcome.result)
    assert told([outcome]) == REFUSED


def test_a_refused_key_is_not_sent_again() -> None:
    """Google's REST session would: three attempts for one."""
    from tests.google_server import Reply, serving

    with serving(lambda _: Reply({"error": {"code": 401, "message": "M"}}, 401)) as server:
        made = adapter("rest", endpoint=f"http://{server.sandbox}")
        assert told(ask(made)) == DENIED
        assert len(server.calls) == 1


def test_a_call_that_is_sent_elsewhere_is_one_attempt() -> None:
    from tests.google_server import Reply, serving

    with serving(lambda _: Reply({}, 307, {"Location": "/v1/images:annotate"})) as server:
        assert told(ask(adapter("rest", sandbox=server.sandbox))) == REFUSED
        assert len(server.calls) == 1


# ------------------------------------------------------------------ a 200 that is none

OPERATIONS = {
    "DetectLabels": (Task.LABELS, Task.OBJECTS, Task.COLORS),
    "DetectFaces": (Task.FACES,),
    "DetectText": (Task.TEXT,),
    "DetectModerationLabels": (Task.SAFE_SEARCH,),
    "DetectProtectiveEquipment": (Task.PEOPLE,),
    "RecognizeCelebrities": (Task.CELEBRITIES,),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_answer_of_rekognition_cut_at_any_byte_is_none(name: str) -> None:
    from visionhub_rekognition.operations import BY_NAME
    from visionhub_rekognition.provider import outcomes_of

    with Sandbox(Seer()) as sandbox:
        made = adapter("json", sandbox=sandbox.address)
        (whole,) = ask(made, tasks=OPERATIONS[name])
    assert isinstance(whole.result, Body)
    data = whole.result.data
    assert len(data) > 40
    for length in range(len(data)):
        cut = Body(data[:length])
        (outcome,) = outcomes_of(BY_NAME[name], whole.requests, cut)
        assert told([outcome]) == DAMAGED, length
        assert outcome.body is cut


@pytest.mark.parametrize("images", [1, 2, 3])
@pytest.mark.parametrize("way", ["rest", "grpc"])
def test_an_answer_of_google_cut_at_any_byte_is_none(way: str, images: int) -> None:
    """Between two items protobuf is whole again: the number of items tells."""
    from visionhub_google.inbox import Received
    from visionhub_google.provider import outcomes_of

    tasks = (Task.LABELS, Task.FACES, Task.TEXT)[: 4 - images]
    with Sandbox(Seer()) as sandbox:
        made = adapter(way, sandbox=sandbox.address)
        shown = [jpeg(160, 120, shift) for shift in range(images)]
        works = tuple(_work(made, image, tasks) for image in shown)
        made.fetch(Batch(works, ""))
        received = made._clients.inbox.last  # type: ignore[attr-defined]
    assert len(outcomes_of(Batch(works), received, "c")) == images
    assert len(received.data) > 100
    for length in range(len(received.data)):
        cut = Received(received.data[:length], received.media_type, 200)
        (outcome,) = outcomes_of(Batch(works), cut, "c")
        assert told([outcome]) == DAMAGED, length
        assert outcome.body is None or outcome.body.data == cut.data


# ------------------------------------------------------------------ long answers

LONG = 50 * 1024 * 1024


def test_fifty_megabytes_are_no_answer_of_rekognition() -> None:
    from tests.rekognition_service import Answer, Service

    service = Service()
    service.next = [Answer(body=b'{"Labels": [], "More": "' + b"x" * LONG + b'"}')]
    (outcome,) = ask(adapter("json", sandbox=service.address))
    service.stop()
    assert told([outcome]) == DAMAGED
    assert "52,428,826 bytes" in str(outcome.result)
    assert outcome.body is None, "they would fill the study"


@pytest.mark.parametrize("way", ["rest", "grpc"])
def test_fifty_megabytes_of_google_are_an_answer(way: str) -> None:
    from tests.google_server import Reply, protobuf, serving

    item = {"labelAnnotations": [{"description": "x" * LONG, "score": 0.5}]}
    data = protobuf({"responses": [item]}) if way == "grpc" else json.dumps({"responses": [item]})
    with serving(lambda _: Reply(data if isinstance(data, bytes) else data.encode())) as server:
        made = adapter(way, sandbox=server.sandbox)
        (outcome,) = ask(made)
    assert isinstance(outcome.result, Body)
    (label,) = made.parse(outcome.result.data, outcome.requests[0]).labels
    assert len(label.name) == LONG


@pytest.mark.parametrize("way", ["rest", "grpc"])
def test_an_answer_of_google_that_does_not_end_is_one_clear_error(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from visionhub_google import client

    most = 3 * 1024 * 1024
    limits = dict(client.OPTIONS) | {"grpc.max_receive_message_length": most}
    assert dict(client.OPTIONS)["grpc.max_receive_message_length"] == client.LARGEST
    monkeypatch.setattr(client, "LARGEST", most)
    monkeypatch.setattr(client, "OPTIONS", tuple(limits.items()))
    from tests.google_server import Reply, serving

    with serving(lambda _: Reply(b"{" + b" " * 2 * most)) as server:
        (outcome,) = ask(adapter(way, sandbox=server.sandbox))
        assert len(server.calls) == 1
    assert told([outcome]) == DAMAGED
    assert "too long to be one" in str(outcome.result)
