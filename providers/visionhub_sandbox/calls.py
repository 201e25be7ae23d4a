"""An account of what was asked, for tests that must know how often something was paid for.

A call is counted when it has been received whole, before anything is answered, whatever befalls it
then. One that breaks off while it is received is none: no service would bill it.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass, field

KEPT = 10_000  # the latest calls that are kept in full; all are counted


@dataclass(frozen=True, slots=True)
class Call:
    """One call that came in.

    provider: google or rekognition. operation: BatchAnnotateImages, DetectLabels, …
    features: what was asked for (LABEL_DETECTION, GENERAL_LABELS), over all images of the call.
    transport: rest, grpc or json. images: SHA-256 of each image, in order.
    lines: what each image is asked for, as price lists name it. Comparing two is asked of the last.
    refused: the call is not valid, and is answered with 4xx if no fault comes before that.
    """

    provider: str
    operation: str
    transport: str
    features: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    lines: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """A call, the fault that it met (empty: none), and whether a service might bill for it.

    It surely does not where it says that it did nothing: throttled, refused, no credentials. It
    might for an answer, even if that is lost on the way, for an error 5xx, and for silence.
    """

    call: Call
    fault: str = ""
    billable: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """What calls are counted by."""

    provider: str
    operation: str
    transport: str
    fault: str
    billable: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """What is paid for: one image, for one price line."""

    provider: str
    operation: str
    image: str
    line: str


class Calls:
    """All calls so far; safe to read while threads add to it. Only `recent` forgets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: Counter[Kind] = Counter()
        self._units: Counter[Unit] = Counter()
        self._recent: deque[Counted] = deque(maxlen=KEPT)

    def add(
        self, call: Call, fault: str, *, billable: bool = True, spared: int | None = None
    ) -> None:
        """Count one call; the image at the place `spared` is surely not billed."""
        kind = Kind(call.provider, call.operation, call.transport, fault, billable)
        units = [
            Unit(call.provider, call.operation, image, line)
            for place, (image, lines) in enumerate(zip(call.images, call.lines, strict=False))
            for line in lines
            if place != spared
        ]
        with self._lock:
            self._kinds[kind] += 1
            if billable:
                self._units.update(units)
            self._recent.append(Counted(call, fault, billable))

    def count(self, provider: str = "", operation: str = "") -> int:
        """How many calls there were, of one provider or operation if named."""
        return sum(
            number
            for kind, number in self.kinds.items()
            if provider in ("", kind.provider) and operation in ("", kind.operation)
        )

    @property
    def kinds(self) -> Counter[Kind]:
        """How many calls of each kind there were: all of them."""
        with self._lock:
            return Counter(self._kinds)

    @property
    def units(self) -> Counter[Unit]:
        """How often each unit may have been billed: at most so often, and never more."""
        with self._lock:
            return Counter(self._units)

    @property
    def recent(self) -> list[Counted]:
        """The latest calls, oldest first."""
        with self._lock:
            return list(self._recent)

    def clear(self) -> None:
        """Start counting at zero."""
        with self._lock:
            self._kinds.clear()
            self._units.clear()
            self._recent.clear()

    def account(self) -> dict[str, object]:
        """What GET /calls shows: every call is counted in it, none is described."""
        with self._lock:
            kinds, units = dict(self._kinds), dict(self._units)
        return {
            "total": sum(kinds.values()),
            "billable": sum(number for kind, number in kinds.items() if kind.billable),
            "calls": [{**asdict(kind), "count": number} for kind, number in kinds.items()],
            "units": [{**asdict(unit), "count": number} for unit, number in units.items()],
        }

    def as_json(self) -> dict[str, object]:
        """What GET /_sandbox/calls shows: the latest calls in full."""
        counts: Counter[str] = Counter()
        for kind, number in self.kinds.items():
            counts[f"{kind.provider} {kind.operation}"] += number
        return {"calls": dict(sorted(counts.items())), "recent": [*map(_told, self.recent)]}


def _told(one: Counted) -> dict[str, object]:
    hidden = ("lines", "refused")
    told = {name: value for name, value in asdict(one.call).items() if name not in hidden}
    return {**told, "fault": one.fault, "billable": one.billable}
