"""How an import of earlier answers ended, for the terminal and as a table of what was left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from visionhub.report.files import whole
from visionhub.report.plain import counted, plain
from visionhub.report.terminal import Section

if TYPE_CHECKING:
    from visionhub.engine.earlier import Imported
    from visionhub.engine.kept import Lost

REASONS = 10  # in a terminal; every one was listed as it came
NO_ANSWER = ("error", "refused")


def summary(imported: Imported, study: str, passed_over: int) -> Section:
    """A row a task, and what else there is to know."""
    rows = []
    for task in dict.fromkeys([*(task for task, _ in imported.ended), *imported.held]):
        by_status = {s: n for (t, s), n in imported.ended.items() if t == task}
        wrong = ", ".join(f"{n} {s}" for s, n in by_status.items() if s in NO_ANSWER)
        good = sum(n for s, n in by_status.items() if s not in NO_ANSWER)
        rows.append((task, good, imported.held[task], imported.results[task], wrong))
    columns = ("task", "imported", "held already", "results", "kept, not understood")
    right = ("imported", "held already", "results")
    return Section("", columns, rows, tuple(_notes(imported, study, passed_over)), right)


def _notes(imported: Imported, study: str, passed_over: int) -> Iterator[str]:
    yield (
        f"{counted(imported.answers, 'answer')} in {counted(imported.documents, 'document')}; "
        f"collection: {imported.collection}; study: {study}"
    )
    if not imported.documents and not imported.interrupted:
        yield "No answers were found there."
    if imported.interrupted:
        yield "Interrupted before the end: the same command goes on from here."
    if imported.dates:
        told = ", ".join(f"{whence} ({n})" for whence, n in imported.dates.most_common())
        yield f"When they came is taken from {told}."
    yield from _current(imported)
    if passed_over:
        yield f"Passed over (pictures, databases, hidden files): {passed_over}"
    yield from _unsettled(imported, study)


def _current(imported: Imported) -> Iterator[str]:
    """What the import did to answers that were current."""
    if imported.replaced:
        yield f"In place of current answers, because they came later: {imported.replaced}"
    if imported.older:
        yield f"Not current, because the current answers came no earlier: {imported.older}"
    if imported.undated:
        yield (
            f"Not current, because it is not known when they came (copying a file changes its "
            f"time): {imported.undated}. Import them with --date and a --collection of their own "
            f"to have them compared."
        )


def _unsettled(imported: Imported, study: str) -> Iterator[str]:
    """What is new in answers, and what was left out."""
    for member, count in imported.unknown.most_common(REASONS):
        yield f"New in {counted(count, 'answer')}, stored and not understood: {member}"
    if imported.unknown:
        yield f"All that is new: visionhub schema {study}"
    if imported.lost:
        yield f"Listed above, with its reason: {imported.lost}"
    for reason, count in imported.reasons.most_common(REASONS):
        yield f"  {count} x {reason}"


def line(lost: Lost) -> str:
    """One thing that is not imported, in one line."""
    about = f" [{plain(lost.image)}]" if lost.image else ""
    return f"not imported: {plain(lost.source)}{about}: {plain(lost.reason)}"


@contextmanager
def listing(path: Path | None) -> Iterator[Callable[[Lost], None]]:
    """Write what is not imported into a CSV file, a row each; nothing without a path."""
    if path is None:
        yield lambda lost: None
        return
    with whole(path) as file:
        write = _writer(file)
        write("source", "image", "reason")
        yield lambda lost: write(lost.source, lost.image, lost.reason)


def _writer(file: BinaryIO) -> Callable[..., None]:
    def write(*cells: str) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerow([plain(cell) for cell in cells])
        file.write(text.getvalue().encode("utf-8"))

    return write
