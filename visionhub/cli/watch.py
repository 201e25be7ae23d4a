"""Running with a progress line, a summary, and an orderly end on Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import typer

if TYPE_CHECKING:
    from visionhub.engine.progress import Progress
    from visionhub.engine.sources import Sources

PLAIN_SECONDS = 10.0  # between two progress lines in a pipe or log
LIVE_SECONDS = 0.1


class Asked(TypedDict):
    """What the command line was given, still as text."""

    providers: Sequence[str] | None
    tasks: str | None
    parameters: Sequence[str] | None
    sensitive: str | None


def run_watched(study: Path, files: Sources, asked: Asked, *, as_json: bool = False) -> int:
    """Annotate with progress on stderr and the summary on stdout; the exit code."""
    from visionhub.engine.plan import DEFAULT_TASKS
    from visionhub.facade import Study
    from visionhub.report.summary import PassedOver, summary
    from visionhub.report.terminal import write, write_json

    over = PassedOver()
    with stopping() as stop:
        line = ProgressLine()
        progress = Study(study).annotate(
            replace(files, pass_over=over.add),
            providers=tuple(asked["providers"] or ("embedded",)),
            tasks=_words(asked["tasks"]) or DEFAULT_TASKS,
            parameters=_pairs(asked["parameters"] or ()),
            sensitive=_words(asked["sensitive"]),
            announce=note,
            watch=line.show,
            stop=stop,
        )
        line.end(progress)
    if as_json:
        write_json(progress.summary() | {"passed_over": over.count})
    else:
        write([summary(progress, str(study), over)])
    return 130 if progress.interrupted else 4 if progress.failed else 0


def note(text: str) -> None:
    """One line for the person, never for a pipe."""
    typer.echo(text, err=True)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _pairs(given: Sequence[str]) -> dict[str, str]:
    from visionhub.errors import UsageError

    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--param {pair}: write it as task.name=value.")
        pairs[name.strip()] = value.strip()
    return pairs


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second one ends the program at once."""
    stop = threading.Event()

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with suppress(OSError):  # not through sys.stderr: the signal may have come amid a write
            os.write(2, b"\nStopping: what was sent is finished. Once more to stop at once.\n")

    before = {s: signal.signal(s, handle) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ProgressLine:
    """A line that rewrites itself in a terminal, and a plain line now and then elsewhere."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.shown = time.monotonic()
        self.width = 0

    def show(self, progress: Progress) -> None:
        """Show the counts when the last line is old enough."""
        now = time.monotonic()
        if now - self.shown < (LIVE_SECONDS if self.live else PLAIN_SECONDS):
            return
        self.shown = now
        self._write(describe(progress))

    def end(self, progress: Progress) -> None:
        """The last line stays."""
        self._write(describe(progress))
        if self.live:
            sys.stderr.write("\n")

    def _write(self, text: str) -> None:
        if not self.live:
            note(text)
            return
        # A line longer than the terminal would leave a copy of itself at each change.
        text = text[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + text.ljust(self.width))
        sys.stderr.flush()
        self.width = len(text)


def describe(progress: Progress) -> str:
    """Counts, rate and time left in one line."""
    of = f"/{progress.total}" if progress.total is not None else ""
    rate = progress.done / progress.seconds if progress.seconds > 0 else 0.0
    parts = [
        f"{progress.files}{of} files",
        f"{progress.done} done",
        f"{sum(progress.cached.values())} cached",
        f"{progress.failed} failed",
        f"{rate:.1f} answers/s",
    ]
    if (eta := progress.eta) is not None and progress.pending:
        parts.append(f"about {eta:.0f} s left")
    return ", ".join(parts)
