"""The stand-in as an object: start it, ask it, stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from visionhub.errors import UsageError
from visionhub.provider import Provider, installed
from visionhub_sandbox.calls import Call, Calls
from visionhub_sandbox.cassettes import Cassettes
from visionhub_sandbox.desk import Desk
from visionhub_sandbox.faults import Fault, Script
from visionhub_sandbox.http import Server
from visionhub_sandbox.predictions import Predictions
from visionhub_sandbox.rpc import Rpc

HOST = "127.0.0.1"
TRIES = 50  # pairs of free ports that are tried
RPC = ("grpc", "google.cloud.vision_v1")


def _silent(line: str) -> None:
    pass


class Sandbox:
    """Both services on loopback: HTTP at `port`, gRPC at the next one.

    models: the provider whose predictions fill the answers; without one they are empty. port: 0
    takes two free ones. faults: what goes wrong (`read_faults`). cassettes: a folder of
    recordings, which go before predictions. announce: takes notes for the user. on_call: called
    with each call when it has come in and is counted, before it is answered. gRPC is served where
    the package google-cloud-vision is installed.
    """

    def __init__(
        self,
        models: Provider | None = None,
        *,
        port: int = 0,
        faults: Sequence[Fault] = (),
        cassettes: Path | None = None,
        announce: Callable[[str], None] = _silent,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self._wanted = port
        parts = (Script(faults), Predictions(models, announce), Cassettes(cassettes))
        self._desk = Desk(*parts, on_call) if on_call else Desk(*parts)
        self._http: Server | None = None
        self._rpc: Rpc | None = None

    @property
    def calls(self) -> Calls:
        """What was asked so far."""
        return self._desk.calls

    @property
    def port(self) -> int:
        """The port of HTTP; gRPC has the next one."""
        if self._http is None:
            raise RuntimeError("the stand-in is not started")
        return int(self._http.server_address[1])

    @property
    def address(self) -> str:
        """What the setting `sandbox` of a provider takes: host:port."""
        return f"{HOST}:{self.port}"

    @property
    def grpc_address(self) -> str:
        """Where gRPC is served; empty where the package for it is not installed."""
        return f"{HOST}:{self.port + 1}" if self._rpc else ""

    def start(self) -> Sandbox:
        """Listen, in threads. UsageError when a port is taken; the models' errors when absent."""
        http = self._listen()
        try:
            self._desk.predictions.prepare()
        except BaseException:
            self._end_rpc()
            http.server_close()
            raise
        self._http = http
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """End all connections; calls that wait are cut off."""
        self._desk.closing.set()
        self._end_rpc()
        if self._http is not None:
            self._http.end()

    def _end_rpc(self) -> None:
        if self._rpc is not None:
            self._rpc.end()

    def _listen(self) -> Server:
        for left in reversed(range(1 if self._wanted else TRIES)):
            try:
                return self._pair()
            except OSError as error:
                if not left:
                    raise UsageError(self._taken(error)) from error
        raise AssertionError  # the last try ends in one way or the other

    def _pair(self) -> Server:
        """Take both ports, or neither."""
        http = Server((HOST, self._wanted), self._desk)
        try:
            if installed(RPC):
                rpc = Rpc(self._desk)
                rpc.listen(HOST, int(http.server_address[1]) + 1)
                self._rpc = rpc
        except OSError:
            http.server_close()
            raise
        return http

    def _taken(self, error: OSError) -> str:
        ports = f"{self._wanted} and {self._wanted + 1}" if self._wanted else "any two neighbours"
        why = error.strerror or error
        return f"The sandbox needs the ports {ports} of this machine: {why}. Try --port 0."

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
