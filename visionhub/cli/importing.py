"""Running an import: a line for what is left out, one now and then for progress, and a summary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from visionhub.cli.progress import PLAIN_SECONDS, noting
from visionhub.cli.watch import stopping

if TYPE_CHECKING:
    from visionhub.engine.earlier import Imported
    from visionhub.engine.kept import Lost


class Wanted(TypedDict):
    """What the command line was given."""

    answers: Sequence[str]
    provider: str
    images: Sequence[str]
    collection: str | None
    tasks: str | Sequence[str]
    match: str | None
    pattern: str | None
    received: str | None
    sensitive: str | Sequence[str]


class Listed:
    """Prints what is not imported as it comes; holds it for a summary in JSON only."""

    def __init__(self, *, as_json: bool) -> None:
        self.hold, self.say = as_json, noting(as_json=as_json)
        self.lost: list[Lost] = []
        self.passed_over = 0
        self._shown = time.monotonic()

    def add(self, lost: Lost) -> None:
        """One thing that is not imported."""
        from visionhub.report.imported import line

        self.say(line(lost))
        if self.hold:
            self.lost.append(lost)

    def over(self, path: str) -> None:
        """One file that is no answer."""
        self.passed_over += 1

    def watch(self, imported: Imported) -> None:
        """Progress, now and then."""
        if time.monotonic() - self._shown >= PLAIN_SECONDS:
            self._shown = time.monotonic()
            done = sum(imported.ended.values())
            self.say(f"{imported.documents} documents, {done} answers imported")


def run_import(study: Path, wanted: Wanted, report: Path | None, *, as_json: bool) -> int:
    """Import, and print how it went; the exit code."""
    from visionhub.facade import Study
    from visionhub.report.imported import listing, summary
    from visionhub.report.terminal import write, write_json

    listed = Listed(as_json=as_json)
    with stopping(as_json=as_json) as stop, listing(report) as row:

        def lose(lost: Lost) -> None:
            listed.add(lost)
            row(lost)

        imported = Study(study).import_bodies(
            **wanted, listed=lose, watch=listed.watch, pass_over=listed.over, stop=stop
        )
    if as_json:
        rows = [{"source": x.source, "image": x.image, "reason": x.reason} for x in listed.lost]
        over = {"passed_over": listed.passed_over}
        write_json(imported.summary() | over | {"left_out": rows})
    else:
        write([summary(imported, str(study), listed.passed_over)])
    return exit_code(imported)


def exit_code(imported: Imported) -> int:
    """The documented code of an import that ended in good order."""
    if imported.interrupted:
        return 130
    if not imported.documents:
        return 1
    return 4 if imported.lost else 0
