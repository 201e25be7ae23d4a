"""`visionhub status`: counts of a study: what is answered, by which question, why the rest is not.

`visionhub.report.standing` puts them before a person.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from visionhub.decode import REASONS
from visionhub.engine.rehearsal import is_rehearsal
from visionhub.report.answers import ORDER
from visionhub.schema import Status
from visionhub.store.study import StudyFile

_COUNTS = (
    "SELECT provider, task, status, count(*), sum(results) FROM status "
    "GROUP BY provider, task, status"
)
# An image that cannot be read has a reason for each task, in the decoder's words: one line here.
_REASONS = (
    "SELECT s.task, s.provider, s.status, CASE WHEN s.request_id IS NULL AND i.problem IS NOT NULL "
    "THEN 'unreadable image: ' || i.problem ELSE s.reason END AS why, count(*) AS n FROM status s "
    "JOIN images i ON i.id = s.image_id WHERE s.reason != '' GROUP BY 1, 2, 3, 4"
)
_UNKNOWN = (
    "SELECT s.task, s.provider, m.value, count(*) FROM status s JOIN requests r ON "
    "r.id = s.request_id, json_each(r.unknown) m WHERE r.unknown IS NOT NULL GROUP BY 1, 2, 3 "
    "ORDER BY 4 DESC, 1, 2, 3"
)
_UNFINISHED = (  # after the last one that did: what was cut off before, later ones went on with
    "SELECT count(*) FROM runs WHERE finished_at IS NULL AND id > (SELECT coalesce(max(id), 0) "
    "FROM runs WHERE finished_at IS NOT NULL)"
)
_QUESTIONS = (
    "SELECT q.task, q.provider, q.id, q.revision, q.parameters, count(*) FROM status s "
    "JOIN requests r ON r.id = s.request_id JOIN questions q ON q.id = r.question_id "
    "GROUP BY q.id ORDER BY q.id"
)
_VERSIONS = (  # of questions that several have answered
    "SELECT q.task, q.provider, q.revision, v.model_version, v.first_at FROM model_versions v "
    "JOIN questions q ON q.id = v.question_id WHERE (SELECT count(*) FROM model_versions o WHERE "
    "o.question_id = v.question_id) > 1 ORDER BY 1, 2, 3, 5, 4"
)
_IMAGES = (
    "SELECT problem, count(*) FROM images WHERE problem IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
)
_FILES = "SELECT problem, count(*) FROM paths WHERE problem IS NOT NULL GROUP BY 1"
_UNREAD = (
    "SELECT coalesce(i.problem, p.problem) AS why, p.path FROM paths p LEFT JOIN images i ON "
    "i.id = p.image_id WHERE why IS NOT NULL ORDER BY p.id LIMIT ?"
)
SOME = 5  # of the files that could not be read, by name; a contact sheet has more
_DETAIL = re.compile(
    rf"^((?:unreadable image: )?(?:{'|'.join(sorted(REASONS))}))(?:: | \().*", re.DOTALL
)
_BEST = re.compile(r"^the best score, [-+.\de]+, is below min_score")


def coverage(study: StudyFile) -> dict[str, Any]:
    """Counts of a study, as plain values. Percentages are of all its images, read or not."""
    images = _one(study, "SELECT count(*) FROM images")
    return {
        "study": str(study.path),
        "rehearsal": is_rehearsal(study),
        "images": images,
        "files": _one(study, "SELECT count(*) FROM paths"),
        "runs": _one(study, "SELECT count(*) FROM runs"),
        "unfinished_runs": _one(study, _UNFINISHED),
        "tasks": _tasks(study, images),
        "mixed": _mixed(study),
        "model_versions": _dicts(
            study, _VERSIONS, ("task", "provider", "revision", "model_version", "since")
        ),
        "reasons": _merged(study, _REASONS, ("task", "provider", "status", "reason", "images")),
        "unreadable_images": _dicts(study, _IMAGES, ("reason", "images")),
        "unreadable_files": _merged(study, _FILES, ("reason", "files")),
        "unreadable": _dicts(study, _UNREAD, ("reason", "path"), (SOME,)),
        "unknown_members": _dicts(study, _UNKNOWN, ("task", "provider", "member", "answers")),
    }


def _one(study: StudyFile, sql: str) -> int:
    return int(study.query(sql).rows[0][0])


def _dicts(
    study: StudyFile, sql: str, names: Sequence[str], values: Sequence[int] = ()
) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in study.query(sql, values).rows]


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


def _merged(study: StudyFile, sql: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows that end in a reason and its number, most first; reasons of one kind are one."""
    counts: Counter[tuple[str, ...]] = Counter()
    for *key, reason, number in study.stream(sql):
        counts[*key, in_short(reason)] += number
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [dict(zip(names, (*key, number), strict=True)) for key, number in ordered]


def in_short(reason: str) -> str:
    """A reason without what differs from image to image: its score, or the system's own words."""
    return _DETAIL.sub(r"\1", _BEST.sub("the best score is below min_score", reason))


def _mixed(study: StudyFile) -> list[dict[str, Any]]:
    """(Task, provider) pairs whose current answers are to several questions, and how these differ.

    Each question has its revision, the parameters in which it differs from another (by name, as
    asked) and the number of images that it answers for.
    """
    asked: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for task, provider, *question in study.query(_QUESTIONS).rows:
        asked.setdefault((task, provider), []).append(tuple(question))
    pairs = sorted(asked, key=lambda key: (ORDER.get(key[0], len(ORDER)), key[1]))
    return [
        {"task": task, "provider": provider, "questions": _compared(asked[task, provider])}
        for task, provider in pairs
        if len(asked[task, provider]) > 1
    ]


def _compared(questions: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    parameters = [json.loads(text) for _, _, text, _ in questions]
    names = dict.fromkeys(name for one in parameters for name in one)
    said = {n: {json.dumps(one.get(n), sort_keys=True) for one in parameters} for n in names}
    differ = [name for name in names if len(said[name]) > 1]
    return [
        {
            "question_id": number,
            "revision": revision,
            "parameters": {name: one[name] for name in differ if name in one},
            "images": images,
        }
        for (number, revision, _, images), one in zip(questions, parameters, strict=True)
    ]
