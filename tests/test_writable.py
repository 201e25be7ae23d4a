"""What would end a paid run at its start is said before its files are looked at."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import visionhub
from tests.conftest import jpeg
from tests.ledgers import new_study, open_ledger
from visionhub.cli import app
from visionhub.errors import CapReached, StudyError, StudyFull, VisionHubError
from visionhub.store import filesystem
from visionhub.store.study import StudyFile
from visionhub.store.writable import check_paid, check_place

Usage = namedtuple("Usage", "total used free")
USD = "USD"


def said(work: Callable[[], object], kind: type[VisionHubError]) -> str:
    with pytest.raises(kind) as error:
        work()
    return str(error.value)


def at_the_start(study: Path) -> str:
    """What a run says that opens the study."""
    return said(lambda: StudyFile(study, write=True, shared=True), StudyError)


def test_a_folder_that_is_not_there_is_said_as_a_run_says_it(tmp_path):
    study = tmp_path / "none" / "study.db"
    early = said(lambda: check_paid(study, USD, None), StudyError)
    assert "No such file or directory. Choose another place with --study." in early
    assert early == at_the_start(study)


def test_a_folder_that_takes_no_file_is_said_as_a_run_says_it():
    study = Path("/proc/study.db")  # for root too
    assert said(lambda: check_paid(study, USD, None), StudyError) == at_the_start(study)


def test_a_study_over_a_network_and_one_in_a_folder_s_place_are_said(tmp_path, monkeypatch):
    assert "is a folder" in said(lambda: check_paid(tmp_path, USD, None), StudyError)
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 0 0:9 / / rw - nfs a:/b rw\n")
    monkeypatch.setattr(filesystem, "MOUNTS", mounts)
    assert "network" in said(lambda: check_paid(tmp_path / "s.db", USD, None), StudyError)


def test_too_little_room_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 1 << 20))
    early = said(lambda: check_paid(tmp_path / "study.db", USD, None), StudyFull)
    assert "a paid run needs 134 MB" in early


def test_a_study_that_another_has_alone_is_said(tmp_path):
    study = tmp_path / "study.db"
    with StudyFile(study, write=True):
        assert said(lambda: check_paid(study, USD, None), StudyError) == at_the_start(study)


def test_where_all_is_well_nothing_is_made(tmp_path):
    check_place(tmp_path / "study.db")
    check_paid(tmp_path / "study.db", USD, 5)
    assert list(tmp_path.iterdir()) == []


def test_a_cap_below_what_is_gone_is_said_and_none_is_set(tmp_path):
    study = tmp_path / "study.db"
    gone = "UPDATE accounts SET settled = 2000000"
    with new_study(study) as opened, open_ledger(opened, cap=7_000_000):
        opened.connection.execute(gone)
    early = said(lambda: check_paid(study, USD, 1_000_000), CapReached)
    assert "The cap of 1.00 USD is below what is gone already" in early
    check_paid(study, USD, 3_000_000)
    with StudyFile(study) as opened:
        assert opened.query("SELECT cap FROM accounts").column("cap") == [7_000_000]


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photograph, and an account with a service that nobody may reach."""
    for name, value in (
        ("ACCESS_KEY_ID", "none"),
        ("SECRET_ACCESS_KEY", "none"),
        ("REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", "http://127.0.0.1:1")
    (tmp_path / "0.jpg").write_bytes(jpeg(120, 90))
    return tmp_path / "0.jpg"


def test_no_file_is_looked_at_for_a_run_that_could_not_begin(photo, monkeypatch):
    shown: list[object] = []
    study = visionhub.Study(photo.parent / "none" / "study.db")
    with pytest.raises(StudyError, match="No such file or directory"):
        study.annotate(
            photo,
            providers="rekognition",
            tasks="labels",
            confirm=shown.append,
        )
    assert shown == []


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_quote_for_a_study_that_could_not_be_written_says_so(photo, options):
    absent = photo.parent / "none"
    asked = ["quote", str(photo), "-p", "rekognition", "-t", "labels", "-s", f"{absent}/x.db"]
    result = CliRunner().invoke(app, [*asked, *options])
    assert result.exit_code == 0
    note = "NOTE to run it: Cannot write beside the study"
    texts = [json.loads(line)["text"] for line in result.stderr.splitlines()] if options else []
    assert note in (" ".join(texts) if options else result.stderr)
    assert not absent.exists()
