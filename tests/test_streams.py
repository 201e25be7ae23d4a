"""Nobody reads the output any more: a command ends as it would have, and a paid run stores all."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from visionhub_sandbox import Fault, Sandbox

from tests.conftest import ROOT, jpeg

MAIN = "import sys; from visionhub.cli import main; sys.argv[0] = 'visionhub'; main()"
OWN = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "  # the terminal
ONE_BY_ONE = ("--set", "rekognition.concurrency=1")
PLACES = os.pathsep.join(map(str, (ROOT, ROOT / "providers")))
PHOTOS = 6
PAID = ("annotate", "photos", "-p", "rekognition", "-t", "labels", "--max-cost", "1", "--yes")
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start `visionhub` among six photographs."""
    (tmp_path / "photos").mkdir()
    for number in range(PHOTOS):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(jpeg(90, 80, shift=number * 7))

    def begin(
        *arguments: str, more: Mapping[str, str] | None = None, first: str = "", **streams: object
    ) -> object:
        return subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", first + MAIN, *arguments],
            env={**os.environ, "PYTHONPATH": PLACES, **(more or {})},
            cwd=tmp_path,
            **streams,  # type: ignore[call-overload]
        )

    return begin  # type: ignore[return-value]


@pytest.fixture
def paid(start: Start) -> Iterator[Start]:
    """Start a run for real, against a stand-in that takes a moment for each answer."""
    with Sandbox(None, faults=(Fault("latency", seconds=0.5),)) as service:
        account = {
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_REKOGNITION": f"http://{service.address}",
        }
        yield lambda *options, **streams: start(*PAID, *options, more=account, **streams)


@pytest.fixture
def unread() -> Iterator[int]:
    """The end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def asked(study: Path, sql: str) -> list[tuple[object, ...]]:
    """What a study says."""
    connection = sqlite3.connect(f"{study.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def ended(study: Path) -> tuple[int, bool]:
    """Answers, and whether the run was noted to have ended in good order."""
    ((answers, finished),) = asked(
        study, "SELECT (SELECT count(*) FROM requests), finished_at IS NOT NULL FROM runs"
    )
    return answers, bool(finished)


@pytest.mark.parametrize("arguments", [("providers",), ("prices", "--json"), ("doctor",)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_listing_without_a_reader_ends_quietly(start, unread, arguments, unbuffered):
    with start(
        *arguments, more={"PYTHONUNBUFFERED": unbuffered}, stdout=unread, stderr=subprocess.PIPE
    ) as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_the_exit_code_without_a_reader_is_that_of_the_command(start, unread):
    with start("quote", "nothing", stdout=unread, stderr=unread) as process:
        assert process.wait(60) == 2
    with start("status", "no.db", "--json", stdout=unread, stderr=unread) as process:
        assert process.wait(60) == 1


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_paid_run_whose_notes_nobody_reads_goes_on_to_its_end(paid, unread, tmp_path, options):
    with paid(*options, stdout=subprocess.PIPE, stderr=unread) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["done"] == PHOTOS if options else b"rekognition" in out
    assert ended(tmp_path / "study.db") == (PHOTOS, True)


def test_a_paid_run_whose_summary_nobody_reads_stores_everything(paid, unread, tmp_path):
    with paid(stdout=unread, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Broken" not in err
    assert ended(tmp_path / "study.db") == (PHOTOS, True)


def test_a_terminal_that_goes_lets_a_paid_run_end_in_good_order(paid, tmp_path):
    """As when an SSH session breaks: the hang-up comes, and nothing can be written any more."""
    ours, theirs = pty.openpty()
    with paid(
        *ONE_BY_ONE, first=OWN, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        wait_until_paid(tmp_path / "study.db")
        os.close(ours)
        assert process.wait(60) == 130
    answers, finished = ended(tmp_path / "study.db")
    assert finished
    assert 0 < answers < PHOTOS
    ends = asked(tmp_path / "study.db", "SELECT state, count(*) FROM charges GROUP BY state")
    assert dict(ends) | {"released": 0} == {"settled": answers, "released": 0}


def wait_until_paid(study: Path) -> None:
    """Until a first answer is settled."""
    for _ in range(600):
        with suppress(sqlite3.OperationalError):  # not there yet
            if asked(study, "SELECT 1 FROM charges WHERE state = 'settled'"):
                return
        time.sleep(0.02)
    raise AssertionError("nothing was answered")
