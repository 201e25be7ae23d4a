"""A gRPC channel that keeps each answer's bytes. Imported only when gRPC is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import grpc

from visionhub_google.inbox import Inbox, Received

Foreign: TypeAlias = Any  # an object of a client's library
Decode: TypeAlias = Callable[[bytes], Foreign]

OK = 200
PROTOBUF = "application/x-protobuf"


class KeepingChannel(grpc.Channel):  # type: ignore[misc]  # grpc comes without types
    """Hands calls on to a channel; an answer is put into the inbox and not decoded.

    What is decoded is an empty message: the parser reads the bytes itself, and decoding a page of
    text twice would cost as much again.
    """

    def __init__(self, channel: Foreign, inbox: Inbox) -> None:
        self._channel = channel
        self._inbox = inbox

    def unary_unary(
        self,
        method: str,
        request_serializer: Foreign = None,
        response_deserializer: Decode | None = None,
        _registered_method: bool | None = False,
    ) -> Foreign:
        """One request, one answer: the only kind of call that is made."""

        def keep(data: bytes) -> Foreign:
            self._inbox.last = Received(data, PROTOBUF, OK)
            return response_deserializer(b"") if response_deserializer else data

        return self._channel.unary_unary(
            method,
            request_serializer=request_serializer,
            response_deserializer=keep,
            _registered_method=_registered_method,
        )

    def unary_stream(self, *given: Foreign, **named: Foreign) -> Foreign:
        """Hand on."""
        return self._channel.unary_stream(*given, **named)

    def stream_unary(self, *given: Foreign, **named: Foreign) -> Foreign:
        """Hand on."""
        return self._channel.stream_unary(*given, **named)

    def stream_stream(self, *given: Foreign, **named: Foreign) -> Foreign:
        """Hand on."""
        return self._channel.stream_stream(*given, **named)

    def subscribe(self, callback: Foreign, try_to_connect: bool | None = False) -> None:
        """Hand on."""
        self._channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Foreign) -> None:
        """Hand on."""
        self._channel.unsubscribe(callback)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> KeepingChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
