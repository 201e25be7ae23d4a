"""Progress on stderr: a table that rewrites itself in a terminal, lines now and then elsewhere."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import typer

if TYPE_CHECKING:
    from visionhub.engine.progress import Progress

    Show: TypeAlias = Callable[[Progress], None]

PLAIN_SECONDS = 10.0  # between two lines in a pipe or log
LIVE_SECONDS = 0.2


def note(text: str) -> None:
    """One line for the person, never for a pipe."""
    typer.echo(text, err=True)


def note_json(text: str) -> None:
    """The same as an event: one JSON object a line."""
    note(json.dumps({"event": "note", "text": text}))


def noting(*, as_json: bool) -> Callable[[str], None]:
    """How a command says something on the side: with --json stderr holds JSON lines only."""
    return note_json if as_json else note


@contextmanager
def showing(*, as_json: bool = False) -> Iterator[Show]:
    """Give what is to be called whenever counts change; the last counts stay on the screen."""
    if as_json:
        from visionhub.report.running import event

        shown = _plain(lambda progress: json.dumps(event(progress)))
    elif sys.stderr.isatty():
        shown = _live()
    else:
        from visionhub.report.running import line

        shown = _plain(line)
    with shown as show:
        yield show


@contextmanager
def _plain(told: Callable[[Progress], str]) -> Iterator[Show]:
    last: list[Progress] = []
    said = ""

    def say(progress: Progress) -> None:
        nonlocal said
        text = told(progress)
        if text != said:  # a run that is stopped tells its last counts at once, and as it ends
            note(text)
        said = text

    every = _now_and_then(PLAIN_SECONDS, say)

    def show(progress: Progress) -> None:
        last[:] = [progress]
        every(progress)

    yield show
    if last:
        say(last[0])


@contextmanager
def _live() -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live

    from visionhub.report.running import table

    # It begins with the first counts: a question may have to be answered before. The table goes
    # when the run ends: the summary that follows says the same.
    live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)

    def show(progress: Progress) -> None:
        live.start()
        live.update(table(progress), refresh=True)

    try:
        yield _now_and_then(LIVE_SECONDS, show)
    finally:
        live.stop()


def _now_and_then(seconds: float, show: Show) -> Show:
    last = [time.monotonic()]

    def shown(progress: Progress) -> None:
        now = time.monotonic()
        if now - last[0] >= seconds:
            last[0] = now
            show(progress)

    return shown
