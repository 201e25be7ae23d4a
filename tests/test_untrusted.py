"""Files that nobody should trust, through a whole run with a paid service; and clear sentences."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner
from visionhub_sandbox import Sandbox

from tests.sandboxed import Seer
from tests.torture import clock, storm
from tests.torture.corpus import GIGABYTE, MADE_TO_HURT, Growing, bad, fed, hostile
from tests.torture.disk import built
from tests.torture.faults import WAYS, make_photos
from tests.torture.measured import Ended, measured
from visionhub.cli import app
from visionhub.errors import StudyError, UnreadableImage
from visionhub.files import read
from visionhub.store.study import StudyFile

pytest.importorskip("boto3", reason="the extra 'aws' is not installed: not tested")

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


@linux
def test_the_corpus_of_bad_files_costs_no_more_than_it_may(shared: Path, tmp_path: Path) -> None:
    corpus = bad(tmp_path / "bad")
    if corpus is None:
        pytest.skip("no ../shared/images/bad/bad.tar: the corpus of bad files is not tested")
    found = fed(corpus, "rekognition")
    assert found.clean, found.ended.said
    assert found.rows == found.files > 140
    assert found.unreadable.total() > 80
    assert found.calls > 40
    assert found.sent == 0
    assert 0 < found.ended.peak < GIGABYTE


@linux
def test_files_that_are_made_to_harm_cost_no_more_than_they_may(tmp_path: Path) -> None:
    found = fed(hostile(tmp_path / "hostile"), "rekognition")
    assert found.clean, found.ended.said
    assert found.rows == found.files > 70
    kinds = {"too_many_pixels", "truncated", "damaged", "not_an_image", "unsupported_format"}
    assert kinds | {"symlink_loop", "not_a_file", "missing", "too_large"} == set(found.unreadable)
    assert found.sent == 0
    assert 0 < found.ended.peak < MADE_TO_HURT


def test_a_file_that_grows_while_it_is_read_is_not_read_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "growing.jpg"
    path.write_bytes(bytes(64 << 20))  # long enough to read for a writer to come in between

    def again_and_again() -> None:
        for _ in range(1000):
            read(path)

    with Growing(path), pytest.raises(UnreadableImage) as caught:
        again_and_again()
    assert caught.value.reason in ("changed", "too_large")


@linux
def test_a_clock_that_jumps_forty_days_in_mid_run(tmp_path: Path) -> None:
    shim = built(tmp_path, clock.SHIM)
    if shim is None:
        pytest.skip("no C compiler (cc): no clock was made to jump")
    found = clock.jumped(shim, WAYS[2], clock.JUMPS["40 days forwards"])
    assert (found.twice, found.wrong) == (0, [])
    assert found.months == 2  # it did jump


@linux
def test_an_answer_of_many_megabytes_is_stored_or_has_one_reason() -> None:
    found = storm.fed("rekognition", 1)
    assert found.clear, found
    assert "50,000,055 bytes" in found.reason
    assert 0 < found.peak < GIGABYTE


def test_a_service_that_never_answers_is_given_up(tmp_path: Path) -> None:
    found = storm.silent(WAYS[2], tmp_path, 30, timeout=0.3)
    assert found.even
    assert found.calls < 60
    assert "in a row" in found.said
    assert found.broken == []


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_photos(tmp_path / "photos", 2)


def annotated(photos: Path, study: Path, *before: str) -> Ended:
    """The command line, in a process of its own."""
    with Sandbox(Seer()) as sandbox:
        words = ["annotate", str(photos), "-p", "rekognition", "-t", "labels", "--sandbox"]
        more = {"VISIONHUB_SANDBOX": sandbox.address}
        if not before:
            ended = measured([*words, "--study", str(study)], more)
        else:
            program = "from visionhub.cli import main; main()"
            command = [*before, sys.executable, "-c", program, *words, "--study", str(study)]
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, **more}
            )
            ended = Ended(done.returncode, done.stdout, done.stderr, 0)
        assert sandbox.calls.count() == 0
    return ended


def sentence(ended: Ended, code: int = 1) -> str:
    """The one error that was said."""
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    (said,) = [line for line in ended.said.splitlines() if line.startswith("Error:")]
    return said


def test_a_locked_study_is_one_sentence(photos: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.db"
    with StudyFile(study, write=True):
        assert "Another visionhub process is writing" in sentence(annotated(photos, study))


def test_a_study_of_a_newer_version_is_one_sentence(photos: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.db"
    StudyFile(study, write=True).close()
    with closing(sqlite3.connect(study)) as sql, sql:
        columns = [row[1] for row in sql.execute("PRAGMA table_info(_sqlite_migrations)")]
        values = {"migration_set": "visionhub", "name": "999_later", "applied_at": "2030-01-01"}
        row = [values.get(column) for column in columns]
        sql.execute(f"INSERT INTO _sqlite_migrations VALUES ({', '.join('?' * len(row))})", row)
    assert "newer visionhub (999_later)" in sentence(annotated(photos, study))


def test_a_folder_that_may_not_be_written_to_is_one_sentence(photos: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if os.getuid() == 0:  # who may do anything: a mount that is for reading
        script = f'mount -t tmpfs -o ro none "{place}" && exec "$@"'
        before = ["unshare", "-rm", "sh", "-c", script, "sh"]
        if shutil.which("unshare") is None or not mounts():
            pytest.skip("no mount namespace is allowed here: a read-only folder is not tested")
        ended = annotated(photos, place / "study.db", *before)
    else:
        place.chmod(0o500)
        ended = annotated(photos, place / "study.db")
    said = sentence(ended)
    assert "Read-only file system" in said or "Permission denied" in said
    assert "--study" in said


def test_a_disk_without_room_is_one_sentence(photos: Path, tmp_path: Path) -> None:
    if shutil.which("unshare") is None or not mounts():
        pytest.skip("no mount namespace is allowed here: a small disk is not tested")
    place = tmp_path / "place"
    place.mkdir()
    script = f'mount -t tmpfs -o size=20m none "{place}" && exec "$@"'
    before = ["unshare", "-rm", "sh", "-c", script, "sh"]
    said = sentence(annotated(photos, place / "study.db", *before))
    assert "MB free and a paid run needs 134 MB" in said
    assert "--study" in said


def test_a_study_on_a_network_is_one_sentence(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = tmp_path / "mountinfo"
    mounted.write_text(f"36 35 98:0 / {tmp_path} rw,noatime - nfs4 server:/home rw\n")
    monkeypatch.setattr("visionhub.store.filesystem.MOUNTS", mounted)
    monkeypatch.setattr(sys, "platform", "linux")
    words = ["annotate", str(photos), "-p", "rekognition", "-t", "labels", "--sandbox"]
    with Sandbox(Seer()) as sandbox:
        monkeypatch.setenv("VISIONHUB_SANDBOX", sandbox.address)
        result = CliRunner().invoke(app, [*words, "--study", str(tmp_path / "study.db")])
        assert sandbox.calls.count() == 0
    assert isinstance(result.exception, StudyError)
    said = str(result.exception)
    assert "lies on a network file system (nfs4" in said
    assert "\n" not in said
    assert not (tmp_path / "study.db").exists()


def mounts() -> bool:
    """Whether this user may mount in a namespace of its own."""
    words = ["unshare", "-rm", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
