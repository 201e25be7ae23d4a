"""`visionhub sandbox`: a stand-in for the cloud services, to rehearse against."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from visionhub_sandbox.manual import FAULTS, PURPOSE

if TYPE_CHECKING:
    from visionhub_sandbox import Sandbox

LAST_PORT = 65534  # the next one is needed as well


def sandbox(
    port: Annotated[
        int,
        typer.Option(min=0, max=LAST_PORT, help="HTTP; gRPC has the next one. 0: two free ones."),
    ] = 8099,
    faults: Annotated[
        Path | None, typer.Option(help="A TOML file that scripts what goes wrong; see above.")
    ] = None,
    cassettes: Annotated[
        Path | None, typer.Option(help="A folder of recorded answers, which go before the models.")
    ] = None,
    no_models: Annotated[
        bool, typer.Option("--no-models", help="Empty answers: no models, no weights.")
    ] = False,
) -> None:
    """Filled in below, from the stand-in's own manual."""
    from visionhub_sandbox import Sandbox, read_faults

    from visionhub import registry
    from visionhub.cli.progress import note

    script = read_faults(faults) if faults else ()
    models = None if no_models else registry.get("embedded")
    server = Sandbox(models, port=port, faults=script, cassettes=cassettes, announce=note)
    _serve(server)


def _serve(server: Sandbox) -> None:
    from visionhub.cli.progress import note
    from visionhub.errors import MissingExtra, UsageError

    stop = threading.Event()
    try:
        server.start()
    except MissingExtra as error:
        raise UsageError(f"{error}  or use --no-models for empty answers.") from error
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        typer.echo(f"sandbox http={server.address} grpc={server.grpc_address or 'off'}")
        note("It answers on this machine only, until Ctrl-C.")
        stop.wait()
    finally:
        server.stop()


sandbox.__doc__ = "\n\n".join([PURPOSE, *(f"\b\n{part}" for part in FAULTS.split("\n\n"))])
