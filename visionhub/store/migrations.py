"""Numbered migrations of the study file. A landed migration is never edited; add the next one."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from visionhub.store.migrations_ledger import LEDGER, VERSIONS_OF_ANSWERS
from visionhub.store.opening import SET

migrations = Migrations(SET)

_SCORE = "score REAL, score_word TEXT, scale TEXT"
_BOX = (
    "x_min REAL NOT NULL, y_min REAL NOT NULL, x_max REAL NOT NULL, y_max REAL NOT NULL, "
    "clipped INTEGER NOT NULL"
)
_KEY = "request_id INTEGER NOT NULL REFERENCES requests(id), rank INTEGER NOT NULL"
_OWN = "PRIMARY KEY (request_id, rank)) WITHOUT ROWID"


@migrations(name="001_study")
def study(db: Database) -> None:
    """Images, paths, renderings, questions, requests, bodies, annotations, status."""
    for statement in (*_IMAGES, *_REQUESTS, *_ANNOTATIONS, *_INDICES):
        db.execute(statement)


@migrations(name="002_views")
def views(db: Database) -> None:
    """Readable views: one path per image, the current answer of each provider."""
    for table in _SHOWN:
        db.execute(_VIEW.format(table=table))
    db.execute(
        "CREATE VIEW v_status AS SELECT (SELECT path FROM paths p WHERE p.image_id = i.id "
        "ORDER BY p.id LIMIT 1) AS path, i.sha256 AS image, asked.provider, asked.task, "
        "coalesce(s.status, 'not_requested') AS status, s.reason, s.results FROM images i CROSS "
        "JOIN (SELECT DISTINCT provider, task FROM status) asked LEFT JOIN status s ON "
        "s.image_id = i.id AND s.provider = asked.provider AND s.task = asked.task"
    )


@migrations(name="003_clouds")
def clouds(db: Database) -> None:
    """What cloud services answer: places, logos, colours, the web; which client received a body."""
    for statement in _CLOUDS:
        db.execute(statement)
    for table in _SHOWN_003:
        db.execute(_VIEW.format(table=table))


@migrations(name="004_ledger")
def ledger(db: Database) -> None:
    """What was spent, and what may be: prices, owners, accounts, attempts, charges."""
    for statement in LEDGER:
        db.execute(statement)


@migrations(name="005_versions")
def versions(db: Database) -> None:
    """Which models answered, told by answers alone: what came with an error had counted too."""
    for statement in VERSIONS_OF_ANSWERS:
        db.execute(statement)


@migrations(name="006_canaries")
def canaries(db: Database) -> None:
    """Which photographs are asked about again, and which questions did so, apart from others."""
    for statement in _CANARIES:
        db.execute(statement)


@migrations(name="007_named_caps")
def named_caps(db: Database) -> None:
    """Whether somebody named a cap: only such a one stays for runs that name none."""
    db.execute(
        "ALTER TABLE accounts ADD COLUMN named INTEGER NOT NULL DEFAULT 0 CHECK (named IN (0, 1))"
    )


_CANARIES = (
    "CREATE TABLE canary_images (provider TEXT NOT NULL, image_id INTEGER NOT NULL REFERENCES "
    "images(id), chosen_at TEXT NOT NULL, PRIMARY KEY (provider, image_id)) WITHOUT ROWID",
    "CREATE TABLE canaries (question_id INTEGER PRIMARY KEY REFERENCES questions(id), asked_at "
    "TEXT NOT NULL, revision TEXT NOT NULL, finished_at TEXT)",
)

_VIEW = (
    "CREATE VIEW v_{table} AS SELECT (SELECT path FROM paths p WHERE p.image_id = s.image_id "
    "ORDER BY p.id LIMIT 1) AS path, i.sha256 AS image, s.provider, q.revision, a.* FROM status s "
    "JOIN images i ON i.id = s.image_id JOIN requests r ON r.id = s.request_id JOIN questions q ON "
    "q.id = r.question_id JOIN {table} a ON a.request_id = s.request_id"
)

_SHOWN_003 = (
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

_PLACE = "x_min REAL, y_min REAL, x_max REAL, y_max REAL, clipped INTEGER"

_CLOUDS = (
    "ALTER TABLE bodies ADD COLUMN client TEXT",
    "CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    f"CREATE TABLE landmarks ({_KEY}, name TEXT NOT NULL, {_SCORE}, {_PLACE}, vendor_id TEXT, "
    f"locations TEXT, {_OWN}",
    f"CREATE TABLE logos ({_KEY}, name TEXT NOT NULL, {_SCORE}, {_PLACE}, vendor_id TEXT, {_OWN}",
    f"CREATE TABLE colors ({_KEY}, name TEXT NOT NULL, region TEXT NOT NULL, red REAL NOT NULL, "
    f'green REAL NOT NULL, blue REAL NOT NULL, fraction REAL, {_SCORE}, "group" TEXT, {_OWN}',
    f"CREATE TABLE crop_hints ({_KEY}, {_SCORE}, {_BOX}, importance REAL, {_OWN}",
    f"CREATE TABLE web ({_KEY}, text TEXT NOT NULL, kind TEXT NOT NULL, url TEXT, {_SCORE}, "
    f"vendor_id TEXT, page TEXT, language TEXT, {_OWN}",
    f"CREATE TABLE celebrities ({_KEY}, name TEXT, {_SCORE}, {_BOX}, vendor_id TEXT, urls TEXT, "
    f"gender TEXT, {_OWN}",
    f"CREATE TABLE face_matches ({_KEY}, {_SCORE}, {_BOX}, {_OWN}",
    f"CREATE TABLE image_attributes ({_KEY}, name TEXT NOT NULL, region TEXT NOT NULL, value TEXT, "
    f"{_SCORE}, {_OWN}",
    f"CREATE TABLE face_boxes ({_KEY}, name TEXT NOT NULL, {_BOX}, "
    "PRIMARY KEY (request_id, rank, name)) WITHOUT ROWID",
    f"CREATE TABLE equipment ({_KEY}, item INTEGER NOT NULL, body_part TEXT NOT NULL, "
    f"body_part_score REAL, name TEXT, {_SCORE}, {_PLACE}, covers INTEGER, covers_score REAL, "
    "PRIMARY KEY (request_id, rank, item)) WITHOUT ROWID",
)

_SHOWN = (
    "labels",
    "objects",
    "faces",
    "face_landmarks",
    "face_attributes",
    "face_embeddings",
    "people",
    "keypoints",
    "text_lines",
    "safe_search",
)

_IMAGES = (
    "CREATE TABLE images (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, "
    "bytes INTEGER NOT NULL, format TEXT, mode TEXT, width INTEGER, height INTEGER, "
    "frames INTEGER, orientation INTEGER, taken_at TEXT, utc_offset TEXT, latitude REAL, "
    "longitude REAL, altitude REAL, make TEXT, model TEXT, problem TEXT, problem_detail TEXT, "
    "decoder TEXT NOT NULL, added_at TEXT NOT NULL)",
    "CREATE TABLE paths (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, path_bytes BLOB, "
    "given TEXT, image_id INTEGER REFERENCES images(id), problem TEXT, seen_at TEXT NOT NULL)",
    "CREATE TABLE renderings (id INTEGER PRIMARY KEY, image_id INTEGER NOT NULL REFERENCES "
    "images(id), limits TEXT NOT NULL, sha256 TEXT NOT NULL, media_type TEXT NOT NULL, "
    "bytes INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, "
    "transform TEXT NOT NULL, UNIQUE (image_id, limits, sha256))",
)

_REQUESTS = (
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, finished_at TEXT, "
    "version TEXT NOT NULL, platform TEXT NOT NULL, asked TEXT NOT NULL, summary TEXT)",
    "CREATE TABLE questions (id INTEGER PRIMARY KEY, provider TEXT NOT NULL, task TEXT NOT NULL, "
    "revision TEXT NOT NULL, parameters TEXT NOT NULL, scale TEXT NOT NULL, vocabulary TEXT, "
    "floor REAL, max_results INTEGER, UNIQUE (provider, task, revision, parameters))",
    "CREATE TABLE bodies (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, "
    "encoding TEXT NOT NULL, media_type TEXT NOT NULL, model_version TEXT, "
    "received_at TEXT NOT NULL, data BLOB NOT NULL)",
    "CREATE TABLE requests (id INTEGER PRIMARY KEY, image_id INTEGER NOT NULL REFERENCES "
    "images(id), rendering_id INTEGER NOT NULL REFERENCES renderings(id), question_id INTEGER "
    "NOT NULL REFERENCES questions(id), run_id INTEGER NOT NULL REFERENCES runs(id), "
    "status TEXT NOT NULL, reason TEXT NOT NULL, results INTEGER NOT NULL, "
    "body_id INTEGER REFERENCES bodies(id), "
    "unknown TEXT, UNIQUE (rendering_id, question_id))",
    "CREATE TABLE status (image_id INTEGER NOT NULL REFERENCES images(id), provider TEXT NOT "
    "NULL, task TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, results INTEGER NOT "
    "NULL, request_id INTEGER REFERENCES requests(id), PRIMARY KEY (image_id, provider, task)) "
    "WITHOUT ROWID",
)

_ANNOTATIONS = (
    f"CREATE TABLE labels ({_KEY}, name TEXT NOT NULL, {_SCORE}, vendor_id TEXT, parents TEXT, "
    f"aliases TEXT, categories TEXT, {_OWN}",
    f"CREATE TABLE objects ({_KEY}, name TEXT NOT NULL, {_SCORE}, {_BOX}, vendor_id TEXT, "
    f"parents TEXT, {_OWN}",
    f"CREATE TABLE faces ({_KEY}, {_SCORE}, {_BOX}, roll REAL, yaw REAL, pitch REAL, {_OWN}",
    f"CREATE TABLE people ({_KEY}, {_SCORE}, {_BOX}, {_OWN}",
    f"CREATE TABLE text_lines ({_KEY}, text TEXT NOT NULL, level TEXT NOT NULL, {_SCORE}, {_BOX}, "
    f"polygon TEXT, language TEXT, {_OWN}",
    f"CREATE TABLE safe_search ({_KEY}, category TEXT NOT NULL, parent TEXT, level INTEGER NOT "
    f"NULL, {_SCORE}, {_OWN}",
    f"CREATE TABLE face_landmarks ({_KEY}, name TEXT NOT NULL, x REAL NOT NULL, y REAL NOT NULL, "
    "score REAL, PRIMARY KEY (request_id, rank, name)) WITHOUT ROWID",
    # Key columns first: SQLite 3.40's integrity_check misreads rows where one comes last.
    f"CREATE TABLE face_attributes ({_KEY}, item INTEGER NOT NULL, name TEXT NOT NULL, value TEXT, "
    f"number REAL, low REAL, high REAL, {_SCORE}, "
    "PRIMARY KEY (request_id, rank, item)) WITHOUT ROWID",
    f"CREATE TABLE face_embeddings ({_KEY}, dimensions INTEGER NOT NULL, vector BLOB NOT NULL, "
    "PRIMARY KEY (request_id, rank))",
    f"CREATE TABLE keypoints ({_KEY}, name TEXT NOT NULL, x REAL NOT NULL, y REAL NOT NULL, "
    "score REAL, PRIMARY KEY (request_id, rank, name)) WITHOUT ROWID",
)

_INDICES = (
    "CREATE INDEX paths_image ON paths(image_id)",
    "CREATE INDEX images_taken ON images(taken_at)",
    "CREATE INDEX images_problem ON images(problem) WHERE problem IS NOT NULL",
    "CREATE INDEX requests_question ON requests(question_id, status)",
    "CREATE INDEX requests_image ON requests(image_id)",
    "CREATE INDEX requests_body ON requests(body_id)",
    "CREATE INDEX status_kind ON status(provider, task, status)",
    "CREATE INDEX status_request ON status(request_id)",
    "CREATE INDEX labels_name ON labels(name, score)",
    "CREATE INDEX objects_name ON objects(name, score)",
    "CREATE INDEX safe_search_category ON safe_search(category, score)",
    "CREATE INDEX face_attributes_name ON face_attributes(name, value)",
)
