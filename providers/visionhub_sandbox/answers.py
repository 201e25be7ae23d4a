"""What the stand-in sends back over HTTP, and how it is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from visionhub_sandbox.faults import Fault

MARK = "X-Visionhub-Sandbox"  # a header of every answer, so that none is mistaken for a real one


class Delivery(StrEnum):
    """How the bytes of an answer leave."""

    WHOLE = "whole"
    CUT = "cut"  # half of the body, announced as if it were all
    DROPPED = "dropped"  # half of the body, announced in full; then the connection ends
    RESET = "reset"  # nothing but the end of the connection
    HANG = "hang"  # nothing until the client gives up


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `hang` is how many seconds a hanging one lasts at most."""

    status: int
    data: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    hang: float = 0.0


def delivered(
    status: int, data: bytes, media_type: str, headers: Mapping[str, str], fault: Fault | None
) -> Answer:
    """An answer, sent as a fault has it."""
    if fault is None:
        return Answer(status, data, media_type, headers)
    cut = Delivery.DROPPED if fault.whole_length else Delivery.CUT
    kinds = {"truncated": cut, "reset": Delivery.RESET, "hang": Delivery.HANG}
    delivery = kinds.get(fault.kind, Delivery.WHOLE)
    return Answer(status, data, media_type, headers, delivery, fault.lasts)


class Refusal(Exception):
    """The vendor does not answer a call: its own error code, an HTTP status and a sentence."""

    def __init__(
        self, code: str, message: str, status: int = 400, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.status, self.retry_after = status, retry_after
