"""Whoever pays is asked: the quote of a run on stderr, and a question on the terminal."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from visionhub.cli.ending import INTERRUPTED
from visionhub.cli.progress import note
from visionhub.cli.watch import signals

if TYPE_CHECKING:
    from visionhub.engine.quote import Quote


def consent(quote: Quote, *, yes: bool, max_cost_given: bool, as_json: bool = False) -> bool:
    """Show a quote; whether the run may go on. What costs nothing is neither shown nor asked.

    yes: nothing is asked. Without a terminal, a cap that was named (`max_cost_given`) is consent
    too, and without either nobody can agree: UsageError. as_json: the quote is one event.
    """
    from visionhub.errors import UsageError
    from visionhub.report.plain import counted
    from visionhub.report.quoted import most, sections
    from visionhub.report.terminal import write

    if quote.rehearsal or not quote.units:
        return True
    if as_json:
        note(json.dumps({"event": "quote", **quote.summary()}, default=str))
    else:
        write(sections(quote), to_stderr=True)
    if yes:
        return True
    calls = counted(quote.calls, "call")
    if not _is_terminal():
        if max_cost_given:
            return True
        raise UsageError(
            f"This run makes {calls} for at most {most(quote)}, and there is no "
            f"terminal to ask on. Say --yes to spend that much at most, or name a cap with "
            f"--max-cost. Nothing was sent."
        )
    return _asked(f"Send {calls} for at most {most(quote)}?")


def retrying(study: Path, choice: str, say: Callable[[str], None] = note) -> str:
    """What --on-ambiguous comes to: skip or retry; `ask` asks when a study holds such requests.

    Without a terminal `ask` is skip, and `say` is told so. Raises StudyError.
    """
    if choice != "ask":
        return choice
    from visionhub.report.quoted import ambiguous

    found = ambiguous(study)
    if not found:
        return "skip"
    say(found)
    if not _is_terminal():
        say("There is no terminal to ask on: they are skipped (--on-ambiguous retry asks again).")
        return "skip"
    return "retry" if _asked("Ask them again, for their price once more?") else "skip"


def _is_terminal() -> bool:
    """Whether somebody can read a question and type an answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _asked(question: str) -> bool:
    """What is typed. Nothing is under way: any signal to stop ends it, and cleans up."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(INTERRUPTED)

    before = {s: signal.signal(s, leave) for s in signals()}
    try:
        return typer.confirm(question, default=False, err=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
