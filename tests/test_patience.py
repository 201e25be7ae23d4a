"""A study that another program has locked: who gives up soon, and who waits and says so."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import visionhub
from tests.conftest import jpeg
from tests.ledgers import new_study, open_ledger, wanted
from tests.test_store import older_study
from tests.toy import Toy
from visionhub.errors import StudyError
from visionhub.provider import Batch, Outcome, Provider
from visionhub.store import entering, opening, patience, study
from visionhub.store.patience import LONG, Patience
from visionhub.store.study import StudyFile

LOCKED = r"study.db.*database is locked\. Another program is using it; close that and run"
WAITS = "WARNING another program has locked the study"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (opening, entering, study):
        monkeypatch.setattr(module, "SHORT", 0.3)
    monkeypatch.setattr(patience, "SILENT", 0.2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    StudyFile(tmp_path / "study.db", write=True).close()
    return tmp_path / "study.db"


@contextmanager
def locked(path: Path, statement: str = "BEGIN EXCLUSIVE") -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute(statement)
        other.execute("SELECT count(*) FROM images").fetchone()
        yield other


@pytest.mark.parametrize(
    "how", [{}, {"write": True}, {"write": True, "shared": True}], ids=["read", "alone", "shared"]
)
@pytest.mark.parametrize("old", [False, True])
def test_who_opens_a_locked_study_gives_up_soon(tmp_path, path, how, old):
    if old:
        path.unlink()
        older_study(path)
    began = time.monotonic()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StudyError, match=LOCKED):
            StudyFile(path, **how)
    assert time.monotonic() - began < 2  # once, and not again for each thing that is looked up
    StudyFile(path, **how).close()


def test_an_older_study_that_is_read_elsewhere_is_not_tried_for_long(tmp_path):
    path = older_study(tmp_path / "study.db")
    with locked(path, "BEGIN"):
        began = time.monotonic()
        with pytest.raises(StudyError, match=r"older visionhub .* database is locked"):
            StudyFile(path)
        assert time.monotonic() - began < 4


def test_who_reads_gives_up_soon_amid_reading_too(path):
    with StudyFile(path) as reader, locked(path):
        began = time.monotonic()
        with pytest.raises(StudyError, match=LOCKED):
            reader.query("SELECT * FROM images")
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("statement", ["BEGIN EXCLUSIVE", "BEGIN"])
def test_who_writes_says_that_it_waits_and_then_writes(path, statement):
    """A writer is in the way of its beginning, a reader of its end."""
    said: list[str] = []
    with (
        StudyFile(path, write=True, announce=said.append) as writer,
        locked(path, statement) as other,
    ):
        threading.Timer(1.0, lambda: other.execute("ROLLBACK")).start()
        with writer.transaction() as sql:
            sql.execute("INSERT INTO marks VALUES ('n', '1')")
        assert writer.query("SELECT value FROM marks").rows == [("1",)]
        with writer.transaction():
            pass
    assert [line[: len(WAITS)] for line in said] == [WAITS]
    assert str(path) in said[0]


def test_it_waits_for_minutes_whatever_it_does(path):
    with StudyFile(path, write=True) as writer, closing(writer.second()) as second:
        for connection in (writer.connection, second):
            assert connection.execute("PRAGMA busy_timeout").fetchone() == (LONG * 1000,)
        with writer.transaction() as sql:
            assert sql.execute("PRAGMA busy_timeout").fetchone() == (LONG * 1000,)
        assert writer.connection.execute("PRAGMA busy_timeout").fetchone() == (LONG * 1000,)


def test_what_is_no_lock_is_not_waited_for(path):
    said: list[str] = []
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as sql,
        pytest.raises(sqlite3.OperationalError, match="no transaction"),
    ):
        Patience(path, said.append).execute(sql, "COMMIT")
    assert said == []


def test_who_reserves_says_that_it_waits_and_then_reserves(path):
    said: list[str] = []
    new_study(path).close()
    with (
        StudyFile(path, write=True, shared=True, announce=said.append) as writer,
        open_ledger(writer) as ledger,
    ):
        with locked(path) as other:
            threading.Timer(1.0, lambda: other.execute("ROLLBACK")).start()
            assert ledger.reserve(wanted(1)).granted
        assert [line[: len(WAITS)] for line in said] == [WAITS]


def test_a_run_that_finds_its_study_locked_says_so_and_loses_nothing(
    path: Path, tmp_path: Path, use: Callable[[Provider], Provider]
) -> None:
    class Locking(Toy):
        def fetch(self, batch: Batch) -> Iterable[Outcome]:
            if not self.calls:
                other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                other.execute("BEGIN EXCLUSIVE")
                threading.Timer(1.0, other.close).start()
            yield from super().fetch(batch)

    use(Locking())
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "1.jpg").write_bytes(jpeg(60, 40))
    said: list[str] = []
    progress = visionhub.Study(path).annotate(
        photos, providers="toy", tasks="labels", announce=said.append
    )
    assert progress.done == 1
    assert [line[: len(WAITS)] for line in said] == [WAITS]
