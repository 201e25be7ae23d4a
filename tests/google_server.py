"""A loopback server that speaks Google Vision's REST and gRPC, for tests of the adapter alone.

What it answers is a function of the test's; what it received is kept.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google.cloud import vision_v1
from google.protobuf import json_format

METHOD = "/google.cloud.vision.v1.ImageAnnotator/BatchAnnotateImages"
FEATURES = vision_v1.Feature.Type


@dataclass
class Reply:
    """What is sent back. `body`: an answer, or its exact bytes; status: of HTTP or of gRPC."""

    body: Any = field(default_factory=dict)
    status: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    trailing: tuple[tuple[str, Any], ...] = ()
    hang_up: bool = False

    def json_bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    def protobuf_bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else protobuf(self.body)


def protobuf(answer: Any) -> bytes:
    """An answer in JSON, as the serialized message."""
    message = vision_v1.BatchAnnotateImagesResponse.pb()()
    return json_format.ParseDict(answer, message).SerializeToString()


@dataclass
class Asked:
    """One image of a call: its bytes, its features by name, and its context."""

    content: bytes
    features: dict[str, dict[str, Any]]
    context: dict[str, Any]


Answer = Callable[[list[Asked]], Reply]


@dataclass
class Server:
    """The running server: its address, what it was asked, and what it answers."""

    answer: Answer
    sandbox: str = ""
    calls: list[list[Asked]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    connections: set[Any] = field(default_factory=set)
    headers: list[dict[str, str]] = field(default_factory=list)
    tls: tuple[bytes, bytes] | None = None  # key and certificate, for gRPC

    def reply(self, request: dict[str, Any], peer: Any, headers: Any) -> Reply:
        asked = [_asked(item) for item in request["requests"]]
        with self.lock:
            self.calls.append(asked)
            self.connections.add(peer)
            self.headers.append({name.lower(): str(value) for name, value in headers})
        return self.answer(asked)


def _asked(item: dict[str, Any]) -> Asked:
    features = {}
    for feature in item.get("features", []):
        kind = feature["type"]
        features[FEATURES(kind).name if isinstance(kind, int) else kind] = feature
    content = base64.b64decode(item["image"]["content"])
    return Asked(content, features, item.get("imageContext", {}))


@contextmanager
def serving(answer: Answer, tls: tuple[bytes, bytes] | None = None) -> Iterator[Server]:
    """Run a server: HTTP at a free port, gRPC at the next."""
    server = Server(answer, tls=tls)
    http, rpc = _listening(server)
    server.sandbox = f"127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        rpc.stop(None).wait()


def _listening(server: Server) -> tuple[ThreadingHTTPServer, grpc.Server]:
    """Both servers, on the first two ports in a row that are free."""
    for _ in range(50):
        http = _http(server)
        try:
            return http, _rpc(server, http.server_address[1] + 1)
        except RuntimeError:  # the port above belongs to somebody else
            http.server_close()
    raise OSError("no two ports in a row are free")


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that goes away is what some tests are about."""


def _http(server: Server) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            data = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path.startswith("/v1/images:annotate"), self.path
            reply = server.reply(json.loads(data), self.client_address, self.headers.items())
            if reply.hang_up:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = reply.json_bytes()
            headers = {"Content-Type": "application/json; charset=UTF-8", **reply.headers}
            self.send_response(reply.status or 200)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return _Http(("127.0.0.1", 0), Handler)


def _rpc(server: Server, port: int) -> grpc.Server:
    def handle(data: bytes, context: grpc.ServicerContext) -> bytes:
        request = vision_v1.BatchAnnotateImagesRequest.pb().FromString(data)
        reply = server.reply(
            json_format.MessageToDict(request), context.peer(), context.invocation_metadata()
        )
        if reply.status is not None:
            context.set_trailing_metadata(reply.trailing)
            context.abort(reply.status, reply.message)
        return reply.protobuf_bytes()

    handler = grpc.method_handlers_generic_handler(
        METHOD.rpartition("/")[0][1:],
        {"BatchAnnotateImages": grpc.unary_unary_rpc_method_handler(handle)},
    )
    rpc = grpc.server(
        ThreadPoolExecutor(80),
        handlers=(handler,),
        options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    if server.tls:
        assert rpc.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([server.tls]))
    else:
        assert rpc.add_insecure_port(f"127.0.0.1:{port}") == port
    rpc.start()
    return rpc
