"""Running with progress, a summary, and an orderly end on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict, TypeVar

from visionhub.cli.ending import INTERRUPTED
from visionhub.cli.progress import note_json, noting, showing
from visionhub.cli.rehearse import rehearsing

if TYPE_CHECKING:
    from visionhub.engine.progress import Progress
    from visionhub.engine.sources import Sources

Result = TypeVar("Result")

SHOW_CURSOR = b"\x1b[?25h"  # which a live table hides
AT_ONCE = (signal.SIGINT, signal.SIGTERM)  # when they come a second time
STOPPING = "Stopping: what was sent is finished. Once more to stop at once."


class Asked(TypedDict):
    """What the command line was given, still as text."""

    providers: Sequence[str] | None
    tasks: str | None
    parameters: Sequence[str] | None
    sensitive: str | None
    settings: Sequence[str] | None
    max_cost: str | None
    yes: bool
    prices: Path | None
    old_prices: bool
    assume_free: Sequence[str] | None
    on_ambiguous: str


def run_watched(
    study: Path, files: Sources, asked: Asked, *, as_json: bool = False, rehearse: bool = False
) -> int:
    """Annotate with progress on stderr and the summary on stdout; the exit code."""
    from visionhub.report.summary import PassedOver, summary
    from visionhub.report.terminal import write, write_json

    over = PassedOver()

    def tell(progress: Progress) -> None:
        if as_json:
            write_json(progress.summary() | {"passed_over": over.count})
        else:
            write([summary(progress, str(study), over)])

    def carry(watched: Watched) -> Progress:
        return _annotate(study, replace(files, pass_over=over.add), asked, watched)

    progress = watching(carry, tell, as_json=as_json, rehearse=rehearse)
    tell(progress)
    return exit_code(progress)


def watching(
    carry: Callable[[Watched], Result],
    tell: Callable[[Progress], None],
    *,
    as_json: bool,
    rehearse: bool,
) -> Result:
    """Carry out a run with progress on stderr, and an orderly end on Ctrl-C.

    One that ends at its cap, on a full disk, or because credentials are refused, tells what it did
    all the same.
    """
    from visionhub.errors import AuthenticationError, CapReached, StudyFull

    last: list[Progress] = []
    say = noting(as_json=as_json)
    try:
        with (
            rehearsing(wanted=rehearse, announce=say) as sandbox,
            stopping(as_json=as_json) as stop,
            showing(as_json=as_json) as show,
        ):

            def watch(progress: Progress) -> None:
                last[:] = [progress]
                show(progress)

            return carry(Watched(sandbox, say, watch, stop))
    except (AuthenticationError, CapReached, StudyFull):
        if last:
            tell(last[0])
        raise


class Watched(NamedTuple):
    """A sandbox's address or nothing, who is told notes and progress, and what stops the run."""

    sandbox: str
    say: Callable[[str], None]
    watch: Callable[[Progress], None]
    stop: threading.Event


def _annotate(study: Path, files: Sources, asked: Asked, watched: Watched) -> Progress:
    from visionhub.cli.consent import consent, retrying
    from visionhub.engine.plan import DEFAULT_TASKS
    from visionhub.facade import Study

    return Study(study).annotate(
        files,
        providers=tuple(asked["providers"] or ("embedded",)),
        tasks=asked["tasks"] or DEFAULT_TASKS,
        parameters=pairs(asked["parameters"] or (), "--param", "task.name=value"),
        sensitive=asked["sensitive"] or (),
        settings=pairs(asked["settings"] or (), "--set", "provider.name=value"),
        sandbox=watched.sandbox,
        max_cost=asked["max_cost"],
        prices=asked["prices"],
        old_prices=asked["old_prices"],
        assume_free=pairs(asked["assume_free"] or (), "--assume-free", "provider.task=N"),
        on_ambiguous=retrying(study, asked["on_ambiguous"], watched.say),
        confirm=partial(
            consent,
            yes=asked["yes"],
            max_cost_given=asked["max_cost"] is not None,
            as_json=watched.say is note_json,
        ),
        announce=watched.say,
        watch=watched.watch,
        stop=watched.stop,
    )


def exit_code(progress: Progress) -> int:
    """The documented code of a run that ended in good order."""
    if progress.interrupted:
        return INTERRUPTED
    if not progress.files:
        return 1
    if progress.ambiguous.total():
        return 5
    return 4 if progress.unanswered or progress.elsewhere or progress.unsent else 0


def pairs(given: Sequence[str], option: str, form: str) -> dict[str, str]:
    """Options of the form name=value; UsageError names one that is not."""
    from visionhub.errors import UsageError

    pairs = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"{option} {pair}: write it as {form}.")
        pairs[name.strip()] = value.strip()
    return pairs


@contextmanager
def stopping(*, as_json: bool = False) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C, SIGTERM or SIGHUP sets; a second one ends it all at once.

    Also when it comes after all was drained, as the program says what it did and ends. But SIGHUP
    is never the second: when a terminal goes, its shell and the system may both send it.
    """
    stop = threading.Event()
    handle = _handler(stop, as_json=as_json)
    before = {s: signal.signal(s, handle) for s in signals()}
    try:
        yield stop
    except KeyboardInterrupt:  # threads in a call that hangs would keep the program alive
        with suppress(OSError):  # the terminal may be gone
            os.write(2, SHOW_CURSOR if os.isatty(2) else b"")
        os._exit(INTERRUPTED)
    finally:
        for number, handler in before.items():
            late = _leave if number in AT_ONCE else signal.SIG_IGN
            signal.signal(number, late if stop.is_set() else handler)


def signals() -> list[signal.Signals]:
    """What asks a run to stop; SIGHUP unless it is ignored, as under nohup, or unknown here."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN:
        return list(AT_ONCE)
    return [*AT_ONCE, hangup]


def _handler(stop: threading.Event, *, as_json: bool) -> Callable[[int, object], None]:
    told = json.dumps({"event": "note", "text": STOPPING}) if as_json else f"\n{STOPPING}"

    def handle(number: int, frame: object) -> None:
        if not stop.is_set():
            stop.set()
            with suppress(OSError):  # not by sys.stderr: the signal may have come amid a write
                os.write(2, f"{told}\n".encode())
        elif number in AT_ONCE:
            raise KeyboardInterrupt

    return handle


def _leave(number: int, frame: object) -> None:
    os._exit(INTERRUPTED)
