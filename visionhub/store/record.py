"""Writing to a study: images, renderings, questions, answers. Plain SQL: this is the hot path."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from visionhub.errors import UnreadableImage
from visionhub.images import ImageFacts
from visionhub.schema import ANSWERED, Annotation
from visionhub.store.items import (
    Answer,
    PackedBody,
    PathRow,
    Question,
    RenderingRow,
    now,
    printable,
)
from visionhub.store.rows import TABLES, Row, rows
from visionhub.store.study import StudyFile

StatusRow: TypeAlias = tuple[int, str, str, str, str, int, int | None]


class Recorder:
    """Writes to an open study. Every method must be called inside `study.transaction()`."""

    def __init__(self, study: StudyFile, run_id: int) -> None:
        self._sql = study.connection
        self.run = run_id

    @classmethod
    def start(cls, study: StudyFile, version: str, asked: object) -> Recorder:
        """Note that a run began: what was asked, by which visionhub, on which platform."""
        text = json.dumps(asked, ensure_ascii=False, default=str)
        with study.transaction() as sql:
            row = (now(), version, platform.platform(), text.encode("utf-8", "replace").decode())
            cursor = sql.execute(
                "INSERT INTO runs (started_at, version, platform, asked) VALUES (?, ?, ?, ?)", row
            )
        return cls(study, int(cursor.lastrowid or 0))

    def finish(self, summary: object) -> None:
        """Note how the run ended."""
        text = json.dumps(summary, ensure_ascii=False, default=str)
        change = "UPDATE runs SET finished_at = ?, summary = ? WHERE id = ?"
        self._sql.execute(change, (now(), text, self.run))

    def question(self, question: Question) -> int:
        """The id of a question, new or known."""
        spec = question.spec
        key = (question.provider, question.task.value, question.revision, question.parameters)
        self._sql.execute(
            "INSERT OR IGNORE INTO questions (provider, task, revision, parameters, scale, "
            "vocabulary, floor, max_results) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, spec.scale.value, spec.vocabulary, spec.floor, spec.max_results),
        )
        find = (
            "SELECT id FROM questions WHERE (provider, task, revision, parameters) = (?, ?, ?, ?)"
        )
        return int(self._sql.execute(find, key).fetchone()[0])

    def paths(self, found: Iterable[PathRow]) -> None:
        """Add files; a path seen again is updated."""
        self._sql.executemany(
            "INSERT INTO paths (path, path_bytes, given, image_id, problem, seen_at) VALUES "
            "(?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET image_id = excluded.image_id, "
            "given = coalesce(excluded.given, given), problem = excluded.problem, "
            "seen_at = excluded.seen_at",
            [(*printable(f.path), f.given, f.image_id, f.problem, now()) for f in found],
        )

    def new_images(self, found: Iterable[tuple[str, int]]) -> None:
        """Add images by hash and size in bytes; what their files say follows with `facts`."""
        self._sql.executemany(
            "INSERT OR IGNORE INTO images (sha256, bytes, decoder, added_at) VALUES (?, ?, '', ?)",
            [(sha256, size, now()) for sha256, size in found],
        )

    def facts(self, image_id: int, facts: ImageFacts | UnreadableImage, decoder: str) -> None:
        """Keep what an image's file says, or why it cannot be read by this decoder."""
        values: dict[str, object] = {"problem": None, "problem_detail": None}
        if isinstance(facts, UnreadableImage):
            values = {"problem": facts.reason, "problem_detail": facts.detail}
        else:
            names = (part.name for part in dataclasses.fields(facts))
            values |= {name: getattr(facts, name) for name in names}
        values["decoder"] = decoder
        change = ", ".join(f"{name} = ?" for name in values)
        self._sql.execute(f"UPDATE images SET {change} WHERE id = ?", (*values.values(), image_id))

    def rendering(self, image_id: int, limits: str, sent: RenderingRow) -> int:
        """Add a rendering of an image for these limits; its id."""
        self._sql.execute(
            "INSERT INTO renderings (image_id, limits, sha256, media_type, bytes, width, height, "
            "transform) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                image_id,
                limits,
                sent.sha256,
                sent.media_type,
                sent.size,
                sent.width,
                sent.height,
                json.dumps(sent.transform),
            ),
        )
        find = "SELECT id FROM renderings WHERE (image_id, limits, sha256) = (?, ?, ?)"
        return int(self._sql.execute(find, (image_id, limits, sent.sha256)).fetchone()[0])

    def statuses(self, found: Iterable[StatusRow]) -> None:
        """Set the status of (image, provider, task)."""
        self._sql.executemany(
            "INSERT INTO status VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (image_id, provider, "
            "task) DO UPDATE SET status = excluded.status, reason = excluded.reason, "
            "results = excluded.results, request_id = excluded.request_id",
            list(found),
        )

    def reasons(self, found: Iterable[StatusRow]) -> None:
        """Say why something has no answer, where no request has said anything about it."""
        self._sql.executemany(
            "INSERT INTO status VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (image_id, provider, "
            "task) DO UPDATE SET reason = excluded.reason WHERE request_id IS NULL "
            "AND status = excluded.status",
            list(found),
        )

    def answers(
        self,
        answers: Sequence[Answer],
        rendering_ids: Mapping[int, int],
        stays: Container[tuple[int, str]] = (),
    ) -> dict[str, int]:
        """Store bodies, requests, annotations and status; `rendering_ids` go by image id.

        stays: (image id, task) pairs whose current answer is another one, and stays so. Returns
        ids of bodies by the keys of requests that were paid for. What another process has answered
        meanwhile stays; of a late answer that was paid for too the body is kept.
        """
        bodies: dict[int, int] = {}  # one is shared by several answers
        paid: dict[str, int] = {}
        (newest,) = self._sql.execute("SELECT coalesce(max(id), 0) FROM requests").fetchone()
        derived: list[tuple[int, Answer]] = []
        for answer in answers:
            rendering = rendering_ids[answer.image_id]
            late = self._answered(rendering, answer.question_id)
            if late and not answer.key:
                continue
            body = self._shared(answer.body, bodies)
            if answer.key and body is not None:
                paid[answer.key] = body
            if not late:
                derived.append((self._request(answer, rendering, body), answer))
        self.clear([request for request, _ in derived if request <= newest])  # asked again
        rows = self.derived(derived)
        self.statuses(row for row in rows if (row[0], row[2]) not in stays)
        self._versions(answers)
        return paid

    def _versions(self, answers: Iterable[Answer]) -> None:
        """Remember which model versions answered each question, and since when.

        What came with an error is no answer, whatever it says.
        """
        told = {
            (answer.question_id, answer.body.model_version): answer.body.received_at
            for answer in answers
            if answer.status in ANSWERED
            and answer.body is not None
            and answer.body.model_version is not None
        }
        self._sql.executemany(
            "INSERT OR IGNORE INTO model_versions VALUES (?, ?, ?)",
            [(*key, when) for key, when in told.items()],
        )

    def _shared(self, body: PackedBody | None, stored: dict[int, int]) -> int | None:
        """The id of a body, which is stored when it is met first."""
        if body is None:
            return None
        if id(body) not in stored:
            stored[id(body)] = self._body(body)
        return stored[id(body)]

    def _answered(self, rendering: int, question: int) -> bool:
        find = "SELECT status FROM requests WHERE (rendering_id, question_id) = (?, ?)"
        found = self._sql.execute(find, (rendering, question)).fetchone()
        return found is not None and found[0] in ANSWERED

    def reparsed(self, found: Sequence[tuple[int, Answer]]) -> None:
        """Replace all that was derived for these requests; older answers do not become current."""
        self.clear([request for request, _ in found])
        self._sql.executemany(
            "UPDATE requests SET status = ?, reason = ?, results = ?, unknown = ? WHERE id = ?",
            [(*_said(answer), request) for request, answer in found],
        )
        self._sql.executemany(
            "UPDATE status SET status = ?, reason = ?, results = ? WHERE request_id = ?",
            [(status, why, n, key) for *_, status, why, n, key in self.derived(found)],
        )

    def versions_anew(self) -> None:
        """Find out from all answers which model versions answered each question."""
        self._sql.execute("DELETE FROM model_versions")
        self._sql.execute(
            "INSERT INTO model_versions SELECT r.question_id, b.model_version, min(b.received_at) "
            "FROM requests r JOIN bodies b ON b.id = r.body_id WHERE b.model_version IS NOT NULL "
            f"AND r.status IN ({', '.join('?' * len(ANSWERED))}) "
            "GROUP BY r.question_id, b.model_version",
            ANSWERED,
        )

    def _body(self, body: PackedBody) -> int:
        cursor = self._sql.execute(
            "INSERT INTO bodies (sha256, bytes, encoding, media_type, model_version, received_at, "
            "data, client) VALUES (?, ?, 'zstd', ?, ?, ?, ?, ?)",
            (
                body.sha256,
                body.size,
                body.media_type,
                body.model_version,
                body.received_at,
                body.data,
                body.client,
            ),
        )
        return int(cursor.lastrowid or 0)

    def _request(self, answer: Answer, rendering: int, body: int | None) -> int:
        key = (answer.image_id, rendering, answer.question_id, self.run)
        return int(
            self._sql.execute(
                "INSERT INTO requests (image_id, rendering_id, question_id, run_id, body_id, "
                "status, reason, results, unknown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT "
                "(rendering_id, question_id) DO UPDATE SET run_id = excluded.run_id, "
                "body_id = excluded.body_id, status = excluded.status, reason = excluded.reason, "
                "results = excluded.results, unknown = excluded.unknown RETURNING id",
                (*key, body, *_said(answer)),
            ).fetchone()[0]
        )

    def clear(self, request_ids: Sequence[int]) -> None:
        """Remove everything that was derived for these requests."""
        for table in TABLES if request_ids else ():
            self._sql.executemany(
                f"DELETE FROM {table} WHERE request_id = ?", [(key,) for key in request_ids]
            )

    def derived(self, found: Sequence[tuple[int, Answer]]) -> list[StatusRow]:
        """Insert the annotations of answers by request id; the status rows that follow."""
        tables: dict[str, list[Row]] = {}
        statuses: list[StatusRow] = []
        for request, answer in found:
            if isinstance(answer.result, Annotation):
                for table, row in rows(request, answer.result):
                    tables.setdefault(table, []).append(row)
            asked = (answer.image_id, answer.question.provider, answer.question.task.value)
            statuses.append((*asked, answer.status.value, answer.reason, answer.results, request))
        for table, many in tables.items():
            marks = ", ".join("?" * len(many[0]))
            self._sql.executemany(f"INSERT INTO {table} VALUES ({marks})", many)
        return statuses


def _said(answer: Answer) -> tuple[str, str, int, str | None]:
    strange = answer.result.unknown if isinstance(answer.result, Annotation) else ()
    unknown = json.dumps(strange) if strange else None
    return answer.status.value, answer.reason, answer.results, unknown
