"""`visionhub ledger`: what a study has spent, on what, and which of it is in doubt.

Money in the results is an integer of micro-units of the currency beside it.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from visionhub.pricing import money
from visionhub.report.files import whole
from visionhub.report.plain import counted
from visionhub.report.terminal import Section
from visionhub.store.explain import explained
from visionhub.store.holding import ANSWERED_SINCE, CHARGED_ONLY
from visionhub.store.ledger_accounts import read_totals
from visionhub.store.ledger_owners import LOST, dead, holders
from visionhub.store.owners import is_alive
from visionhub.store.study import StudyFile
from visionhub.store.table import Table

Entry: TypeAlias = dict[str, Any]

NOTHING = "Nothing was ever spent or held in this study: it has no ledger."
GROUPS: Mapping[str, tuple[str, ...]] = {
    "provider": ("provider",),
    "task": ("provider", "task"),
    "day": ("day",),
    "run": ("run",),
    "line": ("provider", "sku", "region"),
}
MONEY = ("spent", "in_doubt", "on_hold", "cost")  # members that hold micro-units
SHOWN = (  # to a person; requests are the sum of settled to held
    "attempts",
    "units",
    "settled",
    "unknown",
    "released",
    "held",
    "spent",
    "in_doubt",
    "on_hold",
)
RARE = ("unknown", "released", "held", "in_doubt", "on_hold")  # no column where all is 0
_SUMS = (
    "count(DISTINCT attempt) AS attempts, count(*) AS requests, "
    "sum((state <> 'released') * units) AS units, sum(state = 'settled') AS settled, "
    "sum(state = 'unknown') AS unknown, sum(state = 'released') AS released, "
    "sum(state = 'held') AS held, currency, sum(charge) AS spent, "
    "sum((state = 'unknown') * charge) AS in_doubt, sum((state = 'held') * hold) AS on_hold"
)
OPEN, CHARGED = "open", "charged, without an answer"
_AMBIGUOUS = (
    "SELECT (SELECT path FROM paths p WHERE p.image_id = c.image_id ORDER BY p.id LIMIT 1) "
    "AS path, i.sha256 AS image, a.provider, q.task, a.operation, a.reserved_at AS sent_at, "
    "a.run_id AS run, a.currency, CASE c.state WHEN 'held' THEN c.hold ELSE c.charge END AS cost, "
    "CASE c.state WHEN 'held' THEN ? ELSE c.reason END AS why, "
    f"CASE WHEN c.state = 'settled' THEN '{CHARGED}' WHEN {ANSWERED_SINCE} THEN 'answered since' "
    f"ELSE '{OPEN}' END AS now "
    "FROM charges c JOIN attempts a ON a.id = c.attempt_id "
    "LEFT JOIN images i ON i.id = c.image_id LEFT JOIN questions q ON q.id = c.question_id "
    "WHERE c.state = 'unknown' OR (c.state = 'held' AND a.owner_id IN ({gone})) "
    f"OR {CHARGED_ONLY} "
    "ORDER BY a.id, c.image_id, q.task"
)


def spending(study: StudyFile, by: str) -> Entry:
    """The accounts of a study, and what was spent by one of GROUPS, as plain values."""
    return {
        "study": str(study.path),
        "rehearsal": _rehearsed(study),
        "accounts": _accounts(study),
        "by": by,
        "spent": list(spent(study, by)),
    }


def spent(study: StudyFile, by: str) -> Table:
    """What was spent by one of GROUPS, a row for each and for each currency."""
    names = ", ".join(GROUPS[by])
    sql = (
        f"SELECT {names}, {_SUMS} FROM v_ledger GROUP BY {names}, currency "
        f"ORDER BY {names}, currency"
    )
    return study.query(sql)


def ambiguous(study: StudyFile) -> Table:
    """Each request whose outcome nobody knows: what it cost at most, and whether it is open.

    So is each that a bill shows as charged, and that has no answer. What a dead process holds is
    among them, though only the next run makes it unknown. Raises StudyError.
    """
    sql, now = study.connection, datetime.now(UTC)
    with explained(study.path):
        gone = dead(sql, holders(sql), now, is_alive)
    marks = ", ".join("?" * len(gone))
    return study.query(_AMBIGUOUS.replace("{gone}", marks), (LOST, *gone))


def _accounts(study: StudyFile) -> list[Entry]:
    """One entry a currency; `settled` is without what is unknown, a cap of None is none."""
    entries = []
    for (currency,) in study.query("SELECT currency FROM accounts ORDER BY 1").rows:
        now = read_totals(study.connection, currency)
        spent = now.settled + now.held
        entries.append(
            {
                "currency": currency,
                "cap": now.cap,
                "settled": now.settled - now.unknown,
                "unknown": now.unknown,
                "held": now.held,
                "left": None if now.cap is None else now.cap - spent,
            }
        )
    return entries


def _rehearsed(study: StudyFile) -> bool:
    (found,) = study.query("SELECT EXISTS (SELECT 1 FROM owners WHERE rehearsal)").rows[0]
    return bool(found)


def sections(found: Mapping[str, Any]) -> Iterator[Section]:
    """What `spending` found."""
    if not found["accounts"]:
        yield Section(f"Ledger of {found['study']}", notes=(NOTHING,))
        return
    notes = [_account(account) for account in found["accounts"]]
    if found["rehearsal"]:
        notes.append("REHEARSAL: a stand-in answered; it was counted as if it cost, and cost none")
    yield Section(f"Ledger of {found['study']}", notes=tuple(notes))
    spent = found["spent"]
    names = GROUPS[found["by"]]
    shown = [name for name in SHOWN if name not in RARE or any(entry[name] for entry in spent)]
    rows = [
        [*(entry[name] for name in names), *(_said(entry, n) for n in shown)] for entry in spent
    ]
    columns = [name.replace("_", " ") for name in (*names, *shown)]
    doubt = sum(entry["unknown"] for entry in spent)
    right = tuple(columns[len(names) :])
    yield Section(
        f"By {found['by']}", tuple(columns), rows, tuple(_notes(doubt, found["study"])), right
    )


def _said(entry: Entry, name: str) -> str:
    return money(entry[name], entry["currency"]) if name in MONEY else f"{entry[name]:,}"


def _account(account: Mapping[str, Any]) -> str:
    """One account on a line."""
    currency = account["currency"]
    parts = [f"cap {money(account['cap'], currency)}" if account["cap"] is not None else "no cap"]
    parts.append(f"settled {money(account['settled'], currency)}")
    if account["unknown"]:
        parts.append(f"unknown, counted as spent, {money(account['unknown'], currency)}")
    parts.append(f"held {money(account['held'], currency)}")
    if account["left"] is not None:
        parts.append(f"left {money(account['left'], currency)}")
    return " · ".join(parts)


def _notes(doubt: int, path: str) -> Iterator[str]:
    yield "Settled, unknown, released and held count requests (no column: none); unknown is spent."
    yield "The cap cannot see other spending of the account, taxes, storage and transfer."
    if doubt:
        unknown = f"{counted(doubt, 'request')} with an unknown outcome"
        yield f"{unknown}: visionhub ledger ambiguous --study {path}"


def doubts(found: Table, path: str) -> Iterator[Section]:
    """What `ambiguous` found in the study at `path`."""
    if not len(found):
        yield Section("Ambiguous requests", notes=(f"None: nothing in {path} is in doubt.",))
        return
    columns = ("path", "provider", "task", "sent at", "why", "cost at most", "now")
    rows = [
        [
            entry["path"],
            entry["provider"],
            entry["task"],
            entry["sent_at"],
            entry["why"],
            money(entry["cost"], entry["currency"]),
            entry["now"],
        ]
        for entry in found
    ]
    notes = tuple(_advice(found.column("now")))
    yield Section("Ambiguous requests", columns, rows, notes, ("cost at most",))


def _advice(now: Sequence[str]) -> Iterator[str]:
    """What can be done about requests that stand so."""
    lost = now.count(CHARGED)
    if doubtful := len(now) - lost:
        still = now.count(OPEN)
        known = ". Whether they were charged for is known to the service only:" if still else ""
        yield f"{counted(doubtful, 'request')}, {still:,} still open{known}"
    if now.count(OPEN):
        yield (
            "visionhub ledger reconcile EXPORT compares with its bill; annotate --on-ambiguous "
            "retry asks again, and may pay twice"
        )
    if lost:
        yield (
            f"{counted(lost, 'request')} charged, without an answer, as the bill shows: annotate "
            f"--on-ambiguous retry asks again, for the price once more"
        )


def as_csv(found: Table) -> str:
    """A table as CSV with a header line; money in whole units of its currency, such as 0.0015."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows([_cell(entry, name) for name in found.columns] for entry in found)
    return out.getvalue()


def _cell(entry: Entry, name: str) -> object:
    value = entry[name]
    return money(value, "").strip() if name in MONEY and isinstance(value, int) else value


def write_csv(found: Table, target: str) -> None:
    """Write `as_csv` into a file, or for "-" to standard output; see `whole` for what it raises."""
    text = as_csv(found)
    if target == "-":
        sys.stdout.write(text)
        return
    with whole(Path(target)) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
