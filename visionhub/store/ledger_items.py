"""What is said to the ledger, and what it says. Money is in micro-units of its currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from visionhub.pricing import Price


class State(StrEnum):
    """Where the money for one request of one attempt stands; settled and unknown are spent."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    UNKNOWN = "unknown"


class Away(StrEnum):
    """Why a request is not reserved."""

    ANSWERED = "answered"  # settled: it was paid for
    UNREADABLE = "unreadable"  # settled, for an answer that could not be read
    HELD = "held"  # a live attempt is on its way
    AMBIGUOUS = "ambiguous"  # nobody knows whether it was paid for, and that is not risked twice
    BILLED = "billed"  # it was paid for, as a bill shows, and its answer is lost


@dataclass(frozen=True, slots=True)
class Line:
    """One request that is to be sent. key: `Request.key`. price: None where it costs nothing."""

    key: str
    image_id: int
    question_id: int
    price: Price | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One attempt: what one call is to carry, image by image.

    region: as the provider's price list names it.
    """

    provider: str
    operation: str
    region: str
    images: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Reserved:
    """What may be sent, as which attempt; what may not, and why.

    attempt: None when nothing is granted. capped: what the cap has no room for, by whole images.
    """

    attempt: int | None
    granted: frozenset[str]
    away: Mapping[str, Away] = field(default_factory=dict)
    capped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ended:
    """How one request of an attempt ended. body: whether an answer is stored with it."""

    attempt: int
    key: str
    state: State
    reason: str = ""
    body: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """An account. cap: None for none. settled: spent, with the part that is unknown."""

    currency: str
    cap: int | None
    settled: int
    held: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Bought:
    """What one run has spent, with what is held or unknown. units: by provider and price line."""

    micros: int
    units: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What dead processes had held, and nobody knows the end of."""

    requests: int = 0
    micros: int = 0
