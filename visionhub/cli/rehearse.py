"""Where a rehearsal's answers come from: a sandbox that runs already, or one for this command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

VARIABLE = "VISIONHUB_SANDBOX"
PATIENCE = 5.0  # seconds for a sandbox to say that it is one


@contextmanager
def rehearsing(*, wanted: bool, announce: Callable[[str], None]) -> Iterator[str]:
    """The address of a sandbox, `host:port`; empty when none is wanted.

    VISIONHUB_SANDBOX names one that runs already (`visionhub sandbox`); without it one is started
    for as long as the block lasts, with the embedded models. Raises UsageError, ModelError.
    """
    if not wanted:
        yield ""
        return
    running = os.environ.get(VARIABLE)
    if running:
        _check(running)
        announce(
            f"REHEARSAL: the sandbox at {running} answers for the services; nothing is charged."
        )
        yield running
        return
    from visionhub_sandbox import Sandbox

    from visionhub import registry
    from visionhub.errors import MissingExtra, UsageError

    sandbox = Sandbox(registry.get("embedded"))
    try:
        sandbox.start()
    except MissingExtra as error:
        raise UsageError(
            f"{error}  or, for empty answers, run `visionhub sandbox --no-models` and set "
            f"{VARIABLE} to its address."
        ) from error
    try:
        announce(
            "REHEARSAL: a stand-in on this machine answers for the services; nothing is charged."
        )
        yield sandbox.address
    finally:
        sandbox.stop()


def _check(address: str) -> None:
    """UsageError when no sandbox answers there: each image would have to find out by itself."""
    from http.client import HTTPConnection, HTTPException

    from visionhub_sandbox.answers import MARK

    from visionhub.errors import UsageError

    host, _, port = address.rpartition(":")
    try:
        connection = HTTPConnection(host, int(port), timeout=PATIENCE)
        connection.request("GET", "/")
        says = (
            "another server answers" if connection.getresponse().headers.get(MARK) is None else ""
        )
        connection.close()
    except (ValueError, OSError, HTTPException) as error:
        says = str(error)
    if says:
        raise UsageError(
            f"{VARIABLE}={address}: no sandbox is there ({says}). Start one with `visionhub "
            f"sandbox`, write it as host:port, or unset the variable to have one for this run."
        )
