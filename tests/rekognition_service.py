"""A small loopback Rekognition for tests, whose answers are made from the SDK's own model."""

from __future__ import annotations

import base64
import functools
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

SIDES = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}
EXAMPLES: dict[str, Any] = {**SIDES, "X": 0.25, "Y": 0.35, "Low": 21, "High": 33, "Red": 10}
EXAMPLES |= {"Green": 20, "Blue": 30, "TaxonomyLevel": 2, "PixelPercent": 12.5}
EXAMPLES |= {"Roll": -4.5, "Yaw": 11.5, "Pitch": 3.5}


@functools.cache
def model():
    import botocore.session

    return botocore.session.get_session().get_service_model("rekognition")


def maximal(operation: str) -> dict[str, Any]:
    """An answer with every member of the model, and every word of its enumerations."""
    return _value(model().operation_model(operation).output_shape, "", count(60))


def _value(shape, name, numbers):
    if shape.type_name == "structure":
        return {key: _value(member, key, numbers) for key, member in shape.members.items()}
    if shape.type_name == "list":
        return _list(shape.member, name, numbers)
    if name in EXAMPLES:
        return EXAMPLES[name]
    if shape.type_name == "boolean":
        return True
    if shape.type_name == "integer":
        return next(numbers) % 7
    if shape.type_name == "float":
        return 55 + (next(numbers) % 450) / 10
    return shape.enum[0] if getattr(shape, "enum", None) else f"{name} {next(numbers)}"


def _list(item, name, numbers):
    """Two items, or one for each word of an enumeration that tells them apart."""
    words = [
        (key, member.enum)
        for key, member in getattr(item, "members", {}).items()
        if getattr(member, "enum", None)
    ]
    if not words:
        return [_value(item, name, numbers) for _ in range(2)]
    key, choices = words[0]
    return [{**_value(item, name, numbers), key: word} for word in choices]


def answer_to(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What the service would say: of the maximal answer, the features that were asked for."""
    answer = maximal(operation)
    features = asked.get("Features", ["GENERAL_LABELS"])
    if operation == "DetectLabels" and "GENERAL_LABELS" not in features:
        del answer["Labels"]
    if operation == "DetectLabels" and "IMAGE_PROPERTIES" not in features:
        del answer["ImageProperties"]
    return answer


@dataclass
class Answer:
    """What the service says to the next call. hang: seconds; cut: bytes that are sent of it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0
    cut: int | None = None
    reset: bool = False


@dataclass
class Asked:
    operation: str
    members: dict[str, Any]
    headers: dict[str, str]

    @property
    def image(self) -> bytes:
        image = self.members.get("Image") or self.members["TargetImage"]
        return base64.b64decode(image["Bytes"])


class Service:
    """Answers every call in full, unless `next` holds something else for it."""

    def __init__(self) -> None:
        model()  # the first time reads the environment, which a test may change afterwards
        self.asked: list[Asked] = []
        self.next: list[Answer] = []
        self.delay = 0.0
        self.connections = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, operation: str, members: dict[str, Any]) -> Answer:
        if self.next:
            return self.next.pop(0)
        time.sleep(self.delay)
        return Answer(body=json.dumps(answer_to(operation, members)).encode())

    def _handler(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                service.connections += 1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers["X-Amz-Target"].removeprefix("RekognitionService.")
                members = json.loads(body)
                service.asked.append(Asked(operation, members, dict(self.headers)))
                answer = service._reply(operation, members)
                time.sleep(answer.hang)
                self.close_connection = answer.reset or answer.cut is not None
                if not answer.reset:
                    self._send(answer)

            def _send(self, answer):
                self.send_response(answer.status)
                headers = {"Content-Type": "application/x-amz-json-1.1", **answer.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body[: answer.cut])

            def log_message(self, *_):
                pass

        return Handler
