"""The suite itself cannot reach the network by accident."""

from __future__ import annotations

import socket

import pytest
import pytest_socket


@pytest.mark.filterwarnings("ignore:A test tried")  # it warns before it raises
def test_other_machines_are_out_of_reach() -> None:
    with (
        socket.socket() as outside,
        pytest.raises(pytest_socket.SocketConnectBlockedError),
    ):
        outside.connect(("192.0.2.1", 80))  # TEST-NET-1: nobody


def test_this_machine_is_within_reach() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
