"""The vendor's client, set up so that it tries once and that what it receives can be kept.

Two things are not in the client's public interface, and tests hold them in place: the session of
its REST transport (for the response hook and the connection pool), and that its gRPC transport
asks the channel it is given for `unary_unary` with a deserializer.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from visionhub.errors import UnexpectedBody
from visionhub.provider import import_extra
from visionhub_google.inbox import Inbox, Received
from visionhub_google.translate import translated

Foreign: TypeAlias = Any  # an object of a client's library

OK = 200
LARGEST = 128 * 1024 * 1024  # bytes of an answer; sixteen dense pages of text may come to 50 MB
PIECE = 1024 * 1024
STREAMS = 32  # calls in flight on one gRPC channel before another is opened
LOCAL = (("grpc.enable_http_proxy", 0),)  # loopback is not reached through a proxy
OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", LARGEST),
    ("grpc.enable_retries", 0),  # the service may suggest some; visionhub's own are the only ones
    ("grpc.use_local_subchannel_pool", 1),  # else all channels share one connection
)


@dataclass(frozen=True, slots=True)
class Route:
    """How the service is reached; `sandbox` is host:port of a rehearsal server, or empty."""

    transport: str
    sandbox: str
    endpoint: str
    concurrency: int
    timeout: float


class Clients:
    """The client, or several on channels of their own, each used by some of the threads."""

    def __init__(self, route: Route, credentials: Foreign) -> None:
        vision = import_extra("google.cloud.vision_v1", "google")
        self.inbox = Inbox()
        self.route = route
        count = 1 if route.transport == "rest" else -(-route.concurrency // STREAMS)
        make = partial(_rest if route.transport == "rest" else _grpc, vision, self.inbox)
        with translated():
            self._clients = [make(route, credentials) for _ in range(count)]
        self.version = f"google-cloud-vision {vision.__version__} {route.transport}"
        self._mine = threading.local()
        self._given = 0
        self._lock = threading.Lock()

    def call(self, message: Foreign) -> Received | None:
        """One attempt. What arrived is returned, whatever the client thinks of it.

        Raises ProviderError; `inbox.last` then holds the answer that came with it, if any.
        """
        self.inbox.last = None
        client = self._client()
        with translated():
            client.batch_annotate_images(message, retry=None, timeout=self.route.timeout)
        return self.inbox.last

    def _client(self) -> Foreign:
        if not hasattr(self._mine, "client"):
            with self._lock:
                self._mine.client = self._clients[self._given % len(self._clients)]
                self._given += 1
        return self._mine.client


def _rest(vision: Foreign, inbox: Inbox, route: Route, credentials: Foreign) -> Foreign:
    from requests.adapters import HTTPAdapter

    def keep(response: Foreign, *_: object, **__: object) -> None:
        kind = response.headers.get("Content-Type", "application/json").partition(";")[0]
        data = _read(response)
        inbox.last = Received(data, kind.strip(), response.status_code)
        if response.status_code == OK:
            response._content = b"{}"  # noqa: SLF001 - the parser reads the bytes itself

    endpoint = f"http://{route.sandbox}" if route.sandbox else route.endpoint
    client = vision.ImageAnnotatorClient(
        credentials=credentials, transport="rest", client_options=_at(endpoint)
    )
    session = client.transport._session  # noqa: SLF001 - there is no public way to its answers
    session.hooks["response"].append(keep)
    session.max_redirects = 0
    session._max_refresh_attempts = 0  # noqa: SLF001 - on a 401 it would send the call again, twice
    session.trust_env = not route.sandbox
    pool = HTTPAdapter(pool_connections=2, pool_maxsize=route.concurrency, max_retries=0)
    session.mount("https://", pool)
    session.mount("http://", pool)
    return client


def _read(response: Foreign) -> bytes:
    """The body of an answer; UnexpectedBody for one without end, which would fill the memory."""
    held, parts = 0, []
    for part in response.iter_content(PIECE):
        held += len(part)
        if held > LARGEST:
            response.close()
            raise UnexpectedBody(f"Google's answer is too long to be one: over {LARGEST:,} bytes")
        parts.append(part)
    data = response._content = b"".join(parts)  # noqa: SLF001 - as its own `content` leaves it
    return data


def _grpc(vision: Foreign, inbox: Inbox, route: Route, credentials: Foreign) -> Foreign:
    import_extra("grpc", "google")
    transports = import_extra(
        "google.cloud.vision_v1.services.image_annotator.transports", "google"
    )
    transport = transports.ImageAnnotatorGrpcTransport
    if route.sandbox:
        return vision.ImageAnnotatorClient(transport=transport(channel=_plain(route, inbox)))
    return vision.ImageAnnotatorClient(
        credentials=credentials,
        transport=partial(transport, channel=partial(_secure, transport.create_channel, inbox)),
        client_options=_at(route.endpoint),
    )


def _at(endpoint: str) -> dict[str, str]:
    return {"api_endpoint": endpoint} if endpoint else {}


def _plain(route: Route, inbox: Inbox) -> Foreign:
    """A channel to a rehearsal server: its gRPC listens one port above its HTTP, without TLS."""
    import grpc

    host, _, port = route.sandbox.rpartition(":")
    channel = grpc.insecure_channel(f"{host}:{int(port) + 1}", options=[*OPTIONS, *LOCAL])
    return _keeping(channel, inbox)


def _secure(create: Foreign, inbox: Inbox, host: str, **given: object) -> Foreign:
    """The channel that the client would open with what it gives, but keeping what arrives."""
    return _keeping(create(host, **{**given, "options": list(OPTIONS)}), inbox)


def _keeping(channel: Foreign, inbox: Inbox) -> Foreign:
    from visionhub_google.channel import KeepingChannel

    return KeepingChannel(channel, inbox)
