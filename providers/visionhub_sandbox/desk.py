"""What both services share: counting, faults, pictures, recordings, predictions, and the end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from visionhub_sandbox.calls import Call, Calls
from visionhub_sandbox.cassettes import Cassettes
from visionhub_sandbox.faults import Fault, Script
from visionhub_sandbox.looks import Looks
from visionhub_sandbox.pictures import Pictures
from visionhub_sandbox.predictions import Predictions

VERSION = "sandbox"  # stands wherever a service would say which of its models answered


@dataclass(frozen=True)
class Desk:
    """The state of one stand-in; its parts are safe in threads."""

    script: Script
    predictions: Predictions
    cassettes: Cassettes = field(default_factory=Cassettes)
    calls: Calls = field(default_factory=Calls)
    pictures: Pictures = field(default_factory=Pictures)
    looks: Looks = field(default_factory=Looks)
    closing: threading.Event = field(default_factory=threading.Event)

    def attend(self, call: Call) -> Fault | None:
        """Count a call, wait as long as its latency says, and hand out the fault that it meets."""
        met = self.script.meet(call)
        self.calls.add(call, met.fault.kind if met.fault else "")
        if met.latency:
            self.closing.wait(met.latency)
        return met.fault
