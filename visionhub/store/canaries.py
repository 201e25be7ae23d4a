"""The photographs that are asked about again, and the questions that did so: what a study holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from visionhub.schema import ANSWERED
from visionhub.store.items import Question, now
from visionhub.store.study import StudyFile


@dataclass(frozen=True, slots=True)
class Chosen:
    """One photograph of a set: its number and hash, and when the set was chosen (UTC)."""

    image_id: int
    sha256: str
    chosen_at: str


@dataclass(frozen=True, slots=True)
class Begun:
    """One canary question that was not asked to its end; revision: without the moment."""

    asked_at: str
    task: str
    revision: str
    parameters: str


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def chosen(study: StudyFile, provider: str) -> list[Chosen]:
    """A provider's set, in the order of hashes; empty when none was chosen yet."""
    sql = (
        "SELECT i.id, i.sha256, c.chosen_at FROM canary_images c JOIN images i ON i.id = "
        "c.image_id WHERE c.provider = ? ORDER BY i.sha256"
    )
    return [Chosen(*row) for row in study.query(sql, (provider,)).rows]


def choose(study: StudyFile, provider: str, image_ids: Sequence[int]) -> None:
    """Make these the provider's set, in place of another."""
    when = now()
    with study.transaction() as sql:
        sql.execute("DELETE FROM canary_images WHERE provider = ?", (provider,))
        rows = [(provider, image_id, when) for image_id in image_ids]
        sql.executemany("INSERT INTO canary_images VALUES (?, ?, ?)", rows)


def candidates(study: StudyFile, provider: str, tasks: Sequence[str]) -> Iterator[tuple[int, str]]:
    """(id, hash) of images with current answers of a provider to all these tasks, by hash."""
    answered = [status.value for status in ANSWERED]
    sql = (
        "SELECT i.id, i.sha256 FROM status s JOIN images i ON i.id = s.image_id WHERE s.provider "
        f"= ? AND s.task IN ({_marks(tasks)}) AND s.status IN ({_marks(answered)}) GROUP BY i.id "
        "HAVING count(*) = ? ORDER BY i.sha256"
    )
    return study.stream(sql, (provider, *tasks, *answered, len(tasks)))


def paths(study: StudyFile, image_id: int) -> list[tuple[str, bytes | None]]:
    """Every path under which an image was met: as text, and its bytes where they are no UTF-8."""
    sql = "SELECT path, path_bytes FROM paths WHERE image_id = ? ORDER BY id"
    return [(row[0], row[1]) for row in study.query(sql, (image_id,)).rows]


def moments(study: StudyFile, provider: str) -> set[str]:
    """When a provider was asked again, by canaries that are in the study."""
    sql = (
        "SELECT DISTINCT c.asked_at FROM canaries c JOIN questions q ON q.id = c.question_id "
        "WHERE q.provider = ?"
    )
    return set(study.query(sql, (provider,)).column("asked_at"))


def begun(study: StudyFile, provider: str) -> list[Begun]:
    """Canary questions that were not asked to their end, the latest first."""
    sql = (
        "SELECT c.asked_at, q.task, c.revision, q.parameters FROM canaries c JOIN questions q ON "
        "q.id = c.question_id WHERE q.provider = ? AND c.finished_at IS NULL ORDER BY c.asked_at "
        "DESC, q.id"
    )
    return [Begun(*row) for row in study.query(sql, (provider,)).rows]


def usual(study: StudyFile, provider: str) -> dict[str, str]:
    """The parameters, as JSON, to which most current answers are, by task."""
    sql = (
        "SELECT q.task, q.parameters, count(*) FROM status s JOIN requests r ON r.id = "
        "s.request_id JOIN questions q ON q.id = r.question_id WHERE s.provider = ? GROUP BY q.id "
        "ORDER BY 3, q.id"
    )
    return {task: text for task, text, _ in study.query(sql, (provider,)).rows}


def finish(study: StudyFile, provider: str, asked_at: str) -> None:
    """Note that a canary was asked to its end."""
    with study.transaction() as sql:
        sql.execute(
            "UPDATE canaries SET finished_at = ? WHERE asked_at = ? AND question_id IN (SELECT id "
            "FROM questions WHERE provider = ?)",
            (now(), asked_at, provider),
        )


def begin(study: StudyFile, asked: Sequence[tuple[int, Question]], asked_at: str) -> None:
    """Mark questions as a canary's. Inside a transaction."""
    ending = ending_of(asked_at)
    study.connection.executemany(
        "INSERT OR IGNORE INTO canaries (question_id, asked_at, revision) VALUES (?, ?, ?)",
        [(number, asked_at, one.revision.removesuffix(ending)) for number, one in asked],
    )


def ending_of(asked_at: str) -> str:
    """How the revision of a canary's question ends: what it begins with stays, `rehearsal` too."""
    return f", canary {asked_at}"
