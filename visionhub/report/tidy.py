"""Tidy long tables out of a study: one SELECT a table, each row complete in itself."""

from __future__ import annotations

from typing import NamedTuple

from visionhub.report.find import FIRST_PATH
from visionhub.store.cells import JSON, Meaning
from visionhub.store.rows import TABLES as ANNOTATIONS
from visionhub.store.study import StudyFile
from visionhub.store.tables import TABLES

EXPORTED = ("images", "paths", "questions", "status", *ANNOTATIONS)
RARE = (  # written where they hold rows: most studies lack them
    "face_attributes",
    "face_embeddings",
    "landmarks",
    "logos",
    "colors",
    "crop_hints",
    "web",
    "celebrities",
    "face_matches",
    "face_boxes",
    "equipment",
    "image_attributes",
)
PLACED = (
    "objects",
    "faces",
    "face_landmarks",
    "face_boxes",
    "people",
    "keypoints",
    "equipment",
    "text_lines",
    "landmarks",
    "logos",
    "crop_hints",
    "celebrities",
    "face_matches",
)
POINTS = ("face_landmarks", "keypoints")

KINDS = {"INTEGER": "integer", "REAL": "real", "TEXT": "text", "BLOB": "vector"}
_ASKED = "(SELECT DISTINCT provider, task FROM status)"


class Column(NamedTuple):
    """One exported column; `kind` is text, integer, real, json or vector (32-bit floats)."""

    name: str
    sql: str
    kind: str
    meaning: Meaning


class TidyTable(NamedTuple):
    """One exported table: its columns in order, and what follows SELECT … in SQL."""

    name: str
    text: str
    columns: tuple[Column, ...]
    source: str

    @property
    def sql(self) -> str:
        """The SELECT. Where it has an order, that is an index's: nothing is sorted in memory."""
        return f"SELECT {', '.join(column.sql for column in self.columns)} {self.source}"


def tidy_table(study: StudyFile, name: str, *, all_answers: bool = False) -> TidyTable:
    """How to read one of EXPORTED; with `all_answers`, answers that are no longer current too."""
    if name == "images":
        return _images(study)
    if name == "paths":
        return _paths()
    if name == "questions":
        columns = tuple(
            c._replace(name="question_id" if c.name == "id" else c.name)
            for c in _own(study, name, "a")
        )
        return TidyTable(name, TABLES[name].text, columns, "FROM questions a ORDER BY a.id")
    if name == "status":
        return _status(all_answers=all_answers)
    return _annotations(study, name, all_answers=all_answers)


def _own(study: StudyFile, table: str, alias: str) -> tuple[Column, ...]:
    """All columns of a table of the study, typed as the study types them."""
    found = []
    for _, name, kind, *_ in study.query(f"PRAGMA table_info({table})").rows:
        meaning = TABLES[table].columns[name]
        shape = "json" if meaning.unit.startswith(JSON) else KINDS[kind]
        found.append(Column(name, f'{alias}."{name}"', shape, meaning))
    return tuple(found)


def _meant(table: str, name: str) -> Meaning:
    return TABLES[table].columns[name]


_WHERE_FROM = (
    Column("path", FIRST_PATH, "text", Meaning("first path of the image; `paths` has all of them")),
    Column("image", "i.sha256", "text", _meant("images", "sha256")),
)
_ASKED_BY = (
    Column("provider", "q.provider", "text", _meant("questions", "provider")),
    Column("task", "q.task", "text", _meant("questions", "task")),
    Column("revision", "q.revision", "text", _meant("questions", "revision")),
    Column("question_id", "q.id", "integer", Meaning("row of `questions`, with the parameters")),
    Column("floor", "q.floor", "real", _meant("questions", "floor")),
)
_CURRENT = Column(
    "current",
    "s.request_id IS NOT NULL",
    "integer",
    Meaning("1 for the provider's current answer, 0 for an older one", "0 or 1"),
)
_SENT = (
    Column("sent_width", "n.width", "integer", _meant("renderings", "width")),
    Column("sent_height", "n.height", "integer", _meant("renderings", "height")),
)
_POINT_SCALE = Column(
    "scale",
    "CASE WHEN a.score IS NOT NULL THEN 'uncalibrated' END",
    "text",
    _meant("labels", "scale"),
)


def _images(study: StudyFile) -> TidyTable:
    count = "(SELECT count(*) FROM paths p WHERE p.image_id = i.id)"
    files = Column("files", count, "integer", Meaning("paths that hold this image"))
    own = [c for c in _own(study, "images", "i") if c.name not in ("id", "sha256")]
    columns = (*_WHERE_FROM, files, *own)
    return TidyTable("images", TABLES["images"].text, columns, "FROM images i ORDER BY i.id")


def _paths() -> TidyTable:
    exact = Meaning("the exact path where it is no UTF-8, else empty", "hexadecimal bytes")
    columns = (
        Column("path", "f.path", "text", _meant("paths", "path")),
        Column("path_hex", "lower(hex(f.path_bytes))", "text", exact),
        Column("given", "f.given", "text", _meant("paths", "given")),
        Column("image", "i.sha256", "text", _meant("images", "sha256")),
        Column("problem", "f.problem", "text", _meant("paths", "problem")),
        Column("seen_at", "f.seen_at", "text", _meant("paths", "seen_at")),
    )
    source = "FROM paths f LEFT JOIN images i ON i.id = f.image_id ORDER BY f.id"
    return TidyTable("paths", TABLES["paths"].text, columns, source)


def _annotations(study: StudyFile, name: str, *, all_answers: bool) -> TidyTable:
    """An annotation table joined with its image, question and rendering, in order of requests."""
    placed = name in PLACED
    joins = [
        f"FROM {name} a CROSS JOIN requests r ON r.id = a.request_id",
        "CROSS JOIN images i ON i.id = r.image_id",
        "CROSS JOIN questions q ON q.id = r.question_id",
        *(["CROSS JOIN renderings n ON n.id = r.rendering_id"] if placed else []),
        f"{'LEFT' if all_answers else 'CROSS'} JOIN status s ON s.request_id = a.request_id",
        "ORDER BY a.request_id, a.rank",
    ]
    columns = [*_WHERE_FROM, *_ASKED_BY, _CURRENT, *(_SENT if placed else ())]
    columns += [*_own(study, name, "a"), *([_POINT_SCALE] if name in POINTS else [])]
    return TidyTable(name, TABLES[name].text, tuple(columns), " ".join(joins))


def _status(*, all_answers: bool) -> TidyTable:
    """Every image times everything that was ever asked, and with `all_answers` older answers."""
    word = "coalesce(s.status, 'not_requested')"
    columns = (
        *_WHERE_FROM,
        Column("provider", "asked.provider", "text", _meant("status", "provider")),
        Column("task", "asked.task", "text", _meant("status", "task")),
        Column("status", word, "text", _meant("status", "status")),
        Column("reason", "s.reason", "text", _meant("status", "reason")),
        Column("results", "s.results", "integer", _meant("status", "results")),
        Column("current", "s.current", "integer", _CURRENT.meaning),
        *(
            Column(n, f"q.{'id' if n == 'question_id' else n}", kind, _meant("questions", m))
            for n, kind, m in (
                ("question_id", "integer", "id"),
                ("revision", "text", "revision"),
                ("scale", "text", "scale"),
                ("floor", "real", "floor"),
                ("max_results", "integer", "max_results"),
                ("vocabulary", "text", "vocabulary"),
            )
        ),
        Column("model_version", "b.model_version", "text", _meant("bodies", "model_version")),
        Column("received_at", "b.received_at", "text", _meant("bodies", "received_at")),
        Column("request_id", "s.request_id", "integer", _meant("status", "request_id")),
    )
    older = (
        " UNION ALL SELECT r.image_id, o.provider, o.task, r.status, r.reason, r.results, r.id, 0 "
        "FROM requests r JOIN questions o ON o.id = r.question_id WHERE NOT EXISTS "
        "(SELECT 1 FROM status c WHERE c.request_id = r.id)"
    )
    states = (
        "(SELECT image_id, provider, task, status, reason, results, request_id, 1 AS current "
        f"FROM status{older if all_answers else ''})"
    )
    source = (
        f"FROM images i CROSS JOIN {_ASKED} asked LEFT JOIN {states} s ON s.image_id = i.id AND "
        "s.provider = asked.provider AND s.task = asked.task LEFT JOIN requests r ON "
        "r.id = s.request_id LEFT JOIN questions q ON q.id = r.question_id LEFT JOIN bodies b ON "
        "b.id = r.body_id ORDER BY i.id"
    )
    return TidyTable("status", TABLES["status"].text, columns, source)
