"""Servers on loopback that do one thing wrong, at the level of the socket."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, no time: closing sends a reset
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"  # an empty frame, with which an HTTP/2 server begins
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Act = Callable[[socket.socket], object]


@contextmanager
def bare(act: Act, port: int = 0) -> Iterator[str]:
    """A server that does `act` with each connection, then closes it; its address."""
    open_: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            act(connection)

    def accept(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                open_.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    for connection in open_:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def closes(connection: socket.socket) -> None:
    """End it at once."""


def resets(connection: socket.socket) -> None:
    """End it at once, and badly."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def keeps_silent(connection: socket.socket) -> None:
    """Read, and say nothing, until the client goes."""
    while connection.recv(65536):
        pass


def sends(data: bytes, *, badly: bool = False) -> Act:
    """Read a call, send some bytes, end."""

    def act(connection: socket.socket) -> None:
        _receive(connection)
        connection.sendall(data)
        if badly:
            threading.Event().wait(0.1)  # else the reset overtakes what was sent
            resets(connection)

    return act


def breaks_off(data: bytes, *, badly: bool = False) -> Act:
    """The same in HTTP/2: a connection that works until the call has been read."""

    def act(connection: socket.socket) -> None:
        connection.sendall(SETTINGS)
        _receive(connection)
        connection.sendall(data)
        if data:
            threading.Event().wait(0.3)
        if badly:
            resets(connection)

    return act


def agrees(connection: socket.socket) -> None:
    """In HTTP/2: a connection that works, and no word about the call."""
    connection.sendall(SETTINGS)
    keeps_silent(connection)


def frame(kind: int, stream: int, *words: int) -> bytes:
    """A frame of HTTP/2 with some 32-bit words in it (RFC 9113, 4.1)."""
    payload = struct.pack(f">{len(words)}I", *words)
    return (
        struct.pack(">I", len(payload))[1:] + bytes([kind, 0]) + struct.pack(">I", stream) + payload
    )


def _receive(connection: socket.socket) -> None:
    """Read until the client waits."""
    connection.settimeout(0.15)
    with suppress(TimeoutError):
        while connection.recv(65536):
            pass
    connection.settimeout(None)


def nobody() -> str:
    """An address at which nobody listens, nor at the port above it."""
    for _ in range(50):
        with suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            second.bind(("127.0.0.1", first.getsockname()[1] + 1))
            return f"127.0.0.1:{first.getsockname()[1]}"
    raise OSError("no two ports in a row are free")
