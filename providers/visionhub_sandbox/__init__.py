"""A stand-in for the cloud services on this machine, speaking their wire formats.

    with Sandbox(models=registry.get("embedded")) as sandbox:
        ...  # the setting `sandbox` of a provider takes sandbox.address

The unmodified SDKs talk to it over loopback. Every answer is marked as a rehearsal: the header
X-Visionhub-Sandbox, and the word "sandbox" where a service names its model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionhub_sandbox.faults import Fault, read_faults
    from visionhub_sandbox.server import Sandbox

__all__ = ["Fault", "Sandbox", "read_faults"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class or a function
    """Import the server when it is first named: a help text needs none."""
    if name == "Sandbox":
        from visionhub_sandbox.server import Sandbox

        return Sandbox
    if name in ("Fault", "read_faults"):
        from visionhub_sandbox import faults

        return getattr(faults, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
