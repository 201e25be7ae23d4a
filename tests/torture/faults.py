"""Every fault of the sandbox, through the SDKs' own clients: what was sent is in the ledger.

The stand-in counts each call that comes in, and each unit that a service might bill for it. The
ledger has a row for each attempt, and for each of its requests a state. Both are compared call by
call: whatever befalls a call, the ledger knows of it, and never thinks it cheaper than it may be.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from unittest import mock

from visionhub_sandbox import Fault, Sandbox
from visionhub_sandbox.calls import Counted

import visionhub
from tests.conftest import jpeg
from tests.sandboxed import Seer
from tests.torture.report import Section
from visionhub.engine import ask as asking
from visionhub.engine.till import NOT_SENT
from visionhub.errors import AuthenticationError

TASKS = ("labels", "objects", "faces", "text")  # none of them is free beside another
TIMEOUT = 2.5  # seconds until a call that hangs is given up
QUOTA = 8  # google.rpc.Code: RESOURCE_EXHAUSTED


@dataclass(frozen=True, slots=True)
class Way:
    """A service and how it is reached."""

    provider: str
    transport: str
    settings: Mapping[str, str] = field(hash=False)

    def __str__(self) -> str:
        return f"{self.provider} {self.transport}"


WAYS = (
    Way("google", "rest", {"google.transport": "rest", "google.batch": "2"}),
    Way("google", "grpc", {"google.transport": "grpc", "google.batch": "2"}),
    Way("rekognition", "json", {}),
)
MODES: Mapping[str, tuple[Fault, ...]] = {
    "none": (),
    "latency": (Fault("latency", seconds=0.05),),
    "throttle": (Fault("throttle", every=4, times=3),),
    "throttle, retry-after": (Fault("throttle", times=1, retry_after=0.2),),
    "error 500": (Fault("error", status=500, every=3, times=3),),
    "error 503": (Fault("error", status=503, every=3, times=3),),
    "error 400": (Fault("error", status=400, every=3, times=2),),
    "error 403": (Fault("error", status=403, after=2, times=1),),
    "hang": (Fault("hang", every=3, times=2),),
    "reset": (Fault("reset", every=3, times=2),),
    "truncated": (Fault("truncated", every=3, times=2),),
    "truncated, whole length": (Fault("truncated", every=3, times=2, whole_length=True),),
    "item_error refused": (Fault("item_error", code=3, every=2),),
    "item_error internal": (Fault("item_error", code=13, every=2, times=2),),
    "item_error quota": (Fault("item_error", code=QUOTA, every=2, times=2),),
    "unknown_field": (Fault("unknown_field"),),
    "expired_credentials": (Fault("expired_credentials", after=3),),
    "mixed: refusals": (
        Fault("throttle", share=0.15, seed=1),
        Fault("error", status=400, share=0.1, seed=2),
        Fault("item_error", code=3, share=0.2, seed=3),
        Fault("latency", seconds=0.02, share=0.5, seed=4),
    ),
    "mixed: ambiguous": (
        Fault("error", status=500, share=0.12, seed=5),
        Fault("reset", share=0.1, seed=6),
        Fault("truncated", share=0.1, seed=7),
        Fault("item_error", code=14, share=0.1, seed=8),
    ),
    "mixed: everything": (
        Fault("throttle", share=0.1, seed=9),
        Fault("error", status=503, share=0.08, seed=10),
        Fault("hang", share=1.0, after=5, times=1),
        Fault("reset", share=0.08, seed=11),
        Fault("truncated", share=0.08, seed=12, whole_length=True),
        Fault("unknown_field", share=0.2, seed=13),
        Fault("latency", seconds=0.03, share=0.3, seed=14),
        Fault("expired_credentials", after=15, times=1),
    ),
}


@dataclass(slots=True)
class Tally:
    """What a run and the same command once more came to, at the server and in the ledger.

    asked_twice: units that may have been billed twice. cheaper: units of which the server may have
    billed more than the ledger has as spent. wrong: attempts whose states are not those that their
    fault calls for. broken: sums or leftovers that are not as they must be.
    """

    calls: int = 0
    attempts: int = 0
    unsent: int = 0  # reserved, and given back because the run ended first
    billable: int = 0
    spent: int = 0
    asked_twice: int = 0
    cheaper: int = 0
    wrong: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Sum up."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @property
    def ok(self) -> bool:
        """Whether the ledger knows of every call, and of every unit."""
        return self.calls == self.attempts and not (self.cheaper or self.wrong or self.broken)


def run(scale: float, seed: int) -> Section:
    """All modes, all ways, both policies."""
    section = Section("Physical attempts, counted at the server and in the ledger")
    photos = max(8, round(32 * scale))
    every = Tally()
    for name, faults in MODES.items():
        drawn = tuple(replace(fault, seed=fault.seed + 100 * seed) for fault in faults)
        found = {
            (way, policy): measured(way, drawn, policy, photos)
            for way in WAYS
            for policy in ("skip", "retry")
        }
        _tell(section, name, found)
        for tally in found.values():
            every.add(tally)
    section.holds(
        "attempts at the server, and in the ledger",
        f"{every.calls:,} and {every.attempts:,}",
        "equal",
        ok=every.calls == every.attempts,
        of=f"{2 * 2 * len(MODES) * len(WAYS)} runs",
    )
    section.none(
        "units that the server may have billed and the ledger has not",
        every.cheaper,
        every.billable,
    )
    section.none("attempts whose end is not as decided", len(every.wrong), every.attempts)
    section.none("leftovers, and sums that differ", len(every.broken), 2 * len(MODES) * len(WAYS))
    section.notes.append(f"unsent: {every.unsent} attempts were given back as their run ended.")
    return section


def _tell(section: Section, name: str, found: Mapping[tuple[Way, str], Tally]) -> None:
    """One row for a mode, and a note for whatever is wrong."""
    sums = {"skip": Tally(), "retry": Tally()}
    for (way, policy), tally in found.items():
        sums[policy].add(tally)
        for wrong in [*tally.wrong, *tally.broken]:
            section.notes.append(f"{name}, {way}, {policy}: {wrong}")
    told = [
        f"{policy} {one.calls} = {one.attempts}, units {one.billable} <= {one.spent}"
        for policy, one in sums.items()
    ]
    ok = all(one.ok for one in found.values()) and not sums["skip"].asked_twice
    section.holds(name, "; ".join(told), "equal", ok=ok, of=sum(s.calls for s in sums.values()))


def measured(way: Way, faults: tuple[Fault, ...], policy: str, photos: int) -> Tally:
    """Annotate, then give the same command again, and compare both accounts."""
    with tempfile.TemporaryDirectory() as folder, quick(Path(folder)):
        pictures = make_photos(Path(folder) / "photos", photos)
        study = visionhub.Study(Path(folder) / "study.db")
        with Sandbox(Seer(), faults=faults) as sandbox:
            for _ in range(2):
                annotate(study, pictures, way, sandbox.address, policy)
            return compare(study, sandbox, faults)


def annotate(
    study: visionhub.Study, pictures: Path, way: Way, address: str, policy: str = "skip"
) -> str:
    """One rehearsal; what ended it early, if anything did."""
    timeout = {f"{way.provider}.timeout": str(TIMEOUT)}
    try:
        study.annotate(
            pictures,
            providers=[way.provider],
            tasks=TASKS,
            settings={**timeout, **way.settings},
            sandbox=address,
            on_ambiguous=policy,
        )
    except AuthenticationError as error:
        return str(error)
    return ""


@contextmanager
def quick(folder: Path) -> Iterator[None]:
    """Short waits before a call is tried again, and rates that no other run knows of."""
    with (
        mock.patch.object(asking, "FIRST_WAIT", 0.01),
        mock.patch.dict(os.environ, {"VISIONHUB_STATE": str(folder / "rates")}),
    ):
        yield


def make_photos(folder: Path, count: int) -> Path:
    """Small pictures, all different, that are sent as they are."""
    folder.mkdir()
    for number in range(count):
        picture = jpeg(160 + number % 64, 120 + number // 64, shift=number % 80)
        (folder / f"{number}.jpg").write_bytes(picture)
    return folder


def compare(study: visionhub.Study, sandbox: Sandbox, faults: tuple[Fault, ...]) -> Tally:
    """The server's account beside the ledger's."""
    states = attempts_of(study)
    made = {attempt: found for attempt, found in states.items() if found != {NOT_SENT}}
    tally = Tally(sandbox.calls.count(), len(made), len(states) - len(made))
    spent = spent_units(study)
    billed: Counter[tuple[str, str]] = Counter()
    for unit, number in sandbox.calls.units.items():
        billed[unit.image, unit.line] += number
    tally.billable, tally.spent = billed.total(), spent.total()
    tally.cheaper = (billed - spent).total()
    tally.asked_twice = sum(number - 1 for number in billed.values())
    tally.wrong = _wrong(sandbox, made, faults)
    tally.broken = broken(study)
    return tally


def attempts_of(study: visionhub.Study) -> dict[int, set[str]]:
    """For each attempt the states of its requests; one that was given back has NOT_SENT."""
    found: dict[int, set[str]] = {}
    sql = "SELECT attempt_id, state, reason FROM charges"
    for attempt, state, reason in study.query(sql).rows:
        unsent = state == "released" and reason == NOT_SENT
        found.setdefault(attempt, set()).add(NOT_SENT if unsent else state)
    return found


def spent_units(study: visionhub.Study) -> Counter[tuple[str, str]]:
    """Units that the ledger has as spent, by image and price line."""
    sql = (
        "SELECT i.sha256, l.sku, sum(c.units) FROM charges c JOIN images i ON i.id = c.image_id "
        "JOIN price_lines l ON l.id = c.line_id WHERE c.state IN ('settled', 'unknown') GROUP BY 1,"
        " 2"
    )
    return Counter({(image, sku): units for image, sku, units in study.query(sql).rows})


def _wrong(sandbox: Sandbox, made: Mapping[int, set[str]], faults: tuple[Fault, ...]) -> list[str]:
    """Attempts whose states are not those that the server's calls lead to."""
    wanted = Counter(_after(counted, faults) for counted in sandbox.calls.recent)
    found = Counter(tuple(sorted(states)) for states in made.values())
    return [
        f"{'+'.join(states)}: {found[states]}, not {wanted[states]}"
        for states in sorted(found | wanted)
        if found[states] != wanted[states]
    ]


def _after(counted: Counted, faults: tuple[Fault, ...]) -> tuple[str, ...]:
    """The states that the requests of one call must have."""
    kind = counted.fault
    if kind == "item_error":
        code = next(fault.code for fault in faults if fault.kind == kind)
        of_it = {3: "settled", QUOTA: "released"}.get(code, "unknown")  # type: ignore[arg-type]
        others = ["settled"] * (len(counted.call.images) > 1)
        return tuple(sorted({of_it, *others}))
    if not counted.billable:
        return ("released",)
    return ("settled",) if kind in ("", "latency", "unknown_field") else ("unknown",)


def broken(study: visionhub.Study) -> list[str]:
    """What must hold in any study once its runs are over: leftovers, sums, integrity."""
    checks: Mapping[str, tuple[str, Callable[[object], bool]]] = {
        "held": ("SELECT count(*) FROM charges WHERE state = 'held'", lambda n: n == 0),
        "attempts that have not ended": (
            "SELECT count(*) FROM attempts WHERE ended_at IS NULL",
            lambda n: n == 0,
        ),
        "difference of the account": (
            "SELECT coalesce(sum(settled), 0) - (SELECT coalesce(sum(charge), 0) FROM charges) "
            "FROM accounts",
            lambda n: n == 0,
        ),
        "accounts above their cap": (
            "SELECT count(*) FROM accounts WHERE settled + held > cap",
            lambda n: n == 0,
        ),
        "settled without a body": (
            "SELECT count(*) FROM charges WHERE state = 'settled' AND body_id IS NULL",
            lambda n: n == 0,
        ),
        "integrity": ("PRAGMA integrity_check", lambda said: said == "ok"),
    }
    found = {name: study.query(sql).rows[0][0] for name, (sql, _) in checks.items()}
    return [f"{name}: {found[name]}" for name, (_, good) in checks.items() if not good(found[name])]
