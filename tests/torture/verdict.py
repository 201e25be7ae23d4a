"""What the counts of the kills have to be."""

from __future__ import annotations

from tests.torture.checks import Tally
from tests.torture.report import Section
from tests.torture.worker import POINTS


def judge(section: Section, tally: Tally, wanted: int) -> None:
    """Every figure of the tally, with its count."""
    kills = tally.kills
    section.least("kills", kills.total(), wanted, f"{tally.studies} studies")
    for point in POINTS:
        section.told(f"  {point}", kills[point])
    section.none(
        "damaged studies (integrity_check)",
        tally.faults.pop("integrity_check failed", 0),
        tally.studies,
    )
    for fault, of in _FAULTS.items():
        found = tally.faults.pop(fault, 0)
        section.none(fault, found, f"{getattr(tally, of):,} {_OF[of]}")
    for fault, found in sorted(tally.faults.items()):
        section.none(fault, found, "")
    section.none("extra paid units, skip", tally.extra["skip"], f"{tally.units:,} units")
    section.holds(
        "extra paid units, retry",
        tally.extra["retry"],
        "<= in flight at kills and faults",
        ok=tally.extra["retry"] <= tally.doubt["retry"],
        of=f"{tally.doubt['retry']:,} in flight",
    )
    left = tally.left
    mean = sum(left) / len(left) if left else 0.0
    section.told(
        "attempts that a killed process left behind",
        f"{mean:.1f} mean, {max(left, default=0)} most",
        f"{len(left)} processes",
    )
    section.told("answers", tally.answers, f"{tally.requests:,} requests")
    section.told("ambiguous", tally.ambiguous, f"{tally.requests:,} requests")
    section.told("ledger, USD", f"{tally.spent / 1e6:.4f}")
    section.holds(
        "billed at the server at most, USD",
        f"{tally.billed / 1e6:.4f}",
        "<= ledger",
        ok=tally.billed <= tally.spent,
    )
    codes = ", ".join(f"{code}: {n}" for code, n in sorted(tally.codes.items()))
    section.told("exit codes of those that ended by themselves", codes)
    section.none("ends that are not documented", len(tally.strange), tally.codes.total())
    section.notes += tally.strange[:5] + tally.evidence[:5]


_FAULTS = {
    "settled answers lost": "looks",
    "stored answers asked for again": "answers",
    "sent without a reservation": "asked",
    "damaged bodies": "answers",
    "cap passed in the study": "looks",
    "cap passed at the server": "looks",
    "billed at the server, not in the ledger": "looks",
    "billed more often than the ledger has attempts": "units",
    "paid again without an ambiguous attempt": "units",
    "requests neither answered nor ambiguous": "requests",
    "ambiguous attempts that are not listed": "ambiguous",
    "settled without an answer": "answers",
    "money held when all had ended": "studies",
    "a study that could not be completed": "studies",
    "a study that did not end": "studies",
    "a study that was not made": "studies",
}
_OF = {
    "looks": "looks",
    "answers": "answers",
    "asked": "units asked",
    "units": "units billed",
    "requests": "requests",
    "ambiguous": "requests",
    "studies": "studies",
}
