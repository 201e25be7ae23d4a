"""What both services share: counting, faults, pictures, recordings, predictions, and the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from visionhub_sandbox.answers import Refusal
from visionhub_sandbox.calls import Call, Calls
from visionhub_sandbox.cassettes import Cassettes
from visionhub_sandbox.faults import Fault, Script
from visionhub_sandbox.looks import Looks
from visionhub_sandbox.pictures import Pictures
from visionhub_sandbox.predictions import Predictions

VERSION = "sandbox"  # stands wherever a service would say which of its models answered
UNBILLED = ("throttle", "expired_credentials")
SERVER = 500  # from this HTTP status on an error is the service's own
UNSURE = (408, 409, 499)  # too late, aborted, cancelled: the work may have been done


def _nothing(call: Call) -> None:
    pass


def _none(fault: Fault | None) -> int | None:
    return None


@dataclass(frozen=True)
class Desk:
    """The state of one stand-in; its parts are safe in threads.

    on_call: called with each call when it is counted, before it is answered; so in many threads.
    """

    script: Script
    predictions: Predictions
    cassettes: Cassettes = field(default_factory=Cassettes)
    on_call: Callable[[Call], None] = _nothing
    calls: Calls = field(default_factory=Calls)
    pictures: Pictures = field(default_factory=Pictures)
    looks: Looks = field(default_factory=Looks)
    closing: threading.Event = field(default_factory=threading.Event)

    def attend(
        self,
        call: Call,
        refusal_of: Callable[[Fault | None], Refusal | None],
        spared_by: Callable[[Fault | None], int | None] = _none,
    ) -> Fault | None:
        """Count a call, wait as long as its latency says, and hand out the fault that it meets.

        refusal_of: how the service refuses a call that meets a fault, if it does. spared_by: the
        place of the image that a fault says was not looked at, if there is one.
        """
        met = self.script.meet(call)
        kind = met.fault.kind if met.fault else ""
        refusal = refusal_of(met.fault)
        sure = refusal is not None and refusal.status < SERVER and refusal.status not in UNSURE
        said_no = call.refused if refusal is None else sure
        billable = not (said_no or kind in UNBILLED)
        self.calls.add(call, kind, billable=billable, spared=spared_by(met.fault))
        self.on_call(call)
        if met.latency:
            self.closing.wait(met.latency)
        return met.fault
