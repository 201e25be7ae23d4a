"""Opening studies: whose file it is, one writer, and what is left after a crash."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from contextlib import closing
from pathlib import Path

import pytest

import visionhub
from visionhub.errors import StudyError
from visionhub.store.locks import take
from visionhub.store.record import Recorder
from visionhub.store.study import StudyFile

ADDED = "2026-01-01T00:00:00Z"
IMAGE = "INSERT INTO images (sha256, bytes, decoder, added_at) VALUES (?, 1, '', ?)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A study with a hundred images."""
    place = tmp_path / "study.db"
    with StudyFile(place, write=True) as study, study.transaction():
        Recorder(study, 1).new_images((f"{number:064x}", 1) for number in range(100))
    return place


def count(path: Path) -> int:
    with StudyFile(path) as study:
        return int(study.query("SELECT count(*) FROM images").rows[0][0])


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)


CUT_OFF = """
import os, signal, sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("PRAGMA journal_mode = TRUNCATE")
c.execute("PRAGMA cache_size = 5")  # so that pages reach the file before the end
c.execute("BEGIN IMMEDIATE")
c.execute("UPDATE images SET sha256 = 'x' || sha256, format = hex(zeroblob(2000))")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("write", [False, True])
def test_what_a_killed_writer_left_is_undone_by_whoever_comes_first(path, write):
    assert python(CUT_OFF, path).returncode == -signal.SIGKILL
    assert path.with_name("study.db-journal").stat().st_size > 0
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError):  # what this is about: else it tests nothing
        reader.execute("SELECT * FROM images")
    reader.close()
    with StudyFile(path, write=write) as study:
        assert study.query("SELECT DISTINCT length(sha256) FROM images").rows == [(64,)]
        assert study.query("PRAGMA integrity_check").rows == [("ok",)]


TRY_TO_WRITE = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
c.execute("BEGIN IMMEDIATE")
"""


def test_a_reader_in_the_same_process_does_not_drop_the_writers_lock(path):
    with StudyFile(path, write=True) as study:
        with study.transaction() as sql:
            sql.execute(IMAGE, ("new", ADDED))
            assert count(path) == 100
            assert "locked" in python(TRY_TO_WRITE, path).stderr
        assert count(path) == 101
    assert python(TRY_TO_WRITE, path).returncode == 0


def test_a_link_to_a_study_is_the_same_study(path, tmp_path):
    link = tmp_path / "elsewhere.db"
    link.symlink_to(path)
    with StudyFile(path, write=True), pytest.raises(StudyError, match="Another visionhub"):
        StudyFile(link, write=True)
    assert count(link) == 100


def another_programs(place: Path) -> None:
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE x (a)")
    connection.close()


def newer(place: Path) -> None:
    StudyFile(place, write=True).close()
    with sqlite3.connect(place) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('visionhub', '999_future', '')"
        )
    connection.close()


def cut_in_half(place: Path) -> None:
    StudyFile(place, write=True).close()
    os.truncate(place, place.stat().st_size // 2)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Path.mkdir, "is a folder"),
        (lambda place: place.write_text("Dear diary"), "no SQLite file"),
        (lambda place: place.write_bytes(b"x"), "no SQLite file"),
        (lambda place: place.write_bytes(b"SQLite format 3\0abc"), "no SQLite file"),
        (os.mkfifo, "no regular file"),
        (another_programs, "another program's database"),
        (newer, r"written by a newer visionhub \(999_future\)"),
        (cut_in_half, "is damaged"),
    ],
)
@pytest.mark.parametrize("write", [False, True])
def test_what_is_no_study_is_named_and_left_alone(tmp_path, make, says, write):
    place = tmp_path / "some.db"
    make(place)
    before = place.read_bytes() if place.is_file() else b""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(StudyError, match=says) as error:
            StudyFile(place, write=write)
    assert "some.db" in str(error.value)
    assert "\n" not in str(error.value)
    assert before == (place.read_bytes() if place.is_file() else b"")


def test_a_study_that_was_never_filled_says_so(tmp_path):
    place = tmp_path / "study.db"
    place.touch()
    with pytest.raises(StudyError, match="is empty: fill it"):
        StudyFile(place)
    StudyFile(place, write=True).close()
    assert count(place) == 0


def test_a_reader_who_comes_while_a_study_is_made_sees_none_or_all(tmp_path):
    places = [tmp_path / f"{number}.db" for number in range(20)]
    made: list[Path] = []
    says: list[str] = []

    def read() -> None:
        while len(made) < len(places):
            try:
                says.append(f"{count(places[len(made)])} images")
            except (StudyError, IndexError) as error:
                says.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    for place in places:
        StudyFile(place, write=True).close()
        made.append(place)
    reader.join()
    assert says
    assert not [sentence for sentence in says if "another program" in sentence]


def test_a_new_study_is_for_its_owner_only(path):
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "name", ["my photos.db", "étude.db", "a#b?c%20.db", os.fsdecode(b"\xff.db")]
)
def test_any_name_will_do(tmp_path, name):
    StudyFile(tmp_path / name, write=True).close()
    assert (tmp_path / name).stat().st_size > 0
    assert count(tmp_path / name) == 0


def test_a_study_stays_where_it_is_when_the_program_goes_elsewhere(path, tmp_path, monkeypatch):
    monkeypatch.chdir(path.parent)
    study = visionhub.Study("study.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(study.table("images")) == 100
    assert list(Path().iterdir()) == []


def test_a_wrong_query_is_not_called_damage(path):
    study = visionhub.Study(path)
    for sql, values in (("SELECT ?", ()), ("SELECT 1; SELECT 2", ()), ("SELEKT", ())):
        with pytest.raises(StudyError) as error:
            study.query(sql, values)
        assert "damaged" not in str(error.value)
    with pytest.raises(StudyError, match="readonly"):
        study.query("DELETE FROM images")
    assert study.query("").rows == []


def test_all_or_nothing(path):
    def interrupted(study: StudyFile) -> None:
        with study.transaction() as sql:
            sql.execute(IMAGE, ("new", ADDED))
            raise KeyboardInterrupt

    with StudyFile(path, write=True) as study, pytest.raises(KeyboardInterrupt):
        interrupted(study)
    assert count(path) == 100


@pytest.mark.parametrize("wal", [False, True])
def test_a_writer_leaves_one_plain_file(path, monkeypatch, wal):
    """Version 1 in bytes 18 and 19 of the header: readable where nothing can be written."""
    monkeypatch.setattr("visionhub.store.journal.wal_is_safe", lambda: wal)
    with StudyFile(path, write=True) as study:
        with study.transaction() as sql:
            sql.execute(IMAGE, ("new", ADDED))
        assert study.query("PRAGMA journal_mode").rows == [("wal" if wal else "truncate",)]
        assert count(path) == 101
    assert sorted(one.name for one in path.parent.iterdir()) == ["study.db", "study.db.lock"]
    assert path.read_bytes()[18:20] == b"\1\1"


def test_a_reader_who_stays_does_not_hold_the_writer_up(path, monkeypatch):
    monkeypatch.setattr("visionhub.store.journal.wal_is_safe", lambda: True)
    writer = StudyFile(path, write=True)
    with StudyFile(path) as reader:
        rows = reader.stream("SELECT id FROM images")
        next(rows)
        started = time.monotonic()
        writer.close()
        assert time.monotonic() - started < 5
        assert len(list(rows)) == 99
    StudyFile(path, write=True).close()
    assert path.read_bytes()[18:20] == b"\1\1"


def older_study(path: Path) -> Path:
    """A study as the first release wrote it."""
    from sqlite_utils import Database

    from visionhub.store.migrations import migrations
    from visionhub.store.opening import APPLICATION_ID

    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    migrations.apply(Database(connection), stop_before="003_clouds")
    connection.close()
    return path


def test_a_reader_brings_an_older_study_up_to_date(tmp_path):
    path = older_study(tmp_path / "old.db")
    with StudyFile(path) as study:
        assert len(study.query("SELECT * FROM v_landmarks")) == 0
        assert "client" in study.query("SELECT * FROM bodies").columns


def test_an_older_study_that_is_being_written_says_so(tmp_path):
    path = older_study(tmp_path / "old.db")
    with (
        closing(take(path, shared=True)),
        pytest.raises(StudyError, match=r"older visionhub.*Another visionhub process"),
    ):
        StudyFile(path)
