"""Room on the disk: kept back, asked for, and missed; on a small disk where one may be had."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from visionhub.errors import StudyError, StudyFull
from visionhub.store import ballast, explain
from visionhub.store.ballast import Ballast, is_full
from visionhub.store.explain import explained

MB = 1 << 20
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def free(monkeypatch):
    """Say how much is free."""
    return lambda size: monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, size))


def held() -> int:
    """Bytes of files without a name that this process keeps."""
    total = 0
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            found = os.fstat(int(number))
        except OSError:
            continue
        total += found.st_blocks * 512 if found.st_nlink == 0 else 0
    return total


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc/self/fd here")


@needs_proc
@pytest.mark.parametrize("how", ["fallocate", "refused", "absent"])
def test_a_ballast_is_there_until_released(tmp_path, monkeypatch, how):
    if how == "absent":
        monkeypatch.delattr(os, "posix_fallocate")
    if how == "refused":
        monkeypatch.setattr(os, "posix_fallocate", failing(errno.EOPNOTSUPP))
    before = held()
    kept = Ballast(tmp_path / "study.db", 3 * MB)
    assert list(tmp_path.iterdir()) == []
    assert held() - before >= 3 * MB
    assert kept.release() is True
    assert held() == before
    assert kept.release() is False


@needs_proc
def test_a_run_that_ends_leaves_no_ballast(tmp_path):
    before = held()
    with Ballast(tmp_path / "study.db", MB):
        assert held() > before
    assert held() == before
    assert list(tmp_path.iterdir()) == []


def test_one_of_many_threads_releases(tmp_path):
    kept = Ballast(tmp_path / "study.db", MB)
    said: list[bool] = []
    threads = [threading.Thread(target=lambda: said.append(kept.release())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [False] * 7 + [True]


def test_too_little_room_is_told_before_the_run(tmp_path, free):
    free(ballast.SPARE + 3 * MB - 1)
    with pytest.raises(StudyFull) as error:
        Ballast(tmp_path / "study.db", 3 * MB)
    assert str(tmp_path) in str(error.value)
    assert "has 70 MB free and a paid run needs 70 MB: free some space" in str(error.value)
    free(ballast.SPARE + 3 * MB)
    Ballast(tmp_path / "study.db", 3 * MB).release()


def failing(number: int):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_quota_or_a_limit_is_told_likewise(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "posix_fallocate", failing(number))
    with pytest.raises(StudyFull, match=rf"free \({os.strerror(number)}\) and a paid run needs"):
        Ballast(tmp_path / "study.db", MB)


def test_a_folder_that_is_not_there_is_not_full(tmp_path):
    with pytest.raises(StudyError, match="No such file") as error:
        Ballast(tmp_path / "absent" / "study.db", MB)
    assert not isinstance(error.value, StudyFull)


def test_this_disk_is_not_full(tmp_path):
    assert not is_full(tmp_path)
    assert list(tmp_path.iterdir()) == []


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


def raising(path: Path, error: Exception) -> None:
    with explained(path):
        raise error


@pytest.mark.parametrize(
    ("error", "disk", "full"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), False, True),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), True, True),
        (of_sqlite(sqlite3.SQLITE_IOERR_FSYNC), False, False),
        (of_sqlite(sqlite3.SQLITE_BUSY), True, False),
        (OSError(errno.ENOSPC, "No space left on device"), False, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), False, True),
        (OSError(errno.EIO, "Input/output error"), True, False),
    ],
)
def test_a_full_disk_is_told_from_other_faults(tmp_path, monkeypatch, error, disk, full):
    monkeypatch.setattr(explain, "is_full", lambda _: disk)
    with pytest.raises(StudyError, match=r"study\.db") as found:
        raising(tmp_path / "study.db", error)
    assert isinstance(found.value, StudyFull) is full


SMALL = """
set -e
mkdir -p "$1"
mount -t tmpfs -o size="$2" none "$1"
exec "$3" -c "$4" "$1"
"""


def on_a_small_disk(folder: Path, size: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a file system of its own; skip where this user may not mount one."""
    unshare = shutil.which("unshare")
    may = (
        unshare
        and not subprocess.run(
            [unshare, "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not may:
        pytest.skip("this user may not mount a small file system: a full disk is only simulated")
    call = [unshare, "-rm", "sh", "-c", SMALL, "sh", str(folder), size, sys.executable, code]
    return subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)


FILL = """
import sys
from pathlib import Path
from visionhub.errors import StudyFull
from visionhub.store import ballast
from visionhub.store.ballast import Ballast, is_full
from visionhub.store.study import StudyFile

ballast.SPARE = 1 << 20
path = Path(sys.argv[1]) / "study.db"
INSERT = (
    "INSERT INTO bodies (sha256, bytes, encoding, media_type, received_at, data) "
    "VALUES ('', 1, '', '', '', ?)"
)

def fill(study):
    for number in range(1000):
        with study.transaction() as sql:
            sql.execute(INSERT, (bytes(50_000),))

with StudyFile(path, write=True, shared=True) as study:
    kept = Ballast(path, 2 << 20)
    try:
        fill(study)
    except StudyFull as error:
        print(error)
    stored = study.query("SELECT count(*) FROM bodies").rows[0][0]
    print(is_full(path.parent), stored > 10)
    assert kept.release()
    with study.transaction() as sql:
        sql.execute(INSERT, (bytes(50_000),))
    print(study.query("SELECT count(*) FROM bodies").rows[0][0] - stored)
    print(study.query("PRAGMA integrity_check").rows[0][0])
try:
    Ballast(path, 2 << 20)
except StudyFull as error:
    print(error)
"""


def test_what_is_in_flight_finds_room_on_a_full_disk(tmp_path):
    ran = on_a_small_disk(tmp_path / "small", "6m", FILL)
    assert ran.stderr == ""
    full, at_the_limit, more, sound, told = ran.stdout.splitlines()
    assert "its disk is full. Free some space; what was committed is safe" in full
    assert (at_the_limit, more, sound) == ("True True", "1", "ok")
    assert "has 1 MB free" in told or "has 2 MB free" in told


READ_ONLY = """
import subprocess, sys
from pathlib import Path
from visionhub.errors import StudyError
from visionhub.store.study import StudyFile

path = Path(sys.argv[1]) / "study.db"
StudyFile(path, write=True).close()
subprocess.run(["mount", "-o", "remount,ro", sys.argv[1]], check=True)
for name in ("study.db", "new.db"):
    try:
        StudyFile(path.with_name(name), write=True)
    except StudyError as error:
        print(error)
with StudyFile(path) as study:
    print(len(study.query("SELECT * FROM images")))
"""


def test_a_read_only_folder_is_told_and_read(tmp_path):
    ran = on_a_small_disk(tmp_path / "small", "6m", READ_ONLY)
    assert ran.stderr == ""
    old, new, rows = ran.stdout.splitlines()
    for said, name in ((old, "study.db"), (new, "new.db")):
        assert f"small/{name}': Read-only file system. Choose another place with --study." in said
    assert rows == "0"
