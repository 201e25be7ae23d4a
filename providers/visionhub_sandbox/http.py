"""HTTP/1.1 on loopback: routes the two services' calls, and delivers answers as scripted."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from visionhub_sandbox.answers import MARK, Answer, Delivery
from visionhub_sandbox.calls import Call
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.google import NAME as GOOGLE
from visionhub_sandbox.google import OPERATION, Google
from visionhub_sandbox.rekognition import NAME as AWS
from visionhub_sandbox.rekognition import TARGET, Rekognition

LARGEST = 64 * 1024 * 1024  # bytes of a request body that are read
ANNOTATE = "/v1/images:annotate"
CALLS, ACCOUNT = "/_sandbox/calls", "/calls"
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER on, no time: closing sends a reset


class Server(ThreadingHTTPServer):
    """A thread for each connection; `end` ends them all."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], desk: Desk) -> None:
        self.desk, self.google, self.rekognition = desk, Google(desk), Rekognition(desk)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Remember the connection while it is served."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as its parent has it
        """Forget a connection that is over; one that is to be reset gets no orderly end before."""
        with self._lock:
            self._open.discard(request)
        with suppress(OSError):
            if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(ABORT)) == ABORT:
                self.close_request(request)
                return
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Say nothing of clients that went away; anything else is a fault of the stand-in."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)

    def end(self) -> None:
        """Stop listening and end all connections."""
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # header and body leave together
    server: Server

    def do_GET(self) -> None:
        """GET /calls: what was asked so far, counted; GET /_sandbox/calls: the latest, in full."""
        calls = self.server.desk.calls
        shown = {CALLS: calls.as_json, ACCOUNT: calls.account}.get(self.path)
        if shown is None:
            self._deliver(_not_found(self.path))
            return
        text = json.dumps(shown(), indent=1)
        self._deliver(Answer(200, text.encode(), headers={MARK: "1"}))

    def do_POST(self) -> None:
        """A call of one of the services."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            self._count_unread()
            self._deliver(Answer(413 if length else 411, b"{}", headers={MARK: "1"}))
            return
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            self._deliver(self._answer(body))

    def _count_unread(self) -> None:
        """Count a call that is too long to be read."""
        name = self.headers.get("X-Amz-Target", "").removeprefix(TARGET)
        which = (AWS, name, "json") if name else (GOOGLE, OPERATION, "rest")
        self.server.desk.attend(Call(*which, refused=True), lambda _: None)

    def _answer(self, body: bytes) -> Answer:
        path, _, query = self.path.partition("?")
        target = self.headers.get("X-Amz-Target")
        if target is not None and path == "/":
            return self.server.rekognition.answer(target, body)
        if path == ANNOTATE:
            return self.server.google.rest(body, numbers="enum-encoding" in query)
        return _not_found(path)

    def _deliver(self, answer: Answer) -> None:
        if answer.delivery is Delivery.HANG:
            self._hang(answer.hang)
        if answer.delivery in (Delivery.HANG, Delivery.RESET):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            self.close_connection = True
            return
        whole = answer.delivery is Delivery.WHOLE
        data = answer.data if whole else answer.data[: len(answer.data) // 2]
        dropped = answer.delivery is Delivery.DROPPED
        self.close_connection = self.close_connection or dropped
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.data if dropped else data)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _hang(self, seconds: float) -> None:
        """Wait until the client goes, the time is over, or the stand-in ends."""
        over = time.monotonic() + seconds
        self.connection.settimeout(0.1)
        while time.monotonic() < over and not self.server.desk.closing.wait(0.05):
            with suppress(TimeoutError):
                if not self.connection.recv(1, socket.MSG_PEEK):
                    return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
        """Keep quiet: GET /_sandbox/calls tells what was asked."""


def _not_found(path: str) -> Answer:
    known = f"POST {ANNOTATE}, POST / with X-Amz-Target, GET {ACCOUNT} and GET {CALLS}"
    says = f"The stand-in knows {known}."
    text = json.dumps({"error": {"code": 404, "message": f"{path}: {says}", "status": "NOT_FOUND"}})
    return Answer(404, text.encode(), headers={MARK: "1"})
