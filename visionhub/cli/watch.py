"""Running with progress, a summary, and an orderly end on Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from visionhub.cli.progress import note, showing
from visionhub.cli.rehearse import rehearsing

if TYPE_CHECKING:
    from visionhub.engine.progress import Progress
    from visionhub.engine.sources import Sources

INTERRUPTED = 130  # the exit code
SHOW_CURSOR = b"\x1b[?25h"  # which a live table hides


class Asked(TypedDict):
    """What the command line was given, still as text."""

    providers: Sequence[str] | None
    tasks: str | None
    parameters: Sequence[str] | None
    sensitive: str | None
    settings: Sequence[str] | None
    max_units: int | None


def run_watched(
    study: Path, files: Sources, asked: Asked, *, as_json: bool = False, rehearse: bool = False
) -> int:
    """Annotate with progress on stderr and the summary on stdout; the exit code."""
    from visionhub.engine.plan import DEFAULT_TASKS
    from visionhub.facade import Study
    from visionhub.report.summary import PassedOver, summary
    from visionhub.report.terminal import write, write_json

    over = PassedOver()
    with rehearsing(wanted=rehearse) as sandbox, stopping() as stop, showing() as show:
        progress = Study(study).annotate(
            replace(files, pass_over=over.add),
            providers=tuple(asked["providers"] or ("embedded",)),
            tasks=asked["tasks"] or DEFAULT_TASKS,
            parameters=_pairs(asked["parameters"] or (), "--param", "task.name=value"),
            sensitive=asked["sensitive"] or (),
            settings=_pairs(asked["settings"] or (), "--set", "provider.name=value"),
            sandbox=sandbox,
            max_units=asked["max_units"],
            announce=note,
            watch=show,
            stop=stop,
        )
    if as_json:
        write_json(progress.summary() | {"passed_over": over.count})
    else:
        write([summary(progress, str(study), over)])
    return exit_code(progress)


def exit_code(progress: Progress) -> int:
    """The documented code of a run that ended in good order."""
    if progress.interrupted:
        return INTERRUPTED
    if not progress.files:
        return 1
    return 4 if progress.unanswered else 0


def _pairs(given: Sequence[str], option: str, form: str) -> dict[str, str]:
    from visionhub.errors import UsageError

    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"{option} {pair}: write it as {form}.")
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
    except KeyboardInterrupt:  # threads in a call that hangs would keep the program alive
        os.write(2, SHOW_CURSOR if os.isatty(2) else b"")
        os._exit(INTERRUPTED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
