"""`visionhub status` for a terminal: the counts of a study as tables and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from visionhub.report.plain import counted
from visionhub.report.terminal import Section
from visionhub.schema import Status

LINES = 15  # reasons in a terminal; --json gives all of them


def sections(found: Mapping[str, Any]) -> Iterator[Section]:
    """What `visionhub.report.coverage.coverage` found."""
    yield Section(f"Study {found['study']}", notes=tuple(_totals(found)))
    if found["tasks"]:
        columns, rows = _grid(found["tasks"])
        yield Section("Coverage", columns, rows, tuple(_meaning(found)), columns[2:])
    yield from map(_questions, found["mixed"])
    for key, title, note in SECTIONS:
        entries = found[key]
        if entries:
            rows = [list(entry.values()) for entry in entries[:LINES]]
            more = len(entries) - LINES
            notes = (*([note] if note else []), *([f"… {more} more: --json"] if more > 0 else []))
            columns = tuple(entries[0])
            yield Section(title, columns, rows, notes, columns[-1:])
    if found["unreadable"]:
        rows = [list(entry.values()) for entry in found["unreadable"]]
        note = f"More of them: visionhub contact-sheet {found['study']} --sort problems"
        yield Section("The first that cannot be read or decoded", ("reason", "path"), rows, (note,))


SECTIONS = (
    (
        "model_versions",
        "Several versions of one model",
        "Do not compare these answers as one: export has model_version beside each",
    ),
    ("reasons", "Reasons", ""),
    ("unreadable_images", "Images that cannot be decoded", ""),
    ("unreadable_files", "Files that could not be read", ""),
    (
        "unknown_members",
        "Members of answers that the parser does not know",
        "They are in the stored bodies: a newer visionhub may read them, with  visionhub reparse",
    ),
)


def _totals(found: Mapping[str, Any]) -> Iterator[str]:
    images, files = counted(found["images"], "image"), counted(found["files"], "file")
    yield f"{images} in {files}, {counted(found['runs'], 'run')}"
    if found["rehearsal"]:
        yield "REHEARSAL: a stand-in answered for the services; nothing here is a finding"
    if lost := found["unfinished_runs"]:
        yield (
            f"{counted(lost, 'run')} did not finish: the same command again goes on where "
            f"{'it' if lost == 1 else 'they'} stopped"
        )
    if not found["tasks"]:
        yield "Nothing was asked yet: visionhub annotate PHOTOS"


def _meaning(found: Mapping[str, Any]) -> Iterator[str]:
    """What the percentages are of, and what is in none of them."""
    yield "Percent of all images, with their number. A task that was asked has a status for each."
    lost = sum(entry["files"] for entry in found["unreadable_files"])
    if lost:
        are = "is" if lost == 1 else "are"
        yield f"{counted(lost, 'file')} could not be read and {are} in no percentage."


def _questions(mixed: Mapping[str, Any]) -> Section:
    """Answers to different questions differ for that reason too: say so before they are counted."""
    questions = mixed["questions"]
    rows = [
        [
            q["question_id"],
            q["revision"],
            ", ".join(f"{name}={_value(value)}" for name, value in q["parameters"].items()),
            q["images"],
        ]
        for q in questions
    ]
    title = (
        f"{mixed['task']} · {mixed['provider']}: current answers come from {len(questions)} "
        f"questions"
    )
    columns = ("question_id", "revision", "parameters that differ", "images")
    note = "Their numbers do not mean the same: annotate again with one choice for all images."
    return Section(title, columns, rows, (note,), ("question_id", "images"))


def _value(value: object) -> str:
    """A parameter as it is typed after --param; an empty list in words."""
    if isinstance(value, list):
        return ",".join(map(str, value)) or "(none)"
    return str(value)


def _grid(tasks: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[list[str]]]:
    """A column for each status that occurs."""
    used = [s.value for s in Status if any(s.value in entry["images"] for entry in tasks)]
    rows = []
    for entry in tasks:
        cells = [
            f"{entry['percent'][s]:.1f} % ({entry['images'][s]})" if s in entry["images"] else ""
            for s in used
        ]
        rows.append([entry["task"], entry["provider"], str(entry["results"]), *cells])
    return ("task", "provider", "results", *used), rows
