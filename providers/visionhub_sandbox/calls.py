"""A count of what was asked, for tests that must know how often something was paid for."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass

KEPT = 10_000  # the latest calls that are kept in full; all are counted


@dataclass(frozen=True, slots=True)
class Call:
    """One call that came in.

    provider: google or rekognition. operation: BatchAnnotateImages, DetectLabels, …
    features: what was asked for (LABEL_DETECTION, GENERAL_LABELS), over all images of the call.
    transport: rest, grpc or json. images: SHA-256 of each image, in order.
    """

    provider: str
    operation: str
    transport: str
    features: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """A call, and the fault that it met (empty: none)."""

    call: Call
    fault: str = ""


class Calls:
    """All calls so far; safe to read while threads add to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._recent: deque[Counted] = deque(maxlen=KEPT)

    def add(self, call: Call, fault: str) -> None:
        """Count one call."""
        with self._lock:
            self._counts[call.provider, call.operation] += 1
            self._recent.append(Counted(call, fault))

    def count(self, provider: str = "", operation: str = "") -> int:
        """How many calls there were, of one provider or operation if named."""
        with self._lock:
            return sum(
                number
                for (who, what), number in self._counts.items()
                if provider in ("", who) and operation in ("", what)
            )

    @property
    def recent(self) -> list[Counted]:
        """The latest calls, oldest first."""
        with self._lock:
            return list(self._recent)

    def clear(self) -> None:
        """Start counting at zero."""
        with self._lock:
            self._counts.clear()
            self._recent.clear()

    def as_json(self) -> dict[str, object]:
        """What GET /_sandbox/calls shows."""
        with self._lock:
            counts = {f"{who} {what}": n for (who, what), n in sorted(self._counts.items())}
            recent = [{**asdict(each.call), "fault": each.fault} for each in self._recent]
        return {"calls": counts, "recent": recent}
