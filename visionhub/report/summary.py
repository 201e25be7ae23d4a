"""How a run ended, for the terminal."""

from __future__ import annotations

from visionhub.engine.progress import Progress
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


def _costs(progress: Progress) -> list[str]:
    units = {name: sent for name, sent in progress.units.items() if sent}
    if not units:
        return []
    each = ", ".join(f"{name} {sent}" for name, sent in units.items())
    if progress.rehearsal:
        return [f"REHEARSAL. For real this takes {sum(units.values())} paid units: {each}"]
    return [f"Paid units sent: {sum(units.values())} ({each})"]


def _notes(progress: Progress, study: str, over: PassedOver) -> list[str]:
    notes = [
        f"{counted(progress.images, 'image')} in {counted(progress.files, 'file')}, "
        f"{progress.seconds:.1f} s; study: {study}"
    ]
    if not progress.files and not progress.interrupted:
        notes.append("No photographs were found there.")
    if progress.interrupted:
        notes.append("Interrupted before the end: the same command goes on from here.")
    notes += _costs(progress)
    if progress.unanswered > progress.unreadable_files:
        notes.append(f"Why some have no answer: visionhub status {study}")
    for (provider, task), count in progress.switched.items():
        notes.append(
            f"{provider} {task}: for {count} images an answer to other parameters was the current "
            f"one; now it is the one asked for here. Both stay in the study."
        )
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
