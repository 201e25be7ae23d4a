"""Scripted faults: what goes wrong, with which calls, and how often.

A faults file is TOML, a list of [[fault]]; `visionhub_sandbox.manual.FAULTS` is its reference.
"""

from __future__ import annotations

import random
import threading
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from visionhub.errors import UsageError
from visionhub_sandbox.calls import Call

MEMBERS: Mapping[str, tuple[str, ...]] = {  # the kinds, with what each takes besides the filters
    "latency": ("seconds",),
    "throttle": ("retry_after", "code", "status"),
    "error": ("status", "code"),
    "hang": ("seconds",),
    "reset": (),
    "truncated": ("whole_length",),
    "item_error": ("item", "code"),
    "unknown_field": (),
    "expired_credentials": ("status",),
}
FILTERS = ("provider", "transport", "operation", "image", "after", "every", "share", "seed")
COMMON = ("kind", "times", *FILTERS)
SECONDS = {"latency": 0.15, "hang": 600.0}
BATCHES = "google"  # the service whose calls carry several images
PROVIDERS, TRANSPORTS = ("", "google", "rekognition"), ("", "rest", "grpc", "json")


@dataclass(frozen=True, slots=True)
class Fault:
    """One scripted fault; see `visionhub_sandbox.manual`. Raises UsageError for what cannot be."""

    kind: str
    provider: str = ""
    transport: str = ""
    operation: str = ""
    image: str = ""
    after: int = 0
    every: int = 1
    share: float = 1.0
    seed: int = 0
    times: int | None = None
    seconds: float | None = None
    retry_after: float | None = None
    status: int | None = None
    code: str | int | None = None
    item: int = 0
    whole_length: bool = False

    def __post_init__(self) -> None:
        for wrong, says in (
            (self.kind not in MEMBERS, f"kind {self.kind!r} is none of {', '.join(MEMBERS)}"),
            (self.provider not in PROVIDERS, f"provider {self.provider!r} is none of {PROVIDERS}"),
            (self.transport not in TRANSPORTS, f"transport {self.transport!r} is none of those"),
            (not 0 <= self.share <= 1, f"share = {self.share} is not from 0 to 1"),
            (self.every < 1, f"every = {self.every} is less than 1"),
            (min(self.after, self.item, self.times or 0) < 0, "a count is negative"),
            (min(self.seconds or 0, self.retry_after or 0) < 0, "a time is negative"),
            (self.kind == "item_error" and isinstance(self.code, str), "code is no number"),
            (self.status is not None and self.status not in range(400, 600), "status is no error"),
        ):
            if wrong:
                raise UsageError(f"{says}.")

    @property
    def lasts(self) -> float:
        """Seconds of a latency or a hanging answer."""
        return SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def concerns(self, call: Call) -> bool:
        """Whether the filters name this call."""
        return (
            self.provider in ("", call.provider)
            and self.transport in ("", call.transport)
            and self.operation in ("", call.operation, *call.features)
            and self.image in ("", *call.images)
            and (self.kind != "item_error" or call.provider == BATCHES)
        )

    def falls_on(self, number: int) -> bool:
        """Whether the `number`-th call that the filters name is met, counted from 0."""
        if number < self.after or (number - self.after) % self.every != self.every - 1:
            return False
        lot = random.Random(f"{self.seed}:{number}").random()  # noqa: S311 - no secret is made
        return lot < self.share


@dataclass(frozen=True, slots=True)
class Met:
    """What a call meets: seconds to wait, and the fault, if any."""

    latency: float = 0.0
    fault: Fault | None = None


class Script:
    """Faults in order; it counts the calls that each concerns. Safe in threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._seen = [0] * len(self._faults)
        self._done = [0] * len(self._faults)
        self._lock = threading.Lock()

    def meet(self, call: Call) -> Met:
        """Count a call and say what befalls it."""
        latency, won = 0.0, None
        with self._lock:
            for place, fault in enumerate(self._faults):
                if not fault.concerns(call):
                    continue
                number, self._seen[place] = self._seen[place], self._seen[place] + 1
                spent = fault.times is not None and self._done[place] >= fault.times
                taken = won is not None and fault.kind != "latency"
                if spent or taken or not fault.falls_on(number):
                    continue
                self._done[place] += 1
                if fault.kind == "latency":
                    latency += fault.lasts
                else:
                    won = fault
        return Met(latency, won)


def read_faults(path: Path) -> tuple[Fault, ...]:
    """The faults of a file; UsageError says which fault of it cannot be used, and why."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--faults {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise UsageError(f"--faults {path}: it is no TOML: {error}.") from error
    listed = document.get("fault")
    if not isinstance(listed, list) or set(document) != {"fault"}:
        raise UsageError(f"--faults {path}: write each fault as a table [[fault]], nothing else.")
    return tuple(_read(f"--faults {path}: fault {n}", one) for n, one in enumerate(listed, 1))


def _read(where: str, table: Any) -> Fault:  # noqa: ANN401 - whatever TOML can say
    if not isinstance(table, dict) or not isinstance(table.get("kind"), str):
        raise UsageError(f"{where}: it needs a kind: one of {', '.join(MEMBERS)}.")
    known = (*COMMON, *MEMBERS.get(table["kind"], ()))
    for name, value in table.items():
        if name not in known and table["kind"] in MEMBERS:
            raise UsageError(f"{where}: {table['kind']} takes no {name!r}: {', '.join(known)}.")
        if name in FIELDS and not _fits(FIELDS[name], value):
            raise UsageError(f"{where}: {name} = {value!r} is not {FIELDS[name]}.")
    try:
        return Fault(**table)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


FIELDS: Mapping[str, str] = {
    field.name: str(field.type).removesuffix(" | None") for field in fields(Fault)
}
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "str | int": (str, int),
}


def _fits(type_: str, value: object) -> bool:
    return isinstance(value, TYPES[type_]) and (type_ == "bool" or not isinstance(value, bool))
