"""`visionhub status`: how much of a study is answered, and why the rest is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from visionhub.report.answers import ORDER
from visionhub.report.terminal import Section
from visionhub.schema import Status
from visionhub.store.study import StudyFile

LINES = 15  # reasons in a terminal; --json gives all of them

_COUNTS = (
    "SELECT provider, task, status, count(*), sum(results) FROM status "
    "GROUP BY provider, task, status"
)
# An image that cannot be read has a reason for each task, in the decoder's words: one line here.
_REASONS = (
    "SELECT s.task, s.provider, s.status, CASE WHEN s.request_id IS NULL AND i.problem IS NOT NULL "
    "THEN 'unreadable image: ' || i.problem ELSE s.reason END AS why, count(*) AS n FROM status s "
    "JOIN images i ON i.id = s.image_id WHERE s.reason != '' GROUP BY 1, 2, 3, 4 "
    "ORDER BY n DESC, 1, 2, 3, 4"
)
_UNKNOWN = (
    "SELECT s.task, s.provider, m.value, count(*) FROM status s JOIN requests r ON "
    "r.id = s.request_id, json_each(r.unknown) m WHERE r.unknown IS NOT NULL GROUP BY 1, 2, 3 "
    "ORDER BY 4 DESC, 1, 2, 3"
)
_IMAGES = (
    "SELECT problem, count(*) FROM images WHERE problem IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
)
_FILES = (
    "SELECT problem, count(*) FROM paths WHERE problem IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
)


def coverage(study: StudyFile) -> dict[str, Any]:
    """Counts of a study, as plain values. Percentages are of all its images, read or not."""
    images = _one(study, "SELECT count(*) FROM images")
    return {
        "study": str(study.path),
        "images": images,
        "files": _one(study, "SELECT count(*) FROM paths"),
        "runs": _one(study, "SELECT count(*) FROM runs"),
        "unfinished_runs": _one(study, "SELECT count(*) FROM runs WHERE finished_at IS NULL"),
        "tasks": _tasks(study, images),
        "reasons": _dicts(study, _REASONS, ("task", "provider", "status", "reason", "images")),
        "unreadable_images": _dicts(study, _IMAGES, ("reason", "images")),
        "unreadable_files": _dicts(study, _FILES, ("reason", "files")),
        "unknown_members": _dicts(study, _UNKNOWN, ("task", "provider", "member", "answers")),
    }


def _one(study: StudyFile, sql: str) -> int:
    return int(study.query(sql).rows[0][0])


def _dicts(study: StudyFile, sql: str, names: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in study.query(sql).rows]


def _tasks(study: StudyFile, images: int) -> list[dict[str, Any]]:
    """One entry for each (task, provider): results, and images by status with their percentage."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    results: dict[tuple[str, str], int] = {}
    for provider, task, status, number, found in study.query(_COUNTS).rows:
        counts.setdefault((task, provider), {})[status] = number
        results[task, provider] = results.get((task, provider), 0) + found
    entries = []
    for task, provider in sorted(counts, key=lambda key: (ORDER.get(key[0], len(ORDER)), key[1])):
        by_status = counts[task, provider]
        if missing := images - sum(by_status.values()):
            by_status[Status.NOT_REQUESTED.value] = missing
        ordered = {s.value: by_status[s.value] for s in Status if s.value in by_status}
        shares = {status: round(100 * number / images, 2) for status, number in ordered.items()}
        entry = {"task": task, "provider": provider, "results": results[task, provider]}
        entries.append({**entry, "images": ordered, "percent": shares})
    return entries


def sections(found: Mapping[str, Any]) -> Iterator[Section]:
    """The same for a terminal."""
    yield Section(f"Study {found['study']}", notes=tuple(_totals(found)))
    if found["tasks"]:
        columns, rows = _grid(found["tasks"])
        note = (
            "Percent of all images, with their number. A task that was asked has a status for each."
        )
        yield Section("Coverage", columns, rows, (note,), columns[2:])
    for key, title, note in SECTIONS:
        entries = found[key]
        if entries:
            rows = [list(entry.values()) for entry in entries[:LINES]]
            more = len(entries) - LINES
            notes = (*([note] if note else []), *([f"… {more} more: --json"] if more > 0 else []))
            columns = tuple(entries[0])
            yield Section(title, columns, rows, notes, columns[-1:])


SECTIONS = (
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
    yield f"{found['images']} images in {found['files']} files, {found['runs']} runs"
    if found["unfinished_runs"]:
        yield (
            f"{found['unfinished_runs']} runs did not finish: the same command again goes on "
            f"where they stopped"
        )
    if not found["tasks"]:
        yield "Nothing was asked yet: visionhub annotate PHOTOS"


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
