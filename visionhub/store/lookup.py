"""Asking a study what it already holds, many images at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from visionhub.schema import ANSWERED, Status
from visionhub.store.study import StudyFile

SETTLED = frozenset({*(status.value for status in ANSWERED), Status.REFUSED.value})
"""Statuses of requests that are not sent again; an error is."""


@dataclass(frozen=True, slots=True)
class Held:
    """A request that the study holds: enough to make it the current one again."""

    id: int
    status: str
    reason: str
    results: int


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image in the study; `problem` is why it cannot be read, as `decoder` saw it."""

    id: int
    problem: str | None
    problem_detail: str | None
    decoder: str


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def images(study: StudyFile, sha256s: Sequence[str]) -> dict[str, KnownImage]:
    """Known images by hash."""
    sql = (
        "SELECT sha256, id, problem, problem_detail, decoder FROM images "
        f"WHERE sha256 IN ({_marks(sha256s)})"
    )
    return {row[0]: KnownImage(*row[1:]) for row in study.connection.execute(sql, sha256s)}


class KnownPath(NamedTuple):
    """The image that a file held when it was last seen, and how a table named the file."""

    id: int
    sha256: str
    given: str | None

    def is_still(self, sha256: str, given: str | None) -> bool:
        """Whether nothing has to be written about the file."""
        return self.sha256 == sha256 and given in (None, self.given)


def paths(study: StudyFile, texts: Sequence[str]) -> dict[str, KnownPath]:
    """What is known of files by printable path, if they were read when they were last seen."""
    sql = (
        "SELECT p.path, i.id, i.sha256, p.given FROM paths p CROSS JOIN images i "
        f"ON i.id = p.image_id WHERE p.problem IS NULL AND p.path IN ({_marks(texts)})"
    )
    return {row[0]: KnownPath(*row[1:]) for row in study.connection.execute(sql, texts)}


def renderings(study: StudyFile, image_ids: Sequence[int], limits: str) -> dict[int, int]:
    """Id of the latest rendering by image id, for one set of limits."""
    sql = (
        "SELECT image_id, max(id) FROM renderings WHERE limits = ? AND image_id IN "
        f"({_marks(image_ids)}) GROUP BY image_id"
    )
    return dict(study.connection.execute(sql, (limits, *image_ids)))


def complete(
    study: StudyFile, image_ids: Sequence[int], question_ids: Sequence[int], limits: str
) -> set[int]:
    """Images of which every question has a settled answer, for these limits, that is current."""
    # CROSS JOIN and + hold SQLite to the order of the text: from few images to their answers, not
    # from all answers to a question.
    sql = (
        "SELECT s.image_id FROM status s CROSS JOIN requests r ON r.id = s.request_id CROSS JOIN "
        f"renderings n ON n.id = r.rendering_id WHERE s.image_id IN ({_marks(image_ids)}) AND "
        f"+r.question_id IN ({_marks(question_ids)}) AND n.limits = ? AND +r.status IN "
        f"({_marks(list(SETTLED))}) GROUP BY s.image_id HAVING count(*) = ?"
    )
    values = (*image_ids, *question_ids, limits, *SETTLED, len(question_ids))
    return {row[0] for row in study.connection.execute(sql, values)}


def settled(
    study: StudyFile, rendering_ids: Sequence[int], question_ids: Sequence[int]
) -> dict[tuple[int, int], Held]:
    """(rendering, question) pairs that need no asking."""
    sql = (
        "SELECT rendering_id, question_id, id, status, reason, results FROM requests WHERE "
        f"rendering_id IN ({_marks(rendering_ids)}) AND question_id IN ({_marks(question_ids)})"
    )
    found = study.connection.execute(sql, (*rendering_ids, *question_ids))
    return {(row[0], row[1]): Held(*row[2:]) for row in found if row[3] in SETTLED}


def statuses(
    study: StudyFile, image_ids: Sequence[int]
) -> dict[tuple[int, str, str], tuple[str, int | None]]:
    """(status, request id) by (image id, provider, task)."""
    sql = (
        "SELECT image_id, provider, task, status, request_id FROM status "
        f"WHERE image_id IN ({_marks(image_ids)})"
    )
    return {(r[0], r[1], r[2]): (r[3], r[4]) for r in study.connection.execute(sql, image_ids)}


class Kept(NamedTuple):
    """The body that answers a question about a rendering, by hash, and how it ended."""

    sha256: str
    status: str
    reason: str


def kept(
    study: StudyFile, rendering_ids: Sequence[int], question_ids: Sequence[int]
) -> dict[tuple[int, int], Kept]:
    """What answers (rendering, question) pairs, whatever its status."""
    sql = (
        "SELECT r.rendering_id, r.question_id, coalesce(b.sha256, ''), r.status, r.reason FROM "
        "requests r LEFT JOIN bodies b ON b.id = r.body_id WHERE r.rendering_id IN "
        f"({_marks(rendering_ids)}) AND r.question_id IN ({_marks(question_ids)})"
    )
    found = study.connection.execute(sql, (*rendering_ids, *question_ids))
    return {(row[0], row[1]): Kept(*row[2:]) for row in found}


class Current(NamedTuple):
    """The current answer to a task about an image; `received_at` is None when no body came."""

    status: str
    received_at: str | None


def current(
    study: StudyFile, image_ids: Sequence[int], provider: str
) -> dict[tuple[int, str], Current]:
    """One provider's current answers by (image id, task)."""
    sql = (
        "SELECT s.image_id, s.task, s.status, b.received_at FROM status s LEFT JOIN requests r ON "
        "r.id = s.request_id LEFT JOIN bodies b ON b.id = r.body_id WHERE s.provider = ? AND "
        f"s.image_id IN ({_marks(image_ids)})"
    )
    found = study.connection.execute(sql, (provider, *image_ids))
    return {(row[0], row[1]): Current(*row[2:]) for row in found}


def pictures(study: StudyFile, image_ids: Sequence[int]) -> dict[int, tuple[str, int, int]]:
    """Format, width and height (pixels, upright) of images that were decoded, by id."""
    sql = (
        "SELECT id, format, width, height FROM images WHERE problem IS NULL AND decoder != '' "
        f"AND id IN ({_marks(image_ids)})"
    )
    return {row[0]: (row[1], row[2], row[3]) for row in study.connection.execute(sql, image_ids)}


def versions(study: StudyFile, question_ids: Sequence[int]) -> dict[int, list[str]]:
    """Model versions that answered each question, the earliest first."""
    sql = (
        "SELECT question_id, model_version FROM model_versions WHERE question_id IN "
        f"({_marks(question_ids)}) ORDER BY first_at, model_version"
    )
    found: dict[int, list[str]] = {}
    for question_id, version in study.connection.execute(sql, question_ids):
        found.setdefault(question_id, []).append(version)
    return found
