"""How a run ended, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from visionhub.engine.progress import Progress
from visionhub.pricing import money
from visionhub.report.plain import counted
from visionhub.report.terminal import Section
from visionhub.schema import Status

NAMED = 3  # files that were passed over
LOST = (Status.ERROR.value, Status.REFUSED.value, Status.UNSUPPORTED.value)


class PassedOver:
    """Counts files in searched folders that are no images, and names the first few."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, path: str) -> None:
        """Count one file."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(path)


def summary(progress: Progress, study: str, over: PassedOver) -> Section:
    """A row a provider and task, and what else there is to know."""
    rows = []
    for (provider, task), counts in progress.tasks().items():
        lost = ", ".join(f"{counts[status]} {status}" for status in LOST if counts[status])
        answered = sum(counts.values()) - counts["cached"] - sum(counts[s] for s in LOST)
        results = progress.results[(provider, task)] if answered else ""
        rows.append((provider, task, answered, counts["cached"], results, lost))
    columns = ("provider", "task", "answered", "held already", "results", "no answer")
    right = ("answered", "held already", "results")
    return Section("", columns, rows, tuple(_notes(progress, study, over)), right)


def _costs(progress: Progress, study: str) -> list[str]:
    """What it cost, what that bought, and what is not known about it."""
    totals = progress.money
    if totals is None:
        return []
    say = partial(money, currency=totals.currency)
    lines = [
        f"{provider} {sku} {n}"
        for provider, units in progress.units.items()
        for sku, n in units.items()
    ]
    bought = f" ({counted(sum(map(_sum, progress.units.values())), 'unit')}: {', '.join(lines)})"
    spent = say(progress.spent) + (bought if lines else "")
    if progress.rehearsal:
        notes = [f"REHEARSAL. For real this costs {spent}"]
    else:
        cap = f" of at most {say(totals.cap)}" if totals.cap is not None else ""
        notes = [f"Spent: {spent}; by this study so far {say(totals.settled)}{cap}"]
    if progress.ambiguous.total():
        notes.append(
            f"Ambiguous: {counted(progress.ambiguous.total(), 'request')} may have been charged "
            f"without an answer and count as spent. List them: visionhub ledger ambiguous --study "
            f"{study}. Ask them again, at the risk of paying twice: --on-ambiguous retry"
        )
    if progress.billed.total():
        notes.append(
            f"Charged, without an answer: {counted(progress.billed.total(), 'request')}, as the "
            f"bill shows. List them: visionhub ledger ambiguous --study {study}. Ask them again, "
            f"for their price once more: --on-ambiguous retry"
        )
    return notes


def _sum(units: Mapping[str, int]) -> int:
    return sum(units.values())


def _calls(progress: Progress) -> list[str]:
    """How the services took it."""
    notes = []
    for name, calls in progress.calls.items():
        if calls.throttled or calls.retried:
            share = f"{calls.throttled} throttled ({calls.throttled_share:.1%})"
            notes.append(f"{name}: {counted(calls.made, 'call')}, {share}, {calls.retried} retried")
        if calls.given_up:
            notes.append(calls.given_up)
    if progress.elsewhere:
        notes.append(
            f"Another process is asking {counted(progress.elsewhere, 'request')} of these."
        )
    if progress.unsent and not progress.interrupted:
        notes.append(
            f"Not sent: the rest (at least {counted(progress.unsent, 'request')}); visionhub quote "
            f"counts what is left and its cost."
        )
    return notes


def _mixed(progress: Progress) -> list[str]:
    """What is no longer one measurement."""
    notes = []
    for (provider, task), found in progress.versions.items():
        notes.append(
            f"WARNING {provider} {task}: this study now holds answers of several model versions "
            f"({', '.join(found)}): do not compare them as one."
        )
    for (provider, task), count in progress.switched.items():
        notes.append(
            f"{provider} {task}: for {count} images an answer to other parameters was the current "
            f"one; now it is the one asked for here. Both stay in the study."
        )
    return notes


def _notes(progress: Progress, study: str, over: PassedOver) -> list[str]:
    notes = [
        f"{counted(progress.images, 'image')} in {counted(progress.files, 'file')}, "
        f"{progress.seconds:.1f} s; study: {study}"
    ]
    if not progress.files and not progress.interrupted:
        notes.append("No photographs were found there.")
    if progress.interrupted:
        notes.append("Interrupted before the end: the same command goes on from here.")
    notes += _costs(progress, study) + _calls(progress)
    if progress.unanswered > progress.unreadable_files:
        notes.append(f"Why some have no answer: visionhub status {study}")
    notes += _mixed(progress)
    if progress.unreadable_images or progress.unreadable_files:
        notes.append(
            f"Unreadable: {counted(progress.unreadable_images, 'image')}, "
            f"{counted(progress.unreadable_files, 'file')}; the reasons: visionhub status {study}"
        )
    if over.count:
        more = ", ..." if over.count > NAMED else ""
        notes.append(f"Passed over as no images: {over.count} ({', '.join(over.first)}{more})")
    for member, count in progress.unknown.items():
        notes.append(f"New in {counted(count, 'answer')}, stored and not understood: {member}")
    return notes


def warning(progress: Progress, study: str) -> str:
    """One line on members of answers that the parser does not know."""
    members, answers = counted(len(progress.unknown), "member"), max(progress.unknown.values())
    are = "is" if len(progress.unknown) == 1 else "are"
    return (
        f"WARNING {members} of what came back (in up to {counted(answers, 'answer')}) {are} new to "
        f"this visionhub: kept, not understood. See  visionhub schema {study}"
    )
