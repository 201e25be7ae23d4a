"""`visionhub sandbox`: a stand-in for the cloud services, to rehearse against."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from visionhub_sandbox.manual import FAULTS, PURPOSE

if TYPE_CHECKING:
    from visionhub.provider import Provider

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

    from visionhub.cli.progress import note

    script = read_faults(faults) if faults else ()
    stop = threading.Event()
    models = None if no_models else _models()
    server = Sandbox(models, port=port, faults=script, cassettes=cassettes, announce=note)
    with server:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        typer.echo(f"sandbox http={server.address} grpc={server.grpc_address or 'off'}")
        note("It answers on this machine only, until Ctrl-C.")
        stop.wait()


def _models() -> Provider:
    """The models that fill the answers; a sentence that names both ways out without them."""
    from visionhub import registry
    from visionhub.errors import UsageError
    from visionhub.provider import installed

    models = registry.get("embedded")
    missing = [module for module in ("numpy", "onnxruntime") if not installed([module])]
    if missing:
        raise UsageError(
            f"The models need the package {missing[0]!r}, which is not installed: run  "
            f"pip install 'visionhub[embedded]'  or use --no-models for empty answers."
        )
    return models


sandbox.__doc__ = "\n\n".join([PURPOSE, *(f"\b\n{part}" for part in FAULTS.split("\n\n"))])
