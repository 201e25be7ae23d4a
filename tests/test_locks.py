"""Several writers at once, or one alone: who waits, who is refused, and what is left behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.test_store import older_study
from visionhub.errors import StudyError
from visionhub.store import entering, journal
from visionhub.store.locks import take
from visionhub.store.study import StudyFile

BUSY = "Another visionhub process is writing to"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(entering, "SOON", 0.2)
    monkeypatch.setattr(entering, "PATIENCE", 0.2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    StudyFile(tmp_path / "study.db", write=True).close()
    return tmp_path / "study.db"


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    call = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(processes: list[subprocess.Popen[str]]) -> list[str]:
    """What went wrong in each; empty where nothing did."""
    return [process.communicate(timeout=60)[1] for process in processes]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_a_study_is_shared_or_had_alone(path, first, second, together):
    with StudyFile(path, write=True, shared=first):
        if together:
            StudyFile(path, write=True, shared=second).close()
        else:
            with pytest.raises(StudyError, match=f"{BUSY} .*study.db"):
                StudyFile(path, write=True, shared=second)
    StudyFile(path, write=True, shared=second).close()


HOLD = """
import sys
from pathlib import Path
from visionhub.store.locks import take
held = take(Path(sys.argv[1]), shared=sys.argv[2] == "shared")
print("held" if held else "refused", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["shared", "alone"])
def test_a_killed_process_holds_nothing(path, kind):
    with started(HOLD, path, kind) as other:
        assert other.stdout.readline() == "held\n"
        assert take(path, shared=False) is None
        with pytest.raises(StudyError, match=BUSY):
            StudyFile(path, write=True)
        other.send_signal(signal.SIGKILL)
        other.wait(10)
    StudyFile(path, write=True).close()


def test_any_thread_may_let_go(path):
    with closing(take(path, shared=True)) as held:
        thread = threading.Thread(target=held.close)
        thread.start()
        thread.join()
        with closing(take(path, shared=False)) as alone:
            assert alone is not None


@pytest.mark.parametrize("mode", [0o700, 0o775, 0o777])
def test_nothing_but_the_lock_lies_beside_a_study_that_is_written(path, mode):
    path.parent.chmod(mode)
    with StudyFile(path, write=True, shared=True), StudyFile(path, write=True, shared=True):
        assert {one.name for one in path.parent.rglob("*")} <= {
            path.name + end for end in ("", ".lock", "-journal", "-wal", "-shm")
        }
    assert sorted(one.name for one in path.parent.iterdir()) == ["study.db", "study.db.lock"]
    assert path.with_name("study.db.lock").stat().st_size == 0


def test_the_lock_of_an_earlier_version_will_do(path):
    lock = path.with_name("study.db.lock")
    lock.unlink()
    lock.touch(0o644)
    StudyFile(path, write=True, shared=True).close()


def test_another_file_in_the_place_of_the_lock_is_named(path):
    path.with_name("study.db.lock").write_text("no lock" * 99)
    with pytest.raises(StudyError, match=r"study.db.lock' is no lock of visionhub: move it away"):
        StudyFile(path, write=True)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StudyError, match=r"Cannot write beside .*: No such file or directory\. "):
        StudyFile(tmp_path / "absent" / "study.db", write=True)


def test_a_file_system_without_locks_is_told(path, monkeypatch):
    class Unlockable(sqlite3.Connection):
        def execute(self, *_):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_LOCK
            raise error

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k, factory=Unlockable))
    with pytest.raises(StudyError, match=r"Cannot write beside the study .*: disk I/O error\."):
        take(path, shared=True)


TOGETHER = """
import sys
from visionhub.store.study import StudyFile
sys.stdin.readline()
with StudyFile(sys.argv[1], write=True, shared=True) as study:
    study.query("SELECT * FROM attempts")
"""


@pytest.mark.parametrize("make", [None, older_study, Path.touch])
def test_processes_that_start_at_one_moment_all_come_in(tmp_path, make):
    path = tmp_path / "study.db"
    if make:
        make(path)
    processes = [started(TOGETHER, path) for _ in range(4)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    assert ended(processes) == [""] * 4
    assert sorted(one.name for one in tmp_path.iterdir()) == ["study.db", "study.db.lock"]


def test_an_older_study_that_others_have_open_waits_for_them(tmp_path):
    path = older_study(tmp_path / "old.db")
    with closing(take(path, shared=True)), pytest.raises(StudyError, match=BUSY):
        StudyFile(path, write=True, shared=True)
    assert "004_ledger" not in str(names(path))
    StudyFile(path, write=True, shared=True).close()
    assert "004_ledger" in str(names(path))


def names(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name FROM _sqlite_migrations").fetchall()


WRITE = """
import sys
from visionhub.store.study import StudyFile
path, times, reopen = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
study = StudyFile(path, write=True, shared=True)
for number in range(times):
    if number % reopen == 0:  # others write while one closes
        study.close()
        study = StudyFile(path, write=True, shared=True)
    with study.transaction() as sql:
        (before,) = sql.execute("SELECT value FROM marks WHERE name = 'n'").fetchone()
        sql.execute("UPDATE marks SET value = ? WHERE name = 'n'", (str(int(before) + 1),))
study.close()
"""


@pytest.mark.parametrize("times", [50])
def test_several_writers_lose_nothing_and_never_see_a_lock(path, times):
    with StudyFile(path, write=True) as study, study.transaction() as sql:
        sql.execute("INSERT INTO marks VALUES ('n', '0')")
    assert ended([started(WRITE, path, times, 10) for _ in range(4)]) == [""] * 4
    with StudyFile(path) as study:
        assert study.query("SELECT value FROM marks WHERE name = 'n'").rows == [(str(4 * times),)]
        assert study.query("PRAGMA integrity_check").rows == [("ok",)]
    assert sorted(one.name for one in path.parent.iterdir()) == ["study.db", "study.db.lock"]


def mode(study: StudyFile) -> str:
    assert study.query("PRAGMA synchronous").rows == [(2,)]  # FULL
    return str(study.query("PRAGMA journal_mode").rows[0][0])


@pytest.mark.parametrize(("safe", "says"), [(True, "wal"), (False, "truncate")])
def test_the_log_only_where_the_library_is_safe(path, monkeypatch, safe, says):
    monkeypatch.setattr(journal, "wal_is_safe", lambda: safe)
    for shared in (False, True):
        with StudyFile(path, write=True, shared=shared) as study:
            assert mode(study) == says
            with closing(study.second()) as second:
                assert second.execute("PRAGMA journal_mode").fetchone() == (says,)
                assert second.execute("PRAGMA synchronous").fetchone() == (2,)
    assert path.read_bytes()[18:20] == b"\1\1"


def test_who_joins_takes_the_journal_that_is_there(path, monkeypatch):
    monkeypatch.setattr(journal, "wal_is_safe", lambda: False)
    with StudyFile(path, write=True, shared=True) as study:
        monkeypatch.setattr(journal, "wal_is_safe", lambda: True)
        with StudyFile(path, write=True, shared=True) as joined:
            assert mode(joined) == "truncate"
        assert mode(study) == "truncate"


def test_an_unsafe_library_joins_no_log(path, monkeypatch):
    monkeypatch.setattr(journal, "wal_is_safe", lambda: True)
    with StudyFile(path, write=True, shared=True) as study:
        monkeypatch.setattr(journal, "wal_is_safe", lambda: False)
        with pytest.raises(StudyError, match=rf"{BUSY}.*write-ahead log.*{sqlite3.sqlite_version}"):
            StudyFile(path, write=True, shared=True)
        assert mode(study) == "wal"
    with StudyFile(path, write=True, shared=True) as study:
        assert mode(study) == "truncate"


def test_one_of_several_closes_and_the_log_stays_until_the_last(path, monkeypatch):
    monkeypatch.setattr(journal, "wal_is_safe", lambda: True)
    first = StudyFile(path, write=True, shared=True)
    with StudyFile(path, write=True, shared=True):
        pass
    with first.transaction() as sql:
        sql.execute("INSERT INTO marks VALUES ('n', '0')")
    assert mode(first) == "wal"
    first.close()
    assert path.read_bytes()[18:20] == b"\1\1"
    assert sorted(one.name for one in path.parent.iterdir()) == ["study.db", "study.db.lock"]


def test_a_log_that_a_reader_holds_is_not_waited_for_for_ever(path, monkeypatch):
    monkeypatch.setattr(journal, "wal_is_safe", lambda: True)
    monkeypatch.setattr(journal, "WAIT", 100)
    writer = StudyFile(path, write=True)
    with StudyFile(path) as reader:
        reader.query("SELECT count(*) FROM images")
        writer.close()
        assert path.read_bytes()[18:20] == b"\2\2"
        monkeypatch.setattr(journal, "wal_is_safe", lambda: False)
        began = time.monotonic()
        with pytest.raises(StudyError, match=r"locked\. Another program is using it; close that"):
            StudyFile(path, write=True)
        assert time.monotonic() - began < 5
    StudyFile(path, write=True).close()
    assert path.read_bytes()[18:20] == b"\1\1"


def test_a_reader_in_the_way_of_the_log_leaves_the_journal(path, monkeypatch):
    monkeypatch.setattr(journal, "wal_is_safe", lambda: True)
    monkeypatch.setattr(journal, "WAIT", 100)
    with StudyFile(path, write=True) as study, study.transaction() as sql:
        sql.execute("INSERT INTO marks VALUES ('n', '0'), ('m', '1')")
    with StudyFile(path) as reader:
        rows = iter(reader.connection.execute("SELECT name FROM marks"))
        next(rows)
        with StudyFile(path, write=True) as study:
            assert mode(study) == "truncate"


def test_the_lock_survives_a_reader_of_the_same_process(path):
    """Closing a file drops this process's locks on it; SQLite's connections know one another."""
    with StudyFile(path, write=True, shared=True):
        StudyFile(path).close()
        StudyFile(path, write=True, shared=True).close()
        with started(HOLD, path, "alone") as other:
            assert other.communicate("", timeout=30)[0] == "refused\n"
    assert os.path.exists(f"{path}.lock")  # noqa: PTH110
