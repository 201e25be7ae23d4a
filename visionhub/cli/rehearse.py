"""Where a rehearsal's answers come from: a sandbox that runs already, or one for this command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from visionhub.cli.progress import note

VARIABLE = "VISIONHUB_SANDBOX"


@contextmanager
def rehearsing(*, wanted: bool) -> Iterator[str]:
    """The address of a sandbox, `host:port`; empty when none is wanted.

    VISIONHUB_SANDBOX names one that runs already (`visionhub sandbox`); without it one is started
    for as long as the block lasts, with the embedded models.
    """
    if not wanted:
        yield ""
        return
    running = os.environ.get(VARIABLE)
    if running:
        note(f"REHEARSAL: the sandbox at {running} answers for the services; nothing is charged.")
        yield running
        return
    from visionhub_sandbox import Sandbox

    from visionhub import registry

    with Sandbox(registry.get("embedded")) as sandbox:
        note("REHEARSAL: a stand-in on this machine answers for the services; nothing is charged.")
        yield sandbox.address
