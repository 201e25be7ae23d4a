"""A run under way, as text: files, rate, time left, and counts by provider and task."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from visionhub.engine.progress import ANSWERED_WORDS, Progress
from visionhub.pricing import money
from visionhub.report.plain import counted

if TYPE_CHECKING:
    from rich.console import Group


def headline(progress: Progress) -> str:
    """Files, rate and time left."""
    of = f"/{progress.total}" if progress.total is not None else ""
    rate = progress.done / progress.seconds if progress.seconds > 0 else 0.0
    files = f"{progress.through}{of} files" if of else counted(progress.through, "file")
    parts = [files, f"{rate:.1f} answers/s"]
    if (eta := progress.eta) is not None and progress.pending:
        parts.append(f"about {duration(eta)} left")
    return ", ".join([*parts, *_money(progress)])


def _money(progress: Progress) -> list[str]:
    """What is spent, ambiguous attempts included, and held for calls in flight."""
    totals = progress.money
    if totals is None:
        return []
    spent, held = (money(n, totals.currency) for n in (totals.settled, totals.held))
    cap = f" of {money(totals.cap, totals.currency)}" if totals.cap is not None else ""
    mock = " (rehearsed)" if progress.rehearsal else ""
    return [f"spent {spent} + held {held}{cap}{mock}"]


def throttling(progress: Progress, provider: str) -> str:
    """How many of a service's calls it asked to be fewer, or why it is asked no more."""
    calls = progress.calls.get(provider)
    if calls is None or not calls.made:
        return ""
    if calls.given_up:
        return calls.given_up
    return f"{calls.throttled_share:.0%} of {calls.made} calls throttled"


def event(progress: Progress) -> dict[str, Any]:
    """Progress as an event for a program that reads along."""
    eta = progress.eta
    tasks = {
        what: {"done": done, "cached": held, "failed": failed}
        for what, done, held, failed in counts(progress)
    }
    left = round(eta, 1) if eta is not None and progress.pending else None
    files = {"files": progress.through, "total": progress.total, "seconds_left": left}
    said = progress.summary()
    return {"event": "progress", **files, "tasks": tasks} | {
        name: said[name] for name in ("ambiguous", "billed", "calls", "money")
    }


def duration(seconds: float) -> str:
    """Seconds as a person says them: 42 s, 3 min, 2 h 5 min."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


def counts(progress: Progress) -> list[tuple[str, int, int, int]]:
    """(what, done, held already, failed) for each provider and task."""
    rows = []
    for (provider, task), found in progress.tasks().items():
        done = sum(found[status] for status in ANSWERED_WORDS)
        held = found["cached"]
        rows.append((f"{provider} {task}", done, held, sum(found.values()) - done - held))
    return rows


def line(progress: Progress) -> str:
    """All of it in one line, for a log: the tasks of a provider together."""
    sums: dict[str, list[int]] = {}
    for what, *numbers in counts(progress):
        mine = sums.setdefault(what.split()[0], [0, 0, 0])
        mine[:] = map(sum, zip(mine, numbers, strict=True))
    said = partial(throttling, progress)
    providers = [
        ", ".join(
            filter(None, (f"{name}: {done} done, {held} from before, {failed} failed", said(name)))
        )
        for name, (done, held, failed) in sums.items()
    ]
    return "; ".join([headline(progress), *providers])


def table(progress: Progress) -> Group:
    """All of it as a small table, for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, show_edge=False)
    for column in ("", "done", "from before", "failed"):
        drawn.add_column(column, justify="right" if column else "left")
    for row in counts(progress):
        drawn.add_row(*map(str, row))
    said = [f" {name}: {text}" for name in progress.calls if (text := throttling(progress, name))]
    return Group(drawn, *map(Text, (*said, f" {headline(progress)}")))
