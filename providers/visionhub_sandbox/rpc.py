"""Google's gRPC on loopback, in plaintext: one method, through a generic handler.

The messages are those of the SDK (google-cloud-vision), which is imported by the first call.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from visionhub.provider import import_extra
from visionhub_sandbox.answers import MARK, Refusal
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.faults import Fault
from visionhub_sandbox.google import Ask, Feature, Google, check_count, feature, invalid

SERVICE, METHOD = "google.cloud.vision.v1.ImageAnnotator", "BatchAnnotateImages"
GRACE = 0.1  # seconds; without any, gRPC's core complains on the client's standard error
THREADS = 256  # calls that are waiting for their latency hold one each
OPTIONS = (
    ("grpc.so_reuseport", 0),  # a port in use is an error
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)
STRANGER = b"\xca\xb2\x04\x07sandbox"  # field 9001, which no message has: the text "sandbox"
METADATA = ((MARK.lower(), "1"),)


class Rpc:
    """The gRPC side of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._google = desk, Google(desk)
        self._grpc = import_extra("grpc", "google")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox-grpc")
        self._server = self._grpc.server(self._threads, options=OPTIONS)
        method = self._grpc.unary_unary_rpc_method_handler(self._answer)
        handler = self._grpc.method_handlers_generic_handler(SERVICE, {METHOD: method})
        self._server.add_generic_rpc_handlers((handler,))

    def listen(self, host: str, port: int) -> None:
        """Take the port and serve; OSError when it is in use."""
        with socket.socket() as probe:  # gRPC's core would complain on standard error
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
        try:
            self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise OSError(f"{host}:{port} is in use") from error
        self._server.start()

    def end(self) -> None:
        """Cut off all calls and end the threads."""
        self._server.stop(GRACE).wait()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, body: bytes, context: Any) -> bytes:  # noqa: ANN401 - grpc has no types
        context.send_initial_metadata(METADATA)
        try:
            asks, fault = self._google.attend("grpc", lambda: self._asks(body))
            answer = self._google.responses(asks, fault)
        except Refusal as refusal:
            self._abort(context, refusal)
        if fault is not None and fault.kind in ("hang", "reset"):
            self._end_without(context, fault)
        message = _message(answer, strange=fault is not None and fault.kind == "unknown_field")
        cut = fault is not None and fault.kind == "truncated"
        return message[:-1] if cut else message  # a shorter cut might fall between two items

    def _asks(self, body: bytes) -> Sequence[Ask]:
        protobuf = import_extra("google.protobuf.message", "google")
        types = import_extra("google.cloud.vision_v1.types", "google")
        try:
            batch = types.BatchAnnotateImagesRequest.pb().FromString(body)
        except protobuf.DecodeError as error:
            raise invalid(f"The request is no BatchAnnotateImagesRequest: {error}.") from error
        check_count(len(batch.requests))
        return [self._ask(request) for request in batch.requests]

    def _ask(self, request: Any) -> Ask:  # noqa: ANN401 - a protobuf message
        features: list[Feature] = [
            feature(each.type_, each.max_results) for each in request.features
        ]
        source = request.image.source
        elsewhere = source.image_uri or source.gcs_image_uri
        return self._google.ask(request.image.content, features, elsewhere)

    def _abort(self, context: Any, refusal: Refusal) -> NoReturn:  # noqa: ANN401
        code = getattr(self._grpc.StatusCode, refusal.code, self._grpc.StatusCode.UNKNOWN)
        if refusal.retry_after is not None:
            details = _retry_info(code.value[0], refusal.message, refusal.retry_after)
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
        context.abort(code, refusal.message)
        raise AssertionError  # abort raises

    def _end_without(self, context: Any, fault: Fault) -> NoReturn:  # noqa: ANN401
        """Hang until the client gives up; a reset connection is UNAVAILABLE to a gRPC client."""
        if fault.kind == "hang":
            gone = threading.Event()
            if context.add_callback(gone.set):
                self._wait(gone, fault.lasts)
        context.abort(self._grpc.StatusCode.UNAVAILABLE, "Connection reset (scripted).")
        raise AssertionError  # abort raises

    def _wait(self, gone: threading.Event, seconds: float) -> None:
        left = seconds
        while left > 0 and not gone.wait(min(left, 0.1)) and not self._desk.closing.is_set():
            left -= 0.1


def _message(answer: dict[str, Any], *, strange: bool) -> bytes:
    """An answer in the REST shape as the SDK's message; `strange` adds fields nobody knows."""
    types = import_extra("google.cloud.vision_v1.types", "google")
    json_format = import_extra("google.protobuf.json_format", "google")
    message = types.BatchAnnotateImagesResponse.pb()()
    json_format.ParseDict(answer, message, ignore_unknown_fields=True)
    if strange:
        for response in message.responses:
            _add_stranger(response)
        message.MergeFromString(STRANGER)
    data: bytes = message.SerializeToString()
    return data


def _add_stranger(message: Any) -> None:  # noqa: ANN401 - a protobuf message
    """Add the unknown field to a message and to the first item of each of its lists."""
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if not hasattr(value, "ListFields"):
            _add_stranger(value[0])
        elif field.message_type.full_name != message.DESCRIPTOR.full_name:
            for _, inner in value.ListFields():
                if not isinstance(inner, str | bytes | int | float) and len(inner):
                    _add_stranger(inner[0])
    message.MergeFromString(STRANGER)


def _retry_info(code: int, says: str, seconds: float) -> bytes:
    """google.rpc.Status with RetryInfo: where Google's services say how long to wait."""
    details = import_extra("google.rpc.error_details_pb2", "google")
    status = import_extra("google.rpc.status_pb2", "google").Status(code=code, message=says)
    info = details.RetryInfo()
    info.retry_delay.FromNanoseconds(round(seconds * 1e9))
    status.details.add().Pack(info)
    data: bytes = status.SerializeToString()
    return data
