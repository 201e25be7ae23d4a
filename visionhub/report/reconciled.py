"""`visionhub ledger reconcile` for a terminal: ledger beside bill, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from visionhub.pricing import money
from visionhub.report.plain import counted
from visionhub.report.terminal import Section

COLUMNS = (
    "day",
    "provider",
    "line",
    "settled",
    "unknown",
    "held",
    "billed",
    "difference",
    "ledger",
    "bill",
    "verdict",
)
NOTHING = "Nothing that was asked of a service is in its ledger: there is nothing to compare."


def sections(found: Mapping[str, Any]) -> Iterator[Section]:
    """What `visionhub.report.reconcile.reconciled` found."""
    title = f"Ledger of {found['study']} beside {found['export']}"
    if not found["days"]:
        yield Section(title, notes=(NOTHING,))
        return
    rows = [_row(entry) for entry in found["days"]]
    yield Section(title, COLUMNS, rows, tuple(_notes(found)), COLUMNS[3:10])
    if found["unclaimed"]:
        rows = [[entry["words"], entry["units"]] for entry in found["unclaimed"]]
        note = (
            "If they are one of the lines above, say so: add words that they hold to its `billing` "
            "in a price table of your own (visionhub prices --toml), and give it with --prices"
        )
        yield Section("Rows that no price line claims", ("words", "units"), rows, (note,))


def _row(entry: Mapping[str, Any]) -> list[object]:
    return [
        entry["day"],
        entry["provider"],
        " + ".join(entry["lines"]),
        entry["settled"],
        entry["unknown"],
        entry["held"],
        entry["billed"],
        entry["difference"],
        money(entry["charged"], entry["currency"]) if entry["currency"] else "",
        money(entry["billed_cost"], entry["billed_currency"]) if entry["billed_currency"] else "",
        entry["verdict"],
    ]


def _notes(found: Mapping[str, Any]) -> Iterator[str]:
    yield "Units; the difference is what is billed beyond settled and unknown. Days of the vendor."
    yield "A bill covers the whole account: what others asked of the service is in it too."
    if found["killed"]:
        became = "became" if found["applied"] else "count as"
        yield f"{counted(found['killed'], 'request')} that a killed run still held {became} unknown"
    for state, what in (("released", "not on the bill"), ("settled", "on the bill")):
        units = sum(entry["unknown"] for entry in found["days"] if entry["certain"] == state)
        if units:
            done = "was" if found["applied"] else "would be, with --apply,"
            yield f"{counted(units, 'ambiguous unit')} {what}: {done} {state}"
    left = sum(entry["unknown"] for entry in found["days"] if entry["certain"] is None)
    if left:
        yield f"{counted(left, 'ambiguous unit')} of which the bill proves nothing: as before"
