"""Counting what a run has done, for a progress line and for the summary."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from visionhub.schema import ANSWERED, Status
from visionhub.store.ledger import Bought, Totals

ANSWERED_WORDS = frozenset(status.value for status in ANSWERED)


@dataclass(slots=True)
class Calls:
    """Physical attempts of one provider in this run, and those that it asked to be fewer."""

    made: int = 0
    throttled: int = 0
    retried: int = 0
    given_up: str = ""  # why nothing more is sent to it in this run

    @property
    def throttled_share(self) -> float:
        """Of all attempts, those that were throttled; 0 before the first."""
        return self.throttled / self.made if self.made else 0.0


@dataclass(repr=False)
class Progress:
    """Counts of one run. `total` files is None until they are counted."""

    total: int | None = None
    files: int = 0  # files looked at
    unreadable_files: int = 0  # files that could not even be read
    images: int = 0  # distinct images, by content
    unreadable_images: int = 0
    cached: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (provider, task)
    ended: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # and by status
    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    switched: Counter[tuple[str, str]] = field(default_factory=Counter)  # current answers changed
    unknown: Counter[str] = field(default_factory=Counter)  # members that a parser did not know
    # What is not answered and not asked again: nobody knows whether its attempt was charged for.
    ambiguous: Counter[tuple[str, str]] = field(default_factory=Counter)
    billed: Counter[tuple[str, str]] = field(default_factory=Counter)  # charged, its answer lost
    elsewhere: int = 0  # requests that another process was asking
    # Requests that were ready when the run ended, as at its cap: files beyond were not looked at.
    unsent: int = 0
    calls: dict[str, Calls] = field(default_factory=dict)  # by provider, services only
    money: Totals | None = None  # of the study's ledger
    bought: Bought | None = None  # by this run; told at its end
    versions: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # if several
    rehearsal: bool = False
    pending: int = 0  # requests still to be answered for files looked at
    questions: int = 1  # requests that a new image makes
    started: float = field(default_factory=time.monotonic)
    interrupted: bool = False

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.started

    @property
    def done(self) -> int:
        """Requests answered in this run."""
        return sum(n for (_, _, status), n in self.ended.items() if status in ANSWERED_WORDS)

    @property
    def failed(self) -> int:
        """Requests that ended without an answer, and files that could not be read."""
        errors = sum(n for (_, _, status), n in self.ended.items() if status == Status.ERROR)
        return errors + self.unreadable_files

    @property
    def unanswered(self) -> int:
        """What failed, and what a provider refused."""
        refused = sum(n for (_, _, status), n in self.ended.items() if status == Status.REFUSED)
        return self.failed + refused

    @property
    def spent(self) -> int:
        """Micro-units that this run has spent, ambiguous attempts included; 0 until its end."""
        return self.bought.micros if self.bought else 0

    @property
    def units(self) -> Mapping[str, Mapping[str, int]]:
        """Units that this run has spent, by provider and price line; empty until its end."""
        return self.bought.units if self.bought else {}

    @property
    def through(self) -> int:
        """Files with nothing left to ask; files are looked at well ahead of that."""
        return max(0, self.files - -(-self.pending // self.questions))

    @property
    def eta(self) -> float | None:
        """Seconds left at the pace so far; None while it cannot be told."""
        if not self.total or not self.through:
            return None
        return self.seconds / self.through * (self.total - self.through)

    def __repr__(self) -> str:
        return (
            f"Progress({self.files} files, {self.images} images: {self.done} answers, "
            f"{sum(self.cached.values())} held already, {self.failed} failed)"
        )

    def tasks(self) -> Mapping[tuple[str, str], Counter[str]]:
        """Counts by status (with `cached` beside) for each (provider, task)."""
        table: dict[tuple[str, str], Counter[str]] = {}
        for (provider, task, status), count in self.ended.items():
            table.setdefault((provider, task), Counter())[status] += count
        for key, count in self.cached.items():
            table.setdefault(key, Counter())["cached"] += count
        return dict(sorted(table.items()))

    def _money(self) -> dict[str, Any] | None:
        if self.money is None:
            return None
        own = {"spent_in_this_run": self.spent} if self.bought else {}
        return asdict(self.money) | own

    def summary(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        rows = [
            {"provider": p, "task": t, "results": self.results[(p, t)], **counts}
            for (p, t), counts in self.tasks().items()
        ]
        return {
            "files": self.files,
            "images": self.images,
            "unreadable_files": self.unreadable_files,
            "unreadable_images": self.unreadable_images,
            "done": self.done,
            "cached": sum(self.cached.values()),
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "rehearsal": self.rehearsal,
            "ambiguous": sum(self.ambiguous.values()),
            "billed": sum(self.billed.values()),
            "asked_elsewhere": self.elsewhere,
            "not_sent_at_least": self.unsent,
            "units": self.units,
            "calls": {name: asdict(calls) for name, calls in self.calls.items()},
            "money": self._money(),
            "model_versions": [
                {"provider": p, "task": t, "versions": found}
                for (p, t), found in self.versions.items()
            ],
            "tasks": rows,
            "unknown_members": dict(self.unknown),
            "current_changed": [
                {"provider": p, "task": t, "images": n} for (p, t), n in self.switched.items()
            ],
        }
